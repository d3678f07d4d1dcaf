/* setting.h - what a registry value means for Remote Desktop: settings.def as a look-up. */
#ifndef FL_PARSERS_SETTING_H
#define FL_PARSERS_SETTING_H

#include "faultline/core.h"

/* Parts of a key that say what the setting belongs to, and the field that each becomes. */
typedef enum setting_part {
  SETTING_LISTENER,
  SETTING_SERVICE,
  SETTING_PROTOCOL,
  SETTING_SIDE,
  SETTING_ALGORITHM,
  SETTING_PROFILE,
  SETTING_SERVER,
  SETTING_N_PARTS
} setting_part;
extern const char *const setting_part_names[SETTING_N_PARTS]; /* "listener", … */

typedef struct setting {
  fl_str name;       /* canonical; empty: the value is no such setting */
  const char *layer; /* "policy" or "local" */
  fl_str parts[SETTING_N_PARTS];
} setting;

/* The key is full and in its one form: HKLM\SYSTEM\CurrentControlSet\…. What is returned points
 * into the key, the name, and the table. Rules of the firewall count only where they concern Remote
 * Desktop, which `text` (the value, where it is one) tells. */
setting setting_of(fl_str key, fl_str name, fl_str text);

/* Values that must not leave the machine they come from: passwords and tokens. */
bool setting_is_secret(fl_str name);

#endif
