/* regex.c - PCRE2 behind limits on pattern, subject, steps and memory. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules/regex.h"

#include <pcre2.h>
#include <stdlib.h>

#include "base/limits.h"

struct fl_regex {
  pcre2_code *code;
};

struct fl_regex_scratch {
  pcre2_match_data *data;
  pcre2_match_context *limits;
  pcre2_jit_stack *stack;
};

void fl_regex_free(fl_regex *regex) {
  if (!regex) return;
  pcre2_code_free(regex->code);
  free(regex);
}

static fl_status refuse(int code, size_t at, fl_err *err) {
  PCRE2_UCHAR text[160] = "";
  if (pcre2_get_error_message(code, text, sizeof text) < 0) text[0] = '\0';
  return fl_fail(err, FL_E_SYNTAX, at, "%s", (const char *)text);
}

static uint32_t options_of(unsigned flags) {
  /* Logs hold what Windows wrote: bytes that are no UTF-8 are stepped over, not refused. */
  uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
  if (flags & FL_REGEX_NOCASE) options |= PCRE2_CASELESS;
  if (flags & FL_REGEX_MULTILINE) options |= PCRE2_MULTILINE;
  if (flags & FL_REGEX_DOTALL) options |= PCRE2_DOTALL;
  return options;
}

static pcre2_compile_context *compile_limits(void) {
  pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
  if (!limits) return NULL;
  (void)pcre2_set_max_pattern_length(limits, FL_LIMIT_REGEX_PATTERN);
  (void)pcre2_set_parens_nest_limit(limits, FL_LIMIT_REGEX_NESTED);
  return limits;
}

size_t fl_regex_size(const fl_regex *regex) {
  size_t n_bytes = 0;
  return pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &n_bytes) == 0 ? n_bytes : SIZE_MAX;
}

fl_status fl_regex_compile(fl_str pattern, unsigned flags, fl_regex **ret_regex, fl_err *err) {
  int code = 0;
  PCRE2_SIZE at = 0;
  if (pattern.n > FL_LIMIT_REGEX_PATTERN)
    return fl_fail(err, FL_E_SYNTAX, 0, "%zu bytes, expected at most %d", pattern.n,
                   FL_LIMIT_REGEX_PATTERN);
  fl_regex *regex = calloc(1, sizeof *regex);
  pcre2_compile_context *limits = compile_limits();
  if (regex && limits)
    regex->code = pcre2_compile((PCRE2_SPTR)(pattern.p ? pattern.p : ""), pattern.n,
                                options_of(flags), &code, &at, limits);
  const bool has_room = regex && limits;
  pcre2_compile_context_free(limits);
  /* Nested counts multiply: `((a{999}){999})` is short, and as code it is large. */
  if (regex && regex->code && fl_regex_size(regex) <= FL_LIMIT_REGEX_CODE) {
    /* Without the compiler for this processor it is interpreted: slower, the same answers. */
    (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    *ret_regex = regex;
    return FL_OK;
  }
  const bool was_large = regex && regex->code;
  fl_regex_free(regex);
  if (!has_room) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for a regular expression");
  if (was_large)
    return fl_fail(err, FL_E_SYNTAX, 0, "it takes more than %d bytes compiled",
                   FL_LIMIT_REGEX_CODE);
  return refuse(code, at, err);
}

void fl_regex_scratch_free(fl_regex_scratch *scratch) {
  if (!scratch) return;
  pcre2_match_data_free(scratch->data);
  pcre2_match_context_free(scratch->limits);
  pcre2_jit_stack_free(scratch->stack);
  free(scratch);
}

fl_regex_scratch *fl_regex_scratch_create(void) {
  fl_regex_scratch *scratch = calloc(1, sizeof *scratch);
  if (!scratch) return NULL;
  scratch->data = pcre2_match_data_create(1, NULL);
  scratch->limits = pcre2_match_context_create(NULL);
  scratch->stack = pcre2_jit_stack_create((size_t)32 << 10, FL_LIMIT_REGEX_STACK, NULL);
  if (!scratch->data || !scratch->limits || !scratch->stack) {
    fl_regex_scratch_free(scratch);
    return NULL;
  }
  (void)pcre2_set_match_limit(scratch->limits, FL_LIMIT_REGEX_STEPS);
  (void)pcre2_set_depth_limit(scratch->limits, FL_LIMIT_REGEX_STEPS);
  (void)pcre2_set_heap_limit(scratch->limits, FL_LIMIT_REGEX_HEAP_KIB);
  pcre2_jit_stack_assign(scratch->limits, NULL, scratch->stack);
  return scratch;
}

fl_regex_answer fl_regex_find(const fl_regex *regex, fl_regex_scratch *scratch, fl_str subject) {
  if (subject.n > FL_LIMIT_REGEX_SUBJECT) subject.n = FL_LIMIT_REGEX_SUBJECT;
  const int n = pcre2_match(regex->code, (PCRE2_SPTR)(subject.p ? subject.p : ""), subject.n, 0, 0,
                            scratch->data, scratch->limits);
  if (n >= 0) return FL_REGEX_YES;
  return n == PCRE2_ERROR_NOMATCH ? FL_REGEX_NO : FL_REGEX_GAVE_UP;
}
