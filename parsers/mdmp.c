/* mdmp.c - the directory of a crash dump and the streams that say what died, and where.
 *
 * Layouts: minidumpapiset.h of microsoft/win32metadata; structures are packed to four bytes. */
#include "parsers/mdmp.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/rd.h"
#include "base/text.h"

enum {
  HEADER = 32,
  ENTRY = 12,
  THREAD = 48,
  MODULE = 108,
  MEMORY = 16,
  EXCEPTION = 168,
  UNLOADED = 24,
  TEXT_MAX = 64 << 10, /* bytes of one text; paths have at most 64 KiB */
  FIXED_VERSION = 0xFEEF04BD
};

const uint8_t *mdmp_bytes(mdmp *m, uint64_t offset, size_t n_bytes) {
  return fl_window_bytes(&m->space.window, offset, n_bytes);
}

static void damage_at(const mdmp_watcher *w, const mdmp_stream *s, const char *text) {
  if (w->damage)
    w->damage(w->self, s->place.offset, "stream %s: %s", mdmp_stream_name(s->type), text);
}

static void range_at(const mdmp_watcher *w, uint64_t offset, uint64_t n_bytes) {
  if (w->range && n_bytes) w->range(w->self, offset, n_bytes);
}

/* ---- texts ---- */

/* Up to the first NUL. */
fl_str mdmp_utf16(mdmp *m, const uint8_t *bytes, size_t n_bytes) {
  size_t n = 0;
  while (n + 2 <= n_bytes && (bytes[n] || bytes[n + 1])) n += 2;
  char *text = fl_arena_take(m->arena, n / 2 * 3);
  return text ? (fl_str){text, fl_utf16_to_utf8(bytes, n / 2, text)} : (fl_str){0};
}

/* u32 bytes without the NUL, UTF-16 */
fl_str mdmp_text16(mdmp *m, uint64_t offset, const mdmp_watcher *w) {
  const uint8_t *head = offset ? mdmp_bytes(m, offset, 4) : NULL;
  if (!head) return (fl_str){0};
  const uint32_t n = fl_le32(head);
  const uint8_t *bytes = n <= TEXT_MAX ? mdmp_bytes(m, offset + 4, n) : NULL;
  if (!bytes) {
    if (w->damage) w->damage(w->self, offset, "text of %" PRIu32 " bytes, beyond the file", n);
    return (fl_str){0};
  }
  range_at(w, offset, 4 + (uint64_t)n + 2); /* the NUL does not count */
  return mdmp_utf16(m, bytes, n);
}

static fl_str last_part(fl_str path) {
  size_t at = path.n;
  while (at > 0 && path.p[at - 1] != '\\' && path.p[at - 1] != '/') at--;
  if (at == 0) return path;
  return (fl_str){path.p + at, path.n - at};
}

/* ---- lists of a stream ---- */

/* A cursor over a piece of a stream that fits the window, and the list's count checked against it.
 * Some writers put four bytes between count and items. */
static bool list_of(mdmp *m, const mdmp_stream *s, size_t item_bytes, const mdmp_watcher *w,
                    uint32_t *ret_n, uint64_t *ret_offset) {
  const uint8_t *head = s->place.n_bytes >= 4 ? mdmp_bytes(m, s->place.offset, 4) : NULL;
  if (!head) {
    damage_at(w, s, "no room for its count");
    return false;
  }
  uint32_t n = fl_le32(head);
  const uint64_t room = s->place.n_bytes - 4u;
  const bool is_padded = room >= 4 && room == 4 + (uint64_t)n * item_bytes;
  if (n > room / item_bytes) {
    if (w->damage)
      w->damage(w->self, s->place.offset,
                "stream %s: %" PRIu32 " items do not fit its %" PRIu32 " bytes",
                mdmp_stream_name(s->type), n, s->place.n_bytes);
    n = (uint32_t)(room / item_bytes);
  }
  *ret_n = n;
  *ret_offset = s->place.offset + (is_padded ? 8 : 4);
  return n > 0;
}

static dump_place read_place(fl_rd *rd) {
  const uint32_t n = fl_rd_u32(rd);
  const uint32_t offset = fl_rd_u32(rd);
  return (dump_place){n, offset};
}

/* ---- threads ---- */

static bool read_thread(mdmp *m, uint64_t offset, mdmp_thread *t) {
  const uint8_t *p = mdmp_bytes(m, offset, THREAD);
  if (!p) return false;
  fl_rd rd = fl_rd_of(p, THREAD);
  t->id = fl_rd_u32(&rd);
  t->suspended = fl_rd_u32(&rd);
  fl_rd_skip(&rd, 4);
  t->priority = fl_rd_u32(&rd);
  t->teb = fl_rd_u64(&rd);
  t->stack.address = fl_rd_u64(&rd);
  const dump_place stack = read_place(&rd);
  t->stack.n_bytes = stack.n_bytes;
  t->stack.offset = stack.offset;
  t->context = read_place(&rd);
  return true;
}

static bool read_threads(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  uint32_t n = 0;
  uint64_t at = 0;
  if (m->n_threads || !list_of(m, s, THREAD, w, &n, &at)) return true;
  if (!(m->threads = FL_NEW_ARRAY(m->arena, mdmp_thread, n))) return false;
  for (; m->n_threads < n; m->n_threads++, at += THREAD) {
    mdmp_thread *t = &m->threads[m->n_threads];
    if (!read_thread(m, at, t)) break;
    range_at(w, t->context.offset, t->context.n_bytes);
  }
  return true;
}

/* ---- modules ---- */

/* "RSDS", GUID, u32 age, path of the PDB in UTF-8 */
static void read_pdb(mdmp *m, dump_place place, dump_module *module, const mdmp_watcher *w) {
  enum { HEAD = 24 };
  const uint32_t n = place.n_bytes < TEXT_MAX ? place.n_bytes : TEXT_MAX;
  const uint8_t *p = n > HEAD ? mdmp_bytes(m, place.offset, n) : NULL;
  if (!p) return;
  range_at(w, place.offset, n);
  if (memcmp(p, "RSDS", 4) != 0) return;
  memcpy(module->pdb_guid, p + 4, 16);
  module->pdb_age = fl_le32(p + 20);
  module->has_pdb = true;
  const fl_str path = {(const char *)p + HEAD, strnlen((const char *)p + HEAD, n - HEAD)};
  module->pdb = fl_arena_str(m->arena, path);
}

static bool read_module(mdmp *m, uint64_t offset, dump_module *module, const mdmp_watcher *w) {
  const uint8_t *p = mdmp_bytes(m, offset, MODULE);
  if (!p) return false;
  fl_rd rd = fl_rd_of(p, MODULE);
  module->base = fl_rd_u64(&rd);
  module->n_bytes = fl_rd_u32(&rd);
  module->checksum = fl_rd_u32(&rd);
  module->stamp = fl_rd_u32(&rd);
  const uint32_t name = fl_rd_u32(&rd);
  module->has_version = fl_rd_u32(&rd) == FIXED_VERSION;
  fl_rd_skip(&rd, 4);
  const uint32_t high = fl_rd_u32(&rd);
  const uint32_t low = fl_rd_u32(&rd);
  fl_rd_seek(&rd, 76);
  const dump_place pdb = read_place(&rd);
  const uint16_t version[4] = {(uint16_t)(high >> 16), (uint16_t)high, (uint16_t)(low >> 16),
                               (uint16_t)low};
  memcpy(module->version, version, sizeof version);
  module->path = mdmp_text16(m, name, w);
  module->name = last_part(module->path);
  read_pdb(m, pdb, module, w);
  return true;
}

static bool read_modules(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  uint32_t n = 0;
  uint64_t at = 0;
  if (m->space.n_modules || !list_of(m, s, MODULE, w, &n, &at)) return true;
  if (!(m->space.modules = FL_NEW_ARRAY(m->arena, dump_module, n))) return false;
  for (; m->space.n_modules < n; m->space.n_modules++, at += MODULE)
    if (!read_module(m, at, &m->space.modules[m->space.n_modules], w)) break;
  return true;
}

/* u32 bytes of this header, u32 bytes of an entry, u32 count */
static bool read_unloaded(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  const uint8_t *p = s->place.n_bytes >= 12 ? mdmp_bytes(m, s->place.offset, 12) : NULL;
  if (!p || m->space.n_unloaded) return true;
  const uint32_t n_head = fl_le32(p), n_entry = fl_le32(p + 4), n = fl_le32(p + 8);
  if (n_head < 12 || n_entry < UNLOADED || n_head > s->place.n_bytes ||
      n > (s->place.n_bytes - n_head) / n_entry) {
    damage_at(w, s, "its count does not fit its size");
    return true;
  }
  if (n && !(m->space.unloaded = FL_NEW_ARRAY(m->arena, dump_module, n))) return false;
  for (; m->space.n_unloaded < n; m->space.n_unloaded++) {
    p = mdmp_bytes(m, s->place.offset + n_head + (uint64_t)m->space.n_unloaded * n_entry, UNLOADED);
    if (!p) break;
    dump_module *module = &m->space.unloaded[m->space.n_unloaded];
    *module = (dump_module){.base = fl_le64(p),
                            .n_bytes = fl_le32(p + 8),
                            .checksum = fl_le32(p + 12),
                            .stamp = fl_le32(p + 16),
                            .is_unloaded = true};
    module->path = mdmp_text16(m, fl_le32(p + 20), w);
    module->name = last_part(module->path);
  }
  return true;
}

/* ---- memory ---- */

/* Clamped to the file; what lies beyond it is told once for the whole stream. */
static bool add_memory(mdmp *m, fl_extent range, uint64_t *n_lost) {
  const uint64_t size = fl_source_size(m->space.window.source);
  const uint64_t room = range.offset < size ? size - range.offset : 0;
  if (range.n_bytes > room) {
    *n_lost += range.n_bytes - room;
    range.n_bytes = room;
  }
  if (range.n_bytes) m->space.memory.ranges[m->space.memory.n_ranges++] = range;
  return true;
}

static bool memory_room(mdmp *m, uint64_t n) {
  const size_t want = m->space.memory.n_ranges + (size_t)n;
  if (want <= m->space.memory.cap_ranges) return true;
  fl_extent *ranges = FL_NEW_ARRAY(m->arena, fl_extent, want);
  if (!ranges) return false;
  if (m->space.memory.n_ranges)
    memcpy(ranges, m->space.memory.ranges, m->space.memory.n_ranges * sizeof *ranges);
  m->space.memory.ranges = ranges;
  m->space.memory.cap_ranges = want;
  return true;
}

static void tell_lost(const mdmp_stream *s, uint64_t n_lost, const mdmp_watcher *w) {
  if (n_lost && w->damage)
    w->damage(w->self, s->place.offset,
              "stream %s: the last %" PRIu64 " bytes of memory lie beyond the end of the file",
              mdmp_stream_name(s->type), n_lost);
}

/* u64 address, u32 bytes, u32 offset */
static bool read_memory(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  uint32_t n = 0;
  uint64_t at = 0, n_lost = 0;
  if (!list_of(m, s, MEMORY, w, &n, &at)) return true;
  if (!memory_room(m, n)) return false;
  for (uint32_t i = 0; i < n; i++, at += MEMORY) {
    const uint8_t *p = mdmp_bytes(m, at, MEMORY);
    if (!p) break;
    (void)add_memory(m, (fl_extent){fl_le64(p), fl_le32(p + 8), fl_le32(p + 12)}, &n_lost);
  }
  tell_lost(s, n_lost, w);
  return true;
}

/* u64 count, u64 offset of all data, count × {u64 address, u64 bytes} */
static bool read_memory64(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  const uint8_t *p = s->place.n_bytes >= 16 ? mdmp_bytes(m, s->place.offset, 16) : NULL;
  if (!p) return true;
  const uint64_t n = fl_le64(p);
  uint64_t data = fl_le64(p + 8), n_lost = 0;
  if (n > (s->place.n_bytes - 16u) / MEMORY) {
    damage_at(w, s, "its count does not fit its size");
    return true;
  }
  if (!memory_room(m, n)) return false;
  for (uint64_t i = 0; i < n; i++) {
    p = mdmp_bytes(m, s->place.offset + 16 + i * MEMORY, MEMORY);
    if (!p) break;
    const fl_extent range = {fl_le64(p), fl_le64(p + 8), data};
    if (range.n_bytes > UINT64_MAX - data) break;
    data += range.n_bytes;
    (void)add_memory(m, range, &n_lost);
  }
  tell_lost(s, n_lost, w);
  return true;
}

/* ---- exception, system ---- */

static bool read_exception(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  const uint8_t *p =
      s->place.n_bytes >= EXCEPTION ? mdmp_bytes(m, s->place.offset, EXCEPTION) : NULL;
  if (!p) {
    damage_at(w, s, "shorter than 168 bytes");
    return true;
  }
  if (m->exception.is_there) return true;
  fl_rd rd = fl_rd_of(p, EXCEPTION);
  mdmp_exception *e = &m->exception;
  e->is_there = true;
  e->thread = fl_rd_u32(&rd);
  fl_rd_skip(&rd, 4);
  e->code = fl_rd_u32(&rd);
  e->flags = fl_rd_u32(&rd);
  fl_rd_skip(&rd, 8);
  e->address = fl_rd_u64(&rd);
  e->n_parameters = fl_rd_u32(&rd);
  if (e->n_parameters > 15) e->n_parameters = 15;
  fl_rd_skip(&rd, 4);
  for (size_t i = 0; i < 15; i++) e->parameters[i] = fl_rd_u64(&rd);
  e->context = read_place(&rd);
  range_at(w, e->context.offset, e->context.n_bytes);
  return true;
}

static bool read_system(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  const uint8_t *p = s->place.n_bytes >= 32 ? mdmp_bytes(m, s->place.offset, 32) : NULL;
  if (!p || m->system.is_there) return true;
  m->system = (mdmp_system){.is_there = true,

                            .n_processors = p[6],
                            .product = p[7],
                            .major = fl_le32(p + 8),
                            .minor = fl_le32(p + 12),
                            .build = fl_le32(p + 16),
                            .platform = fl_le32(p + 20),
                            .suite = fl_le16(p + 28)};
  m->space.arch = fl_le16(p);
  const uint32_t service_pack = fl_le32(p + 24);
  m->system.service_pack = mdmp_text16(m, service_pack, w);
  return true;
}

/* ---- the directory ---- */

static const struct stream_kind {
  uint32_t type;
  const char *name;
  bool (*read)(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w); /* NULL: mdmp_more.c */
} kinds[] = {{3, "ThreadList", read_threads},
             {4, "ModuleList", read_modules},
             {5, "MemoryList", read_memory},
             {6, "Exception", read_exception},
             {7, "SystemInfo", read_system},
             {8, "ThreadExList", NULL},
             {9, "Memory64List", read_memory64},
             {10, "CommentA", NULL},
             {11, "CommentW", NULL},
             {12, "HandleData", NULL},
             {13, "FunctionTable", NULL},
             {14, "UnloadedModuleList", read_unloaded},
             {15, "MiscInfo", NULL},
             {16, "MemoryInfoList", NULL},
             {17, "ThreadInfoList", NULL},
             {18, "HandleOperationList", NULL},
             {19, "Token", NULL},
             {20, "JavaScriptData", NULL},
             {21, "SystemMemoryInfo", NULL},
             {22, "ProcessVmCounters", NULL},
             {23, "IptTrace", NULL},
             {24, "ThreadNames", NULL},
             {0x47670001, "BreakpadInfo", NULL},
             {0x47670002, "BreakpadAssertion", NULL},
             {0x43500001, "CrashpadInfo", NULL}};

static const struct stream_kind *kind_of(uint32_t type) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (kinds[i].type == type) return &kinds[i];
  return NULL;
}

const char *mdmp_stream_name(uint32_t type) {
  const struct stream_kind *kind = kind_of(type);
  return kind ? kind->name : "user stream";
}

static fl_status read_stream(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w, fl_err *err) {
  const struct stream_kind *kind = kind_of(s->type);
  if (!kind || s->place.n_bytes == 0) return FL_OK;
  const bool is_done = kind->read ? kind->read(m, s, w) : mdmp_read_more(m, s, w);
  return is_done ? FL_OK : fl_fail(err, FL_E_NOMEM, s->place.offset, "out of memory");
}

/* u32 type, u32 bytes, u32 offset; type 0 is unused, of equal types the first counts. */
static fl_status read_directory(mdmp *m, uint32_t n, uint64_t at, const mdmp_watcher *w,
                                fl_err *err) {
  const uint64_t size = fl_source_size(m->space.window.source);
  if (at > size || n > (size - at) / ENTRY)
    return fl_fail(err, FL_E_CORRUPT, 8,
                   "directory of %" PRIu32 " streams at %" PRIu64 ", beyond the %" PRIu64
                   " bytes of the file",
                   n, at, size);
  if (n > FL_LIMIT_DUMP_STREAMS)
    return fl_fail(err, FL_E_LIMIT, 8, "%" PRIu32 " streams, at most %d are read", n,
                   (int)FL_LIMIT_DUMP_STREAMS);
  if (!(m->streams = FL_NEW_ARRAY(m->arena, mdmp_stream, n)))
    return fl_fail(err, FL_E_NOMEM, 8, "out of memory");
  range_at(w, at, (uint64_t)n * ENTRY);
  for (uint32_t i = 0; i < n; i++) {
    const uint8_t *p = mdmp_bytes(m, at + (uint64_t)i * ENTRY, ENTRY);
    if (!p) return fl_fail(err, FL_E_CORRUPT, at, "the directory cannot be read");
    mdmp_stream s = {fl_le32(p), {fl_le32(p + 4), fl_le32(p + 8)}};
    if (s.type == 0) continue;
    if (s.place.offset > size || s.place.n_bytes > size - s.place.offset) {
      damage_at(w, &s, "reaches beyond the end of the file");
      s.place.n_bytes = s.place.offset < size ? (uint32_t)(size - s.place.offset) : 0;
    }
    m->streams[m->n_streams++] = s;
    range_at(w, s.place.offset, s.place.n_bytes);
  }
  return FL_OK;
}

fl_status mdmp_read(fl_source *source, uint8_t *window, fl_arena *arena, const mdmp_watcher *w,
                    mdmp *ret_dump, fl_err *err) {
  mdmp *m = ret_dump;
  *m = (mdmp){.space = {.window = fl_window_of(source, window), .arch = DUMP_UNKNOWN},
              .arena = arena};
  const uint8_t *p = mdmp_bytes(m, 0, HEADER);
  if (!p || memcmp(p, "MDMP", 4) != 0)
    return fl_fail(err, FL_E_CORRUPT, 0, "no header of a crash dump");
  const uint32_t n_streams = fl_le32(p + 8), directory = fl_le32(p + 12);
  m->stamp = fl_le32(p + 20);
  m->flags = fl_le64(p + 24);
  range_at(w, 0, HEADER);
  FL_TRY(read_directory(m, n_streams, directory, w, err));
  for (uint32_t i = 0; i < m->n_streams; i++) FL_TRY(read_stream(m, &m->streams[i], w, err));
  return dump_space_settle(&m->space, m->arena) ? FL_OK
                                                : fl_fail(err, FL_E_NOMEM, 0, "out of memory");
}

/* ---- questions ---- */

const mdmp_thread *mdmp_guilty_thread(const mdmp *m) {
  const uint32_t wanted = m->exception.is_there ? m->exception.thread : m->requested_by;
  const mdmp_thread *writer = NULL;
  for (uint32_t i = 0; i < m->n_threads; i++) {
    if (wanted && m->threads[i].id == wanted) return &m->threads[i];
    if (m->threads[i].is_writer) writer = &m->threads[i];
  }
  return writer;
}
