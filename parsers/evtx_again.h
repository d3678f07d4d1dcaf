/* evtx_again.h - records that are read a second time, once all chunks of their log are known. */
#ifndef FL_PARSERS_EVTX_AGAIN_H
#define FL_PARSERS_EVTX_AGAIN_H

#include "parsers/evtx_old.h"

/* A record that wants for a template, or that was refused where it stood. */
typedef struct evtx_waiting {
  const evtx_view *view;
  evtx_old old;
  uint32_t missing; /* id of the template, 0: none is known to be missing */
  uint32_t flags;   /* of the row, for live records */
  bool is_live;
} evtx_waiting;

typedef struct evtx_again {
  fl_job *job;
  bx *decoder;
  bx_store *store;
  const evtx_map *map;
  const evtx_view *views; /* in which old records are looked for */
  size_t n_views;
  fl_rows *rows;
  uint8_t *buffer; /* EVTX_ROOM, the caller's between calls */
  evtx_waiting *waiting;
  size_t n_waiting, cap_waiting;
  bx_known known;
  bx_recovery recovery;
  bool may_differ;       /* bx_surroundings; of old records */
  bool live_may_differ;  /* of live ones, which nobody has to ask for */
  const evtx_view *view; /* that the decoder has, or NULL */
  const uint8_t *bytes;  /* its bytes in the window */
  unsigned n_loaded;     /* views in the window whose rows may wait there */
} evtx_again;

bool evtx_is_chunk(const evtx_piece *piece);
/* What lies behind the live records of a chunk that was read. */
evtx_view evtx_view_of(const evtx_piece *piece);
fl_status evtx_again_bytes(const evtx_again *a, const evtx_view *view, uint8_t *bytes, fl_err *err);
/* Makes it the decoder's chunk. Views have to stay where they are until `a` is done. */
fl_status evtx_again_load(evtx_again *a, const evtx_view *view, fl_err *err);
/* Adds the row of an old record of the loaded view. FL_END: it is none, or it has to wait. */
fl_status evtx_again_decode(evtx_again *a, const evtx_waiting *record, fl_err *err);
/* Its ledger, and the note on a live one. */
void evtx_again_tell(const evtx_again *a, const evtx_waiting *record);
fl_status evtx_again_wait(evtx_again *a, const evtx_waiting *record, fl_err *err);
/* Decodes what waits, in rounds: with templates of the log, of the run, and without some. Those
 * that stay refused are given to the ledger. */
fl_status evtx_again_read(evtx_again *a, fl_err *err);
void evtx_again_done(evtx_again *a);

#endif
