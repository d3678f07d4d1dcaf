/* blocks.c - while one block is filled, those before it are turned into columns and compressed. */
#include "timeline/blocks.h"

#include <stdlib.h>

#include "base/pool.h"

enum { SLOTS_MAX = 64 };

/* A block on its way into the file. */
typedef struct slot {
  fl_blocks *blocks;
  fl_block *block;
  fl_framer *framer;
  fl_pack payload;
  fl_block_info info;
  const fl_pack *object; /* the framer's */
  fl_status status;
  fl_err err;
  uint64_t task;
} slot;

/* Slots go round: blocks are put in the order in which they were filled. */
struct fl_blocks {
  fl_blocks_options options;
  fl_crew *crew; /* NULL: each block is worked on when it is full */
  slot slots[SLOTS_MAX];
  unsigned n_slots;
  bool is_filling;          /* the slot of block n_filled */
  uint64_t n_filled, n_put; /* blocks */
};

static fl_status frame(slot *s, fl_err *err) {
  FL_TRY(fl_block_pack(s->block, s->blocks->options.keys, &s->payload, err));
  return fl_framer_frame(s->framer, FL_OBJECT_BLOCK, &s->info, &s->payload, &s->object, err);
}

static void work(void *self, void *task, unsigned worker) {
  (void)self;
  (void)worker;
  slot *s = task;
  s->status = frame(s, &s->err);
}

/* One is filled, one waits, and each worker has one. */
static unsigned count_slots(unsigned n_jobs) {
  if (n_jobs <= 1) return 1;
  return n_jobs + 1 < SLOTS_MAX ? n_jobs + 1 : SLOTS_MAX;
}

static fl_status open_slots(fl_blocks *blocks, fl_err *err) {
  const fl_blocks_options *options = &blocks->options;
  const unsigned n = count_slots(options->n_jobs);
  for (; blocks->n_slots < n; blocks->n_slots++) {
    slot *s = &blocks->slots[blocks->n_slots];
    s->blocks = blocks;
    FL_TRY(fl_block_create(options->legend, &s->block, err));
    FL_TRY(fl_framer_create(options->level, &s->framer, err));
  }
  return FL_OK;
}

fl_status fl_blocks_create(const fl_blocks_options *options, fl_blocks **ret_blocks, fl_err *err) {
  fl_blocks *blocks = calloc(1, sizeof *blocks);
  if (!blocks) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  blocks->options = *options;
  const fl_status status = open_slots(blocks, err);
  if (status < FL_OK) {
    fl_blocks_free(blocks);
    return status;
  }
  if (blocks->n_slots > 1 &&
      fl_crew_start(options->n_jobs - 1, work, blocks, &blocks->crew, NULL) < FL_OK)
    blocks->crew = NULL;
  *ret_blocks = blocks;
  return FL_OK;
}

void fl_blocks_free(fl_blocks *blocks) {
  if (!blocks) return;
  fl_crew_stop(blocks->crew);
  for (unsigned i = 0; i < SLOTS_MAX; i++) {
    fl_block_free(blocks->slots[i].block);
    fl_framer_free(blocks->slots[i].framer);
    fl_pack_free(&blocks->slots[i].payload);
  }
  free(blocks);
}

static slot *slot_of(fl_blocks *blocks, uint64_t block) {
  return &blocks->slots[block % blocks->n_slots];
}

static fl_status put_oldest(fl_blocks *blocks, fl_err *err) {
  slot *s = slot_of(blocks, blocks->n_put++);
  if (blocks->crew) fl_crew_help(blocks->crew, s->task);
  if (s->status < FL_OK) {
    *err = s->err;
    return s->status;
  }
  return blocks->options.put(blocks->options.self, &s->info, s->object, err);
}

static void give_filled(fl_blocks *blocks) {
  slot *s = slot_of(blocks, blocks->n_filled);
  const fl_block *block = s->block;
  s->info = (fl_block_info){.seq = blocks->n_filled++,
                            .n = block->n_rows,
                            .t_min = block->rows[0].head.t,
                            .t_max = block->rows[block->n_rows - 1].head.t};
  blocks->is_filling = false;
  if (blocks->crew) s->task = fl_crew_give(blocks->crew, s);
  else work(blocks, s, FL_CREW_CALLER);
}

fl_status fl_blocks_add(fl_blocks *blocks, const fl_row_head *head, const uint8_t *bytes,
                        fl_err *err) {
  slot *s = slot_of(blocks, blocks->n_filled);
  if (blocks->is_filling && !fl_block_has_room(s->block, head)) {
    give_filled(blocks);
    s = slot_of(blocks, blocks->n_filled);
  }
  if (blocks->n_filled - blocks->n_put == blocks->n_slots) FL_TRY(put_oldest(blocks, err));
  blocks->is_filling = true;
  return fl_block_add(s->block, head, bytes, err);
}

fl_status fl_blocks_add_rules(fl_blocks *blocks, fl_str packed, fl_err *err) {
  return fl_block_add_rules(slot_of(blocks, blocks->n_filled)->block, packed, err);
}

fl_status fl_blocks_finish(fl_blocks *blocks, fl_err *err) {
  if (blocks->is_filling) give_filled(blocks);
  while (blocks->n_put < blocks->n_filled) FL_TRY(put_oldest(blocks, err));
  return FL_OK;
}
