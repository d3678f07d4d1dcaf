/* sigma_match.c - predicates and conditions on the event at hand; each is decided once. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "rules/flr.h"
#include "rules/sigma_code.h"
#include "rules/sigma_run.h"
#include "rules/sigma_time.h"

static size_t char_size(uint8_t lead) {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* `*` any text, `?` one character. Where it fails it goes back to the last `*` alone. */
static bool is_wild(fl_str pattern, fl_str text) {
  const uint8_t *p = (const uint8_t *)pattern.p;
  const uint8_t *t = (const uint8_t *)text.p;
  size_t i = 0, at = 0, star = SIZE_MAX, back = 0;
  while (at < text.n) {
    if (i < pattern.n && p[i] == FL_SIGMA_ANY_TEXT) {
      star = i++;
      back = at;
    } else if (i < pattern.n && p[i] == FL_SIGMA_ANY_CHAR) {
      const size_t n = char_size(t[at]);
      at += n < text.n - at ? n : text.n - at;
      i++;
    } else if (i < pattern.n && p[i] == t[at]) {
      i++;
      at++;
    } else if (star != SIZE_MAX) {
      i = star + 1;
      at = ++back;
    } else {
      return false;
    }
  }
  while (i < pattern.n && p[i] == FL_SIGMA_ANY_TEXT) i++;
  return i == pattern.n;
}

static bool starts_with(fl_str text, fl_str part) {
  return part.n <= text.n && memcmp(text.p, part.p, part.n) == 0;
}
static bool ends_with(fl_str text, fl_str part) {
  return part.n <= text.n && memcmp(text.p + text.n - part.n, part.p, part.n) == 0;
}

static int three_way(const fl_sigma_number *a, const fl_sigma_number *b) {
  if (a->is_int && b->is_int) return (a->whole > b->whole) - (a->whole < b->whole);
  return (a->real > b->real) - (a->real < b->real);
}

static bool compares(const fl_sigma_pred *pred, const fl_sigma_number *number) {
  const int order = three_way(number, &pred->number);
  switch ((fl_sigma_compare)pred->compare) {
    case FL_SIGMA_IS:
      return order == 0;
    case FL_SIGMA_LT:
      return order < 0;
    case FL_SIGMA_LTE:
      return order <= 0;
    case FL_SIGMA_GT:
      return order > 0;
    case FL_SIGMA_GTE:
      return order >= 0;
  }
  return false;
}

static bool is_in_network(const fl_sigma_pred *pred, fl_str text) {
  uint8_t bytes[16];
  if (pred->is_v6 && !(text.n && memchr(text.p, ':', text.n))) return false;
  if (text.n == 0 || !fl_address_parse(text, bytes)) return false;
  const size_t n = pred->n_bits / 8;
  const unsigned rest = pred->n_bits % 8;
  if (memcmp(bytes, pred->net, n) != 0) return false;
  return rest == 0 || ((bytes[n] ^ pred->net[n]) >> (8 - rest)) == 0;
}

/* A value is compared with every value of the other field. */
static bool is_like_other(fl_sigma_run *run, const fl_sigma_pred *pred, fl_sigma_item *item) {
  const fl_sigma_field_values *other = fl_sigma_values_at(run, pred->other);
  const fl_str text =
      pred->is_cased ? fl_sigma_item_text(run, item) : fl_sigma_item_folded(run, item);
  for (size_t i = 0; i < other->n_items; i++) {
    if (other->items[i].is_null) continue;
    const fl_str part = pred->is_cased ? fl_sigma_item_text(run, &other->items[i])
                                       : fl_sigma_item_folded(run, &other->items[i]);
    const bool may_start = pred->flags & FL_SIGMA_STARTS, may_end = pred->flags & FL_SIGMA_ENDS;
    if (may_start && may_end ? memmem(text.p, text.n, part.p, part.n) != NULL
        : may_start          ? starts_with(text, part)
        : may_end            ? ends_with(text, part)
                             : fl_str_eq(text, part))
      return true;
  }
  return false;
}

static bool is_found(fl_sigma_run *run, const fl_sigma_pred *pred, fl_str text) {
  const fl_regex_answer answer = fl_regex_find(pred->regex, run->regexes, text);
  if (answer == FL_REGEX_GAVE_UP) run->is_unknown = true;
  return answer == FL_REGEX_YES;
}

static bool is_text_like(const fl_sigma_pred *pred, fl_str text) {
  switch ((fl_sigma_op)pred->op) {
    case FL_SIGMA_EQ:
      return fl_str_eq(text, pred->text);
    case FL_SIGMA_PREFIX:
      return starts_with(text, pred->text);
    case FL_SIGMA_SUFFIX:
      return ends_with(text, pred->text);
    case FL_SIGMA_CONTAINS:
      return memmem(text.p, text.n, pred->text.p, pred->text.n) != NULL;
    default:
      return is_wild(pred->text, text);
  }
}

/* One value that is there. */
static bool item_holds(fl_sigma_run *run, const fl_sigma_pred *pred, fl_sigma_item *item) {
  fl_sigma_number number;
  switch ((fl_sigma_op)pred->op) {
    case FL_SIGMA_EQ:
    case FL_SIGMA_PREFIX:
    case FL_SIGMA_SUFFIX:
    case FL_SIGMA_CONTAINS:
    case FL_SIGMA_WILD:
      return is_text_like(
          pred, pred->is_cased ? fl_sigma_item_text(run, item) : fl_sigma_item_folded(run, item));
    case FL_SIGMA_ANY:
      return true;
    case FL_SIGMA_REGEX:
      return is_found(run, pred, fl_sigma_item_text(run, item));
    case FL_SIGMA_CIDR:
      return is_in_network(pred, fl_sigma_item_text(run, item));
    case FL_SIGMA_NUMBER:
      return fl_sigma_number_of(fl_sigma_item_text(run, item), &number) && compares(pred, &number);
    case FL_SIGMA_FIELD:
      return is_like_other(run, pred, item);
    case FL_SIGMA_TIME:
      return fl_sigma_time_part(fl_sigma_item_text(run, item), (fl_sigma_part)pred->part,
                                &number) &&
             compares(pred, &number);
    case FL_SIGMA_NULL:
    case FL_SIGMA_EXISTS:
      break;
  }
  return false;
}

/* A field with several values is like a value when one of them is. An empty text is equal to a
 * value that the record leaves out, as Windows does with empty texts. */
static bool decide(fl_sigma_run *run, const fl_sigma_pred *pred) {
  const fl_sigma_field_values *v = fl_sigma_values_at(run, pred->field);
  if (pred->op == FL_SIGMA_EXISTS) return v->exists == (pred->flags != 0);
  if (pred->needle != UINT32_MAX && !fl_sigma_pred_holds(run, pred->needle)) return false;
  const bool wants_empty = pred->op == FL_SIGMA_EQ && pred->text.n == 0;
  size_t n_there = 0;
  for (size_t i = 0; i < v->n_items; i++) {
    fl_sigma_item *item = &v->items[i];
    if (item->is_null && wants_empty) return true;
    if (item->is_null) continue;
    n_there++;
    if (pred->op != FL_SIGMA_NULL && item_holds(run, pred, item)) return true;
  }
  return pred->op == FL_SIGMA_NULL && n_there == 0;
}

bool fl_sigma_pred_holds(fl_sigma_run *run, uint32_t at) {
  const uint32_t known = run->known[at];
  if (known >> 1 == run->epoch) return known & 1;
  const bool is_scanned = run->group && (run->group->is_scanned[at >> 6] >> (at & 63) & 1);
  const bool holds = !is_scanned && decide(run, &run->preds[at]);
  run->known[at] = run->epoch << 1 | holds;
  return holds;
}

static bool holds_at(fl_sigma_run *run, const uint32_t *code, uint32_t at) {
  const uint32_t word = code[at];
  const uint32_t arg = fl_sigma_word_arg(word);
  switch (fl_sigma_word_kind(word)) {
    case FL_SIGMA_PRED:
      return fl_sigma_pred_holds(run, arg);
    case FL_SIGMA_NOT:
      return !holds_at(run, code, at + 1);
    case FL_SIGMA_AND:
      for (uint32_t kid = at + 1; kid < arg; kid = fl_sigma_code_next(code, kid))
        if (!holds_at(run, code, kid)) return false;
      return true;
    case FL_SIGMA_OR:
      for (uint32_t kid = at + 1; kid < arg; kid = fl_sigma_code_next(code, kid))
        if (holds_at(run, code, kid)) return true;
      return false;
  }
  return false;
}

bool fl_sigma_rule_holds(fl_sigma_run *run, const fl_sigma_rule *rule) {
  run->is_unknown = false;
  return holds_at(run, rule->code, 0) && !run->is_unknown;
}
