/* filter.c - conditions of the command line over columns and fields: --where. */
#include <stdlib.h>
#include <string.h>

#include "base/key.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/shape.h"
#include "rules/flr_parse.h"

/* What the condition comes to for the rows of one shape. */
typedef enum fate { FATE_UNKNOWN, FATE_NEVER, FATE_ALWAYS, FATE_BY_ROW } fate;
typedef struct shape_plan {
  fate fate;
  uint32_t slots; /* FATE_BY_ROW: the columns by which its rows differ, 1 << fl_column */
} shape_plan;

/* Few different values come again and again: channels, event ids. What they came to is kept. */
enum { MEMO_BITS = 10, MEMOS = 1 << MEMO_BITS, MEMO_KEY = 320 };
typedef struct memo {
  uint64_t serial; /* of the shape, + 1; 0 = empty */
  bool holds;
  uint8_t key[MEMO_KEY];
} memo;

struct fl_filter {
  fl_arena *arena;
  fl_pattern *patterns;
  const fl_expr *expr;
  uint32_t columns; /* it needs, 1 << fl_column */
  bool needs_event, needs_row;
  fl_arena *scratch; /* one event */
  memo *memos;
  shape_plan *plans; /* by serial of cached shapes */
  size_t cap_plans;
};

void fl_filter_free(fl_filter *filter) {
  if (!filter) return;
  fl_patterns_done(filter->patterns);
  fl_arena_free(filter->arena);
  fl_arena_free(filter->scratch);
  free(filter->plans);
  free(filter->memos);
  free(filter);
}

/* What the operands of the condition take. */
static void find_needs(fl_filter *filter, const fl_expr *expr) {
  for (const fl_expr *kid = expr->kid; kid; kid = kid->next) find_needs(filter, kid);
  if (expr->kind != FL_X_COMPARE) return;
  for (size_t i = 0; i <= expr->n_values; i++) {
    const fl_operand *operand = i ? &expr->values[i - 1] : &expr->left;
    if (operand->kind != FL_O_FIELD) continue;
    const fl_event_column *column = operand->path.column;
    if (!column || column->from == FL_FROM_EVENT) filter->needs_event = true;
    else if (column->from == FL_FROM_ROW) filter->needs_row = true;
    else filter->columns |= UINT32_C(1) << column->from;
  }
}

static fl_status compile(fl_parser *p, fl_str text, fl_filter *filter) {
  p->mode = FL_EXPR_FILTER;
  fl_lex_start(&p->lex, FL_STR("--where"), text);
  FL_TRY(fl_lex_check_text(&p->lex));
  FL_TRY(fl_parse_expr(p, &filter->expr));
  if (p->lex.token.kind == FL_TK_END) return FL_OK;
  return fl_lex_error(&p->lex, p->lex.token.at, "expected 'and', 'or' or the end, found %s",
                      fl_lex_shown(&p->lex).p);
}

fl_status fl_filter_compile(fl_str text, fl_filter **ret_filter, fl_err *err) {
  if (text.n > FL_LIMIT_RULE_FILE)
    return fl_fail(err, FL_E_LIMIT, 0, "--where has %zu bytes, expected at most %d", text.n,
                   FL_LIMIT_RULE_FILE);
  fl_filter *filter = calloc(1, sizeof *filter);
  fl_parser *p = calloc(1, sizeof *p);
  fl_status s = FL_E_NOMEM;
  if (filter) {
    filter->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
    filter->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
    filter->memos = calloc(MEMOS, sizeof *filter->memos);
  }
  if (p && filter && filter->arena && filter->scratch && filter->memos) {
    p->lex.arena = filter->arena;
    p->lex.err = err;
    p->patterns = &filter->patterns;
    /* Names and literals of the filter are slices of its own copy. */
    const fl_str copy = fl_arena_str(filter->arena, text);
    if (copy.p) s = compile(p, copy, filter);
  }
  if (s == FL_E_NOMEM) s = fl_fail(err, FL_E_NOMEM, 0, "out of memory for --where");
  free(p);
  if (s == FL_OK) {
    find_needs(filter, filter->expr);
    *ret_filter = filter;
  } else {
    fl_filter_free(filter);
  }
  return s;
}

bool fl_filter_event(const fl_filter *filter, const fl_event *event) {
  return fl_expr_holds(filter->expr, event);
}

uint32_t fl_filter_columns(const fl_filter *filter) {
  return filter->needs_event || filter->needs_row ? 0 : filter->columns;
}

/* Decodes the columns that the condition looks at and no others, or the event where it has to. */
static fl_status judge(fl_filter *filter, const fl_batch *batch, const fl_row *row, bool *ret_holds,
                       fl_err *err) {
  fl_event event = {0};
  fl_arena *scratch = filter->scratch;
  fl_arena_reset(scratch);
  if (filter->needs_event) FL_TRY(fl_event_build(batch, row, scratch, &event, err));
  else FL_TRY(fl_event_build_columns(batch, row, filter->columns, scratch, &event, err));
  *ret_holds = fl_expr_holds(filter->expr, &event);
  return FL_OK;
}

/* By which of the columns it needs the rows of a shape differ. */
static fl_status make_plan(fl_filter *filter, const fl_batch *batch, const fl_row *row,
                           shape_plan *plan, fl_err *err) {
  const fl_ref *columns = row->shape->columns;
  plan->slots = 0;
  for (uint32_t i = 0; i < FL_C_COUNT; i++)
    if ((filter->columns >> i & 1) && columns[i].kind == FL_REF_SLOT)
      plan->slots |= UINT32_C(1) << i;
  plan->fate = FATE_BY_ROW;
  if (plan->slots) return FL_OK;
  bool holds = false;
  FL_TRY(judge(filter, batch, row, &holds, err));
  plan->fate = holds ? FATE_ALWAYS : FATE_NEVER;
  return FL_OK;
}

static fl_status find_plan(fl_filter *filter, const fl_batch *batch, const fl_row *row,
                           shape_plan **ret_plan, fl_err *err) {
  const uint64_t serial = row->shape->serial;
  if (serial >= filter->cap_plans && !fl_grow_zeroed((void **)&filter->plans, &filter->cap_plans,
                                                     serial + 1, sizeof *filter->plans))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for --where");
  *ret_plan = &filter->plans[serial];
  if ((*ret_plan)->fate != FATE_UNKNOWN) return FL_OK;
  return make_plan(filter, batch, row, *ret_plan, err);
}

static memo *memo_place(const fl_filter *filter, const fl_batch *batch, const fl_row *row,
                        uint32_t slots) {
  uint64_t hash = row->shape->serial;
  for (uint32_t left = slots; left; left &= left - 1)
    hash = fl_key_mix(hash, fl_row_column(batch, row, (fl_column)__builtin_ctz(left)));
  return &filter->memos[hash >> (64 - MEMO_BITS)];
}

/* The values by which the row differs from others of its shape are those of the memo. */
static bool is_of_memo(const memo *known, const fl_batch *batch, const fl_row *row,
                       uint32_t slots) {
  if (known->serial != row->shape->serial + 1) return false;
  const uint8_t *at = known->key;
  for (uint32_t left = slots; left; left &= left - 1)
    if (!fl_key_has(&at, fl_row_column(batch, row, (fl_column)__builtin_ctz(left)))) return false;
  return true;
}

/* Values that are too long are not kept. */
static void remember(memo *place, const fl_batch *batch, const fl_row *row, uint32_t slots,
                     bool holds) {
  size_t n = 0;
  place->serial = 0;
  for (uint32_t left = slots; left; left &= left - 1) {
    const fl_raw raw = fl_row_column(batch, row, (fl_column)__builtin_ctz(left));
    if (!(n = fl_key_put(place->key, n, MEMO_KEY, raw))) return;
  }
  place->serial = row->shape->serial + 1;
  place->holds = holds;
}

static fl_status judge_row(fl_filter *filter, const fl_batch *batch, const fl_row *row,
                           uint32_t slots, bool *ret_holds, fl_err *err) {
  memo *place = memo_place(filter, batch, row, slots);
  if (is_of_memo(place, batch, row, slots)) {
    *ret_holds = place->holds;
    return FL_OK;
  }
  FL_TRY(judge(filter, batch, row, ret_holds, err));
  remember(place, batch, row, slots, *ret_holds);
  return FL_OK;
}

fl_status fl_filter_row(fl_filter *filter, const fl_batch *batch, const fl_row *row,
                        bool *ret_holds, fl_err *err) {
  if (filter->needs_event || filter->needs_row || !fl_shape_is_kept(row->shape))
    return judge(filter, batch, row, ret_holds, err);
  shape_plan *plan = NULL;
  FL_TRY(find_plan(filter, batch, row, &plan, err));
  if (plan->fate == FATE_BY_ROW) return judge_row(filter, batch, row, plan->slots, ret_holds, err);
  *ret_holds = plan->fate == FATE_ALWAYS;
  return FL_OK;
}
