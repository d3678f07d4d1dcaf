/* mdmp_more.c - streams that say more about the process than what died. */
#include <inttypes.h>

#include "base/rd.h"
#include "base/text.h"
#include "parsers/mdmp.h"

enum { TEXT_MAX = 64 << 10, THREAD_INFO = 64, REGION = 48, MISC_BUILD = 260 };

static void damage_at(const mdmp_watcher *w, const mdmp_stream *s, const char *text) {
  if (w->damage)
    w->damage(w->self, s->place.offset, "stream %s: %s", mdmp_stream_name(s->type), text);
}

/* At most one window of the stream; NULL when it is shorter than `n_least`. */
static const uint8_t *head_of(mdmp *m, const mdmp_stream *s, size_t n_least, size_t *ret_n) {
  *ret_n = s->place.n_bytes < FL_WINDOW_BYTES ? s->place.n_bytes : FL_WINDOW_BYTES;
  return *ret_n < n_least ? NULL : mdmp_bytes(m, s->place.offset, *ret_n);
}

/* ---- comments ---- */

static bool read_comment(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  (void)w;
  size_t n = 0;
  const uint8_t *p = head_of(m, s, 1, &n);
  if (!p || m->comment.n) return true;
  if (n > TEXT_MAX) n = TEXT_MAX;
  if (s->type == 11) {
    m->comment = mdmp_utf16(m, p, n);
  } else {
    const size_t length = strnlen((const char *)p, n);
    char *text = fl_arena_take(m->arena, 3 * length);
    if (!text) return false;
    m->comment = (fl_str){text, fl_cp1252_to_utf8(p, length, text)};
  }
  return true;
}

/* ---- counts alone ---- */

/* u32 bytes of the header, u32 bytes of an item, u32 count; checked against the stream. */
static uint32_t counted(mdmp *m, const mdmp_stream *s, size_t count_at, const mdmp_watcher *w) {
  size_t n = 0;
  const uint8_t *p = head_of(m, s, count_at + 4, &n);
  if (!p) return 0;
  const uint32_t n_head = fl_le32(p), n_item = fl_le32(p + 4), count = fl_le32(p + count_at);
  if (n_item != 0 && n_head <= s->place.n_bytes && count <= (s->place.n_bytes - n_head) / n_item)
    return count;
  damage_at(w, s, "its count does not fit its size");
  return 0;
}

static bool read_handles(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  const uint32_t n = counted(m, s, 8, w);
  if (s->type == 12) m->n_handles = n;
  else m->n_handle_operations = n;
  return true;
}

/* u32 header 24, u32 descriptor 32, u32, u32, u32 count */
static bool read_functions(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  m->n_functions = counted(m, s, 16, w);
  return true;
}

/* u32 bytes of the list, u32 count */
static bool read_tokens(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  (void)w;
  size_t n = 0;
  const uint8_t *p = head_of(m, s, 8, &n);
  if (p) m->n_tokens = fl_le32(p + 4);
  return true;
}

/* ---- the process ---- */

/* A part is there when the size reaches it and its flag is set. */
static bool read_misc(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  (void)w;
  enum { PID = 1, TIMES = 2, INTEGRITY = 0x10, ZONE = 0x40, BUILD = 0x100 };
  size_t n = 0;
  const uint8_t *p = head_of(m, s, 24, &n);
  if (!p || m->misc.has_pid) return true;
  const uint32_t own = fl_le32(p), flags = fl_le32(p + 4);
  if (own < n) n = own;
  if (n < 24) return true;
  mdmp_misc *misc = &m->misc;
  misc->has_pid = flags & PID;
  if (misc->has_pid) misc->pid = fl_le32(p + 8);
  misc->has_times = flags & TIMES;
  if (misc->has_times) {
    misc->created = fl_le32(p + 12);
    misc->user_seconds = fl_le32(p + 16);
    misc->kernel_seconds = fl_le32(p + 20);
  }
  misc->has_integrity = flags & INTEGRITY && n >= 48;
  if (misc->has_integrity) misc->integrity = fl_le32(p + 44);
  misc->has_zone = flags & ZONE && n >= 232;
  if (misc->has_zone) misc->zone_bias = (int32_t)fl_le32(p + 60);
  if (flags & BUILD && n >= 232 + 2 * MISC_BUILD)
    misc->build = mdmp_utf16(m, p + 232, 2 * MISC_BUILD);
  return true;
}

/* u16 revision 2, u16 flags, then u32 faults, u64 peak and working set …, private bytes at 88 */
static bool read_counters(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  (void)w;
  size_t n = 0;
  const uint8_t *p = head_of(m, s, 24, &n);
  if (!p) return true;
  m->working_set = fl_le64(p + 16);
  if (fl_le16(p) == 2 && fl_le16(p + 2) & 4 && n >= 96) m->private_bytes = fl_le64(p + 88);
  return true;
}

/* basic information at 4, cache at 56, performance at 116 */
static bool read_state(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  (void)w;
  size_t n = 0;
  const uint8_t *p = head_of(m, s, 148, &n);
  if (!p) return true;
  m->state = (mdmp_memory_state){.is_there = true,
                                 .page_bytes = fl_le32(p + 8),
                                 .available = fl_le64(p + 116),
                                 .committed = fl_le64(p + 124),
                                 .limit = fl_le64(p + 132)};
  return true;
}

/* u32 header 16, u32 entry 48, u64 count */
static bool read_regions(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  size_t n_head = 0;
  const uint8_t *p = head_of(m, s, 16, &n_head);
  if (!p || m->n_regions) return true;
  const uint32_t header = fl_le32(p), entry = fl_le32(p + 4);
  const uint64_t n = fl_le64(p + 8);
  if (header < 16 || entry < REGION || header > s->place.n_bytes ||
      n > (s->place.n_bytes - header) / entry) {
    damage_at(w, s, "its count does not fit its size");
    return true;
  }
  if (!(m->regions = FL_NEW_ARRAY(m->arena, mdmp_region, n))) return false;
  for (; m->n_regions < n; m->n_regions++) {
    p = mdmp_bytes(m, s->place.offset + header + (uint64_t)m->n_regions * entry, REGION);
    if (!p) break;
    m->regions[m->n_regions] = (mdmp_region){fl_le64(p), fl_le64(p + 24), fl_le32(p + 32),
                                             fl_le32(p + 36), fl_le32(p + 40)};
  }
  return true;
}

/* ---- threads ---- */

static mdmp_thread *thread_of(mdmp *m, uint32_t id, uint32_t guess) {
  if (guess < m->n_threads && m->threads[guess].id == id) return &m->threads[guess];
  for (uint32_t i = 0; i < m->n_threads; i++)
    if (m->threads[i].id == id) return &m->threads[i];
  return NULL;
}

/* u32 header 12, u32 entry 64, u32 count; the entries come in the order of the threads */
static bool read_thread_infos(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  const uint32_t n = counted(m, s, 8, w);
  const uint8_t *p = mdmp_bytes(m, s->place.offset, 12);
  if (!p || n == 0) return true;
  const uint32_t header = fl_le32(p), entry = fl_le32(p + 4);
  if (entry < THREAD_INFO) return true;
  for (uint32_t i = 0; i < n && i < m->n_threads; i++) {
    p = mdmp_bytes(m, s->place.offset + header + (uint64_t)i * entry, THREAD_INFO);
    if (!p) return true;
    mdmp_thread *t = thread_of(m, fl_le32(p), i);
    if (!t) continue;
    t->is_writer = fl_le32(p + 4) & 2;
    t->start = fl_le64(p + 48);
  }
  return true;
}

/* u32 count, count × {u32 thread, u64 offset of its name} */
static bool read_thread_names(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  enum { NAME = 12 };
  const uint8_t *p = s->place.n_bytes >= 4 ? mdmp_bytes(m, s->place.offset, 4) : NULL;
  if (!p) return true;
  const uint32_t n = fl_le32(p);
  if (n > (s->place.n_bytes - 4u) / NAME) {
    damage_at(w, s, "its count does not fit its size");
    return true;
  }
  for (uint32_t i = 0; i < n && i < m->n_threads; i++) {
    p = mdmp_bytes(m, s->place.offset + 4 + (uint64_t)i * NAME, NAME);
    if (!p) return true;
    const uint64_t name = fl_le64(p + 4);
    mdmp_thread *t = thread_of(m, fl_le32(p), i);
    if (t && !t->name.n) t->name = mdmp_text16(m, name, w);
  }
  return true;
}

/* ---- Breakpad and Crashpad ---- */

static bool add_note(mdmp *m, fl_str name, fl_str value) {
  enum { NOTES_MAX = 256 };
  if (!m->notes && !(m->notes = FL_NEW_ARRAY(m->arena, mdmp_note, NOTES_MAX))) return false;
  if (m->n_notes < NOTES_MAX && value.n) m->notes[m->n_notes++] = (mdmp_note){name, value};
  return true;
}

/* u32 what is valid, u32 thread that wrote the dump, u32 thread that asked for it */
static bool read_breakpad(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  (void)w;
  size_t n = 0;
  const uint8_t *p = head_of(m, s, 12, &n);
  if (p && fl_le32(p) & 2) m->requested_by = fl_le32(p + 8);
  return true;
}

/* wide texts of 128 characters: expression, function, file; u32 line */
static bool read_assertion(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  (void)w;
  enum { TEXT = 256 };
  size_t n = 0;
  const uint8_t *p = head_of(m, s, 3 * TEXT + 4, &n);
  if (!p) return true;
  const fl_str expression = mdmp_utf16(m, p, TEXT), function = mdmp_utf16(m, p + TEXT, TEXT);
  const fl_str file = mdmp_utf16(m, p + 2 * (size_t)TEXT, TEXT);
  const fl_str place =
      fl_arena_printf(m->arena, "%.*s:%" PRIu32, FL_STR_ARG(file), fl_le32(p + 3 * (size_t)TEXT));
  return add_note(m, FL_STR("assertion"), expression) &&
         add_note(m, FL_STR("function"), function) &&
         (file.n == 0 || add_note(m, FL_STR("file"), place));
}

/* u32 bytes, UTF-8 */
static fl_str text8(mdmp *m, uint32_t offset) {
  const uint8_t *p = offset ? mdmp_bytes(m, offset, 4) : NULL;
  const uint32_t n = p ? fl_le32(p) : 0;
  p = n && n <= TEXT_MAX ? mdmp_bytes(m, offset + UINT64_C(4), n) : NULL;
  return p ? fl_arena_str(m->arena, (fl_str){(const char *)p, n}) : (fl_str){0};
}

/* u32 version, GUID report, GUID client, place of the annotations: u32 count, count × {u32 offset
 * of the name, u32 offset of the value} */
static bool read_crashpad(mdmp *m, const mdmp_stream *s, const mdmp_watcher *w) {
  size_t n = 0;
  const uint8_t *p = head_of(m, s, 44, &n);
  if (!p) return true;
  const uint32_t n_list = fl_le32(p + 36), list = fl_le32(p + 40);
  p = n_list >= 4 ? mdmp_bytes(m, list, 4) : NULL;
  const uint32_t count = p ? fl_le32(p) : 0;
  if (count > n_list / 8) {
    damage_at(w, s, "its annotations do not fit their size");
    return true;
  }
  for (uint32_t i = 0; i < count; i++) {
    p = mdmp_bytes(m, list + UINT64_C(4) + (uint64_t)i * 8, 8);
    if (!p) return true;
    const uint32_t name = fl_le32(p), value = fl_le32(p + 4);
    const fl_str text = text8(m, name);
    if (!add_note(m, text, text8(m, value))) return false;
  }
  return true;
}

bool mdmp_read_more(mdmp *m, const mdmp_stream *stream, const mdmp_watcher *watcher) {
  switch (stream->type) {
    case 10:
    case 11:
      return read_comment(m, stream, watcher);
    case 12:
    case 18:
      return read_handles(m, stream, watcher);
    case 13:
      return read_functions(m, stream, watcher);
    case 15:
      return read_misc(m, stream, watcher);
    case 16:
      return read_regions(m, stream, watcher);
    case 17:
      return read_thread_infos(m, stream, watcher);
    case 19:
      return read_tokens(m, stream, watcher);
    case 21:
      return read_state(m, stream, watcher);
    case 22:
      return read_counters(m, stream, watcher);
    case 24:
      return read_thread_names(m, stream, watcher);
    case 0x47670001:
      return read_breakpad(m, stream, watcher);
    case 0x47670002:
      return read_assertion(m, stream, watcher);
    case 0x43500001:
      return read_crashpad(m, stream, watcher);
    default:
      return true;
  }
}
