/* evtx_second.c - libevtx as the second reader of single records, in a guarded child process.
 *
 * The library reads whole logs only, and a hostile record makes it take more memory than there is.
 * So a child is given the record's chunk, in which a log of one chunk is made of it: the bytes in
 * front of the record become one record that nobody reads, those behind it are free space. Offsets
 * inside of the record stay right, since nothing moves. */
#include "parsers/evtx_second.h"

#include <libbfio.h>
#include <libdeflate.h>
#include <libevtx.h>
#include <stdlib.h>

#include "base/guard.h"
#include "base/limits.h"

struct evtx_second {
  fl_guard *guard;
  uint8_t *question;
};

enum { QUESTION_HEAD = 8, MOST_QUESTION = QUESTION_HEAD + EVTX_CHUNK, LOG_BYTES = 4096 + 65536 };

/* ---- in the child ---- */

static void put16(uint8_t *at, uint16_t number) { memcpy(at, &number, sizeof number); }
static void put32(uint8_t *at, uint32_t number) { memcpy(at, &number, sizeof number); }
static void put64(uint8_t *at, uint64_t number) { memcpy(at, &number, sizeof number); }

/* Layout: parsers/evtx_map.c. */
static void make_file_header(uint8_t *log, uint64_t id) {
  memcpy(log, "ElfFile", 8);
  put64(log + 24, id + 1);
  put32(log + 32, 128);
  put16(log + 36, 1);
  put16(log + 38, 3);
  put16(log + 40, EVTX_FILE_HEADER);
  put16(log + 42, 1);
  put32(log + 124, libdeflate_crc32(0, log, 120));
}

/* Layout: parsers/evtx_chunk.c. What was in the tables of names and templates stays. */
static void make_chunk_header(uint8_t *chunk, uint32_t at, uint32_t to, uint64_t id) {
  const uint64_t n_records = at == EVTX_CHUNK_HEADER ? 1 : 2;
  memcpy(chunk, "ElfChnk", 8);
  put64(chunk + 8, 1);
  put64(chunk + 16, n_records);
  put64(chunk + 24, id - n_records + 1);
  put64(chunk + 32, id);
  put32(chunk + 40, 128);
  put32(chunk + 44, at);
  put32(chunk + 48, to);
  memset(chunk + 56, 0, 68);
  put32(chunk + 52, libdeflate_crc32(0, chunk + EVTX_CHUNK_HEADER, to - EVTX_CHUNK_HEADER));
  put32(chunk + 124, libdeflate_crc32(libdeflate_crc32(0, chunk, 120), chunk + 128, 384));
}

/* One record from the chunk's start to `at`. Of what is there it takes the header and the last four
 * bytes, which are headers and sizes of other records. */
static void fill_front(uint8_t *chunk, uint32_t at) {
  const uint32_t size = at - EVTX_CHUNK_HEADER;
  if (size == 0) return;
  uint8_t *filler = chunk + EVTX_CHUNK_HEADER;
  put32(filler, EVTX_RECORD_MAGIC);
  put32(filler + 4, size);
  put64(filler + 8, fl_le64(chunk + at + 8) - 1);
  put64(filler + 16, fl_le64(chunk + at + 16));
  put32(chunk + at - 4, size);
}

static fl_status make_log(const uint8_t *question, size_t n_question, uint8_t *log, fl_err *err) {
  fl_rd rd = fl_rd_of(question, n_question);
  const uint32_t at = fl_rd_u32(&rd);
  const uint32_t to = fl_rd_u32(&rd);
  const size_t n_bytes = fl_rd_left(&rd);
  const uint8_t *bytes = fl_rd_bytes(&rd, n_bytes);
  const bool is_right = fl_rd_ok(&rd) && n_bytes <= EVTX_CHUNK && at >= EVTX_CHUNK_HEADER &&
                        to <= n_bytes && evtx_is_record(bytes, at, to) &&
                        (at == EVTX_CHUNK_HEADER || at >= EVTX_CHUNK_HEADER + EVTX_RECORD_MIN);
  if (!is_right) return fl_fail(err, FL_E_CORRUPT, 0, "no record of a chunk");
  uint8_t *chunk = log + EVTX_FILE_HEADER;
  memset(log, 0, LOG_BYTES);
  memcpy(chunk, bytes, n_bytes);
  const uint64_t id = fl_le64(chunk + at + 8);
  fill_front(chunk, at);
  make_chunk_header(chunk, at, to, id);
  make_file_header(log, id);
  return FL_OK;
}

/* The library's own words, of which the first line says most. */
static fl_status fail_with(libevtx_error_t *error, const char *what, fl_err *err) {
  char text[200] = "";
  if (error) libevtx_error_sprint(error, text, sizeof text);
  libevtx_error_free(&error);
  text[strcspn(text, "\n")] = 0;
  return fl_fail(err, FL_E_CORRUPT, 0, "%s: %s", what, text);
}

static fl_status read_last(libevtx_file_t *file, libevtx_record_t **ret_record, fl_err *err) {
  libevtx_error_t *error = NULL;
  int n = 0;
  if (libevtx_file_get_number_of_records(file, &n, &error) != 1 || n < 1)
    return fail_with(error, "finds no record", err);
  if (libevtx_file_get_record_by_index(file, n - 1, ret_record, &error) != 1)
    return fail_with(error, "cannot read it", err);
  return FL_OK;
}

static fl_status write_xml(libevtx_record_t *record, uint8_t *xml, size_t *n_xml, fl_err *err) {
  libevtx_error_t *error = NULL;
  size_t n = 0;
  if (libevtx_record_get_utf8_xml_string_size(record, &n, &error) != 1)
    return fail_with(error, "cannot write XML", err);
  if (n == 0 || n > *n_xml) return fl_fail(err, FL_E_CORRUPT, 0, "its XML has %zu bytes", n);
  if (libevtx_record_get_utf8_xml_string(record, xml, n, &error) != 1)
    return fail_with(error, "cannot write XML", err);
  *n_xml = n - 1; /* without the closing NUL */
  return FL_OK;
}

static fl_status read_file(libevtx_file_t *file, libbfio_handle_t *range, uint8_t *xml,
                           size_t *n_xml, fl_err *err) {
  libevtx_error_t *error = NULL;
  libevtx_record_t *record = NULL;
  if (libevtx_file_open_file_io_handle(file, range, LIBEVTX_OPEN_READ, &error) != 1)
    return fail_with(error, "cannot open its log", err);
  fl_status s = read_last(file, &record, err);
  if (s == FL_OK) s = write_xml(record, xml, n_xml, err);
  if (record) libevtx_record_free(&record, NULL);
  libevtx_file_close(file, NULL);
  return s;
}

static fl_status read_log(uint8_t *log, uint8_t *xml, size_t *n_xml, fl_err *err) {
  libbfio_handle_t *range = NULL;
  libevtx_file_t *file = NULL;
  const bool is_ready = libbfio_memory_range_initialize(&range, NULL) == 1 &&
                        libbfio_memory_range_set(range, log, LOG_BYTES, NULL) == 1 &&
                        libevtx_file_initialize(&file, NULL) == 1;
  const fl_status s = is_ready ? read_file(file, range, xml, n_xml, err)
                               : fl_fail(err, FL_E_CORRUPT, 0, "no memory");
  if (file) libevtx_file_free(&file, NULL);
  if (range) libbfio_handle_free(&range, NULL);
  return s;
}

static fl_status answer(const uint8_t *question, size_t n_question, uint8_t *ret_answer,
                        size_t *n_answer) {
  fl_err err = {0};
  uint8_t *log = malloc(LOG_BYTES);
  fl_status s =
      log ? make_log(question, n_question, log, &err) : fl_fail(&err, FL_E_CORRUPT, 0, "no memory");
  if (s == FL_OK) s = read_log(log, ret_answer, n_answer, &err);
  free(log);
  if (s == FL_OK) return FL_OK;
  *n_answer = strlen(err.text);
  memcpy(ret_answer, err.text, *n_answer);
  return s;
}

/* ---- in the asker ---- */

static void free_second(void *value) {
  evtx_second *second = value;
  fl_guard_free(second->guard);
  free(second->question);
  free(second);
}

/* Of real damage few records are asked about, each answered within a few milliseconds. */
static evtx_second *create(void) {
  static const fl_guard_limits limits = {.most_question = MOST_QUESTION,
                                         .most_answer = FL_LIMIT_RECORD_TEXT,
                                         .most_memory = FL_LIMIT_SECOND_MEMORY,
                                         .most_seconds = 1,
                                         .most_wait = 30,
                                         .most_total = FL_LIMIT_SECOND_SECONDS,
                                         .most_starts = FL_LIMIT_SECOND_STARTS,
                                         .most_questions = FL_LIMIT_SECOND_QUESTIONS};
  evtx_second *second = calloc(1, sizeof *second);
  if (!second) return NULL;
  second->guard = fl_guard_create(answer, &limits);
  second->question = malloc(MOST_QUESTION);
  if (second->guard && second->question) return second;
  free_second(second);
  return NULL;
}

fl_status evtx_second_of(fl_job *job, evtx_second **ret_second, fl_err *err) {
  fl_shared *shared = fl_job_shared(job, "second", free_second);
  if (shared && !shared->value) shared->value = create();
  if (!shared || !shared->value) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  *ret_second = shared->value;
  return FL_OK;
}

fl_status evtx_second_ask(evtx_second *second, const evtx_asked *asked, fl_arena *arena,
                          fl_str *ret_xml, fl_err *err) {
  const uint32_t n_bytes = asked->n_bytes < EVTX_CHUNK ? asked->n_bytes : EVTX_CHUNK;
  const uint8_t *text = NULL;
  size_t n = 0;
  memcpy(second->question, &asked->at, sizeof asked->at);
  memcpy(second->question + 4, &asked->to, sizeof asked->to);
  memcpy(second->question + QUESTION_HEAD, asked->bytes, n_bytes);
  FL_TRY(fl_guard_ask(second->guard, second->question, QUESTION_HEAD + n_bytes, &text, &n, err));
  *ret_xml = fl_arena_str(arena, (fl_str){(const char *)text, n});
  return ret_xml->p ? FL_OK : fl_fail(err, FL_E_CORRUPT, 0, "no room for its XML");
}
