/* sigma_expand.c - placeholders: `%name%` in values with the modifier `expand`. */
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "rules/sigma_value.h"

/* The first `%name%` at or behind `at`, its percent signs included; a backslash takes their
 * meaning. */
static bool find_name(const fl_sigma_pattern *t, size_t at, size_t *ret_start, size_t *ret_end) {
  for (; at < t->n; at++) {
    const bool is_escaped = at > 0 && t->bytes[at - 1] == '\\';
    if (t->bytes[at] != '%' || is_escaped) continue;
    const uint8_t *close = memchr(t->bytes + at + 1, '%', t->n - at - 1);
    if (!close) return false;
    *ret_start = at;
    *ret_end = (size_t)(close - t->bytes) + 1;
    if (*ret_end - at > 2) return true;
  }
  return false;
}

static void copy(fl_sigma_pattern *to, const fl_sigma_pattern *from, size_t start, size_t end) {
  for (size_t i = start; i < end; i++) {
    const bool is_escape = from->bytes[i] == '\\' && i + 1 < end && from->bytes[i + 1] == '%';
    if (is_escape) continue;
    to->bytes[to->n] = from->bytes[i];
    to->kinds[to->n++] = from->kinds[i];
  }
}

/* `in` with what stands from start to end replaced by `word`. */
static fl_status replace(const fl_sigma_parser *p, const fl_sigma_pattern *in, size_t start,
                         size_t end, const fl_sigma_pattern *word, fl_sigma_pattern *ret) {
  FL_TRY(fl_sigma_pattern_make(p, in->n + word->n, ret));
  memcpy(ret->bytes, in->bytes, start);
  memcpy(ret->kinds, in->kinds, start);
  memcpy(ret->bytes + start, word->bytes, word->n);
  memcpy(ret->kinds + start, word->kinds, word->n);
  memcpy(ret->bytes + start + word->n, in->bytes + end, in->n - end);
  memcpy(ret->kinds + start + word->n, in->kinds + end, in->n - end);
  ret->n = start + word->n + in->n - end;
  return FL_OK;
}

static fl_status finish(fl_sigma_parser *p, const fl_sigma_value *in, fl_sigma_values *out) {
  fl_sigma_value value = *in;
  FL_TRY(fl_sigma_pattern_make(p, in->pattern.n, &value.pattern));
  copy(&value.pattern, &in->pattern, 0, in->pattern.n);
  return fl_sigma_values_push(out, &value) ? FL_OK : fl_lex_nomem(p->lex);
}

/* Replaces the first name at or behind `from`, then what follows it. */
static fl_status expand_from(fl_sigma_parser *p, const fl_sigma_value *in, size_t from,
                             fl_sigma_values *out) {
  size_t start = 0, end = 0, n_values = 0;
  if (!find_name(&in->pattern, from, &start, &end)) return finish(p, in, out);
  const fl_str name = {(const char *)in->pattern.bytes + start + 1, end - start - 2};
  const fl_str *words = fl_sigma_placeholder(fl_sigma_set_sources(p->set), name, &n_values);
  if (n_values == 0) {
    const fl_str kept = fl_arena_str(p->scratch, name);
    if (!kept.p) return fl_lex_nomem(p->lex);
    if (!p->placeholder) p->placeholder = kept.p;
    return finish(p, in, out);
  }
  for (size_t i = 0; i < n_values; i++) {
    fl_sigma_value value = *in;
    fl_sigma_pattern word;
    if (out->n >= FL_LIMIT_SIGMA_VALUES)
      return fl_sigma_error(p, in->node, "placeholders make more than %d values",
                            FL_LIMIT_SIGMA_VALUES);
    if (in->type == FL_SIGMA_V_REGEX) FL_TRY(fl_sigma_pattern_plain(p, words[i], &word));
    else FL_TRY(fl_sigma_pattern_parse(p, words[i], &word));
    FL_TRY(replace(p, &in->pattern, start, end, &word, &value.pattern));
    FL_TRY(expand_from(p, &value, start + word.n, out));
  }
  return FL_OK;
}

fl_status fl_sigma_expand(fl_sigma_parser *p, const fl_sigma_value *in, fl_sigma_values *out) {
  enum { MOST = 16 };
  size_t start = 0, end = 0, n = 0;
  for (size_t at = 0; find_name(&in->pattern, at, &start, &end); at = end) n++;
  if (n > MOST)
    return fl_sigma_error(p, in->node, "a value with %zu placeholders, at most %d", n, MOST);
  return expand_from(p, in, 0, out);
}
