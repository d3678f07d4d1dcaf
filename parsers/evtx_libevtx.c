/* evtx_libevtx.c - event logs through libevtx: a second opinion for `--engine libevtx`. */
#include <libbfio.h>
#include <libevtx.h>
#include <string.h>

#include "base/limits.h"
#include "parsers/run.h"

/* The library gives text, so every row has the same columns and one list of strings. */
enum {
  SLOT_ID,
  SLOT_QUALIFIERS,
  SLOT_LEVEL,
  SLOT_TIME,
  SLOT_RECORD_ID,
  SLOT_PROVIDER,
  SLOT_GUID,
  SLOT_CHANNEL,
  SLOT_HOST,
  SLOT_SID,
  N_FIXED
};
enum { MOST_STRINGS = 1024, SHAPES = 64, SPAN_RECORDS = 4096, MOST_BYTES = 192 << 20 };

typedef struct libevtx {
  uint8_t *bytes; /* the whole source: the library reads where it likes */
  libbfio_handle_t *range;
  libevtx_file_t *file;
  int n_live, n_recovered;
  const fl_shape *shapes[SHAPES]; /* of the current batch, by number of strings */
} libevtx;

static fl_status fail_with(libevtx_error_t *error, fl_err *err, const char *what) {
  char text[200] = "";
  if (error) libevtx_error_sprint(error, text, sizeof text);
  libevtx_error_free(&error);
  return fl_fail(err, FL_E_CORRUPT, 0, "libevtx: %s: %s", what, text);
}

static fl_status open_file(fl_job *job, libevtx *e, size_t n_bytes, fl_err *err) {
  libbfio_error_t *io_error = NULL;
  const bool has_range = libbfio_memory_range_initialize(&e->range, &io_error) == 1 &&
                         libbfio_memory_range_set(e->range, e->bytes, n_bytes, &io_error) == 1;
  if (!has_range) {
    libbfio_error_free(&io_error);
    return fl_fail(err, FL_E_CORRUPT, 0, "libbfio: no range over %zu bytes", n_bytes);
  }
  libevtx_error_t *error = NULL;
  if (libevtx_file_initialize(&e->file, &error) != 1) return fail_with(error, err, "cannot start");
  if (libevtx_file_open_file_io_handle(e->file, e->range, LIBEVTX_OPEN_READ, &error) != 1)
    return fail_with(error, err, "cannot open the log");
  if (libevtx_file_get_number_of_records(e->file, &e->n_live, &error) != 1)
    return fail_with(error, err, "cannot count records");
  if (libevtx_file_get_number_of_recovered_records(e->file, &e->n_recovered, &error) != 1) {
    libevtx_error_free(&error);
    e->n_recovered = 0;
  }
  if (libevtx_file_is_corrupted(e->file, NULL) == 1)
    fl_job_note(job, FL_NOTE_DAMAGED, 0, "libevtx calls the log corrupted");
  return FL_OK;
}

static fl_status open_log(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  libevtx *e = state;
  const uint64_t size = fl_source_size(job->source);
  if (size > MOST_BYTES)
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: libevtx is given at most %d bytes",
                   (int)MOST_BYTES);
  size_t n = 0;
  if (!(e->bytes = fl_arena_take(job->arena, (size_t)size)))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(fl_source_read(job->source, 0, e->bytes, (size_t)size, &n, err));
  FL_TRY(open_file(job, e, n, err));
  const uint64_t n_records = (uint64_t)e->n_live + (uint64_t)e->n_recovered;
  *ret_n_spans = (n_records + SPAN_RECORDS - 1) / SPAN_RECORDS;
  fl_job_ledger(job, 0, size, FL_L_UNKNOWN, "libevtx does not say which bytes it used");
  return FL_OK;
}

static void set_column(fl_shape *shape, fl_column column, uint32_t slot) {
  shape->columns[column] = (fl_ref){.kind = FL_REF_SLOT, .slot = slot};
}

static const fl_shape *build_shape(fl_job *job, fl_rows *rows, uint32_t n_strings) {
  fl_shape *shape = FL_NEW(rows->arena, fl_shape);
  fl_shape_field *field = FL_NEW(rows->arena, fl_shape_field);
  fl_ref *refs = FL_NEW_ARRAY(rows->arena, fl_ref, n_strings + 1u);
  if (!shape || !field || !refs) return NULL;
  static const struct {
    fl_column column;
    uint32_t slot;
  } columns[] = {
      {FL_C_EVENT_ID, SLOT_ID},         {FL_C_QUALIFIERS, SLOT_QUALIFIERS},
      {FL_C_LEVEL, SLOT_LEVEL},         {FL_C_TIME, SLOT_TIME},
      {FL_C_RECORD_ID, SLOT_RECORD_ID}, {FL_C_PROVIDER, SLOT_PROVIDER},
      {FL_C_PROVIDER_GUID, SLOT_GUID},  {FL_C_CHANNEL, SLOT_CHANNEL},
      {FL_C_HOST, SLOT_HOST},           {FL_C_USER_SID, SLOT_SID},
  };
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; ++i)
    set_column(shape, columns[i].column, columns[i].slot);
  for (uint32_t i = 0; i < n_strings; ++i)
    refs[i] = (fl_ref){.kind = FL_REF_SLOT, .slot = N_FIXED + i};
  *field = (fl_shape_field){FL_STR("Data"), refs, n_strings, FL_JOIN_LIST};
  shape->serial = fl_job_shape_serial(job);
  shape->n_slots = N_FIXED + n_strings;
  shape->fields = field;
  shape->n_fields = n_strings ? 1 : 0;
  return shape;
}

static const fl_shape *find_shape(fl_job *job, libevtx *e, fl_rows *rows, uint32_t n_strings) {
  if (n_strings >= SHAPES) return build_shape(job, rows, n_strings);
  if (!e->shapes[n_strings]) e->shapes[n_strings] = build_shape(job, rows, n_strings);
  return e->shapes[n_strings];
}

static fl_raw number_raw(fl_rows *rows, uint64_t number, fl_type type, uint32_t n_bytes) {
  uint8_t *p = fl_arena_take(rows->arena, sizeof number);
  if (!p) return (fl_raw){0};
  memcpy(p, &number, sizeof number);
  return (fl_raw){.p = p, .n = n_bytes, .type = (uint8_t)type};
}

typedef int (*size_getter)(libevtx_record_t *, size_t *, libevtx_error_t **);
typedef int (*text_getter)(libevtx_record_t *, uint8_t *, size_t, libevtx_error_t **);

/* Null when the record has none. Sizes count the closing NUL. */
static fl_raw text_raw(fl_rows *rows, libevtx_record_t *record, size_getter size,
                       text_getter text) {
  size_t n = 0;
  libevtx_error_t *error = NULL;
  uint8_t *p = NULL;
  int r = size(record, &n, &error);
  if (r == 1 && n > 0 && n <= FL_LIMIT_RECORD_TEXT) p = fl_arena_take(rows->arena, n);
  if (p) r = text(record, p, n, &error);
  libevtx_error_free(&error);
  if (!p || r != 1) return (fl_raw){0};
  return (fl_raw){.p = p, .n = (uint32_t)(n - 1), .type = FL_T_UTF8};
}

static fl_raw string_raw(fl_rows *rows, libevtx_record_t *record, int index) {
  size_t n = 0;
  libevtx_error_t *error = NULL;
  uint8_t *p = NULL;
  int r = libevtx_record_get_utf8_string_size(record, index, &n, &error);
  if (r == 1 && n > 0 && n <= FL_LIMIT_RECORD_TEXT) p = fl_arena_take(rows->arena, n);
  if (p) r = libevtx_record_get_utf8_string(record, index, p, n, &error);
  libevtx_error_free(&error);
  if (!p || r != 1) return (fl_raw){0};
  return (fl_raw){.p = p, .n = (uint32_t)(n - 1), .type = FL_T_UTF8};
}

/* The library has no getter for the channel: it stands in the XML. */
static fl_raw channel_raw(fl_rows *rows, libevtx_record_t *record) {
  const fl_raw xml = text_raw(rows, record, libevtx_record_get_utf8_xml_string_size,
                              libevtx_record_get_utf8_xml_string);
  static const char open_tag[] = "<Channel>", close_tag[] = "</Channel>";
  if (!xml.p) return xml;
  const uint8_t *start = memmem(xml.p, xml.n, open_tag, sizeof open_tag - 1);
  if (!start) return (fl_raw){0};
  start += sizeof open_tag - 1;
  const size_t left = xml.n - (size_t)(start - xml.p);
  const uint8_t *end = memmem(start, left, close_tag, sizeof close_tag - 1);
  if (!end) return (fl_raw){0};
  return (fl_raw){.p = start, .n = (uint32_t)(end - start), .type = FL_T_UTF8};
}

static void fill_texts(fl_rows *rows, fl_raw *slots, libevtx_record_t *record) {
  slots[SLOT_PROVIDER] = text_raw(rows, record, libevtx_record_get_utf8_source_name_size,
                                  libevtx_record_get_utf8_source_name);
  slots[SLOT_GUID] = text_raw(rows, record, libevtx_record_get_utf8_provider_identifier_size,
                              libevtx_record_get_utf8_provider_identifier);
  slots[SLOT_HOST] = text_raw(rows, record, libevtx_record_get_utf8_computer_name_size,
                              libevtx_record_get_utf8_computer_name);
  slots[SLOT_SID] = text_raw(rows, record, libevtx_record_get_utf8_user_security_identifier_size,
                             libevtx_record_get_utf8_user_security_identifier);
  slots[SLOT_CHANNEL] = channel_raw(rows, record);
}

/* The plain numbers of a record; false when the library refuses one that every record has. */
static bool fill_numbers(fl_rows *rows, fl_raw *slots, libevtx_record_t *record, fl_row *row,
                         libevtx_error_t **error) {
  uint64_t filetime = 0;
  uint32_t id = 0, qualifiers = 0;
  uint8_t level = 0;
  off64_t offset = 0;
  if (libevtx_record_get_identifier(record, &row->header_record_id, error) != 1 ||
      libevtx_record_get_written_time(record, &filetime, error) != 1 ||
      libevtx_record_get_offset(record, &offset, error) != 1 ||
      libevtx_record_get_event_identifier(record, &id, error) != 1)
    return false;
  if (!fl_time_from_filetime(filetime, &row->t)) row->flags |= FL_F_TIME_INVALID;
  row->t_written = row->t;
  row->offset = (uint64_t)offset;
  slots[SLOT_ID] = number_raw(rows, id, FL_T_U32, 4);
  slots[SLOT_TIME] = number_raw(rows, filetime, FL_T_FILETIME, 8);
  slots[SLOT_RECORD_ID] = number_raw(rows, row->header_record_id, FL_T_U64, 8);
  if (libevtx_record_get_event_identifier_qualifiers(record, &qualifiers, NULL) == 1)
    slots[SLOT_QUALIFIERS] = number_raw(rows, qualifiers, FL_T_U32, 4);
  if (libevtx_record_get_event_level(record, &level, NULL) == 1)
    slots[SLOT_LEVEL] = number_raw(rows, level, FL_T_U8, 1);
  return true;
}

static fl_status add_record(fl_job *job, libevtx *e, libevtx_record_t *record, uint32_t flags,
                            fl_rows *rows, fl_err *err) {
  libevtx_error_t *error = NULL;
  int n_strings = 0;
  if (libevtx_record_get_number_of_strings(record, &n_strings, &error) != 1)
    return fail_with(error, err, "cannot count strings");
  if (n_strings < 0) n_strings = 0;
  if (n_strings > MOST_STRINGS) n_strings = MOST_STRINGS, flags |= FL_F_TRUNCATED;
  const uint32_t n_slots = N_FIXED + (uint32_t)n_strings;
  FL_TRY(fl_rows_slots(rows, n_slots, err));
  fl_raw *slots = rows->slots + rows->n_slots;
  memset(slots, 0, n_slots * sizeof *slots);
  fl_row row = {.shape = find_shape(job, e, rows, (uint32_t)n_strings),
                .slot0 = rows->n_slots,
                .flags = flags | FL_F_FALLBACK};
  if (!row.shape) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (!fill_numbers(rows, slots, record, &row, &error))
    return fail_with(error, err, "cannot decode");
  fill_texts(rows, slots, record);
  for (int i = 0; i < n_strings; ++i) slots[N_FIXED + i] = string_raw(rows, record, i);
  rows->rows[rows->n_rows++] = row;
  rows->n_slots += n_slots;
  return FL_OK;
}

static fl_status read_record(fl_job *job, libevtx *e, int index, fl_rows *rows, fl_err *err) {
  libevtx_record_t *record = NULL;
  libevtx_error_t *error = NULL;
  const bool is_live = index < e->n_live;
  const int r = is_live ? libevtx_file_get_record_by_index(e->file, index, &record, &error)
                        : libevtx_file_get_recovered_record_by_index(e->file, index - e->n_live,
                                                                     &record, &error);
  fl_err why = {0};
  fl_status s = FL_OK;
  if (r != 1) s = fail_with(error, &why, "cannot read");
  else s = add_record(job, e, record, is_live ? 0 : FL_F_RECOVERED, rows, &why);
  if (record) libevtx_record_free(&record, NULL);
  if (s == FL_E_NOMEM) return fl_fail(err, s, 0, "out of memory");
  if (s < FL_OK && is_live) fl_job_note(job, FL_NOTE_DAMAGED, 0, "record %d: %s", index, why.text);
  return FL_OK;
}

static fl_status flush(fl_job *job, libevtx *e, fl_rows *rows, fl_err *err) {
  memset(e->shapes, 0, sizeof e->shapes);
  return fl_rows_flush(job, rows, err);
}

static fl_status read_span(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  libevtx *e = state;
  const uint64_t n_records = (uint64_t)e->n_live + (uint64_t)e->n_recovered;
  const uint64_t first = span * SPAN_RECORDS;
  for (uint64_t i = first; i < n_records && i < first + SPAN_RECORDS; ++i) {
    FL_TRY(read_record(job, e, (int)i, rows, err));
    const bool is_full = rows->arena->used_bytes > FL_LIMIT_BATCH_ARENA / 2;
    if (rows->n_rows == FL_BATCH_ROWS || is_full) FL_TRY(flush(job, e, rows, err));
  }
  return flush(job, e, rows, err);
}

static void close_log(fl_job *job, void *state) {
  (void)job;
  libevtx *e = state;
  if (e->file) {
    libevtx_file_close(e->file, NULL);
    libevtx_file_free(&e->file, NULL);
  }
  if (e->range) libbfio_handle_free(&e->range, NULL);
}

/* Never bids: the driver puts it in the place of the event log parser. */
static int probe(const fl_probe *probe) {
  (void)probe;
  return 0;
}

const fl_parser fl_parser_evtx_libevtx = {
    .name = "evtx",
    .summary = "Windows event log, through libevtx",
    .state_size = sizeof(libevtx),
    .probe = probe,
    .open = open_log,
    .read = read_span,
    .close = close_log,
};
