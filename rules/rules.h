/* rules.h - inside of a rule set: what loading of paths and engines share. */
#ifndef FL_RULES_RULES_H
#define FL_RULES_RULES_H

#include "faultline/rules.h"

fl_arena *fl_rules_arena(fl_rules *rules);
/* A complaint about a file that has no text to point into. */
fl_status fl_rules_refuse(fl_rules *rules, fl_str name, fl_status code, const char *text,
                          fl_err *err);
/* A text with the name of a file; `folder` is what the user named, NULL: the file itself. */
fl_status fl_rules_add_file(fl_rules *rules, fl_str file, fl_str text, const char *folder,
                            fl_err *err);
/* The most bytes that a file of this name may have. */
size_t fl_rules_max_bytes(fl_str file);
/* A text of log sources. */
fl_status fl_rules_prepare(fl_rules *rules, fl_str file, fl_str text, fl_err *err);
/* Does a file of this name hold rules of any engine? */
bool fl_rules_knows_suffix(fl_str file);
/* `suffixes` ends with NULL; letters in any case. */
bool fl_name_has_suffix(fl_str name, const char *const *suffixes);

#endif
