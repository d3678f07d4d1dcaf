/* hive_ask.h - what the child that reads a hive answers (docs/adr/0012-hives-by-libregf.md). */
#ifndef FL_PARSERS_HIVE_ASK_H
#define FL_PARSERS_HIVE_ASK_H

#include "faultline/core.h"

/* The question: where the hive's bytes lie in the memory that the child has inherited. */
typedef struct hive_question {
  const uint8_t *bytes;
  size_t n_bytes;
} hive_question;

/* The answer is a run of items, each a tag and what belongs to it; little endian.
 * KEY: u64 FILETIME, u32 place, text full key.  VALUE: of the last key: u32 type, u32 place,
 * u32 bytes as recorded, text name, text data.   DAMAGE: u32 place, text.  CUT: there
 * was more than fits. A text is u32 bytes and the bytes. A place is an offset in the hive, or
 * UINT32_MAX. */
enum { HIVE_KEY = 'K', HIVE_VALUE = 'V', HIVE_DAMAGE = 'D', HIVE_CUT = 'C' };
enum { HIVE_NO_PLACE = UINT32_MAX };

typedef enum hive_damage {
  HIVE_LOST_PAGES,
  HIVE_LOST_KEYS, /* below the key */
  HIVE_LOST_VALUES,
  HIVE_LOST_TREE,   /* nobody can say whether the key is there */
  HIVE_MANY_VALUES, /* a limit */
  HIVE_N_DAMAGES
} hive_damage;

/* How many pages lie in no sound bin, and the first of them. */
size_t hive_bad_pages(const hive_question *hive, size_t *ret_first);
/* Makes each such page a bin, so that the others can be read. Returns where the last bin ends. */
size_t hive_mend(uint8_t *bytes, size_t n_bytes);

/* Runs in the child (base/guard.h). */
fl_status hive_answer(const uint8_t *question, size_t n_question, uint8_t *ret_answer,
                      size_t *n_answer);

#endif
