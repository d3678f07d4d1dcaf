/* fuzz_timeline.c - reads any bytes as a timeline file, and every byte of what that gives. */
#include "base/arena.h"
#include "faultline/timeline.h"
#include "timeline/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct reader_of_all {
  fl_arena *arena;
  uint64_t sum;
} reader_of_all;

static void add_text(reader_of_all *all, fl_str text) {
  for (size_t i = 0; i < text.n; i++) all->sum += (uint8_t)text.p[i];
}

static fl_status on_source(void *self, const fl_source_info *source, fl_err *err) {
  (void)err;
  add_text(self, source->name);
  add_text(self, fl_str_of(source->type));
  for (size_t i = 0; i < source->n_ledger; i++) add_text(self, source->ledger[i].reason);
  return FL_OK;
}

static fl_status on_note(void *self, const fl_note *note, fl_err *err) {
  (void)err;
  add_text(self, note->text);
  return FL_OK;
}

static fl_status on_batch(void *self, const fl_batch *batch, fl_err *err) {
  reader_of_all *all = self;
  (void)err;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    fl_arena_reset(all->arena);
    for (unsigned column = 0; column < FL_C_COUNT; column++)
      add_text(all, fl_raw_text(fl_row_column(batch, row, (fl_column)column), all->arena));
    for (uint32_t k = 0; k < row->shape->n_fields; k++) {
      const fl_shape_field *field = &row->shape->fields[k];
      const fl_value value = fl_row_field(batch, row, field, all->arena);
      add_text(all, field->name);
      add_text(all, fl_value_text(&value, all->arena));
    }
  }
  return FL_OK;
}

static void read_window(const uint8_t *data, size_t size, fl_time since, reader_of_all *all) {
  fl_timeline_reader *reader = NULL;
  const fl_sink sink = {
      .self = all, .begin = on_source, .batch = on_batch, .note = on_note, .end = on_source};
  if (fl_timeline_open_memory(data, size, &reader, NULL) == FL_OK)
    (void)fl_timeline_read(reader, since, 0, &sink, NULL, NULL);
  fl_timeline_close(reader);
}

/* No mutation finds a checksum: the bytes behind the first four are a payload, too. The four are
 * the kind of object, the number of rows and the ends of their times. */
static void read_payload(const uint8_t *data, size_t size, reader_of_all *all) {
  static const uint8_t header[] = {0x93, 0xa8, 'F', 'L', 'T', 'L', '\r', '\n', 0x1a, '\n', 1, 0x80};
  if (size <= 4 || size > UINT32_MAX) return;
  fl_framer *framer = NULL;
  fl_pack file = {0};
  fl_pack payload = {0};
  const fl_pack *object = NULL;
  const fl_object_kind kind = (fl_object_kind)(1 + data[0] % (FL_N_OBJECT_KINDS - 1));
  const fl_block_info info = {.n = data[1], .t_min = data[2], .t_max = data[2] + data[3]};
  fl_pack_bytes(&file, header, sizeof header);
  fl_pack_bytes(&payload, data + 4, size - 4);
  if (!payload.failed && fl_framer_create(1, &framer, NULL) == FL_OK &&
      fl_framer_frame(framer, kind, kind == FL_OBJECT_BLOCK ? &info : NULL, &payload, &object,
                      NULL) == FL_OK) {
    fl_pack_bytes(&file, object->p, object->n);
    if (!file.failed) read_window(file.p, file.n, 0, all);
  }
  fl_framer_free(framer);
  fl_pack_free(&payload);
  fl_pack_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  reader_of_all all = {.arena = fl_arena_create(64 << 20)};
  if (!all.arena || !fl_arena_alloc(all.arena, 16)) return 0;
  read_window(data, size, 0, &all);
  read_window(data, size, 1, &all);
  read_payload(data, size, &all);
  fl_arena_free(all.arena);
  return 0;
}
