/* yara_help.h - sets of YARA rules, and scans over sources and rows made by hand. */
#ifndef TESTS_YARA_HELP_H
#define TESTS_YARA_HELP_H

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "flr_help.h"
#include "rules/yara_scan.h"

static inline fl_yara *yara_open(void) {
  fl_yara *yara = NULL;
  fl_err err = {0};
  assert_int_equal(fl_yara_create(&yara, &err), FL_OK);
  return yara;
}

static inline fl_yara *yara_of(const char *text) {
  fl_yara *yara = yara_open();
  fl_err err = {0};
  assert_int_equal(fl_yara_add(yara, FL_STR("a.yar"), fl_str_of(text), NULL, &err), FL_OK);
  if (fl_yara_finish(yara, &err) != FL_OK) fail_msg("%s", err.text);
  return yara;
}

/* A source in memory. */
typedef struct yara_source {
  const uint8_t *bytes;
  size_t n;
  int n_shares;
} yara_source;

static inline fl_status yara_read(void *self, uint64_t offset, void *ret_bytes, size_t n_bytes,
                                  size_t *ret_n_read, fl_err *err) {
  const yara_source *s = self;
  (void)err;
  const size_t left = offset < s->n ? s->n - (size_t)offset : 0;
  *ret_n_read = n_bytes < left ? n_bytes : left;
  if (*ret_n_read) memcpy(ret_bytes, s->bytes + offset, *ret_n_read);
  return FL_OK;
}
static inline const uint8_t *yara_map(void *self) { return ((yara_source *)self)->bytes; }
static inline void yara_share(void *self) { ((yara_source *)self)->n_shares++; }
static inline void yara_release(void *self) { ((yara_source *)self)->n_shares--; }

static inline void yara_begin(const fl_sink *sink, uint32_t id, const char *name,
                              yara_source *source) {
  fl_err err = {0};
  const fl_bytes bytes = {source,      source ? source->n : 0, yara_read, yara_map, yara_share,
                          yara_release};
  const fl_source_info info = {.id = id,
                               .parent = UINT32_MAX,
                               .name = fl_str_of(name),
                               .type = "evtx",
                               .bytes = source ? &bytes : NULL};
  assert_int_equal(sink->begin(sink->self, &info, &err), FL_OK);
}

static inline void yara_end(const fl_sink *sink, uint32_t id) {
  fl_err err = {0};
  const fl_source_info info = {.id = id, .parent = UINT32_MAX, .name = FL_STR("x"), .type = "evtx"};
  assert_int_equal(sink->end(sink->self, &info, &err), FL_OK);
}

/* One row: `values` are its fields by name. */
enum { YARA_MAX_FIELDS = 6 };
typedef struct yara_event_row {
  uint32_t source, id;
  uint64_t offset;
  uint32_t length;
  const char *channel;
  const char *names[YARA_MAX_FIELDS], *values[YARA_MAX_FIELDS];
} yara_event_row;

static inline fl_raw yara_text_raw(const char *text) {
  return (fl_raw){(const uint8_t *)text, (uint32_t)strlen(text), FL_T_UTF8, 0};
}

static inline void yara_row_give(const fl_sink *sink, const yara_event_row *r) {
  fl_ref refs[YARA_MAX_FIELDS];
  fl_shape_field fields[YARA_MAX_FIELDS];
  fl_err err = {0};
  fl_shape shape = {.serial = FL_SHAPE_TEMPORARY | r->offset, .fields = fields};
  for (; shape.n_fields < YARA_MAX_FIELDS && r->names[shape.n_fields]; shape.n_fields++) {
    refs[shape.n_fields] = (fl_ref){FL_REF_CONST, 0, yara_text_raw(r->values[shape.n_fields])};
    fields[shape.n_fields] = (fl_shape_field){fl_str_of(r->names[shape.n_fields]),
                                              &refs[shape.n_fields], 1, FL_JOIN_ONE};
  }
  const uint64_t record = 1000 + r->offset;
  shape.columns[FL_C_CHANNEL] =
      (fl_ref){FL_REF_CONST, 0, yara_text_raw(r->channel ? r->channel : "Log")};
  shape.columns[FL_C_HOST] = (fl_ref){FL_REF_CONST, 0, yara_text_raw("HOST1")};
  shape.columns[FL_C_EVENT_ID] =
      (fl_ref){FL_REF_CONST, 0, {(const uint8_t *)&r->id, 4, FL_T_U32, 0}};
  shape.columns[FL_C_RECORD_ID] =
      (fl_ref){FL_REF_CONST, 0, {(const uint8_t *)&record, 8, FL_T_U64, 0}};
  const fl_row row = {.shape = &shape,
                      .t = T0 + (fl_time)r->offset,
                      .seq = r->offset,
                      .offset = r->offset,
                      .length = r->length,
                      .source = r->source};
  const fl_batch batch = {.source = r->source, .n_rows = 1, .rows = &row};
  assert_int_equal(sink->batch(sink->self, &batch, &err), FL_OK);
}

static inline fl_yara_scan *scan_of(const fl_yara *yara, unsigned n_jobs, bool only_in_rows) {
  fl_yara_scan *scan = NULL;
  fl_err err = {0};
  const fl_yara_options options = {.n_jobs = n_jobs, .only_in_rows = only_in_rows};
  assert_int_equal(fl_yara_scan_create(yara, &options, &scan, &err), FL_OK);
  return scan;
}

static inline const fl_yara_find *finish_of(fl_yara_scan *scan, const fl_sink *sink,
                                            size_t *ret_n) {
  const fl_yara_find *finds = NULL;
  const fl_note *notes = NULL;
  fl_err err = {0};
  assert_int_equal(fl_yara_scan_finish(scan, &finds, ret_n, &err), FL_OK);
  const size_t n = fl_yara_scan_notes(scan, &notes);
  for (size_t i = 0; sink && i < n; i++)
    assert_int_equal(sink->note(sink->self, &notes[i], &err), FL_OK);
  if (sink) assert_int_equal(fl_yara_scan_rows(scan, sink, &err), FL_OK);
  return finds;
}

#endif
