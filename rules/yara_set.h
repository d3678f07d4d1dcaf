/* yara_set.h - the inside of a set of YARA rules: files, what was compiled, what scans it. */
#ifndef FL_RULES_YARA_SET_H
#define FL_RULES_YARA_SET_H

#include <yara.h>

#include "rules/flr_lex.h"
#include "rules/yara.h"

enum { FL_YARA_MATCH_BYTES = 64 }; /* kept of what was found */

/* One file. Its namespace is its index as text. */
typedef struct yara_file {
  fl_str name;
  fl_str text;        /* with a NUL behind it */
  const char *folder; /* real path that includes must lie in; NULL: no includes */
  const char *path;   /* real path of the file; NULL: it has none */
  bool is_refused, is_heard;
  bool has[2];    /* rules of these scopes */
  size_t n_rules; /* without private ones */
} yara_file;

struct fl_yara {
  fl_arena *arena;
  yara_file *files;
  size_t n_files, cap_files;
  fl_rule_file *shown; /* what fl_yara_files gives */
  fl_message_list messages;
  uint64_t n_text_bytes;
  YR_RULES *compiled[2]; /* by scope; NULL: no rules of it */
  fl_yara_rule *rules;
  uint32_t *file_of; /* of a rule: index into files */
  size_t n_rules;
  uint32_t *by_index[2]; /* of a rule of `compiled`: 1 + index into rules; 0: not shown */
  bool is_finished;
  bool is_unguarded;                      /* compiles in this process: for fuzzing */
  unsigned compile_seconds, link_seconds; /* of CPU: for one file, for all together */
};

/* What is wrong with a source, before libyara sees it: compiled, not text, or with a module that
 * is not read here. Includes are looked at when they are read. */
typedef struct yara_complaint {
  uint32_t line;
  char text[200];
} yara_complaint;
bool fl_yara_check_text(fl_str text, yara_complaint *ret_complaint);
bool fl_yara_is_module(const char *name);
/* The rules that a source itself defines, one after the other: `ret_name` is empty behind the last.
 * `at` starts at 0, `line` at 1. */
void fl_yara_next_rule(fl_str text, size_t *at, uint32_t *line, fl_str *ret_name);

/* Who hears what a compiler says. Both may be called in a child. */
typedef struct yara_listener {
  void *self;
  void (*begin)(void *self, size_t file); /* FL_YARA_LINK: the files are put together */
  void (*message)(void *self, size_t file, uint32_t line, bool is_warning, const char *text);
} yara_listener;
#define FL_YARA_LINK SIZE_MAX

/* Files of a set, by index. `alone`: each is put together by itself and thrown away. */
typedef struct yara_work {
  const fl_yara *yara;
  const uint32_t *picks;
  size_t n_picks;
  bool alone;
} yara_work;
/* Compiles them. *ret_rules is NULL when a file had errors; all are looked at even then. */
fl_status fl_yara_compile(const yara_work *work, const yara_listener *listener,
                          YR_RULES **ret_rules);
/* The same in a child that is stopped when it takes too long or too much memory. */
typedef struct yara_outcome {
  YR_RULES *rules;
  bool is_stopped;
  size_t culprit;     /* is_stopped: the file that was compiled then, or FL_YARA_LINK */
  const char *reason; /* the end of a sentence */
} yara_outcome;
fl_status fl_yara_compile_guarded(const yara_work *work, const yara_listener *listener,
                                  yara_outcome *ret_outcome, fl_err *err);
/* Picks, compiles, refuses and compiles again until the rest is good. */
fl_status fl_yara_compile_all(fl_yara *yara, fl_err *err);
size_t fl_yara_file_of(const YR_RULE *rule);

/* A complaint about a file; one that is no warning refuses it. */
fl_status fl_yara_say(fl_yara *yara, size_t file, uint32_t line, bool is_warning, const char *text);

#endif
