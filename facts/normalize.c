/* normalize.c - a row becomes an event: columns, data as recorded, and facts by the field map. */
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "facts/fieldmap.h"

enum { MAP_FIELDS_MAX = 24 }; /* items of one field map; a test checks the rows */

typedef struct builder {
  const fl_batch *batch;
  const fl_row *row;
  fl_arena *arena;
  bool out_of_memory;
} builder;

static fl_str column_text(builder *b, fl_column column) {
  const fl_raw raw = fl_row_column(b->batch, b->row, column);
  if (raw.type == FL_T_NULL || raw.n == 0) return (fl_str){0};
  const fl_str text = fl_raw_text(raw, b->arena);
  if (!text.p) b->out_of_memory = true;
  return text;
}

static int64_t column_number(builder *b, fl_column column) {
  uint64_t number = 0;
  const fl_raw raw = fl_row_column(b->batch, b->row, column);
  return fl_raw_u64(raw, &number) && number <= INT64_MAX ? (int64_t)number : -1;
}

/* Sources that are text hold GUIDs with braces; the one form has none and is upper case. */
static fl_str column_guid(builder *b, fl_column column) {
  const fl_str text = column_text(b, column);
  if (text.n == 0) return text;
  const fl_value value = {.kind = FL_V_STR, .as.text = text};
  fl_value guid;
  return fl_convert_find(FL_STR("guid"))(&value, b->arena, &guid) ? guid.as.text : text;
}

/* A row that bears no source has its message from RenderingInfo. */
static fl_message_source column_source(builder *b) {
  const fl_str text = column_text(b, FL_C_MESSAGE_SOURCE);
  for (unsigned i = 1; i < FL_N_MESSAGE_SOURCES; i++)
    if (fl_str_eq(text, fl_str_of(fl_message_source_names[i]))) return (fl_message_source)i;
  return FL_MESSAGE_RENDERING;
}

/* Which column becomes which member of an event. */
typedef enum column_form { TEXT, GUID, NUMBER } column_form;
#define COLUMN(column, form, member) \
  { FL_C_##column, form, offsetof(fl_event, member) }
static const struct {
  fl_column column;
  column_form form;
  size_t offset;
} columns[] = {COLUMN(PROVIDER, TEXT, provider),
               COLUMN(PROVIDER_GUID, GUID, provider_guid),
               COLUMN(EVENT_SOURCE_NAME, TEXT, event_source_name),
               COLUMN(CHANNEL, TEXT, channel),
               COLUMN(HOST, TEXT, host),
               COLUMN(USER_SID, TEXT, user_sid),
               COLUMN(ACTIVITY_ID, GUID, activity_id),
               COLUMN(RELATED_ACTIVITY_ID, GUID, related_activity_id),
               COLUMN(KEYWORDS, TEXT, keywords),
               COLUMN(MESSAGE, TEXT, message),
               COLUMN(LEVEL_NAME, TEXT, level_name),
               COLUMN(TASK_NAME, TEXT, task_name),
               COLUMN(OPCODE_NAME, TEXT, opcode_name),
               COLUMN(KEYWORD_NAMES, TEXT, keyword_names),
               COLUMN(RULES, TEXT, rules),
               COLUMN(EVENT_ID, NUMBER, event_id),
               COLUMN(QUALIFIERS, NUMBER, qualifiers),
               COLUMN(VERSION, NUMBER, version),
               COLUMN(LEVEL, NUMBER, level),
               COLUMN(TASK, NUMBER, task),
               COLUMN(OPCODE, NUMBER, opcode),
               COLUMN(PID, NUMBER, pid),
               COLUMN(TID, NUMBER, tid),
               COLUMN(RECORD_ID, NUMBER, record_id)};
#undef COLUMN

/* Those of the mask; the others are absent. */
static void build_columns(builder *b, uint32_t mask, fl_event *event) {
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    const fl_column column = columns[i].column;
    const bool is_wanted = mask >> column & 1;
    char *member = (char *)event + columns[i].offset;
    if (columns[i].form == NUMBER) {
      const int64_t number = is_wanted ? column_number(b, column) : -1;
      memcpy(member, &number, sizeof number);
    } else if (is_wanted) {
      const fl_str text = columns[i].form == GUID ? column_guid(b, column) : column_text(b, column);
      memcpy(member, &text, sizeof text);
    }
  }
}

static void build_header_id(const builder *b, fl_event *event) {
  const uint64_t header_id = b->row->header_record_id;
  event->header_record_id = -1;
  if (header_id <= INT64_MAX && (int64_t)header_id != event->record_id)
    event->header_record_id = (int64_t)header_id;
}

static bool is_lost(const fl_value *value, const fl_shape_field *field, fl_raw first) {
  if (value->kind == FL_V_STR) return value->as.text.p == NULL && first.n > 0;
  return value->kind == FL_V_NULL && field->join == FL_JOIN_LIST;
}

static void build_data(builder *b, fl_event *event) {
  const fl_shape *shape = b->row->shape;
  fl_field *data = FL_NEW_ARRAY(b->arena, fl_field, shape->n_fields + 1u);
  if (!data) {
    b->out_of_memory = true;
    return;
  }
  for (uint32_t i = 0; i < shape->n_fields; i++) {
    const fl_shape_field *field = &shape->fields[i];
    data[i].name = fl_arena_str(b->arena, field->name);
    data[i].value = fl_row_field(b->batch, b->row, field, b->arena);
    const fl_raw first =
        field->n_refs ? fl_row_raw(b->batch, b->row, field->refs) : (fl_raw){.type = FL_T_NULL};
    if (!data[i].name.p || is_lost(&data[i].value, field, first)) b->out_of_memory = true;
  }
  event->data = data;
  event->n_data = shape->n_fields;
}

bool fl_field_is(fl_str a, fl_str b) {
  size_t i = 0, k = 0;
  for (;;) {
    while (i < a.n && a.p[i] == ' ') i++;
    while (k < b.n && b.p[k] == ' ') k++;
    if (i == a.n || k == b.n) return i == a.n && k == b.n;
    if (fl_lower(a.p[i++]) != fl_lower(b.p[k++])) return false;
  }
}

static const fl_value *find(const fl_field *fields, size_t n_fields, fl_str name) {
  for (size_t i = 0; i < n_fields; i++)
    if (fl_field_is(fields[i].name, name)) return &fields[i].value;
  return NULL;
}

/* The unnamed <Data> items: a list when there are several. `text` is their number, from 1. */
static const fl_value *unnamed(const fl_event *event, fl_str text) {
  uint64_t number = 0;
  const fl_value *data = find(event->data, event->n_data, FL_STR("Data"));
  if (!data || !fl_text_number(text, &number) || number == 0) return NULL;
  if (data->kind != FL_V_LIST) return number == 1 ? data : NULL;
  return number <= data->as.list.n_items ? &data->as.list.items[number - 1] : NULL;
}

static const fl_value *recorded(const fl_event *event, fl_str name) {
  if (name.p[0] != '#') return find(event->data, event->n_data, name);
  if (fl_str_eq(name, FL_STR("#bin"))) return find(event->data, event->n_data, FL_STR("Binary"));
  return unnamed(event, (fl_str){name.p + 1, name.n - 1});
}

/* The first of the item's names that is there and converts. */
static bool item_value(const fl_event *event, const fl_map_item *item, fl_arena *arena,
                       fl_value *ret_value) {
  if (!item->convert) {
    *ret_value = (fl_value){.kind = FL_V_STR, .as.text = item->theirs};
    return true;
  }
  fl_str theirs = item->theirs, name;
  while (fl_map_next_name(&theirs, &name)) {
    const fl_value *value = recorded(event, name);
    if (value && value->kind != FL_V_NULL && item->convert(value, arena, ret_value)) return true;
  }
  return false;
}

static const fl_event_fact *fact_of(const fl_event *event) {
  if (event->event_id < 0 || event->event_id > UINT32_MAX) return NULL;
  const uint32_t id = (uint32_t)event->event_id;
  const fl_event_fact *fact = fl_event_fact_find(event->provider, id);
  return fact ? fact : fl_event_fact_find(event->event_source_name, id);
}

static void build_facts(builder *b, fl_event *event) {
  const fl_event_fact *fact = fact_of(event);
  if (!fact) return;
  fl_field fields[MAP_FIELDS_MAX];
  fl_str map = fl_str_of(fact->fields);
  fl_map_item item;
  size_t n = 0;
  while (n < MAP_FIELDS_MAX && fl_map_next(&map, &item) == FL_OK)
    if (item_value(event, &item, b->arena, &fields[n].value)) fields[n++].name = item.name;
  fl_field *kept = FL_NEW_ARRAY(b->arena, fl_field, n + 1);
  if (!kept) {
    b->out_of_memory = true;
    return;
  }
  if (n) memcpy(kept, fields, n * sizeof *kept);
  event->kind = fl_str_of(fact->kind); /* kinds and our names live as long as the program */
  event->facts = kept;
  event->n_facts = n;
}

static void build_message(builder *b, fl_event *event) {
  if (event->message.n) {
    event->message_source = column_source(b);
    return;
  }
  event->message = fl_event_sentence(event, b->arena);
  if (event->message.n) event->message_source = FL_MESSAGE_OWN;
}

static fl_event event_of(const fl_row *row) {
  return (fl_event){.t = row->t,
                    .t_written = row->t_written == row->t ? 0 : row->t_written,
                    .flags = row->flags,
                    .source = row->source,
                    .seq = row->seq,
                    .offset = row->offset,
                    .length = row->length};
}

static fl_status no_memory(const fl_row *row, fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, row->offset, "no memory for the values of an event");
}

fl_status fl_event_build(const fl_batch *batch, const fl_row *row, fl_arena *arena,
                         fl_event *ret_event, fl_err *err) {
  builder b = {.batch = batch, .row = row, .arena = arena};
  fl_event event = event_of(row);
  build_columns(&b, UINT32_MAX, &event);
  build_header_id(&b, &event);
  build_data(&b, &event);
  if (!b.out_of_memory) build_facts(&b, &event);
  if (!b.out_of_memory) build_message(&b, &event);
  if (b.out_of_memory) return no_memory(row, err);
  *ret_event = event;
  return FL_OK;
}

fl_status fl_event_build_columns(const fl_batch *batch, const fl_row *row, uint32_t columns_mask,
                                 fl_arena *arena, fl_event *ret_event, fl_err *err) {
  builder b = {.batch = batch, .row = row, .arena = arena};
  fl_event event = event_of(row);
  event.header_record_id = -1;
  build_columns(&b, columns_mask, &event);
  if (b.out_of_memory) return no_memory(row, err);
  *ret_event = event;
  return FL_OK;
}

const fl_value *fl_event_field(const fl_event *event, fl_str name) {
  const fl_value *value = find(event->facts, event->n_facts, name);
  if (!value) value = find(event->data, event->n_data, name);
  if (!value && name.n > 5 && fl_str_eq_nocase((fl_str){name.p, 5}, FL_STR("Data#")))
    value = unnamed(event, (fl_str){name.p + 5, name.n - 5});
  return value;
}
