/* yara_scanner.h - one scanner: bytes in, matches out. */
#ifndef FL_RULES_YARA_SCANNER_H
#define FL_RULES_YARA_SCANNER_H

#include "rules/yara_set.h"

/* A run of bytes at its address: 0 for a file, a virtual address for a piece of memory. No match
 * crosses from one run into the next, so neighbours should be one run. */
typedef struct yara_run {
  uint64_t base;
  const uint8_t *bytes;
  size_t n_bytes;
} yara_run;

/* What is scanned as one, and what its rules can ask about it. Strings end with NUL. */
typedef struct yara_medium {
  const yara_run *runs; /* in the order of their bases, apart */
  size_t n_runs;
  bool has_size;    /* false: memory, where `filesize` is undefined */
  bool may_vanish;  /* a mapping of a file that may shrink */
  unsigned seconds; /* it may take */
  const char *filename, *filepath, *extension, *filetype;
  const char *provider, *channel, *computer;
  int64_t event_id, level;
} yara_medium;

typedef struct yara_match {
  uint64_t offset; /* base included */
  uint32_t length;
  uint8_t n_bytes;
  uint8_t bytes[FL_YARA_MATCH_BYTES];
  const char *string;
} yara_match;
/* One rule that matched; its matches are a part of the result's. */
typedef struct yara_hit {
  uint32_t rule; /* index into the set's rules */
  size_t first, n;
  uint64_t n_more;
  bool is_near; /* the rule that is watched: its condition does not hold */
} yara_hit;
typedef struct yara_result {
  yara_hit *hits;
  size_t n_hits, cap_hits;
  yara_match *matches;
  size_t n_matches, cap_matches;
  bool is_timed_out;
  bool has_failed; /* libyara gave up: `code` */
  int code;
  char many[120]; /* "rule:$string" that matched too often and was left; "" for none */
} yara_result;
void fl_yara_result_clear(yara_result *result); /* keeps its memory */
void fl_yara_result_free(yara_result *result);

/* For one thread. */
typedef struct yara_scanner yara_scanner;
fl_status fl_yara_scanner_create(const fl_yara *yara, fl_yara_scope scope,
                                 yara_scanner **ret_scanner, fl_err *err);
void fl_yara_scanner_free(yara_scanner *scanner);
/* Of this rule a hit is given in any case, so that its strings can be told. */
void fl_yara_scanner_watch(yara_scanner *scanner, uint32_t rule);
/* Hits come in the order of rules, matches of a hit by offset. FL_E_NOMEM alone is an error. */
fl_status fl_yara_scanner_run(yara_scanner *scanner, const yara_medium *medium,
                              yara_result *result);

#endif
