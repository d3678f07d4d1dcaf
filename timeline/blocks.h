/* blocks.h - rows in order become the blocks of a file, several of them at a time. */
#ifndef FL_TIMELINE_BLOCKS_H
#define FL_TIMELINE_BLOCKS_H

#include "timeline/block.h"
#include "timeline/object.h"

/* Takes a framed block; blocks come in order. The object is valid until the call returns. */
typedef fl_status (*fl_block_put)(void *self, const fl_block_info *info, const fl_pack *object,
                                  fl_err *err);

typedef struct fl_blocks_options {
  const fl_legend *legend; /* of the rows: borrowed */
  const uint64_t *keys;    /* of sources, by id: borrowed */
  int level;               /* of the compressor */
  unsigned n_jobs;         /* blocks that are worked on at once; at least 1 */
  fl_block_put put;
  void *self;
} fl_blocks_options;

typedef struct fl_blocks fl_blocks;
fl_status fl_blocks_create(const fl_blocks_options *options, fl_blocks **ret_blocks, fl_err *err);
void fl_blocks_free(fl_blocks *blocks); /* NULL is fine */
fl_status fl_blocks_add(fl_blocks *blocks, const fl_row_head *head, const uint8_t *bytes,
                        fl_err *err);
/* Of the row that was added last (fl_block_add_rules). */
fl_status fl_blocks_add_rules(fl_blocks *blocks, fl_str packed, fl_err *err);
fl_status fl_blocks_finish(fl_blocks *blocks, fl_err *err); /* the last of them are put */

#endif
