/* kdmp.h - a kernel crash dump: its header, and what a small (triage) dump holds
 * (docs/formats/kdump.md). */
#ifndef FL_PARSERS_KDMP_H
#define FL_PARSERS_KDMP_H

#include "parsers/dump_space.h"

typedef enum kdmp_type {
  KDMP_FULL = 1,
  KDMP_SUMMARY = 2,
  KDMP_HEADER = 3,
  KDMP_TRIAGE = 4,
  KDMP_BITMAP_FULL = 5,
  KDMP_BITMAP_KERNEL = 6,
  KDMP_AUTOMATIC = 7,
  KDMP_LIVE_KERNEL = 8,
  KDMP_LIVE_ACTIVE = 9,
  KDMP_LIVE_FULL = 10
} kdmp_type;

/* How surely a driver was found at fault. */
typedef enum kdmp_confidence {
  KDMP_LOW,
  KDMP_MEDIUM,
  KDMP_HIGH,
  KDMP_N_CONFIDENCES
} kdmp_confidence;
extern const char *const kdmp_confidence_names[KDMP_N_CONFIDENCES]; /* "low", … */

typedef struct kdmp_fault {
  const dump_module *driver; /* NULL: nobody is named */
  uint64_t address;
  kdmp_confidence confidence;
  const char *reason; /* a constant: why this driver */
} kdmp_fault;

/* What was pending when the machine stopped; code 0: the dump does not hold it. */
typedef struct kdmp_exception {
  uint32_t code, n_parameters;
  uint64_t address, parameters[15];
} kdmp_exception;

typedef struct kdmp_blob {
  uint8_t tag[16];
  uint64_t offset;
  uint32_t n_bytes;
} kdmp_blob;

typedef struct kdmp {
  dump_space space; /* modules: drivers in the order in which they were loaded */
  fl_arena *arena;
  bool is_64, is_whole;
  uint32_t build, machine, n_processors, bugcheck, type, product, suite;
  uint64_t parameters[4];
  uint64_t page_table, module_list; /* of full dumps: physical, virtual */
  fl_time time;                     /* of the crash; 0 unknown */
  uint64_t uptime;                  /* units of 100 ns; 0 unknown */
  fl_str comment, process;
  int64_t pid; /* -1 unknown */
  dump_place context;
  fl_extent stack;
  dump_registers registers; /* at the exception where the dump has that, else at the stop */
  kdmp_exception exception;
  uint64_t kernel_base;
  kdmp_blob *blobs;
  uint32_t n_blobs;
  kdmp_fault fault;
} kdmp;

/* Damage that was survived, and bytes that were read; all may be NULL. */
typedef struct kdmp_watcher {
  void *self;
  void (*damage)(void *self, uint64_t offset, const char *format, ...) FL_PRINTF(3, 4);
  void (*range)(void *self, uint64_t offset, uint64_t length, const char *skipped);
} kdmp_watcher;

/* Reads header and body. An error means that the file is no dump at all. */
fl_status kdmp_read(fl_source *source, uint8_t *window, fl_arena *arena,
                    const kdmp_watcher *watcher, kdmp *ret_dump, fl_err *err);
const char *kdmp_type_name(uint32_t type);

/* kdmp_triage.c: the parts of a small dump; false when out of memory. */
bool kdmp_read_triage(kdmp *k, const kdmp_watcher *watcher);
/* kdmp_pages.c: drivers of a dump that holds physical pages. */
bool kdmp_read_pages(kdmp *k, const kdmp_watcher *watcher);
/* kdmp_fault.c: names the driver, once all is read. */
void kdmp_find_fault(kdmp *k);
/* Bytes at a virtual address; NULL where the dump has none. */
const uint8_t *kdmp_bytes_at(kdmp *k, uint64_t address, size_t n_bytes);
fl_str kdmp_utf16(kdmp *k, const uint8_t *bytes, size_t n_bytes);
fl_str kdmp_file_name(fl_str path);

#endif
