/* mdmp.h - a user-mode crash dump (MDMP): its streams in a form of our own
 * (docs/formats/minidump.md).
 *
 * All lists and texts live in the arena that was given; texts are UTF-8. What a stream does not
 * tell is zero or empty. Nothing of the memory in the dump is copied. */
#ifndef FL_PARSERS_MDMP_H
#define FL_PARSERS_MDMP_H

#include "parsers/dump_space.h"

typedef struct mdmp_thread {
  uint32_t id, suspended, priority;
  uint64_t teb;
  fl_extent stack; /* n_bytes 0: not in the dump */
  dump_place context;
  fl_str name;
  uint64_t start; /* of ThreadInfo: where it began, 0 unknown */
  bool is_writer; /* it wrote the dump */
} mdmp_thread;

typedef struct mdmp_exception {
  bool is_there;
  uint32_t thread, code, flags, n_parameters;
  uint64_t address, parameters[15];
  dump_place context;
} mdmp_exception;

typedef struct mdmp_system {
  bool is_there;
  uint8_t n_processors, product; /* 1 workstation, 2 domain controller, 3 server */
  uint32_t major, minor, build, platform;
  uint16_t suite; /* 0x10: Remote Desktop Services with several sessions */
  fl_str service_pack;
} mdmp_system;

typedef struct mdmp_misc {
  bool has_pid, has_times, has_integrity, has_zone;
  uint32_t pid, created, user_seconds, kernel_seconds, integrity;
  int32_t zone_bias; /* minutes to add to local time for UTC */
  fl_str build;
} mdmp_misc;

typedef struct mdmp_region {
  uint64_t base, n_bytes;
  uint32_t state, protect, type;
} mdmp_region;

typedef struct mdmp_memory_state { /* of the whole system; in pages */
  bool is_there;
  uint64_t available, committed, limit;
  uint32_t page_bytes;
} mdmp_memory_state;

typedef struct mdmp_stream {
  uint32_t type;
  dump_place place;
} mdmp_stream;

typedef struct mdmp_note { /* an annotation of Crashpad, an assertion of Breakpad */
  fl_str name, value;
} mdmp_note;

typedef struct mdmp {
  dump_space space; /* the program is its first module */
  fl_arena *arena;
  uint32_t stamp; /* seconds since 1970; 0 unknown */
  uint64_t flags;
  mdmp_stream *streams;
  uint32_t n_streams;
  mdmp_system system;
  mdmp_misc misc;
  mdmp_exception exception;
  mdmp_thread *threads;
  uint32_t n_threads;
  mdmp_region *regions;
  uint32_t n_regions;
  uint32_t n_handles, n_handle_operations, n_functions, n_tokens;
  fl_str comment;
  mdmp_memory_state state;
  uint64_t working_set, private_bytes; /* of the process; 0 unknown */
  uint32_t requested_by;               /* Breakpad: the thread that asked for the dump */
  mdmp_note *notes;
  uint32_t n_notes;
} mdmp;

/* Damage that was survived, and bytes that were read; `self` may be NULL with both. */
typedef struct mdmp_watcher {
  void *self;
  void (*damage)(void *self, uint64_t offset, const char *format, ...) FL_PRINTF(3, 4);
  void (*range)(void *self, uint64_t offset, uint64_t length);
} mdmp_watcher;

/* Reads all streams. An error means that the file is no dump at all. */
fl_status mdmp_read(fl_source *source, uint8_t *window, fl_arena *arena,
                    const mdmp_watcher *watcher, mdmp *ret_dump, fl_err *err);
/* What the stream is called in the documentation; "user stream" for numbers of nobody's. */
const char *mdmp_stream_name(uint32_t type);
/* The thread of the exception; else who asked for the dump, or wrote it; NULL: none of them. */
const mdmp_thread *mdmp_guilty_thread(const mdmp *m);

/* mdmp_more.c: streams that say more about the process. */
bool mdmp_read_more(mdmp *m, const mdmp_stream *stream, const mdmp_watcher *watcher);
/* For both: a piece of the stream, a text at an offset, a list of the arena. */
const uint8_t *mdmp_bytes(mdmp *m, uint64_t offset, size_t n_bytes);
fl_str mdmp_text16(mdmp *m, uint64_t offset, const mdmp_watcher *watcher);
fl_str mdmp_utf16(mdmp *m, const uint8_t *bytes, size_t n_bytes);

#endif
