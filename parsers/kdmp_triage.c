/* kdmp_triage.c - a small dump: drivers, stack, pieces of memory, blobs of drivers. */
#include <inttypes.h>

#include "base/rd.h"
#include "parsers/kdmp.h"

/* Offsets in the triage header; each points to a u32. */
enum {
  AT_SIZE = 0x04,
  AT_VALID = 0x08,
  AT_UNLOADED = 0x18,
  AT_PRCB = 0x1C,
  AT_PROCESS = 0x20,
  AT_THREAD = 0x24,
  AT_STACK = 0x28,
  AT_STACK_SIZE = 0x2C,
  AT_DRIVERS = 0x30,
  AT_DRIVER_COUNT = 0x34,
  AT_STRINGS = 0x38,
  AT_STRINGS_SIZE = 0x3C,
  AT_STACK_TOP = 0x48,
  TRIAGE_HEADER = 0x80,
  ENTRY_64 = 0x90,
  ENTRY_32 = 0x4C,
  TEXT_MAX = 2048
};

static const uint8_t *bytes_of(kdmp *k, uint64_t offset, size_t n_bytes) {
  return fl_window_bytes(&k->space.window, offset, n_bytes);
}

static void tell(const kdmp_watcher *w, uint64_t offset, uint64_t n_bytes, const char *skipped) {
  if (w->range && n_bytes) w->range(w->self, offset, n_bytes, skipped);
}

typedef struct triage {
  uint32_t size, valid, unloaded, process, stack, stack_size, drivers, n_drivers, strings,
      strings_size, debugger, debugger_size, blocks, n_blocks;
  uint64_t stack_top;
} triage;

static bool read_head(kdmp *k, triage *t) {
  const uint64_t start = k->is_64 ? 0x2000 : 0x1000;
  const uint8_t *p = bytes_of(k, start, TRIAGE_HEADER);
  if (!p) return false;
  const size_t tail = k->is_64 ? 0x70 : 0x58;
  *t = (triage){.size = fl_le32(p + AT_SIZE),
                .valid = fl_le32(p + AT_VALID),
                .unloaded = fl_le32(p + AT_UNLOADED),
                .process = fl_le32(p + AT_PROCESS),
                .stack = fl_le32(p + AT_STACK),
                .stack_size = fl_le32(p + AT_STACK_SIZE),
                .drivers = fl_le32(p + AT_DRIVERS),
                .n_drivers = fl_le32(p + AT_DRIVER_COUNT),
                .strings = fl_le32(p + AT_STRINGS),
                .strings_size = fl_le32(p + AT_STRINGS_SIZE),
                .debugger = fl_le32(p + tail),
                .debugger_size = fl_le32(p + tail + 4),
                .blocks = fl_le32(p + tail + 8),
                .n_blocks = fl_le32(p + tail + 12)};
  t->stack_top = k->is_64 ? fl_le64(p + AT_STACK_TOP) : fl_le32(p + AT_STACK_TOP);
  return true;
}

/* ---- drivers ---- */

/* u32 characters, UTF-16; inside the pool of strings. */
static fl_str text_at(kdmp *k, const triage *t, uint32_t offset) {
  if (offset < t->strings || offset - t->strings >= t->strings_size) return (fl_str){0};
  const uint8_t *p = bytes_of(k, offset, 4);
  const uint32_t n = p ? fl_le32(p) : 0;
  p = n && n <= TEXT_MAX ? bytes_of(k, offset + UINT64_C(4), (size_t)n * 2) : NULL;
  return p ? kdmp_utf16(k, p, (size_t)n * 2) : (fl_str){0};
}

/* u32 offset of the name, then the entry of the loader's list: base, size, checksum, stamp */
static dump_module driver_at(kdmp *k, const triage *t, const uint8_t *p) {
  dump_module driver = {0};
  const uint32_t name = fl_le32(p);
  if (k->is_64) {
    p += 8;
    driver = (dump_module){.base = fl_le64(p + 0x30),
                           .n_bytes = fl_le32(p + 0x40),
                           .checksum = fl_le32(p + 0x78),
                           .stamp = fl_le32(p + 0x80)};
  } else {
    p += 4;
    driver = (dump_module){.base = fl_le32(p + 0x18),
                           .n_bytes = fl_le32(p + 0x20),
                           .checksum = fl_le32(p + 0x40),
                           .stamp = fl_le32(p + 0x44)};
  }
  driver.path = text_at(k, t, name);
  driver.name = kdmp_file_name(driver.path);
  return driver;
}

/* How far apart entries are, where the usual width does not fit: names must lie in the pool. */
static size_t find_stride(kdmp *k, const triage *t) {
  enum { TRIED = 20, WIDEST = 0xC0 };
  const size_t usual = k->is_64 ? ENTRY_64 : ENTRY_32;
  for (size_t stride = usual, other = 0x40; other <= WIDEST; stride = other, other += 4) {
    size_t n_good = 0, n = t->n_drivers < TRIED ? t->n_drivers : TRIED;
    for (size_t i = 0; i < n; i++) {
      const uint8_t *p = bytes_of(k, t->drivers + i * stride, 4);
      n_good += p && text_at(k, t, fl_le32(p)).n != 0;
    }
    if (n && n_good == n) return stride;
  }
  return 0;
}

static bool read_drivers(kdmp *k, const triage *t, const kdmp_watcher *w) {
  const uint64_t size = fl_source_size(k->space.window.source);
  const size_t stride = find_stride(k, t);
  const size_t entry = k->is_64 ? ENTRY_64 : ENTRY_32;
  if (t->n_drivers == 0) return true;
  if (!stride || t->drivers > size || t->n_drivers > (size - t->drivers) / stride) {
    if (w->damage)
      w->damage(w->self, t->drivers, "list of %" PRIu32 " drivers: names or size do not fit",
                t->n_drivers);
    return true;
  }
  k->space.modules = FL_NEW_ARRAY(k->arena, dump_module, t->n_drivers);
  if (!k->space.modules) return false;
  tell(w, t->drivers, (uint64_t)t->n_drivers * stride, NULL);
  tell(w, t->strings, t->strings_size, NULL);
  for (uint32_t i = 0; i < t->n_drivers; i++) {
    const uint8_t *p = bytes_of(k, t->drivers + (uint64_t)i * stride, entry);
    if (!p) break;
    uint8_t copy[ENTRY_64]; /* the name's text moves the window */
    memcpy(copy, p, entry);
    k->space.modules[k->space.n_modules++] = driver_at(k, t, copy);
  }
  return true;
}

/* u64 count; entries: u16 bytes, u16, u32, u64, 12 characters, u64 start, u64 end */
static bool read_unloaded(kdmp *k, const triage *t, const kdmp_watcher *w) {
  enum { ENTRY = 0x38, NAME = 24, MOST = 1024 };
  const uint8_t *p = k->is_64 && t->unloaded ? bytes_of(k, t->unloaded, 8) : NULL;
  const uint64_t n = p ? fl_le64(p) : 0;
  if (n == 0) return true;
  if (n > MOST) {
    if (w->damage)
      w->damage(w->self, t->unloaded, "%" PRIu64 " unloaded drivers, at most %d are expected", n,
                (int)MOST);
    return true;
  }
  if (!(k->space.unloaded = FL_NEW_ARRAY(k->arena, dump_module, n))) return false;
  tell(w, t->unloaded, 8 + n * ENTRY, NULL);
  for (uint64_t i = 0; i < n; i++) {
    p = bytes_of(k, t->unloaded + 8 + i * ENTRY, ENTRY);
    if (!p) break;
    const uint16_t n_name = fl_le16(p);
    const uint64_t start = fl_le64(p + 40), end = fl_le64(p + 48);
    const fl_str name = kdmp_utf16(k, p + 16, n_name < NAME ? n_name : NAME);
    if (end <= start || end - start > UINT32_MAX) continue;
    k->space.unloaded[k->space.n_unloaded++] = (dump_module){.base = start,
                                                             .n_bytes = (uint32_t)(end - start),
                                                             .path = name,
                                                             .name = name,
                                                             .is_unloaded = true};
  }
  return true;
}

/* ---- memory ---- */

/* u64 address, u32 offset, u32 bytes; of 32 bits: u32 address */
static bool read_memory(kdmp *k, const triage *t, const kdmp_watcher *w) {
  const size_t entry = k->is_64 ? 16 : 12;
  const uint64_t size = fl_source_size(k->space.window.source);
  const bool fits = t->blocks < size && t->n_blocks <= (size - t->blocks) / entry;
  const uint32_t n = fits ? t->n_blocks : 0;
  if (!fits && t->n_blocks && w->damage)
    w->damage(w->self, t->blocks, "%" PRIu32 " pieces of memory do not fit the file", t->n_blocks);
  fl_vmem *memory = &k->space.memory;
  memory->cap_ranges = (size_t)n + 1;
  if (!(memory->ranges = FL_NEW_ARRAY(k->arena, fl_extent, memory->cap_ranges))) return false;
  if (t->stack < size && t->stack_size) {
    const uint64_t room = size - t->stack;
    k->stack = (fl_extent){t->stack_top, t->stack_size < room ? t->stack_size : room, t->stack};
    memory->ranges[memory->n_ranges++] = k->stack;
    tell(w, t->stack, k->stack.n_bytes, "memory of the kernel");
  }
  tell(w, t->blocks, (uint64_t)n * entry, NULL);
  for (uint32_t i = 0; i < n; i++) {
    const uint8_t *p = bytes_of(k, t->blocks + (uint64_t)i * entry, entry);
    if (!p) break;
    const uint64_t address = k->is_64 ? fl_le64(p) : fl_le32(p);
    const uint32_t offset = fl_le32(p + entry - 8), n_bytes = fl_le32(p + entry - 4);
    if (offset >= size || n_bytes > size - offset) continue;
    memory->ranges[memory->n_ranges++] = (fl_extent){address, n_bytes, offset};
    tell(w, offset, n_bytes, "memory of the kernel");
  }
  return true;
}

/* "KDBG" at 16, kernel's base at 24 */
static void read_debugger(kdmp *k, const triage *t) {
  const uint8_t *p = t->debugger_size >= 32 ? bytes_of(k, t->debugger, 32) : NULL;
  if (p && memcmp(p + 16, "KDBG", 4) == 0) k->kernel_base = fl_le64(p + 24);
}

/* ---- the process: a raw copy of a structure that changes with each build ---- */

static bool is_name(const uint8_t *p, size_t n) {
  size_t length = 0;
  while (length < n && p[length] >= 0x21 && p[length] < 0x7f) length++;
  if (length < 3 || length == n) return false;
  for (size_t i = length; i < n; i++)
    if (p[i]) return false;
  return true;
}

/* Where builds that were seen have name and number. */
static const struct process_layout {
  uint32_t machine, first, last;
  uint16_t name, pid; /* pid 0: not known */
} process_layouts[] = {{0x8664, 19041, 19045, 0x5A8, 0x440}, {0xAA64, 22000, 22000, 0x560, 0}};

static void read_process(kdmp *k, const triage *t) {
  enum { NAME = 15 };
  for (size_t i = 0; t->process && i < sizeof process_layouts / sizeof *process_layouts; i++) {
    const struct process_layout *at = &process_layouts[i];
    if (k->machine != at->machine || k->build < at->first || k->build > at->last) continue;
    const uint8_t *p = bytes_of(k, (uint64_t)t->process + at->name, NAME);
    if (!p || !is_name(p, NAME)) return;
    k->process = fl_arena_str(k->arena, (fl_str){(const char *)p, strnlen((const char *)p, NAME)});
    p = at->pid ? bytes_of(k, (uint64_t)t->process + at->pid, 8) : NULL;
    if (p && fl_le64(p) < UINT32_MAX) k->pid = (int64_t)fl_le64(p);
  }
}

/* ---- what drivers added: "DumpBlob", u32 header, u32 build, then for each: u32 header, GUID,
 * u32 bytes, u32 bytes before, u32 bytes behind ---- */

static void tell_cut(const kdmp_watcher *w, uint64_t at) {
  if (w->damage)
    w->damage(w->self, at,
              "data of a driver at %" PRIu64 " reaches past the end: the dump is cut short", at);
}

static bool read_blobs(kdmp *k, const triage *t, const kdmp_watcher *w) {
  enum { HEAD = 32, MOST = 4096 };
  const uint64_t size = fl_source_size(k->space.window.source);
  const uint8_t *p = bytes_of(k, t->size, 16);
  if (!p && k->is_whole && size > t->size) tell_cut(w, t->size);
  if (!p || memcmp(p, "DumpBlob", 8) != 0) return true;
  uint64_t at = t->size + (uint64_t)fl_le32(p + 8);
  if (!(k->blobs = FL_NEW_ARRAY(k->arena, kdmp_blob, MOST))) return false;
  tell(w, t->size, fl_le32(p + 8), NULL);
  while (k->n_blobs < MOST && at < size && (p = bytes_of(k, at, HEAD))) {
    const uint32_t n_head = fl_le32(p), n = fl_le32(p + 20), before = fl_le32(p + 24),
                   behind = fl_le32(p + 28);
    if (n_head != HEAD) break;
    kdmp_blob *blob = &k->blobs[k->n_blobs];
    *blob = (kdmp_blob){.offset = at + n_head + before, .n_bytes = n};
    memcpy(blob->tag, p + 4, sizeof blob->tag);
    if (blob->offset > size || n > size - blob->offset) {
      tell_cut(w, at);
      return true;
    }
    k->n_blobs++;
    tell(w, at, HEAD, NULL);
    tell(w, blob->offset, n, "data of a driver");
    at = blob->offset + n + behind;
  }
  if ((at < size && size - at < HEAD) || (at >= size && k->n_blobs == 0)) tell_cut(w, at);
  return true;
}

/* "TRGD" stands at the end of what was meant to be written. */
static void check_end(kdmp *k, const triage *t, const kdmp_watcher *w) {
  const uint8_t *p = bytes_of(k, t->valid, 4);
  k->is_whole = p && memcmp(p, "TRGD", 4) == 0;
  if (k->is_whole) tell(w, t->valid, 4, NULL);
  else if (w->damage)
    w->damage(w->self, t->valid,
              "the mark TRGD is not at the end that the header names, %" PRIu32
              ": the dump is cut short or damaged",
              t->valid);
}

bool kdmp_read_triage(kdmp *k, const kdmp_watcher *w) {
  triage t;
  if (!read_head(k, &t)) {
    k->is_whole = false;
    if (w->damage) w->damage(w->self, 0, "the header of a small dump is cut short");
    return true;
  }
  tell(w, k->is_64 ? 0x2000 : 0x1000, TRIAGE_HEADER, NULL);
  check_end(k, &t, w);
  read_debugger(k, &t);
  read_process(k, &t);
  return read_drivers(k, &t, w) && read_unloaded(k, &t, w) && read_memory(k, &t, w) &&
         read_blobs(k, &t, w);
}
