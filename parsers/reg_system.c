/* reg_system.c - CurrentBuild, UBR and ProductName become one fact state.system. */
#include "parsers/reg_system.h"

static void keep(fl_raw raw, char *room, size_t *ret_n) {
  if (raw.type != FL_T_UTF8 || raw.n > REG_SYSTEM_TEXT) return;
  if (raw.n) memcpy(room, raw.p, raw.n);
  *ret_n = raw.n;
}

void reg_system_learn(reg_system *s, const reg_value *v, fl_arena *scratch) {
  static const char key[] = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
  bool is_cut = false;
  if (v->is_deleted || !fl_str_eq_nocase(v->key, fl_str_of(key))) return;
  const fl_raw raw = reg_value_raw(v, scratch, &is_cut);
  if (fl_str_eq_nocase(v->name, FL_STR("CurrentBuild"))) {
    keep(raw, s->build, &s->n_build);
    s->offset = v->offset;
    s->length = v->length;
    s->line = v->line;
    s->has_time = v->has_time;
    s->t = v->t;
  } else if (fl_str_eq_nocase(v->name, FL_STR("ProductName"))) {
    keep(raw, s->product, &s->n_product);
  } else if (fl_str_eq_nocase(v->name, FL_STR("UBR"))) {
    s->has_revision = fl_raw_u64(raw, &s->revision);
  }
}

fl_status reg_system_add(const reg_system *s, fl_fact *fact, fl_err *err) {
  if (s->n_build == 0) return FL_OK;
  fl_fact_begin(fact, FL_STATE_SYSTEM, s->offset, s->length, s->line);
  if (s->has_time) fl_fact_time(fact, s->t, false);
  fl_fact_text(fact, "name", fact->host);
  fl_fact_text(fact, "os_name", (fl_str){s->product, s->n_product});
  fl_fact_text(fact, "os_build", (fl_str){s->build, s->n_build});
  if (s->has_revision) fl_fact_number(fact, "os_revision", s->revision);
  return fl_fact_add(fact, err);
}
