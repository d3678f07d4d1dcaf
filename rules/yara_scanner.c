/* yara_scanner.c - libyara over runs of bytes: what matched where, within limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rules/yara_scanner.h"

struct yara_scanner {
  const fl_yara *yara;
  const uint32_t *by_index;
  YR_SCANNER *yr;
  yara_result *result; /* of the scan that runs */
  bool has_no_memory;
  uint32_t watched; /* rule + 1; 0: none */
};

void fl_yara_result_clear(yara_result *result) {
  result->n_hits = result->n_matches = 0;
  result->is_timed_out = result->has_failed = false;
  result->many[0] = '\0';
}

void fl_yara_result_free(yara_result *result) {
  free(result->hits);
  free(result->matches);
  *result = (yara_result){0};
}

static bool add_match(yara_result *result, const char *string, const YR_MATCH *match) {
  if (!fl_grow((void **)&result->matches, &result->cap_matches, result->n_matches + 1,
               sizeof *result->matches))
    return false;
  yara_match *m = &result->matches[result->n_matches++];
  *m = (yara_match){.offset = (uint64_t)match->base + (uint64_t)match->offset,
                    .length = match->match_length > 0 ? (uint32_t)match->match_length : 0,
                    .string = string};
  const size_t n = match->data_length > 0 ? (size_t)match->data_length : 0;
  m->n_bytes = (uint8_t)(n < sizeof m->bytes ? n : sizeof m->bytes);
  if (m->n_bytes) memcpy(m->bytes, match->data, m->n_bytes);
  return true;
}

/* libyara puts matches anywhere: they are copied before they are looked at. */
static bool add_matches(yara_result *result, const YR_SCAN_CONTEXT *context,
                        const YR_STRING *string, uint64_t *n_more) {
  size_t n = 0;
  YR_MATCH match;
  for (const void *at = context->matches[string->idx].head; at; at = match.next) {
    memcpy(&match, at, sizeof match);
    if (match.is_private) continue;
    if (n++ >= FL_LIMIT_YARA_PLACES) ++*n_more;
    else if (!add_match(result, string->identifier, &match)) return false;
  }
  return true;
}

static int by_offset(const void *a, const void *b) {
  const yara_match *l = a, *r = b;
  if (l->offset != r->offset) return l->offset < r->offset ? -1 : 1;
  return strcmp(l->string, r->string);
}

/* Each string may fill the limit, then the first ones of all stay: memory is bounded by strings. */
static bool add_hit(yara_scanner *s, YR_SCAN_CONTEXT *context, const YR_RULE *rule, uint32_t index,
                    bool is_near) {
  yara_result *result = s->result;
  yara_hit hit = {.rule = index, .first = result->n_matches, .is_near = is_near};
  const YR_STRING *string = NULL;
  yr_rule_strings_foreach(rule, string) {
    if (!add_matches(result, context, string, &hit.n_more)) return false;
  }
  hit.n = result->n_matches - hit.first;
  if (hit.n > 1) qsort(result->matches + hit.first, hit.n, sizeof *result->matches, by_offset);
  if (hit.n > FL_LIMIT_YARA_PLACES) {
    hit.n_more += hit.n - FL_LIMIT_YARA_PLACES;
    hit.n = FL_LIMIT_YARA_PLACES;
    result->n_matches = hit.first + hit.n;
  }
  if (!fl_grow((void **)&result->hits, &result->cap_hits, result->n_hits + 1, sizeof *result->hits))
    return false;
  result->hits[result->n_hits++] = hit;
  return true;
}

static void tell_many(yara_scanner *s, const YR_STRING *string) {
  const YR_RULE *rule = &s->yr->rules->rules_table[string->rule_idx];
  if (!s->result->many[0])
    (void)snprintf(s->result->many, sizeof s->result->many, "%.70s:%.40s", rule->identifier,
                   string->identifier);
}

static int hear(YR_SCAN_CONTEXT *context, int message, void *data, void *self) {
  yara_scanner *s = self;
  if (message == CALLBACK_MSG_TOO_MANY_MATCHES) tell_many(s, data);
  /* Sources with other modules were refused: this is the second lock. */
  if (message == CALLBACK_MSG_IMPORT_MODULE &&
      !fl_yara_is_module(((const YR_MODULE_IMPORT *)data)->module_name))
    return CALLBACK_ERROR;
  const bool is_near = message == CALLBACK_MSG_RULE_NOT_MATCHING;
  if (message != CALLBACK_MSG_RULE_MATCHING && !is_near) return CALLBACK_CONTINUE;
  const YR_RULE *rule = data;
  const uint32_t shown = s->by_index[rule - context->rules->rules_table];
  if (!shown || (is_near && shown != s->watched)) return CALLBACK_CONTINUE;
  if (add_hit(s, context, rule, shown - 1, is_near)) return CALLBACK_CONTINUE;
  s->has_no_memory = true;
  return CALLBACK_ABORT;
}

fl_status fl_yara_scanner_create(const fl_yara *yara, fl_yara_scope scope,
                                 yara_scanner **ret_scanner, fl_err *err) {
  yara_scanner *s = calloc(1, sizeof *s);
  if (!s || yr_scanner_create(yara->compiled[scope], &s->yr) != ERROR_SUCCESS) {
    free(s);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for scanning with YARA rules");
  }
  s->yara = yara;
  s->by_index = yara->by_index[scope];
  yr_scanner_set_callback(s->yr, hear, s);
  *ret_scanner = s;
  return FL_OK;
}

void fl_yara_scanner_free(yara_scanner *scanner) {
  if (!scanner) return;
  yr_scanner_destroy(scanner->yr);
  free(scanner);
}

void fl_yara_scanner_watch(yara_scanner *scanner, uint32_t rule) { scanner->watched = rule + 1; }

/* Runs as libyara walks them. */
typedef struct walk {
  const yara_medium *medium;
  size_t at;
  YR_MEMORY_BLOCK block;
} walk;

static const uint8_t *fetch(YR_MEMORY_BLOCK *block) { return block->context; }

static YR_MEMORY_BLOCK *give_run(YR_MEMORY_BLOCK_ITERATOR *iterator) {
  walk *w = iterator->context;
  iterator->last_error = ERROR_SUCCESS;
  if (w->at >= w->medium->n_runs) return NULL;
  const yara_run *run = &w->medium->runs[w->at];
  w->block = (YR_MEMORY_BLOCK){.size = run->n_bytes,
                               .base = run->base,
                               .context = (void *)(uintptr_t)run->bytes,
                               .fetch_data = fetch};
  return &w->block;
}
static YR_MEMORY_BLOCK *give_first(YR_MEMORY_BLOCK_ITERATOR *iterator) {
  ((walk *)iterator->context)->at = 0;
  return give_run(iterator);
}
static YR_MEMORY_BLOCK *give_next(YR_MEMORY_BLOCK_ITERATOR *iterator) {
  ((walk *)iterator->context)->at++;
  return give_run(iterator);
}

static uint64_t give_size(YR_MEMORY_BLOCK_ITERATOR *iterator) {
  const yara_medium *medium = ((walk *)iterator->context)->medium;
  uint64_t n = 0;
  for (size_t i = 0; i < medium->n_runs; i++) n += medium->runs[i].n_bytes;
  return n;
}

/* A rule set that does not know an external knows no rule that uses it. */
static void set_externals(YR_SCANNER *yr, const yara_medium *m) {
  const struct {
    const char *name, *value;
  } texts[] = {{"filename", m->filename}, {"filepath", m->filepath}, {"extension", m->extension},
               {"filetype", m->filetype}, {"provider", m->provider}, {"channel", m->channel},
               {"computer", m->computer}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    (void)yr_scanner_define_string_variable(yr, texts[i].name,
                                            texts[i].value ? texts[i].value : "");
  (void)yr_scanner_define_integer_variable(yr, "event_id", m->event_id);
  (void)yr_scanner_define_integer_variable(yr, "level", m->level);
}

fl_status fl_yara_scanner_run(yara_scanner *s, const yara_medium *medium, yara_result *result) {
  walk w = {.medium = medium};
  YR_MEMORY_BLOCK_ITERATOR iterator = {.context = &w,
                                       .first = give_first,
                                       .next = give_next,
                                       .file_size = medium->has_size ? give_size : NULL};
  int flags = SCAN_FLAGS_REPORT_RULES_MATCHING;
  if (s->watched) flags |= SCAN_FLAGS_REPORT_RULES_NOT_MATCHING;
  if (!medium->may_vanish) flags |= SCAN_FLAGS_NO_TRYCATCH;
  if (!medium->has_size) flags |= SCAN_FLAGS_PROCESS_MEMORY;
  fl_yara_result_clear(result);
  s->result = result;
  s->has_no_memory = false;
  set_externals(s->yr, medium);
  yr_scanner_set_flags(s->yr, flags);
  yr_scanner_set_timeout(s->yr, (int)medium->seconds);
  const int code = yr_scanner_scan_mem_blocks(s->yr, &iterator);
  s->result = NULL;
  if (s->has_no_memory || code == ERROR_INSUFFICIENT_MEMORY) return FL_E_NOMEM;
  result->is_timed_out = code == ERROR_SCAN_TIMEOUT;
  result->has_failed = code != ERROR_SUCCESS && !result->is_timed_out;
  result->code = code;
  return FL_OK;
}
