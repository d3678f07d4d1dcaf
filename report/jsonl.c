/* jsonl.c - events as JSON lines: for each shape a plan of constant text and values to fill in.
 *
 * Keys and forms are those of docs/formats/json.md. Everything that all rows of a shape share is
 * formatted once; a row is a walk over its plan. */
#include "report/jsonl.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/key.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/out.h"
#include "base/raw.h"
#include "base/rd.h"
#include "base/shape.h"
#include "base/text.h"
#include "report/json_put.h"

/* Nearly every row fits into what is reserved for it at once; others ask item by item. NULL after a
 * failure. */
enum { ROOM_AT_ONCE = FL_OUT_BUFFER / 2 };
static inline char *room_for(jsonl *w, char *out, size_t n_bytes) {
  if (w->is_roomy) return out;
  fl_out_advance(w->out, out);
  return fl_out_room(w->out, n_bytes);
}

/* Constant text: plans are padded to 16 bytes, so it is copied in whole steps. */
static char *put_before(fl_str before, char *out) {
  for (size_t i = 0; i < before.n; i += 16) memcpy(out + i, before.p + i, 16);
  return out + before.n;
}

static size_t list_room(const jsonl_item *i, const fl_batch *batch, const fl_row *row) {
  size_t room = i->before.n + ITEM_ROOM;
  for (uint32_t k = 0; k < i->field->n_refs; k++)
    room += fl_json_raw_room(fl_row_raw(batch, row, &i->field->refs[k]));
  return room;
}

static char *put_list(jsonl *w, const jsonl_item *i, const fl_batch *batch, const fl_row *row,
                      char *out) {
  const fl_shape_field *field = i->field;
  bool is_null = field->n_refs > 0; /* an empty list of a timeline has none */
  for (uint32_t k = 0; k < field->n_refs && is_null; k++)
    is_null = fl_row_raw(batch, row, &field->refs[k]).type == FL_T_NULL;
  if (is_null) return out;
  out = put_before(i->before, out);
  *out++ = '[';
  for (uint32_t k = 0; k < field->n_refs; k++) {
    const fl_raw raw = fl_row_raw(batch, row, &field->refs[k]);
    if (k) *out++ = ',';
    if (raw.type & FL_T_ARRAY && raw.n) out = fl_json_put_items(raw, w->scratch, out);
    else out = fl_json_put_raw(raw, w->scratch, out);
  }
  *out++ = ']';
  return out;
}

/* The form that the type has anyway. */
static inline bool is_as_recorded(jsonl_form f, fl_raw raw) {
  if (f == FORM_VALUE) return true;
  if (f == FORM_GUID) return raw.type == FL_T_GUID;
  if (f == FORM_NUMBER) return raw.type >= FL_T_U8 && raw.type <= FL_T_U32 && raw.n <= 4;
  return raw.type == FL_T_HEX64 || raw.type == FL_T_HEX32;
}

char *jsonl_put_formed(jsonl *w, jsonl_form f, fl_raw raw, char *out) {
  uint64_t number = 0;
  if (f == FORM_NUMBER && fl_raw_u64(raw, &number)) return fl_json_put_natural(number, out);
  if (f == FORM_HEX && fl_raw_u64(raw, &number)) return fl_json_put_hex(number, out);
  uint8_t guid[16];
  if (f == FORM_GUID && raw.type != FL_T_GUID && fl_raw_guid(raw, guid))
    raw = (fl_raw){guid, sizeof guid, FL_T_GUID, 0};
  return fl_json_put_raw(raw, w->scratch, out);
}

/* Text of several values, made in scratch first; NULL after a failure. */
static char *put_glued(jsonl *w, const jsonl_item *i, const fl_batch *batch, const fl_row *row,
                       char *out) {
  const fl_value value = fl_row_field(batch, row, i->field, w->scratch);
  if (value.kind == FL_V_NULL) return out;
  out = room_for(w, out, i->before.n + ITEM_ROOM + fl_json_value_room(&value));
  return out ? fl_json_put_value(&value, put_before(i->before, out)) : NULL;
}

/* An absent value writes nothing. NULL after a failure. */
static inline char *put_item(jsonl *w, const jsonl_item *i, const fl_batch *batch,
                             const fl_row *row, char *out) {
  if (i->form == FORM_CONST) {
    out = room_for(w, out, i->before.n + ITEM_ROOM);
    return out ? put_before(i->before, out) : NULL;
  }
  if (i->form == FORM_GLUED) return put_glued(w, i, batch, row, out);
  if (i->form == FORM_LIST) {
    out = room_for(w, out, w->is_roomy ? 0 : list_room(i, batch, row));
    return out ? put_list(w, i, batch, row, out) : NULL;
  }
  const fl_raw raw = fl_row_raw(batch, row, &i->ref);
  if (raw.type == FL_T_NULL) return out;
  out = room_for(w, out, i->before.n + ITEM_ROOM + fl_json_raw_room(raw));
  if (!out) return NULL;
  out = put_before(i->before, out);
  if (is_as_recorded(i->form, raw)) return fl_json_put_raw(raw, w->scratch, out);
  return jsonl_put_formed(w, i->form, raw, out);
}

/* ---- rows ---- */

static const fl_event_fact *find_fact(jsonl *w, jsonl_plan *p, const fl_batch *batch,
                                      const fl_row *row) {
  const fl_ref *columns = row->shape->columns;
  const fl_raw raw = fl_row_column(batch, row, FL_C_EVENT_ID);
  uint64_t id = 0;
  if (raw.type == FL_T_U16 && raw.n == 2) id = fl_le16(raw.p);
  else if (!fl_raw_u64(raw, &id)) return NULL;
  if (columns[FL_C_PROVIDER].kind == FL_REF_SLOT ||
      columns[FL_C_EVENT_SOURCE_NAME].kind == FL_REF_SLOT)
    return fl_known_fact(w->known, batch, row);
  if (p->fact_of != id) {
    p->fact_of = id;
    p->fact = fl_known_fact(w->known, batch, row);
  }
  return p->fact;
}

/* What a line says of its event beyond the record. */
typedef struct told {
  const fl_event_fact *fact;
  fl_str sentence; /* where the record has no message */
} told;

static told tell(jsonl *w, jsonl_plan *p, const fl_batch *batch, const fl_row *row) {
  told t = {.fact = find_fact(w, p, batch, row)};
  if (t.fact && fl_row_column(batch, row, FL_C_MESSAGE).type == FL_T_NULL)
    t.sentence = fl_known_sentence(w->known, t.fact, batch, row, w->scratch);
  return t;
}

static inline char *put_text(char *out, const char *text) {
  const size_t n = strlen(text);
  memcpy(out, text, n);
  return out + n;
}

static size_t head_room(jsonl *w, const fl_batch *batch, const fl_row *row) {
  static const fl_column columns[] = {FL_C_HOST, FL_C_RECORD_ID, FL_C_TIME};
  size_t room = 512 + (row->source < w->cap_names ? w->names[row->source].n : 0);
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
    room += fl_json_raw_room(fl_row_column(batch, row, columns[i]));
  return room;
}

static char *put_times(jsonl *w, const fl_batch *batch, const fl_row *row, char *out) {
  const fl_raw raw_time = fl_row_column(batch, row, FL_C_TIME);
  out = put_text(out, "{\"time\":\"");
  out += fl_time_format_9(row->t, &w->day, out);
  *out++ = '"';
  if (row->flags & FL_F_TIME_INVALID && raw_time.type != FL_T_NULL)
    out = fl_json_put_raw(raw_time, w->scratch, put_text(out, ",\"time_raw\":"));
  if (row->t_written && row->t_written != row->t) {
    out = put_text(out, ",\"time_written\":\"");
    out += fl_time_format_9(row->t_written, &w->day, out);
    *out++ = '"';
  }
  return out;
}

/* Time, host, source and the place of the record: what every line begins with. */
static char *put_head(jsonl *w, const fl_batch *batch, const fl_row *row, char *out) {
  const fl_raw host = fl_row_column(batch, row, FL_C_HOST);
  const fl_str name = row->source < w->cap_names ? w->names[row->source] : (fl_str){0};
  out = put_times(w, batch, row, out);
  if (host.type != FL_T_NULL) out = fl_json_put_raw(host, w->scratch, put_text(out, ",\"host\":"));
  out = put_text(out, ",\"source\":");
  if (name.n) {
    memcpy(out, name.p, name.n);
    out += name.n;
  } else {
    out = put_text(out, "\"\"");
  }
  uint64_t id = 0;
  const bool has_id = fl_raw_u64(fl_row_column(batch, row, FL_C_RECORD_ID), &id);
  if (has_id) out = fl_json_put_natural(id, put_text(out, ",\"record_id\":"));
  if (has_id ? id != row->header_record_id : row->header_record_id != 0)
    out = fl_json_put_natural(row->header_record_id, put_text(out, ",\"header_record_id\":"));
  out = fl_json_put_natural(row->offset, put_text(out, ",\"offset\":"));
  return fl_json_put_natural(row->length, put_text(out, ",\"length\":"));
}

/* The key and a brace go in front of the first field that is there, in place of its comma. */
static char *put_data(jsonl *w, const jsonl_plan *p, const fl_batch *batch, const fl_row *row,
                      char *out) {
  static const char key[] = ",\"data\":";
  bool is_open = false;
  for (size_t i = 0; i < p->n_data; i++) {
    if (is_open) {
      if (!(out = put_item(w, &p->data[i], batch, row, out))) return NULL;
      continue;
    }
    if (!(out = room_for(w, out, sizeof key))) return NULL;
    memcpy(out, key, sizeof key - 1);
    fl_out_advance(w->out, out + sizeof key - 1);
    const uint64_t before = fl_out_size(w->out);
    char *end = put_item(w, &p->data[i], batch, row, out + sizeof key - 1);
    if (!end) return NULL;
    fl_out_advance(w->out, end);
    const size_t n = (size_t)(fl_out_size(w->out) - before);
    is_open = n > 0;
    if (is_open) *(end - n) = '{'; /* an item is written in one piece: it is in the buffer */
    out = is_open ? end : end - (sizeof key - 1);
  }
  if (is_open && (out = room_for(w, out, 1))) *out++ = '}';
  return out;
}

static char *put_flags(uint32_t flags, char *out) {
  out = put_text(out, ",\"flags\":[");
  bool is_first = true;
  for (unsigned bit = 0; bit < FL_N_EVENT_FLAGS; bit++) {
    if (!(flags >> bit & 1)) continue;
    out = put_text(out, is_first ? "\"" : ",\"");
    out = put_text(out, fl_event_flag_names[bit]);
    *out++ = '"';
    is_first = false;
  }
  *out++ = ']';
  return out;
}

/* The record's own text, what Windows exported beside its log, or our sentence. */
static char *put_message(jsonl *w, const told *t, const fl_batch *batch, const fl_row *row,
                         char *out) {
  const fl_raw raw = fl_row_column(batch, row, FL_C_MESSAGE);
  const fl_raw from = fl_row_column(batch, row, FL_C_MESSAGE_SOURCE);
  if (raw.type == FL_T_NULL && t->sentence.n == 0) return out;
  const size_t n_bytes = fl_json_raw_room(raw) + fl_json_raw_room(from) + t->sentence.n * 6;
  if (!(out = room_for(w, out, n_bytes + 2 * ITEM_ROOM))) return NULL;
  out = put_text(out, ",\"message\":");
  if (raw.type != FL_T_NULL) out = fl_json_put_raw(raw, w->scratch, out);
  else out = fl_json_put_quoted(t->sentence, out);
  out = put_text(out, ",\"message_source\":");
  if (raw.type == FL_T_NULL) return put_text(out, "\"own\"");
  if (from.type != FL_T_NULL) return fl_json_put_raw(from, w->scratch, out);
  return put_text(out, "\"rendering\"");
}

static char *put_kind(jsonl *w, const told *t, char *out) {
  const fl_str kind = fl_str_of(t->fact ? t->fact->kind : "");
  if (kind.n == 0) return out;
  if (!(out = room_for(w, out, kind.n + ITEM_ROOM))) return NULL;
  out = put_text(out, ",\"kind\":\"");
  memcpy(out, kind.p, kind.n);
  out += kind.n;
  *out++ = '"';
  return out;
}

/* A message that is a constant of its shape takes no slot. */
static size_t message_room(const fl_row *row, const told *t) {
  const fl_ref *columns = row->shape->columns;
  return (t->sentence.n + columns[FL_C_MESSAGE].constant.n +
          columns[FL_C_MESSAGE_SOURCE].constant.n) *
         6;
}

/* Room for the whole row, or for its head alone where that is too much to ask for at once. */
static char *row_room(jsonl *w, const jsonl_plan *p, const told *t, const fl_batch *batch,
                      const fl_row *row) {
  enum { TAIL_ROOM = 1024 }; /* kind, flags, and where a message is from */
  size_t n = 0;
  uint8_t types = 0;
  for (uint32_t i = 0; i < row->shape->n_slots; i++) {
    n += batch->slots[row->slot0 + i].n;
    types |= batch->slots[row->slot0 + i].type;
  }
  n *= types & FL_T_ARRAY ? FL_SHORT_TEXT_MAX : 6;
  const size_t head = head_room(w, batch, row) + message_room(row, t);
  w->is_roomy = n < ROOM_AT_ONCE && p->most_uses < ROOM_AT_ONCE &&
                n * p->most_uses + p->room + head + TAIL_ROOM < ROOM_AT_ONCE;
  return fl_out_room(w->out, w->is_roomy ? ROOM_AT_ONCE : head);
}

/* What a line is made of. */
typedef struct line {
  const jsonl_plan *plan;
  const fl_batch *batch;
  const fl_row *row;
} line;

static char *put_columns(jsonl *w, const line *l, size_t from, size_t to, char *out) {
  for (size_t i = from; i < to && out; i++)
    out = put_item(w, &l->plan->columns[i], l->batch, l->row, out);
  return out;
}

static jsonl_settled *settled_place(jsonl *w, const line *l) {
  uint64_t hash = l->row->shape->serial;
  for (size_t i = 0; i < l->plan->n_settled; i++)
    if (l->plan->columns[i].form != FORM_CONST)
      hash = fl_key_mix(hash, fl_row_raw(l->batch, l->row, &l->plan->columns[i].ref));
  return &w->settled[hash >> (64 - SETTLED_BITS)];
}

static bool is_settled(const jsonl_settled *s, const line *l) {
  if (s->serial != l->row->shape->serial + 1) return false;
  const uint8_t *at = s->key;
  for (size_t i = 0; i < l->plan->n_settled; i++)
    if (l->plan->columns[i].form != FORM_CONST &&
        !fl_key_has(&at, fl_row_raw(l->batch, l->row, &l->plan->columns[i].ref)))
      return false;
  return true;
}

/* Values or text that are too long are not kept. */
static void settle(jsonl_settled *s, const line *l, fl_str text) {
  size_t n = 0;
  s->serial = 0;
  if (text.n > SETTLED_TEXT) return;
  for (size_t i = 0; i < l->plan->n_settled; i++) {
    if (l->plan->columns[i].form == FORM_CONST) continue;
    n = fl_key_put(s->key, n, SETTLED_KEY, fl_row_raw(l->batch, l->row, &l->plan->columns[i].ref));
    if (n == 0) return;
  }
  s->serial = l->row->shape->serial + 1;
  s->n_text = (uint32_t)text.n;
  memcpy(s->text, text.p, text.n);
}

static char *put_settled(jsonl *w, const line *l, char *out) {
  if (!w->is_roomy || !fl_shape_is_kept(l->row->shape))
    return put_columns(w, l, 0, l->plan->n_settled, out);
  jsonl_settled *s = settled_place(w, l);
  if (is_settled(s, l)) {
    memcpy(out, s->text, s->n_text);
    return out + s->n_text;
  }
  char *end = put_columns(w, l, 0, l->plan->n_settled, out);
  if (end) settle(s, l, (fl_str){out, (size_t)(end - out)});
  return end;
}

static bool put_row(jsonl *w, const fl_batch *batch, const fl_row *row) {
  enum { TAIL_ROOM = 1024 };
  jsonl_plan *p = jsonl_find_plan(w, row->shape);
  if (!p) return false;
  const told t = tell(w, p, batch, row);
  char *out = row_room(w, p, &t, batch, row);
  if (!out) return false;
  out = put_head(w, batch, row, out);
  const line l = {p, batch, row};
  if (!(out = put_settled(w, &l, out))) return false;
  if (!(out = put_columns(w, &l, p->n_settled, p->n_columns, out))) return false;
  if (!(out = put_message(w, &t, batch, row, out))) return false;
  if (!(out = put_kind(w, &t, out))) return false;
  if (p->n_data && !(out = put_data(w, p, batch, row, out))) return false;
  if (!(out = room_for(w, out, TAIL_ROOM))) return false;
  if (row->flags) out = put_flags(row->flags, out);
  *out++ = '}';
  *out++ = '\n';
  fl_out_advance(w->out, out);
  return true;
}

static fl_status write_batch(void *self, const fl_batch *batch, fl_err *err) {
  jsonl *w = self;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    fl_arena_reset(w->scratch);
    if (put_row(w, batch, &batch->rows[i])) continue;
    FL_TRY(fl_out_check(w->out, err));
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  return fl_out_check(w->out, err);
}

static fl_status begin_source(void *self, const fl_source_info *source, fl_err *err) {
  jsonl *w = self;
  if (!fl_grow_zeroed((void **)&w->names, &w->cap_names, (size_t)source->id + 1, sizeof *w->names))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  char *text = fl_arena_take(w->arena, source->name.n * 6 + 3);
  if (!text) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  w->names[source->id] = (fl_str){text, (size_t)(fl_json_put_quoted(source->name, text) - text)};
  return FL_OK;
}

static void jsonl_free(jsonl *w) {
  fl_arena_free(w->arena);
  fl_arena_free(w->scratch);
  fl_known_free(w->known);
  free(w->plans);
  free(w->settled);
  free(w->names);
  free(w);
}

static fl_status finish(fl_event_writer *writer, fl_err *err) {
  jsonl *w = (jsonl *)(void *)writer;
  const fl_status status = fl_out_check(w->out, err);
  jsonl_free(w);
  return status;
}

fl_status fl_event_format_jsonl(fl_out *out, fl_event_writer **ret_writer, fl_err *err) {
  jsonl *w = calloc(1, sizeof *w);
  if (!w) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  w->base.sink = (fl_sink){.self = w, .begin = begin_source, .batch = write_batch};
  w->base.finish = finish;
  w->out = out;
  w->arena = fl_arena_create(FL_LIMIT_SHARED_ARENA);
  w->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  w->known = fl_known_create();
  w->settled = calloc(SETTLED, sizeof *w->settled);
  if (!w->arena || !w->scratch || !w->known || !w->settled) {
    jsonl_free(w);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  }
  *ret_writer = &w->base;
  return FL_OK;
}
