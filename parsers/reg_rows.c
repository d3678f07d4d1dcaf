/* reg_rows.c - registry values become rows. */
#include "parsers/reg_rows.h"

#include "base/limits.h"
#include "base/text.h"

enum { SETTING_REGISTRY = 101, SETTING_RDP = 102, MOST_FIELDS = 24 };

struct reg_rows {
  fl_job *job;
  fl_str host;
};

/* A row in the making. */
typedef struct making {
  fl_arena *arena;
  fl_str names[MOST_FIELDS];
  fl_raw raws[MOST_FIELDS];
  uint32_t n;
} making;

static fl_raw raw_text(fl_str text) {
  return (fl_raw){(const uint8_t *)text.p, (uint32_t)text.n, text.p ? FL_T_UTF8 : FL_T_NULL, 0};
}

static void put(making *m, const char *name, fl_raw raw) {
  if (m->n == MOST_FIELDS || raw.type == FL_T_NULL) return;
  m->names[m->n] = fl_str_of(name);
  m->raws[m->n++] = raw;
}

/* A copy: keys and names live no longer than the call. */
static void put_text(making *m, const char *name, fl_str text) {
  if (text.n) put(m, name, raw_text(fl_arena_str(m->arena, text)));
}

static void put_number(making *m, const char *name, uint64_t number) {
  uint64_t *copy = fl_arena_take(m->arena, sizeof *copy);
  if (!copy) return;
  *copy = number;
  put(m, name, (fl_raw){(const uint8_t *)copy, sizeof *copy, FL_T_U64, 0});
}

static fl_str type_name(uint32_t type, fl_arena *arena) {
  if (type < REG_N_TYPES) return fl_str_of(reg_type_names[type]);
  return fl_arena_printf(arena, "0x%x", (unsigned)type);
}

/* Any number but 0 switches a protocol on. */
static void put_switch(making *m, const setting *s, fl_str name, fl_raw value) {
  uint64_t number = 0;
  const bool is_schannel = s->parts[SETTING_SIDE].n != 0 || s->parts[SETTING_ALGORITHM].n != 0;
  if (!is_schannel || !fl_raw_u64(value, &number)) return;
  const bool is_enabled = fl_str_eq_nocase(name, FL_STR("Enabled"));
  put_number(m, is_enabled ? "enabled" : "disabled_by_default", number != 0);
}

/* "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|…" */
static void put_rule(making *m, fl_str name, fl_str text) {
  static const struct {
    const char *theirs, *ours;
  } parts[] = {{"Action", "action"}, {"Active", "active"},        {"Dir", "direction"},
               {"LPort", "port"},    {"Protocol", "ip_protocol"}, {"Profile", "profile"}};
  put_text(m, "rule", name);
  while (text.n) {
    const char *end = memchr(text.p, '|', text.n);
    const fl_str part = {text.p, end ? (size_t)(end - text.p) : text.n};
    const char *equals = part.n ? memchr(part.p, '=', part.n) : NULL;
    const fl_str word = {part.p, equals ? (size_t)(equals - part.p) : 0};
    for (size_t i = 0; word.n && i < sizeof parts / sizeof *parts; i++)
      if (fl_str_eq(word, fl_str_of(parts[i].theirs)))
        put_text(m, parts[i].ours, (fl_str){equals + 1, part.n - word.n - 1});
    text = end ? (fl_str){end + 1, text.n - part.n - 1} : (fl_str){0};
  }
}

/* A thumbprint in the form that certificates are listed with. */
static fl_raw thumbprint(fl_raw value, fl_arena *arena) {
  if (value.type != FL_T_BIN) return value;
  const fl_str hex = fl_raw_text(value, arena);
  char *lower = hex.p ? fl_arena_take(arena, hex.n + 1) : NULL;
  for (size_t i = 0; lower && i < hex.n; i++) lower[i] = fl_lower(hex.p[i]);
  return lower ? raw_text((fl_str){lower, hex.n}) : (fl_raw){.type = FL_T_NULL};
}

static fl_raw value_of(const reg_value *v, making *m, bool *is_cut) {
  if (v->is_deleted) return (fl_raw){.type = FL_T_NULL};
  if (setting_is_secret(v->name)) return raw_text(FL_STR("(withheld)"));
  return reg_value_raw(v, m->arena, is_cut);
}

static void put_setting(making *m, const setting *s, const reg_value *v, fl_raw value) {
  const fl_str text =
      value.type == FL_T_UTF8 ? (fl_str){(const char *)value.p, value.n} : (fl_str){0};
  put_text(m, "setting", s->name);
  put_text(m, "layer", fl_str_of(s->layer));
  for (size_t i = 0; i < SETTING_N_PARTS; i++) {
    fl_str part = s->parts[i];
    if (i == SETTING_SIDE && part.n) part = fl_arena_str(m->arena, part);
    if (i == SETTING_SIDE && part.p) ((char *)part.p)[0] = fl_lower(part.p[0]);
    put_text(m, setting_part_names[i], part);
  }
  put_switch(m, s, v->name, value);
  if (fl_str_eq(s->name, FL_STR("FirewallRule"))) put_rule(m, v->name, text);
}

static fl_shape *shape_of(const reg_rows *r, const making *m, uint64_t id) {
  fl_shape *shape = FL_NEW(m->arena, fl_shape);
  fl_shape_field *fields = FL_NEW_ARRAY(m->arena, fl_shape_field, m->n);
  fl_ref *refs = FL_NEW_ARRAY(m->arena, fl_ref, m->n);
  uint64_t *number = FL_NEW(m->arena, uint64_t);
  if (!shape || !fields || !refs || !number) return NULL;
  for (uint32_t i = 0; i < m->n; i++) {
    refs[i] = (fl_ref){.kind = FL_REF_SLOT, .slot = i};
    fields[i] = (fl_shape_field){.name = m->names[i], .refs = &refs[i], .n_refs = 1};
  }
  *number = id;
  *shape = (fl_shape){.serial = FL_SHAPE_TEMPORARY | fl_job_shape_serial(r->job),
                      .n_slots = m->n + 2,
                      .fields = fields,
                      .n_fields = m->n};
  shape->columns[FL_C_PROVIDER] =
      (fl_ref){.kind = FL_REF_CONST, .constant = raw_text(FL_STR("faultline-state"))};
  shape->columns[FL_C_EVENT_ID] =
      (fl_ref){.kind = FL_REF_CONST, .constant = {(const uint8_t *)number, 8, FL_T_U64, 0}};
  shape->columns[FL_C_HOST] = (fl_ref){.kind = FL_REF_SLOT, .slot = m->n};
  shape->columns[FL_C_RECORD_ID] = (fl_ref){.kind = FL_REF_SLOT, .slot = m->n + 1};
  return shape;
}

fl_status reg_rows_open(fl_job *job, reg_rows **ret_rows, fl_err *err) {
  reg_rows *r = FL_NEW(job->arena, reg_rows);
  if (!r) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  r->job = job;
  *ret_rows = r;
  return FL_OK;
}

fl_status reg_rows_set_host(reg_rows *r, fl_str host, fl_err *err) {
  r->host = fl_arena_str(r->job->arena, host);
  return r->host.p ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory");
}

fl_status reg_rows_add(reg_rows *r, fl_rows *rows, const reg_value *v, fl_err *err) {
  making m = {.arena = rows->arena};
  bool is_cut = v->is_cut;
  fl_raw value = value_of(v, &m, &is_cut);
  const fl_str text =
      value.type == FL_T_UTF8 ? (fl_str){(const char *)value.p, value.n} : (fl_str){0};
  const setting s = setting_of(v->key, v->name, text);
  if (fl_str_eq(s.name, FL_STR("SSLCertificateSHA1Hash"))) value = thumbprint(value, m.arena);
  if (s.name.n) put_setting(&m, &s, v, value);
  put_text(&m, "key", v->key);
  put_text(&m, "name", v->name);
  put(&m, "value", value);
  put_text(&m, "type", type_name(v->type, m.arena));
  if (v->is_deleted) put_number(&m, "deleted", 1);
  const fl_shape *shape = shape_of(r, &m, s.name.n ? SETTING_RDP : SETTING_REGISTRY);
  if (!shape) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(fl_rows_slots(rows, shape->n_slots, err));
  const fl_row row = {
      .shape = shape,
      .t = v->has_time ? v->t : 0,
      .offset = v->offset,
      .length = v->length,
      .slot0 = rows->n_slots,
      .flags = (v->has_time ? 0 : FL_F_TIME_INVALID) | (is_cut ? FL_F_TRUNCATED : 0)};
  memcpy(rows->slots + rows->n_slots, m.raws, m.n * sizeof *m.raws);
  rows->slots[row.slot0 + m.n] = raw_text(fl_arena_str(m.arena, r->host));
  if (r->host.n == 0) rows->slots[row.slot0 + m.n] = (fl_raw){.type = FL_T_NULL};
  rows->slots[row.slot0 + m.n + 1] = (fl_raw){.type = FL_T_NULL};
  rows->n_slots += shape->n_slots;
  fl_rows_add(rows, &row);
  return rows->n_rows == FL_BATCH_ROWS ? fl_rows_flush(r->job, rows, err) : FL_OK;
}
