/* reg_rows.c - registry values become facts of the machine's state. */
#include "parsers/reg_rows.h"

#include "base/text.h"
#include "parsers/setting.h"

enum { PROFILES_MOST = 64 };

static fl_str text_of(fl_raw raw) {
  return raw.type == FL_T_UTF8 ? (fl_str){(const char *)raw.p, raw.n} : (fl_str){0};
}

/* Any number but 0 switches a protocol or algorithm on. */
static void put_switch(fl_fact *fact, const setting *s, fl_str name, fl_raw value) {
  uint64_t number = 0;
  const bool is_schannel = s->parts[SETTING_SIDE].n != 0 || s->parts[SETTING_ALGORITHM].n != 0;
  if (!is_schannel || !fl_raw_u64(value, &number)) return;
  const bool is_enabled = fl_str_eq_nocase(name, FL_STR("Enabled"));
  fl_fact_number(fact, is_enabled ? "enabled" : "disabled_by_default", number != 0);
}

/* A rule names each profile by itself; one that names none holds in all of them. */
static fl_str join_profiles(fl_fact *fact, fl_str all, fl_str one) {
  return fl_arena_printf(fact->rows->arena, "%.*s%s%.*s", FL_STR_ARG(all), all.n ? "," : "",
                         FL_STR_ARG(one));
}

/* "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|…" */
static void put_rule(fl_fact *fact, fl_str name, fl_str text) {
  static const struct {
    const char *theirs, *ours;
  } parts[] = {{"Action", "action"},
               {"Active", "active"},
               {"Dir", "direction"},
               {"LPort", "port"},
               {"Protocol", "ip_protocol"}};
  bool is_told[sizeof parts / sizeof *parts] = {false};
  fl_str profiles = {0};
  fl_fact_text(fact, "rule", name);
  while (text.n) {
    const char *end = memchr(text.p, '|', text.n);
    const fl_str part = {text.p, end ? (size_t)(end - text.p) : text.n};
    const char *equals = part.n ? memchr(part.p, '=', part.n) : NULL;
    const fl_str word = {part.p, equals ? (size_t)(equals - part.p) : 0};
    const fl_str value = word.n ? (fl_str){equals + 1, part.n - word.n - 1} : (fl_str){0};
    if (fl_str_eq(word, FL_STR("Profile")) && profiles.n < PROFILES_MOST)
      profiles = join_profiles(fact, profiles, value);
    for (size_t i = 0; word.n && i < sizeof parts / sizeof *parts; i++)
      if (!is_told[i] && fl_str_eq(word, fl_str_of(parts[i].theirs))) {
        fl_fact_text(fact, parts[i].ours, value);
        is_told[i] = true;
      }
    text = end ? (fl_str){end + 1, text.n - part.n - 1} : (fl_str){0};
  }
  fl_fact_text(fact, "profile", profiles);
}

static void put_lower(fl_fact *fact, const char *name, fl_str text) {
  char *lower = fl_arena_take(fact->rows->arena, text.n + 1);
  for (size_t i = 0; lower && i < text.n; i++) lower[i] = fl_lower(text.p[i]);
  if (lower) fl_fact_text(fact, name, (fl_str){lower, text.n});
  else fact->is_out_of_memory = true;
}

static void put_setting(fl_fact *fact, const setting *s, const reg_value *v, fl_raw value) {
  fl_fact_text(fact, "setting", s->name);
  fl_fact_words(fact, "layer", s->layer);
  for (size_t i = 0; i < SETTING_N_PARTS; i++)
    if (i == SETTING_SIDE) put_lower(fact, setting_part_names[i], s->parts[i]);
    else fl_fact_text(fact, setting_part_names[i], s->parts[i]);
  put_switch(fact, s, v->name, value);
  if (fl_str_eq(s->name, FL_STR("FirewallRule"))) put_rule(fact, v->name, text_of(value));
}

/* Thumbprints have the form in which certificates are listed. */
static void put_value(fl_fact *fact, const setting *s, fl_raw value) {
  uint64_t number = 0;
  if (value.type == FL_T_NULL) return;
  if (value.type == FL_T_U32 || value.type == FL_T_U64) {
    if (fl_raw_u64(value, &number)) fl_fact_number(fact, "value", number);
    return;
  }
  const fl_str text = fl_raw_text(value, fact->rows->arena);
  if (value.n && !text.p) fact->is_out_of_memory = true;
  else if (fl_str_eq(s->name, FL_STR("SSLCertificateSHA1Hash"))) put_lower(fact, "value", text);
  else fl_fact_text(fact, "value", text);
}

static void put_type(fl_fact *fact, const reg_value *v) {
  if (v->is_deleted || v->is_type_guessed) return;
  if (v->type < REG_N_TYPES) fl_fact_words(fact, "type", reg_type_names[v->type]);
  else
    fl_fact_text(fact, "type", fl_arena_printf(fact->rows->arena, "REG_0x%x", (unsigned)v->type));
}

/* What the registry says of its own machine. */
static void learn_host(fl_fact *fact, const reg_value *v, fl_raw value) {
  static const char *const end = "\\ComputerName\\ComputerName";
  const size_t n = strlen(end);
  const bool is_name = v->key.n > n &&
                       fl_str_eq_nocase((fl_str){v->key.p + v->key.n - n, n}, fl_str_of(end)) &&
                       fl_str_eq_nocase(v->name, FL_STR("ComputerName"));
  if (is_name && text_of(value).n)
    fact->collected.host = fl_arena_str(fact->job->arena, text_of(value));
}

static fl_raw value_of(fl_fact *fact, const reg_value *v, bool *is_cut) {
  static const fl_raw withheld = {(const uint8_t *)"(withheld)", 10, FL_T_UTF8, 0};
  if (v->is_deleted) return (fl_raw){.type = FL_T_NULL};
  if (setting_is_secret(v->name)) return withheld;
  return reg_value_raw(v, fact->rows->arena, is_cut);
}

fl_status reg_rows_add(fl_fact *fact, const reg_value *v, fl_err *err) {
  bool is_cut = v->is_cut;
  const fl_raw value = value_of(fact, v, &is_cut);
  const setting s = setting_of(v->key, v->name, text_of(value));
  learn_host(fact, v, value);
  fl_fact_begin(fact, s.name.n ? FL_STATE_RDP : FL_STATE_REGISTRY, v->offset, v->length, v->line);
  if (v->has_time) fl_fact_time(fact, v->t, false);
  if (s.name.n) put_setting(fact, &s, v, value);
  fl_fact_text(fact, "key", v->key);
  fl_fact_text(fact, "name", v->name);
  put_value(fact, &s, value);
  put_type(fact, v);
  if (v->is_deleted) fl_fact_bool(fact, "deleted", true);
  if (is_cut) fl_fact_bool(fact, "is_cut", true);
  return fl_fact_add(fact, err);
}
