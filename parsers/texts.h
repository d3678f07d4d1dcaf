/* texts.h - which text file belongs to which log, and rows with their texts (docs/adr/0006).
 *
 * Windows puts the texts of NAME.evtx into LocaleMetaData/NAME_LCID.MTA in the same folder. */
#ifndef FL_PARSERS_TEXTS_H
#define FL_PARSERS_TEXTS_H

#include "parsers/parser.h"

/* One text file of a container. */
typedef struct fl_text_file {
  fl_str log;        /* path of the log without ".evtx" */
  fl_str path;       /* of the text file */
  uint32_t language; /* LCID */
  fl_source *source; /* kept for archives; NULL: opened when its log is read */
} fl_text_file;

/* The text files of a container; who creates it frees it with fl_shelf_done, after all of its logs
 * were read. */
typedef struct fl_shelf {
  fl_text_file *files;
  size_t n_files, cap_files;
  fl_arena *arena; /* borrowed: paths */
  int folder_fd;   /* where paths without a source are opened; -1: nowhere */
  bool is_folder_own;
  uint64_t n_memory_bytes;
  bool is_sorted, is_cut; /* is_cut: more text files than are kept */
} fl_shelf;

/* LocaleMetaData/NAME_LCID.MTA, ASCII case ignored, in any folder. */
bool fl_texts_is_path(fl_str path);
bool fl_texts_is_log(fl_str path); /* NAME.evtx */
/* Takes a share of `source`, which may be NULL. A path that is none of a text file is ignored. */
fl_status fl_shelf_add(fl_shelf *shelf, fl_str path, fl_source *source, fl_err *err);
/* English when it is there, else the lowest language. NULL: the log has none. *ret_n: languages. */
fl_text_file *fl_shelf_find(fl_shelf *shelf, fl_str log_path, size_t *ret_n);
void fl_shelf_done(fl_shelf *shelf);
/* Lets the log at `path` find its texts when it is read. */
void fl_shelf_attach(fl_shelf *shelf, fl_str path, fl_source *log);
/* What lies beside a log that is an input by itself. */
fl_status fl_shelf_of_input(const char *path, fl_arena *arena, fl_shelf *ret_shelf, fl_err *err);

/* The texts of the log that a job reads; NULL in *ret_texts when it has none. Damage is noted. */
typedef struct fl_texts fl_texts;
fl_status fl_texts_open(fl_job *job, fl_texts **ret_texts, fl_err *err);
void fl_texts_close(fl_texts *texts);
/* Gives texts to the rows that bear none. */
fl_status fl_texts_apply(fl_texts *texts, fl_rows *rows, fl_err *err);

#endif
