/* mta.c - LocaleMetaData files: sections of numbered items, read in place (docs/formats/mta.md).
 */
#include "parsers/mta.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/raw.h"

enum {
  HEADER = 24,
  SECTIONS_MAX = 16,
  SECTION_NAME_MAX = 64,
  ITEM_HEADER = 8,
  PAGE_HEADER = MTA_PAGE_BYTES - 8 * MTA_PAGE_ITEMS
};

static void say_damage(const mta_watcher *watcher, uint64_t offset, const char *text) {
  if (watcher->damage) watcher->damage(watcher->self, offset, text);
}

static void say_range(const mta_watcher *watcher, uint64_t offset, uint64_t length) {
  if (watcher->range) watcher->range(watcher->self, offset, length);
}

static const uint8_t *bytes_at(mta *m, uint64_t offset, size_t n_bytes) {
  return fl_window_bytes(&m->window, offset, n_bytes);
}

static const uint8_t *section_bytes(mta *m, const mta_section *s, uint64_t offset, size_t n_bytes) {
  if (offset > s->size || n_bytes > s->size - offset) return NULL;
  return bytes_at(m, s->start + offset, n_bytes);
}

/* ---- the directory ---- */

/* u64 offset, u64 size, u32 name bytes, UTF-16 name */
static bool read_entry(fl_rd *rd, mta *m) {
  static const char *const names[MTA_N_SECTIONS] = {"E\0V\0T", "M\0S\0G", "P\0U\0B"};
  const uint64_t offset = fl_rd_u64(rd);
  const uint64_t size = fl_rd_u64(rd);
  const uint32_t n_name = fl_rd_u32(rd);
  const uint8_t *name = n_name <= SECTION_NAME_MAX ? fl_rd_bytes(rd, n_name) : NULL;
  if (!name) return false;
  const uint64_t end = fl_source_size(m->window.source);
  for (size_t i = 0; i < MTA_N_SECTIONS; i++) {
    if (n_name != 6 || memcmp(name, names[i], 5) != 0 || name[5] != 0) continue;
    mta_section *s = &m->sections[i];
    s->start = offset < end ? offset : end;
    s->size = size < end - s->start ? size : end - s->start;
  }
  return true;
}

/* "MTAFile" NUL, u32 1, u32 1, u32 bytes of the directory, u32 sections, the directory */
static fl_status read_directory(mta *m, const mta_watcher *watcher, fl_err *err) {
  const uint8_t *head = bytes_at(m, 0, HEADER);
  if (!head || memcmp(head, "MTAFile", 8) != 0)
    return fl_fail(err, FL_E_CORRUPT, 0, "no header of a text file of an event log");
  const uint32_t n_bytes = fl_le32(head + 16);
  const uint32_t n_sections = fl_le32(head + 20);
  const uint8_t *entries =
      n_bytes <= FL_WINDOW_BYTES - HEADER ? bytes_at(m, HEADER, n_bytes) : NULL;
  if (!entries || n_sections > SECTIONS_MAX)
    return fl_fail(err, FL_E_CORRUPT, 16,
                   "directory of %" PRIu32 " bytes and %" PRIu32 " sections, expected 3 sections",
                   n_bytes, n_sections);
  fl_rd rd = fl_rd_of(entries, n_bytes);
  for (uint32_t i = 0; i < n_sections; i++)
    if (!read_entry(&rd, m))
      return fl_fail(err, FL_E_CORRUPT, HEADER + rd.pos, "section %" PRIu32 " is described badly",
                     i);
  say_range(watcher, 0, HEADER + rd.pos);
  if (m->sections[MTA_MSG].size == 0)
    return fl_fail(err, FL_E_CORRUPT, HEADER, "there is no section of texts");
  return FL_OK;
}

/* ---- pages and items ---- */

/* 16 × u32, u64 number, u64 next page, u64 this page, 100 × u64 place of an item. The last page
 * names itself, or none, as the next. Pages follow each other in the file: a step back is damage.
 */
static fl_status read_pages(mta *m, mta_section *s, const mta_watcher *watcher, fl_err *err) {
  for (uint64_t at = 0; s->size != 0;) {
    const uint8_t *page = section_bytes(m, s, at, MTA_PAGE_BYTES);
    if (!page) {
      say_damage(watcher, s->start + at, "a page of texts is cut short");
      return FL_OK;
    }
    const uint64_t next = fl_le64(page + 72), own = fl_le64(page + 80);
    if (own != at || fl_le64(page + 64) != s->n_pages) {
      say_damage(watcher, s->start + at, "a page of texts does not bear its own place and number");
      return FL_OK;
    }
    if (s->n_pages >= FL_LIMIT_TEXT_PAGES)
      return fl_fail(err, FL_E_LIMIT, s->start + at,
                     "limit reached: a section has at most %d pages", (int)FL_LIMIT_TEXT_PAGES);
    if (!fl_grow((void **)&s->pages, &s->cap_pages, s->n_pages + 1, sizeof *s->pages))
      return fl_fail(err, FL_E_NOMEM, s->start + at, "out of memory");
    s->pages[s->n_pages++] = at;
    say_range(watcher, s->start + at, MTA_PAGE_BYTES);
    if (next == 0 || next == at) return FL_OK;
    if (next < at + MTA_PAGE_BYTES) {
      say_damage(watcher, s->start + at + 72, "a page of texts leads back");
      return FL_OK;
    }
    at = next;
  }
  return FL_OK;
}

static bool load_page(mta *m, mta_section *s, size_t page) {
  if (s->page_read == page + 1) return true;
  const uint8_t *bytes = section_bytes(m, s, s->pages[page], MTA_PAGE_BYTES);
  if (!bytes) return false;
  fl_rd rd = fl_rd_of(bytes + PAGE_HEADER, MTA_PAGE_BYTES - PAGE_HEADER);
  for (size_t i = 0; i < MTA_PAGE_ITEMS; i++) s->places[i] = fl_rd_u64(&rd);
  s->page_read = page + 1;
  return true;
}

/* u32 number, u32 bytes, the bytes. FL_END: no such item; FL_E_CORRUPT: damage at *ret_at. */
static fl_status find_item(mta *m, mta_section *s, uint64_t number, uint64_t *ret_at,
                           uint32_t *ret_n) {
  const size_t page = (size_t)(number / MTA_PAGE_ITEMS);
  if (number / MTA_PAGE_ITEMS >= s->n_pages) return FL_END;
  *ret_at = s->pages[page];
  if (!load_page(m, s, page)) return FL_E_CORRUPT;
  const uint64_t at = s->places[number % MTA_PAGE_ITEMS];
  if (at == 0) return FL_END;
  const uint8_t *head = section_bytes(m, s, at, ITEM_HEADER);
  if (!head) return FL_E_CORRUPT;
  *ret_at = at;
  *ret_n = fl_le32(head + 4);
  if (fl_le32(head) != number || *ret_n > s->size - at - ITEM_HEADER) return FL_E_CORRUPT;
  return FL_OK;
}

typedef fl_status (*visit_item)(mta *m, const mta_section *s, uint64_t at, uint32_t n, fl_err *err);

/* FL_E_CORRUPT of a visit means that one item; other errors end the walk. */
static fl_status visit_items(mta *m, mta_section *s, const mta_watcher *watcher, visit_item visit,
                             fl_err *err) {
  for (uint64_t i = 0; i < s->n_pages * (uint64_t)MTA_PAGE_ITEMS; i++) {
    uint64_t at = 0;
    uint32_t n = 0;
    fl_status status = find_item(m, s, i, &at, &n);
    if (status == FL_END) continue;
    if (status == FL_OK) status = visit(m, s, at + ITEM_HEADER, n, err);
    if (status == FL_E_CORRUPT) say_damage(watcher, s->start + at, "an item is damaged");
    else if (status < FL_OK) return status;
    else say_range(watcher, s->start + at, ITEM_HEADER + (uint64_t)n);
  }
  return FL_OK;
}

/* ---- EVT ---- */

/* u64 EventRecordID, u64 number of the text */
static fl_status take_event(mta *m, const mta_section *s, uint64_t at, uint32_t n, fl_err *err) {
  const uint8_t *bytes = n >= 16 ? section_bytes(m, s, at, 16) : NULL;
  if (!bytes) return FL_E_CORRUPT;
  if (!fl_grow((void **)&m->events, &m->cap_events, m->n_events + 1, sizeof *m->events))
    return fl_fail(err, FL_E_NOMEM, s->start + at, "out of memory");
  m->events[m->n_events++] = (mta_event){fl_le64(bytes), fl_le64(bytes + 8)};
  return FL_OK;
}

/* ---- MSG ---- */

/* u32 bytes, UTF-16 with a NUL at the end */
static fl_status read_text(mta *m, const mta_section *s, uint64_t at, uint32_t n, fl_raw *ret) {
  const uint8_t *bytes = n >= 4 ? section_bytes(m, s, at, n) : NULL;
  if (!bytes) return FL_E_CORRUPT;
  fl_rd rd = fl_rd_of(bytes, n);
  const uint32_t length = fl_rd_u32(&rd);
  const uint8_t *text = fl_rd_bytes(&rd, length);
  if (!text) return FL_E_CORRUPT;
  *ret = fl_raw_trim((fl_raw){text, length & ~1u, FL_T_STR16, 0});
  return FL_OK;
}

static fl_status check_text(mta *m, const mta_section *s, uint64_t at, uint32_t n, fl_err *err) {
  (void)err;
  fl_raw text;
  return read_text(m, s, at, n, &text);
}

fl_status mta_check_texts(mta *m, const mta_watcher *watcher, fl_err *err) {
  return visit_items(m, &m->sections[MTA_MSG], watcher, check_text, err);
}

fl_status mta_text(mta *m, uint64_t number, fl_raw *ret_text) {
  mta_section *s = &m->sections[MTA_MSG];
  uint64_t at = 0;
  uint32_t n = 0;
  if (find_item(m, s, number, &at, &n) != FL_OK) return FL_END;
  return read_text(m, s, at + ITEM_HEADER, n, ret_text) == FL_OK ? FL_OK : FL_END;
}

/* ---- PUB ---- */

/* The owner of a copy that lives as long as the file is open; null when out of memory. */
static fl_raw keep(mta *m, fl_raw raw) {
  uint8_t *copy = fl_arena_take(m->arena, raw.n);
  if (!copy) return (fl_raw){.type = FL_T_NULL};
  if (raw.n) memcpy(copy, raw.p, raw.n);
  raw.p = copy;
  return raw;
}

/* u32 count, count × {u32 value, u32 number of the text} */
static bool read_names(mta *m, fl_rd *rd, mta_publisher *p, mta_list list) {
  const uint32_t count = fl_rd_u32(rd);
  if (count > FL_LIMIT_TEXT_NAMES || !fl_rd_fits(rd, count, 8)) return false;
  mta_name *names = FL_NEW_ARRAY(m->arena, mta_name, count);
  if (!names) return false;
  for (uint32_t i = 0; i < count; i++) {
    names[i].value = fl_rd_u32(rd);
    names[i].text = fl_rd_u32(rd);
  }
  p->lists[list] = names;
  p->n[list] = count;
  return fl_rd_ok(rd);
}

/* Four lists, u32 bytes of the name, UTF-16 name without a NUL */
static fl_status take_publisher(mta *m, const mta_section *s, uint64_t at, uint32_t n,
                                fl_err *err) {
  const uint8_t *bytes = section_bytes(m, s, at, n);
  if (!bytes) return FL_E_CORRUPT;
  if (m->n_publishers >= FL_LIMIT_TEXT_PUBLISHERS)
    return fl_fail(err, FL_E_LIMIT, s->start + at, "limit reached: at most %d publishers",
                   (int)FL_LIMIT_TEXT_PUBLISHERS);
  fl_rd rd = fl_rd_of(bytes, n);
  mta_publisher p = {0};
  for (mta_list list = 0; list < MTA_N_LISTS; list++)
    if (!read_names(m, &rd, &p, list)) return FL_E_CORRUPT;
  const uint32_t n_name = fl_rd_u32(&rd);
  const uint8_t *name = fl_rd_bytes(&rd, n_name);
  if (!name) return FL_E_CORRUPT;
  p.name = keep(m, fl_raw_trim((fl_raw){name, n_name & ~1u, FL_T_STR16, 0}));
  if (!fl_grow((void **)&m->publishers, &m->cap_publishers, m->n_publishers + 1,
               sizeof *m->publishers))
    return fl_fail(err, FL_E_NOMEM, s->start + at, "out of memory");
  m->publishers[m->n_publishers++] = p;
  return FL_OK;
}

/* A provider's name as its record holds it: UTF-16, or UTF-8 of a template's constant. */
static bool is_publisher(const mta_publisher *p, fl_raw provider) {
  if (provider.type == FL_T_STR16) {
    provider = fl_raw_trim(provider);
    return provider.n == p->name.n && memcmp(provider.p, p->name.p, provider.n) == 0;
  }
  if (provider.type != FL_T_UTF8 || provider.n * 2 != p->name.n) return false;
  for (uint32_t i = 0; i < provider.n; i++)
    if (provider.p[i] != p->name.p[2 * i] || p->name.p[2 * i + 1] != 0) return false;
  return true;
}

const mta_publisher *mta_publisher_of(const mta *m, fl_raw provider) {
  if (provider.n == 0) return NULL;
  for (size_t i = 0; i < m->n_publishers; i++)
    if (is_publisher(&m->publishers[i], provider)) return &m->publishers[i];
  return NULL;
}

static fl_raw name_in(mta *m, const mta_publisher *p, mta_list list, uint32_t value) {
  const fl_raw none = {.type = FL_T_NULL};
  for (uint32_t i = 0; p && i < p->n[list]; i++) {
    mta_name *name = &p->lists[list][i];
    /* Tasks have the number 1 in their upper half, for which no use was seen. */
    const uint32_t own = list == MTA_TASKS ? name->value & 0xffff : name->value;
    if (own != value) continue;
    fl_raw text;
    if (!name->is_read && mta_text(m, name->text, &text) == FL_OK) name->name = keep(m, text);
    name->is_read = true;
    return name->name;
  }
  return none;
}

fl_raw mta_name_of(mta *m, const mta_publisher *publisher, mta_list list, uint32_t value) {
  const fl_raw name = name_in(m, publisher, list, value);
  return name.type != FL_T_NULL ? name : name_in(m, m->fallback, list, value);
}

/* ---- the whole ---- */

fl_status mta_open(fl_source *source, fl_arena *arena, const mta_watcher *watcher, mta *ret_mta,
                   fl_err *err) {
  *ret_mta = (mta){.arena = arena};
  ret_mta->window = fl_window_of(source, malloc(FL_WINDOW_BYTES));
  if (!ret_mta->window.p) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(read_directory(ret_mta, watcher, err));
  for (size_t i = 0; i < MTA_N_SECTIONS; i++)
    FL_TRY(read_pages(ret_mta, &ret_mta->sections[i], watcher, err));
  FL_TRY(visit_items(ret_mta, &ret_mta->sections[MTA_EVT], watcher, take_event, err));
  FL_TRY(visit_items(ret_mta, &ret_mta->sections[MTA_PUB], watcher, take_publisher, err));
  static const fl_raw fallback = {(const uint8_t *)"DEFAULT_PUBLISHER", 17, FL_T_UTF8, 0};
  ret_mta->fallback = mta_publisher_of(ret_mta, fallback);
  return FL_OK;
}

void mta_close(mta *m) {
  for (size_t i = 0; i < MTA_N_SECTIONS; i++) free(m->sections[i].pages);
  free(m->events);
  free(m->publishers);
  free(m->window.p);
  *m = (mta){0};
}

/* ---- a source of its own ---- */

enum { RANGES_MAX = 4096 };

typedef struct reading {
  fl_job *job;
  mta file;
  fl_range *ranges; /* of the arena; neighbours are one */
  size_t n_ranges;
} reading;

static void note_damage(void *self, uint64_t offset, const char *text) {
  fl_job_note(((reading *)self)->job, FL_NOTE_DAMAGED, offset, "%s", text);
}

static void add_range(void *self, uint64_t offset, uint64_t length) {
  reading *r = self;
  fl_range *last = r->n_ranges ? &r->ranges[r->n_ranges - 1] : NULL;
  if (last && last->offset + last->length == offset) last->length += length;
  else if (r->n_ranges < RANGES_MAX) r->ranges[r->n_ranges++] = (fl_range){offset, length, 0, {0}};
}

static int by_offset(const void *left, const void *right) {
  const fl_range *a = left, *b = right;
  return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Two places may name the same bytes, which are counted once. */
static void tell_ranges(reading *r) {
  uint64_t at = 0;
  qsort(r->ranges, r->n_ranges, sizeof *r->ranges, by_offset);
  for (size_t i = 0; i < r->n_ranges; i++) {
    const uint64_t end = r->ranges[i].offset + r->ranges[i].length;
    if (r->ranges[i].offset > at) at = r->ranges[i].offset;
    if (end <= at) continue;
    fl_job_ledger(r->job, at, end - at, FL_L_PARSED, NULL);
    at = end;
  }
}

static fl_status open_mta(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  reading *r = state;
  r->job = job;
  r->ranges = FL_NEW_ARRAY(job->arena, fl_range, RANGES_MAX);
  if (!r->ranges) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  const mta_watcher watcher = {r, note_damage, add_range};
  fl_status s = mta_open(job->source, job->arena, &watcher, &r->file, err);
  if (s == FL_OK) s = mta_check_texts(&r->file, &watcher, err);
  tell_ranges(r);
  *ret_n_spans = 0;
  return s;
}

static void close_mta(fl_job *job, void *state) {
  (void)job;
  mta_close(&((reading *)state)->file);
}

/* "MTAFile" NUL, u32 1, u32 1 */
static int probe_mta(const fl_probe *probe) {
  if (probe->n_head < 8 || memcmp(probe->head, "MTAFile", 8) != 0) return 0;
  return probe->n_head >= HEADER && fl_le32(probe->head + 8) == 1 ? 100 : 50;
}

const fl_parser fl_parser_mta = {
    .name = "mta",
    .summary = "message texts beside an exported event log",
    .state_size = sizeof(reading),
    .probe = probe_mta,
    .open = open_mta,
    .close = close_mta,
};
