/* flr_value.c - values of events by name, comparisons, conditions of one event. */
#include <stddef.h>
#include <string.h>

#include "base/raw.h"
#include "base/text.h"
#include "rules/flr.h"

#define COLUMN(name, type, from) \
  { #name, type, offsetof(fl_event, name), from }
static const fl_event_column columns[] = {
    COLUMN(provider, FL_COL_TEXT, FL_C_PROVIDER),
    COLUMN(provider_guid, FL_COL_TEXT, FL_C_PROVIDER_GUID),
    COLUMN(event_source_name, FL_COL_TEXT, FL_C_EVENT_SOURCE_NAME),
    COLUMN(event_id, FL_COL_NUMBER, FL_C_EVENT_ID),
    {"id", FL_COL_NUMBER, offsetof(fl_event, event_id), FL_C_EVENT_ID},
    COLUMN(qualifiers, FL_COL_NUMBER, FL_C_QUALIFIERS),
    COLUMN(version, FL_COL_NUMBER, FL_C_VERSION),
    COLUMN(level, FL_COL_NUMBER, FL_C_LEVEL),
    COLUMN(task, FL_COL_NUMBER, FL_C_TASK),
    COLUMN(opcode, FL_COL_NUMBER, FL_C_OPCODE),
    COLUMN(keywords, FL_COL_TEXT, FL_FROM_EVENT),
    {"time", FL_COL_TIME, offsetof(fl_event, t), FL_FROM_ROW},
    COLUMN(record_id, FL_COL_NUMBER, FL_C_RECORD_ID),
    COLUMN(header_record_id, FL_COL_NUMBER, FL_FROM_EVENT),
    COLUMN(activity_id, FL_COL_TEXT, FL_C_ACTIVITY_ID),
    COLUMN(related_activity_id, FL_COL_TEXT, FL_C_RELATED_ACTIVITY_ID),
    COLUMN(pid, FL_COL_NUMBER, FL_C_PID),
    COLUMN(tid, FL_COL_NUMBER, FL_C_TID),
    COLUMN(channel, FL_COL_TEXT, FL_C_CHANNEL),
    COLUMN(host, FL_COL_TEXT, FL_C_HOST),
    COLUMN(user_sid, FL_COL_TEXT, FL_C_USER_SID),
    COLUMN(message, FL_COL_TEXT, FL_FROM_EVENT),
    COLUMN(level_name, FL_COL_TEXT, FL_FROM_EVENT),
    COLUMN(task_name, FL_COL_TEXT, FL_FROM_EVENT),
    COLUMN(opcode_name, FL_COL_TEXT, FL_FROM_EVENT),
    COLUMN(keyword_names, FL_COL_TEXT, FL_FROM_EVENT),
    COLUMN(rules, FL_COL_TEXT, FL_FROM_EVENT),
    COLUMN(kind, FL_COL_TEXT, FL_FROM_EVENT),
    COLUMN(flags, FL_COL_BITS, FL_FROM_ROW)};
#undef COLUMN
enum { N_COLUMNS = sizeof columns / sizeof *columns };
_Static_assert(sizeof columns / sizeof *columns == FL_EVENT_COLUMNS,
               "lists of names have room for all");

const fl_event_column *fl_event_column_find(fl_str name) {
  for (size_t i = 0; i < N_COLUMNS; i++)
    if (fl_str_eq_nocase(name, fl_str_of(columns[i].name))) return &columns[i];
  return NULL;
}

void fl_event_column_names(const char *ret_names[FL_EVENT_COLUMNS + 1]) {
  for (size_t i = 0; i < N_COLUMNS; i++) ret_names[i] = columns[i].name;
  ret_names[N_COLUMNS] = NULL;
}

static fl_value text_value(fl_str text) {
  return text.n ? (fl_value){.kind = FL_V_STR, .as.text = text} : (fl_value){.kind = FL_V_NULL};
}

static fl_value column_value(const fl_event_column *column, const fl_event *event) {
  const char *base = (const char *)event + column->offset;
  fl_value value = {.kind = FL_V_INT};
  switch (column->type) {
    case FL_COL_TEXT: {
      fl_str text;
      memcpy(&text, base, sizeof text);
      return text_value(text);
    }
    case FL_COL_NUMBER:
      memcpy(&value.as.integer, base, sizeof value.as.integer);
      if (value.as.integer < 0) value.kind = FL_V_NULL;
      return value;
    case FL_COL_TIME:
      memcpy(&value.as.integer, base, sizeof value.as.integer);
      if (event->flags & FL_F_TIME_INVALID) value.kind = FL_V_NULL;
      return value;
    case FL_COL_BITS: {
      uint32_t bits;
      memcpy(&bits, base, sizeof bits);
      value.as.integer = bits;
      return value;
    }
  }
  return (fl_value){.kind = FL_V_NULL};
}

/* The machine that a role names: of attempts it is a field of that name. */
static fl_value machine_value(unsigned role, const fl_event *event) {
  static const char *const fields[] = {"client", "server", "gateway"};
  if (!(event->flags & FL_F_SYNTHETIC)) return (fl_value){.kind = FL_V_NULL};
  for (unsigned i = 0; i < 3; i++) {
    if (role != 1u << i) continue;
    const fl_value *value = fl_event_field(event, fl_str_of(fields[i]));
    if (value) return *value;
  }
  return (fl_value){.kind = FL_V_NULL};
}

fl_value fl_path_value(const fl_path *path, const fl_event *event) {
  if (path->machine) return machine_value(path->machine, event);
  if (path->column) return column_value(path->column, event);
  const fl_value *value = fl_event_field(event, path->field);
  return value ? *value : (fl_value){.kind = FL_V_NULL};
}

fl_str fl_path_text(const fl_path *path, const fl_event *event, fl_arena *arena) {
  const fl_value value = fl_path_value(path, event);
  if (path->column && path->column->type == FL_COL_TIME) {
    char text[FL_TIME_TEXT_MAX];
    const size_t n = fl_time_format(event->t, 3, text);
    return fl_arena_str(arena, (fl_str){text, n});
  }
  return fl_value_text(&value, arena);
}

static bool same_text(fl_str a, fl_str b, bool is_cased) {
  return is_cased ? fl_str_eq(a, b) : fl_str_eq_nocase(a, b);
}

static bool contains(fl_str text, fl_str part, bool is_cased) {
  if (part.n > text.n) return false;
  for (size_t i = 0; i <= text.n - part.n; i++)
    if (same_text((fl_str){text.p + i, part.n}, part, is_cased)) return true;
  return false;
}

static bool compare_text(fl_str text, fl_op op, fl_str right, bool is_cased) {
  const bool fits = right.n <= text.n;
  switch (op) {
    case FL_OP_EQ:
    case FL_OP_NE:
    case FL_OP_IN:
      return same_text(text, right, is_cased);
    case FL_OP_CONTAINS:
      return contains(text, right, is_cased);
    case FL_OP_ICONTAINS:
      return contains(text, right, false);
    case FL_OP_STARTS:
      return fits && same_text((fl_str){text.p, right.n}, right, is_cased);
    case FL_OP_ENDS:
      return fits && same_text((fl_str){text.p + (text.n - right.n), right.n}, right, is_cased);
    case FL_OP_LT:
    case FL_OP_LE:
    case FL_OP_GT:
    case FL_OP_GE:
    case FL_OP_CIDR:
    case FL_OP_MATCHES:
    case FL_OP_EXISTS:
      break;
  }
  return false;
}

/* A negative number of 32 bits and its unsigned form are the same code. */
static bool same_number(int64_t a, int64_t b) {
  if (a == b) return true;
  const bool a_is_small = a < 0 && a >= INT32_MIN, b_is_small = b < 0 && b >= INT32_MIN;
  if (a_is_small && b >= 0 && b <= UINT32_MAX) return (uint32_t)a == (uint32_t)b;
  if (b_is_small && a >= 0 && a <= UINT32_MAX) return (uint32_t)a == (uint32_t)b;
  return false;
}

static bool compare_number(int64_t left, fl_op op, int64_t right) {
  switch (op) {
    case FL_OP_EQ:
    case FL_OP_NE:
    case FL_OP_IN:
      return same_number(left, right);
    case FL_OP_LT:
      return left < right;
    case FL_OP_LE:
      return left <= right;
    case FL_OP_GT:
      return left > right;
    case FL_OP_GE:
      return left >= right;
    case FL_OP_CONTAINS:
    case FL_OP_ICONTAINS:
    case FL_OP_STARTS:
    case FL_OP_ENDS:
    case FL_OP_CIDR:
    case FL_OP_MATCHES:
    case FL_OP_EXISTS:
      break;
  }
  return false;
}

/* Text form of a single value without an arena; `buffer` holds numbers. */
static fl_str short_text(const fl_value *value, char buffer[FL_SHORT_TEXT_MAX]) {
  switch (value->kind) {
    case FL_V_STR:
      return value->as.text;
    case FL_V_BOOL:
      return value->as.boolean ? FL_STR("true") : FL_STR("false");
    case FL_V_INT:
      return (fl_str){buffer, fl_text_i64(value->as.integer, buffer)};
    case FL_V_UINT:
      return (fl_str){buffer, fl_text_u64(value->as.natural, buffer)};
    case FL_V_FLOAT:
      return (fl_str){buffer, fl_put_double(value->as.real, buffer)};
    case FL_V_NULL:
    case FL_V_LIST:
      break;
  }
  return (fl_str){buffer, 0};
}

static bool in_network(const fl_value *value, const fl_network *network) {
  uint8_t bytes[16];
  if (value->kind != FL_V_STR || !fl_address_parse(value->as.text, bytes)) return false;
  for (unsigned bit = 0; bit < network->n_bits; bit++) {
    const unsigned mask = 0x80u >> (bit % 8);
    if ((bytes[bit / 8] ^ network->bytes[bit / 8]) & mask) return false;
  }
  return true;
}

/* One item against one right side. Order falls back from numbers to nothing: text has none. */
static bool compare_one(const fl_value *left, const fl_expr *compare, const fl_value *right) {
  char left_buffer[FL_SHORT_TEXT_MAX], right_buffer[FL_SHORT_TEXT_MAX];
  int64_t a = 0, b = 0;
  if (compare->op == FL_OP_CIDR) return in_network(left, &compare->network);
  if (compare->op == FL_OP_MATCHES)
    return fl_pattern_fits(compare->pattern, short_text(left, left_buffer));
  if (right->kind == FL_V_BOOL || left->kind == FL_V_BOOL) {
    const fl_str text = short_text(left, left_buffer);
    if (compare_text(text, compare->op, short_text(right, right_buffer), false)) return true;
    return fl_value_number(left, &a) && fl_value_number(right, &b) &&
           compare_number(a, compare->op, b);
  }
  const bool is_number = right->kind == FL_V_INT || right->kind == FL_V_UINT;
  if (is_number || (compare->op >= FL_OP_LT && compare->op <= FL_OP_GE))
    return fl_value_number(left, &a) && fl_value_number(right, &b) &&
           compare_number(a, compare->op, b);
  return compare_text(short_text(left, left_buffer), compare->op, short_text(right, right_buffer),
                      compare->is_cased);
}

/* Any item of a list is enough; != is decided by the caller as the reverse of ==. */
bool fl_value_compare(const fl_value *value, const fl_expr *compare, const fl_value *right) {
  if (value->kind == FL_V_NULL || right->kind == FL_V_NULL) return false;
  if (value->kind != FL_V_LIST) return compare_one(value, compare, right);
  for (size_t i = 0; i < value->as.list.n_items; i++) {
    const fl_value *item = &value->as.list.items[i];
    if (item->kind != FL_V_NULL && item->kind != FL_V_LIST && compare_one(item, compare, right))
      return true;
  }
  return false;
}

static bool exists(const fl_value *value) {
  if (value->kind == FL_V_STR) return value->as.text.n > 0;
  return value->kind != FL_V_NULL && !(value->kind == FL_V_LIST && value->as.list.n_items == 0);
}

fl_value fl_literal_value(const fl_operand *operand) {
  if (operand->kind == FL_O_TEXT) return (fl_value){.kind = FL_V_STR, .as.text = operand->text};
  if (operand->kind == FL_O_BOOL)
    return (fl_value){.kind = FL_V_BOOL, .as.boolean = operand->number != 0};
  return (fl_value){.kind = FL_V_INT, .as.integer = operand->number};
}

static bool compare_holds(const fl_expr *expr, const fl_event *event) {
  const fl_value left = fl_path_value(&expr->left.path, event);
  if (expr->op == FL_OP_EXISTS) return exists(&left);
  bool is_any = false;
  for (size_t i = 0; i < expr->n_values && !is_any; i++) {
    const fl_value right = fl_literal_value(&expr->values[i]);
    is_any = fl_value_compare(&left, expr, &right);
  }
  return expr->op == FL_OP_NE ? !is_any : is_any;
}

bool fl_expr_holds(const fl_expr *expr, const fl_event *event) {
  switch (expr->kind) {
    case FL_X_OR:
      for (const fl_expr *kid = expr->kid; kid; kid = kid->next)
        if (fl_expr_holds(kid, event)) return true;
      return false;
    case FL_X_AND:
      for (const fl_expr *kid = expr->kid; kid; kid = kid->next)
        if (!fl_expr_holds(kid, event)) return false;
      return true;
    case FL_X_NOT:
      return !fl_expr_holds(expr->kid, event);
    case FL_X_COMPARE:
      return compare_holds(expr, event);
    case FL_X_EVENT:
    case FL_X_UNKNOWN:
    case FL_X_COUNT:
    case FL_X_DELTA:
      break;
  }
  return false;
}

bool fl_event_source_fits(const fl_event_source *source, const fl_event *event) {
  if (source->channel.n && !fl_str_eq_nocase(source->channel, event->channel)) return false;
  if (source->provider.n && !fl_str_eq_nocase(source->provider, event->provider)) return false;
  if (source->kind.n || source->kind_is_prefix) {
    fl_str kind = event->kind;
    if (source->kind_is_prefix && kind.n > source->kind.n) kind.n = source->kind.n;
    if (!fl_str_eq_nocase(source->kind, kind)) return false;
  }
  if (source->named && source->named->selector &&
      !fl_event_source_fits(&source->named->selector->source, event))
    return false;
  for (size_t i = 0; i < source->n_ids; i++)
    if (event->event_id == (int64_t)source->ids[i]) return true;
  return source->n_ids == 0;
}
