/* source.h - where the bytes of a source come from: file, memory, stream, folder, or nowhere. */
#ifndef FL_PARSERS_SOURCE_H
#define FL_PARSERS_SOURCE_H

#include "parsers/parser.h"

/* Gives the next bytes of a stream. They stay valid until the next call. FL_END: nothing more.
 * An error may still bear bytes that are good (*ret_n_bytes > 0). */
typedef fl_status (*fl_source_pull)(void *self, const uint8_t **ret_bytes, size_t *ret_n_bytes,
                                    fl_err *err);

#define FL_SOURCE_SIZE_UNKNOWN UINT64_MAX

/* An input as the user names it; symbolic links are followed. Folders are sources too. */
fl_status fl_source_open(const char *path, fl_source **ret_source, fl_err *err);
/* A regular file below an open folder; `path` is relative and no part of it may be a link. */
fl_status fl_source_open_at(int folder_fd, const char *path, fl_source **ret_source, fl_err *err);
/* Bytes that stay the caller's and outlive the source. */
fl_source *fl_source_of_memory(const uint8_t *bytes, size_t n_bytes);
/* A stream that is unpacked into a spool when somebody needs more than its head: 16 MiB of memory,
 * then a nameless file. `size_bytes` is what the container claims. `self` outlives the source. */
fl_source *fl_source_of_stream(fl_source_pull pull, void *self, uint64_t size_bytes);
fl_source *fl_source_of_stdin(void);
/* A source without bytes that can only be reported: `status` and text say why. */
fl_source *fl_source_refused(uint64_t size_bytes, fl_status status, const char *format, ...)
    FL_PRINTF(3, 4);
/* Sources are counted: each share is given back with fl_source_free. */
void fl_source_share(fl_source *source);
void fl_source_free(fl_source *source);
/* Bytes of memory that a spool takes; moves them to a nameless file. */
uint64_t fl_source_memory(const fl_source *source);
fl_status fl_source_spill(fl_source *source, fl_err *err);

/* Where the texts of a log lie (texts.h); all of it is the container's and outlives the log. */
typedef struct fl_source_texts {
  fl_str path; /* with a NUL behind it */
  uint32_t language;
  size_t n_languages; /* that were there to choose from */
  fl_source *source;  /* NULL: `path` below `folder_fd` */
  int folder_fd;
} fl_source_texts;
void fl_source_set_texts(fl_source *source, fl_source_texts texts);
const fl_source_texts *fl_source_get_texts(const fl_source *source); /* NULL: none */

bool fl_source_is_folder(const fl_source *source);
bool fl_source_is_loaded(const fl_source *source); /* its bytes can be read */
bool fl_source_has_size(const fl_source *source);  /* false: a stream of unknown length */
int fl_source_folder_fd(const fl_source *source);  /* stays the source's */
/* First bytes, at most `cap`. Cheap for streams. */
size_t fl_source_head(fl_source *source, uint8_t *ret_head, size_t cap);
/* Unpacks a stream to its end or to its damage; afterwards the size is exact. */
void fl_source_load(fl_source *source);
/* Why bytes are missing, or NULL: refused, cut short, or over a limit. */
const fl_err *fl_source_fault(const fl_source *source);
/* All bytes in a row, once it is loaded: where they are, or a mapping that lasts as long as the
 * source. NULL: there are none, or there is no room. */
const uint8_t *fl_source_map(fl_source *source);
/* Its bytes stay where they are: fl_source_spill does nothing any more. */
void fl_source_pin(fl_source *source);
/* SHA-256 of all bytes as text. */
fl_status fl_source_sha256(fl_source *source, char ret_hex[65], fl_err *err);

#endif
