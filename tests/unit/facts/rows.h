/* rows.h - events made by hand: a shape with constant columns and text fields, one row, a batch. */
#ifndef FL_TESTS_FACTS_ROWS_H
#define FL_TESTS_FACTS_ROWS_H

#include <string.h>

#include "base/arena.h"
#include "faultline/facts.h"

enum { ROW_FIELDS_MAX = 16, ROW_REFS_MAX = 16 };

typedef struct hand_row {
  fl_shape shape;
  fl_shape_field fields[ROW_FIELDS_MAX];
  fl_ref refs[ROW_REFS_MAX];
  uint32_t n_refs;
  fl_row row;
  fl_batch batch;
} hand_row;

static inline fl_ref text_ref(const char *text) {
  return (fl_ref){.kind = FL_REF_CONST,
                  .constant = {(const uint8_t *)text, (uint32_t)strlen(text), FL_T_UTF8, 0}};
}

static inline void hand_start(hand_row *h, const char *provider, const char *event_id) {
  memset(h, 0, sizeof *h);
  h->shape.columns[FL_C_PROVIDER] = text_ref(provider);
  h->shape.columns[FL_C_EVENT_ID] = text_ref(event_id);
  h->shape.fields = h->fields;
  h->row.shape = &h->shape;
  h->batch.rows = &h->row;
  h->batch.n_rows = 1;
}

static inline void hand_field(hand_row *h, const char *name, const char *text) {
  h->refs[h->n_refs] = text_ref(text);
  h->fields[h->shape.n_fields++] =
      (fl_shape_field){fl_str_of(name), &h->refs[h->n_refs++], 1, FL_JOIN_ONE};
}

/* Unnamed <Data> items. */
static inline void hand_list(hand_row *h, const char *const *texts, uint32_t n) {
  h->fields[h->shape.n_fields++] =
      (fl_shape_field){FL_STR("Data"), &h->refs[h->n_refs], n, FL_JOIN_LIST};
  for (uint32_t i = 0; i < n; i++) h->refs[h->n_refs++] = text_ref(texts[i]);
}

#endif
