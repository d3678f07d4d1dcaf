/* kdmp_pages.c - dumps that hold physical pages: addresses through the page tables of x64, and the
 * kernel's list of drivers. Only the pages on the way are read. */
#include <inttypes.h>

#include "base/rd.h"
#include "parsers/kdmp.h"

enum {
  PAGE = 4096,
  RUNS_MAX = 42,      /* that fit the header's 700 bytes */
  PIECE = 4096,       /* bytes of the bitmap that are counted together */
  DRIVERS_MAX = 4096, /* of the list; real machines have 300 */
  STACK_PAGES = 8,
  ENTRY = 0x90,
  BITMAP_HEAD = 0x38
};

typedef struct run {
  uint64_t first, n; /* pages */
} run;

typedef struct pages {
  kdmp *k;
  uint64_t data;      /* offset of the first page */
  run runs[RUNS_MAX]; /* full dumps */
  uint32_t n_runs;
  uint64_t bitmap, n_bits; /* others: offset, pages that it describes */
  uint64_t *before;        /* set bits before each piece */
} pages;

static const uint8_t *bytes_of(const pages *g, uint64_t offset, size_t n_bytes) {
  return fl_window_bytes(&g->k->space.window, offset, n_bytes);
}

/* ---- from a physical page to its place in the file; 0: it is not there ---- */

static uint64_t place_in_runs(const pages *g, uint64_t page) {
  uint64_t n_before = 0;
  for (uint32_t i = 0; i < g->n_runs; i++) {
    const uint64_t into = page - g->runs[i].first;
    if (into < g->runs[i].n) return g->data + (n_before + into) * PAGE;
    n_before += g->runs[i].n;
  }
  return 0;
}

static unsigned count_bits(const uint8_t *p, size_t n) {
  unsigned n_set = 0;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) n_set += (unsigned)__builtin_popcountll(fl_le64(p + i));
  for (; i < n; i++) n_set += (unsigned)__builtin_popcount(p[i]);
  return n_set;
}

static uint64_t place_in_bitmap(const pages *g, uint64_t page) {
  if (page >= g->n_bits) return 0;
  const uint64_t byte = page / 8, piece = byte / PIECE;
  const size_t n = (size_t)(byte % PIECE) + 1;
  const uint8_t *p = bytes_of(g, g->bitmap + piece * PIECE, n);
  if (!p || !(p[n - 1] >> (page % 8) & 1)) return 0;
  const uint8_t below = (uint8_t)(p[n - 1] & ((1u << (page % 8)) - 1));
  const uint64_t n_before = g->before[piece] + count_bits(p, n - 1) + count_bits(&below, 1);
  return g->data + n_before * PAGE;
}

static uint64_t place_of(const pages *g, uint64_t page) {
  return g->before ? place_in_bitmap(g, page) : place_in_runs(g, page);
}

/* u32 runs, u64 pages, then for each run u64 first page, u64 pages */
static bool read_runs(pages *g) {
  enum { AT = 0x88 };
  const uint8_t *p = bytes_of(g, AT, 16 + 16 * RUNS_MAX);
  if (!p || fl_le32(p) == 0 || fl_le32(p) > RUNS_MAX) return false;
  g->n_runs = fl_le32(p);
  for (uint32_t i = 0; i < g->n_runs; i++)
    g->runs[i] = (run){fl_le64(p + 16 + 16 * i), fl_le64(p + 24 + 16 * i)};
  g->data = 0x2000;
  return true;
}

/* "SDMP" or "FDMP", "DUMP", at 0x20 u64 offset of the first page, u64 pages there, u64 bits */
static bool read_bitmap(pages *g) {
  const uint64_t size = fl_source_size(g->k->space.window.source), at = 0x2000;
  const uint8_t *p = bytes_of(g, at, BITMAP_HEAD);
  if (!p || (memcmp(p, "SDMPDUMP", 8) != 0 && memcmp(p, "FDMPDUMP", 8) != 0)) return false;
  g->data = fl_le64(p + 0x20);
  g->n_bits = fl_le64(p + 0x30);
  g->bitmap = at + BITMAP_HEAD;
  if (g->n_bits / 8 > size - g->bitmap) return false;
  const uint64_t n_bytes = (g->n_bits + 7) / 8, n_pieces = n_bytes / PIECE + 1;
  if (!(g->before = FL_NEW_ARRAY(g->k->arena, uint64_t, n_pieces))) return false;
  for (uint64_t i = 0; i + 1 < n_pieces; i++) {
    p = bytes_of(g, g->bitmap + i * PIECE, PIECE);
    if (!p) return false;
    g->before[i + 1] = g->before[i] + count_bits(p, PIECE);
  }
  return true;
}

/* ---- from a virtual address to its place ---- */

static bool table_entry(const pages *g, uint64_t table, unsigned index, uint64_t *ret_entry) {
  const uint64_t place = place_of(g, table / PAGE);
  const uint8_t *p = place ? bytes_of(g, place + 8u * index, 8) : NULL;
  if (!p) return false;
  *ret_entry = fl_le64(p);
  return *ret_entry & 1;
}

/* Four levels of 512 entries; bit 7 of the second and third one means a large page. */
static uint64_t place_at(const pages *g, uint64_t address) {
  const uint64_t frame = UINT64_C(0x000ffffffffff000);
  uint64_t table = g->k->page_table & frame, entry = 0;
  for (unsigned shift = 39;; shift -= 9) {
    if (!table_entry(g, table, (unsigned)(address >> shift) & 511, &entry)) return 0;
    table = entry & frame;
    const bool is_large = shift < 39 && shift > 12 && entry >> 7 & 1;
    if (shift != 12 && !is_large) continue;
    const uint64_t into = address & ((UINT64_C(1) << shift) - 1);
    const uint64_t physical = (table & ~((UINT64_C(1) << shift) - 1)) + into;
    const uint64_t place = place_of(g, physical / PAGE);
    return place ? place + physical % PAGE : 0;
  }
}

/* Bytes at an address, within one page. */
static const uint8_t *bytes_at(const pages *g, uint64_t address, size_t n_bytes) {
  if (n_bytes > PAGE - address % PAGE) return NULL;
  const uint64_t place = place_at(g, address);
  return place ? bytes_of(g, place, n_bytes) : NULL;
}

static bool copy_at(const pages *g, uint64_t address, uint8_t *ret, size_t n_bytes) {
  while (n_bytes) {
    const size_t n = PAGE - address % PAGE < n_bytes ? PAGE - (size_t)(address % PAGE) : n_bytes;
    const uint8_t *p = bytes_at(g, address, n);
    if (!p) return false;
    memcpy(ret, p, n);
    ret += n;
    address += n;
    n_bytes -= n;
  }
  return true;
}

/* ---- drivers ---- */

static fl_str name_at(const pages *g, const uint8_t *p) {
  uint8_t text[1024];
  const size_t n = fl_le16(p) < sizeof text ? fl_le16(p) : sizeof text;
  return copy_at(g, fl_le64(p + 8), text, n) ? kdmp_utf16(g->k, text, n) : (fl_str){0};
}

/* An entry of the loader's list: u64 next, …, base at 0x30, size at 0x40, paths at 0x48 and 0x58 */
static bool read_drivers(const pages *g, const kdmp_watcher *w) {
  kdmp *k = g->k;
  uint8_t p[ENTRY];
  uint64_t at = k->module_list;
  if (!copy_at(g, at, p, 8)) {
    if (w->damage)
      w->damage(w->self, 0x20, "the list of drivers at 0x%" PRIx64 " is not in the dump", at);
    return true;
  }
  if (!(k->space.modules = FL_NEW_ARRAY(k->arena, dump_module, DRIVERS_MAX))) return false;
  while (k->space.n_modules < DRIVERS_MAX) {
    at = fl_le64(p);
    if (at == k->module_list || !copy_at(g, at, p, ENTRY)) break;
    dump_module *driver = &k->space.modules[k->space.n_modules++];
    *driver = (dump_module){.base = fl_le64(p + 0x30),
                            .n_bytes = fl_le32(p + 0x40),
                            .checksum = fl_le32(p + 0x78),
                            .stamp = fl_le32(p + 0x80)};
    driver->path = name_at(g, p + 0x48);
    driver->name = kdmp_file_name(driver->path);
  }
  if (at != k->module_list && w->damage)
    w->damage(w->self, 0x20, "the list of drivers breaks off after %" PRIu32, k->space.n_modules);
  if (k->space.n_modules) k->kernel_base = k->space.modules[0].base;
  return true;
}

/* ---- the pages that the search for a culprit looks at ---- */

static void map_page(const pages *g, uint64_t address) {
  fl_vmem *memory = &g->k->space.memory;
  const uint64_t page = address - address % PAGE, place = place_at(g, page);
  if (!place || memory->n_ranges == memory->cap_ranges) return;
  fl_extent *last = memory->n_ranges ? &memory->ranges[memory->n_ranges - 1] : NULL;
  if (last && last->address + last->n_bytes == page && last->offset + last->n_bytes == place)
    last->n_bytes += PAGE;
  else memory->ranges[memory->n_ranges++] = (fl_extent){page, PAGE, place};
}

static bool map_pages(const pages *g) {
  kdmp *k = g->k;
  k->space.memory.cap_ranges = STACK_PAGES + 8;
  k->space.memory.ranges = FL_NEW_ARRAY(k->arena, fl_extent, k->space.memory.cap_ranges);
  if (!k->space.memory.ranges) return false;
  for (uint64_t i = 0; i < STACK_PAGES; i++) map_page(g, k->registers.sp + i * PAGE);
  for (size_t i = 1; i < 4; i++)
    if (k->parameters[i] >> 47) map_page(g, k->parameters[i]);
  return true;
}

static void tell_unread(const kdmp *k, const kdmp_watcher *w) {
  const uint64_t size = fl_source_size(k->space.window.source);
  const uint64_t start = k->is_64 ? 0x2000 : 0x1000;
  if (w->range && size > start) w->range(w->self, start, size - start, "memory of the kernel");
}

bool kdmp_read_pages(kdmp *k, const kdmp_watcher *w) {
  pages *g = FL_NEW(k->arena, pages);
  if (!g) return false;
  g->k = k;
  tell_unread(k, w);
  if (!k->is_64 || k->space.arch != DUMP_AMD64 || k->type == KDMP_HEADER) return true;
  bool is_known = false;
  if (k->type == KDMP_FULL) is_known = read_runs(g);
  if (k->type == KDMP_BITMAP_FULL || k->type == KDMP_BITMAP_KERNEL || k->type == KDMP_AUTOMATIC)
    is_known = read_bitmap(g);
  if (is_known) return read_drivers(g, w) && map_pages(g);
  if (w->damage)
    w->damage(w->self, 0x2000, "pages of a dump of type %" PRIu32 " (%s): no layout that is known",
              k->type, kdmp_type_name(k->type));
  return true;
}
