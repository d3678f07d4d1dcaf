/* sigma_scan.c - many literals searched in one pass over a text. */
#include "rules/sigma_scan.h"

#include <string.h>

#include "base/arena.h"
#include "base/hash.h"

enum { GRAM = 4, EDGE = 8, COUNTERS = 1 << 14, PAIRS = 1 << 16 };

/* A literal behind its gram, or behind the hash of what is compared at an end. */
typedef struct entry {
  uint64_t key;
  uint32_t literal;
  uint32_t at; /* of the gram in the literal */
} entry;

/* Entries by the upper bits of a hash; those of a bucket stand one after the other. */
typedef struct table {
  entry *entries;
  uint32_t *starts; /* 2^n_bits + 1 */
  unsigned n_bits;
  size_t n;
} table;

struct fl_sigma_scan {
  const fl_sigma_literal *literals;
  uint64_t *grams; /* bitmap of hashes of grams */
  unsigned shift;  /* of a 32-bit hash to a bit */
  uint64_t *pairs; /* bitmap of the first two bytes of shorter literals */
  table anywhere, brief, prefix, suffix, whole;
  uint16_t prefix_lengths, suffix_lengths; /* bit n: some literal's key has n bytes, 1 to 8 */
  uint64_t whole_lengths;                  /* bit n: some literal has n bytes; 63: or more */
};

static inline uint32_t load32(const uint8_t *p) {
  uint32_t word;
  memcpy(&word, p, sizeof word);
  return word;
}
static inline uint16_t load16(const uint8_t *p) {
  uint16_t word;
  memcpy(&word, p, sizeof word);
  return word;
}
static inline uint32_t mix32(uint32_t gram) { return gram * UINT32_C(0x9e3779b1); }
static inline uint64_t mix64(uint64_t key, size_t n) {
  return (key + n) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The first or last n bytes, 1 to 8, as a number. */
static inline uint64_t load_edge(const uint8_t *p, size_t n) {
  uint64_t word = 0;
  memcpy(&word, p, n);
  return word;
}

static unsigned bits_for(size_t n) {
  unsigned n_bits = 4;
  while (((size_t)1 << n_bits) < n * 2 && n_bits < 20) n_bits++;
  return n_bits;
}

static inline size_t bucket_of(const table *t, uint64_t hash) {
  return (size_t)(hash >> (64 - t->n_bits));
}

/* Sorts the entries into buckets by their hashes. */
static bool fill(table *t, const entry *entries, const uint64_t *hashes, size_t n,
                 fl_arena *arena) {
  t->n = n;
  t->n_bits = bits_for(n);
  const size_t n_buckets = (size_t)1 << t->n_bits;
  t->entries = FL_NEW_ARRAY(arena, entry, n);
  t->starts = FL_NEW_ARRAY(arena, uint32_t, n_buckets + 2);
  if (!t->entries || !t->starts) return false;
  for (size_t i = 0; i < n; i++) t->starts[bucket_of(t, hashes[i]) + 2]++;
  for (size_t i = 2; i < n_buckets + 2; i++) t->starts[i] += t->starts[i - 1];
  for (size_t i = 0; i < n; i++) t->entries[t->starts[bucket_of(t, hashes[i]) + 1]++] = entries[i];
  return true;
}

/* The gram of a literal that the fewest literals have. */
static uint32_t rarest_gram(fl_str text, const uint16_t *counters) {
  const uint8_t *p = (const uint8_t *)text.p;
  uint32_t best = 0, least = UINT32_MAX;
  for (uint32_t at = 0; at + GRAM <= text.n; at++) {
    const uint32_t count = counters[mix32(load32(p + at)) >> 18];
    if (count >= least) continue;
    least = count;
    best = at;
  }
  return best;
}

static void count_grams(const fl_sigma_literal *literals, size_t n, uint16_t *counters) {
  for (size_t i = 0; i < n; i++) {
    const uint8_t *p = (const uint8_t *)literals[i].text.p;
    for (size_t at = 0; literals[i].op == FL_SIGMA_CONTAINS && at + GRAM <= literals[i].text.n;
         at++) {
      uint16_t *counter = &counters[mix32(load32(p + at)) >> 18];
      if (*counter < UINT16_MAX) (*counter)++;
    }
  }
}

static bool make_bitmap(fl_sigma_scan *scan, const entry *entries, size_t n, fl_arena *arena) {
  unsigned n_bits = 10;
  while (((size_t)1 << n_bits) < n * 32 && n_bits < 18) n_bits++;
  scan->shift = 32 - n_bits;
  scan->grams = FL_NEW_ARRAY(arena, uint64_t, (size_t)1 << (n_bits - 6));
  if (!scan->grams) return false;
  for (size_t i = 0; i < n; i++) {
    const uint32_t bit = mix32((uint32_t)entries[i].key) >> scan->shift;
    scan->grams[bit >> 6] |= UINT64_C(1) << (bit & 63);
  }
  return true;
}

static bool make_pairs(fl_sigma_scan *scan, const entry *entries, size_t n, fl_arena *arena) {
  scan->pairs = FL_NEW_ARRAY(arena, uint64_t, PAIRS / 64);
  for (size_t i = 0; scan->pairs && i < n; i++)
    scan->pairs[entries[i].key >> 6] |= UINT64_C(1) << (entries[i].key & 63);
  return scan->pairs != NULL;
}

/* Contained literals by whether they have a gram. */
static fl_sigma_op kind_of(const fl_sigma_literal *literal) {
  const bool is_brief = literal->op == FL_SIGMA_CONTAINS && literal->text.n < GRAM;
  return is_brief ? FL_SIGMA_WILD : (fl_sigma_op)literal->op;
}

/* The entry of a literal, its hash, and a note of its length. */
static entry entry_of(fl_sigma_scan *scan, uint32_t i, const uint16_t *counters,
                      uint64_t *ret_hash) {
  const fl_str text = scan->literals[i].text;
  const uint8_t *p = (const uint8_t *)text.p;
  const size_t n = text.n < EDGE ? text.n : EDGE;
  entry e = {.literal = i};
  switch (kind_of(&scan->literals[i])) {
    case FL_SIGMA_WILD:
      e.key = load16(p);
      *ret_hash = (uint64_t)mix32((uint32_t)e.key) << 32;
      break;
    case FL_SIGMA_PREFIX:
      e.key = load_edge(p, n);
      scan->prefix_lengths |= (uint16_t)(1u << n);
      *ret_hash = mix64(e.key, n);
      break;
    case FL_SIGMA_SUFFIX:
      e.key = load_edge(p + text.n - n, n);
      scan->suffix_lengths |= (uint16_t)(1u << n);
      *ret_hash = mix64(e.key, n);
      break;
    case FL_SIGMA_EQ:
      e.key = fl_hash_bytes(p, text.n, 0);
      scan->whole_lengths |= UINT64_C(1) << (text.n < 63 ? text.n : 63);
      *ret_hash = mix64(e.key, 0);
      break;
    default:
      e.at = rarest_gram(text, counters);
      e.key = load32(p + e.at);
      *ret_hash = (uint64_t)mix32((uint32_t)e.key) << 32;
  }
  return e;
}

/* All literals of one kind. */
static bool fill_kind(fl_sigma_scan *scan, size_t n, fl_sigma_op op, table *t,
                      const uint16_t *counters, fl_arena *arena) {
  entry *entries = FL_NEW_ARRAY(arena, entry, n);
  uint64_t *hashes = FL_NEW_ARRAY(arena, uint64_t, n);
  size_t n_found = 0;
  if (!entries || !hashes) return false;
  for (uint32_t i = 0; i < n; i++) {
    if (kind_of(&scan->literals[i]) != op) continue;
    entries[n_found] = entry_of(scan, i, counters, &hashes[n_found]);
    n_found++;
  }
  if (op == FL_SIGMA_CONTAINS && n_found && !make_bitmap(scan, entries, n_found, arena))
    return false;
  if (op == FL_SIGMA_WILD && n_found && !make_pairs(scan, entries, n_found, arena)) return false;
  return n_found == 0 || fill(t, entries, hashes, n_found, arena);
}

fl_sigma_scan *fl_sigma_scan_create(const fl_sigma_literal *literals, size_t n, fl_arena *arena) {
  fl_sigma_scan *scan = FL_NEW(arena, fl_sigma_scan);
  uint16_t *counters = FL_NEW_ARRAY(arena, uint16_t, COUNTERS);
  if (!scan || !counters) return NULL;
  scan->literals = literals;
  count_grams(literals, n, counters);
  const bool is_made = fill_kind(scan, n, FL_SIGMA_CONTAINS, &scan->anywhere, counters, arena) &&
                       fill_kind(scan, n, FL_SIGMA_WILD, &scan->brief, counters, arena) &&
                       fill_kind(scan, n, FL_SIGMA_PREFIX, &scan->prefix, counters, arena) &&
                       fill_kind(scan, n, FL_SIGMA_SUFFIX, &scan->suffix, counters, arena) &&
                       fill_kind(scan, n, FL_SIGMA_EQ, &scan->whole, counters, arena);
  return is_made ? scan : NULL;
}

static inline void found(fl_sigma_finds *finds, uint32_t id) {
  if (finds->seen[id] == finds->epoch) return;
  finds->seen[id] = finds->epoch;
  finds->ids[finds->n++] = id;
}

/* Literals whose gram stands at `at`. */
static void check_gram(const fl_sigma_scan *scan, const uint8_t *text, size_t n, size_t at,
                       fl_sigma_finds *finds) {
  const table *t = &scan->anywhere;
  const uint32_t gram = load32(text + at);
  const size_t bucket = bucket_of(t, (uint64_t)mix32(gram) << 32);
  for (uint32_t i = t->starts[bucket]; i < t->starts[bucket + 1]; i++) {
    const entry *e = &t->entries[i];
    const fl_sigma_literal *literal = &scan->literals[e->literal];
    if (e->key != gram || e->at > at || literal->text.n > n - (at - e->at)) continue;
    if (memcmp(text + at - e->at, literal->text.p, literal->text.n) == 0) found(finds, literal->id);
  }
}

static void scan_anywhere(const fl_sigma_scan *scan, const uint8_t *text, size_t n,
                          fl_sigma_finds *finds) {
  const uint64_t *grams = scan->grams;
  const unsigned shift = scan->shift;
  for (size_t at = 0; at + GRAM <= n; at++) {
    const uint32_t bit = mix32(load32(text + at)) >> shift;
    if (grams[bit >> 6] >> (bit & 63) & 1) check_gram(scan, text, n, at, finds);
  }
}

/* Literals of two or three bytes that stand at `at`. */
static void check_pair(const fl_sigma_scan *scan, const uint8_t *text, size_t n, size_t at,
                       fl_sigma_finds *finds) {
  const table *t = &scan->brief;
  const uint32_t pair = load16(text + at);
  const size_t bucket = bucket_of(t, (uint64_t)mix32(pair) << 32);
  for (uint32_t i = t->starts[bucket]; i < t->starts[bucket + 1]; i++) {
    const fl_sigma_literal *literal = &scan->literals[t->entries[i].literal];
    if (t->entries[i].key != pair || literal->text.n > n - at) continue;
    if (literal->text.n == 2 || (uint8_t)literal->text.p[2] == text[at + 2])
      found(finds, literal->id);
  }
}

static void scan_brief(const fl_sigma_scan *scan, const uint8_t *text, size_t n,
                       fl_sigma_finds *finds) {
  const uint64_t *pairs = scan->pairs;
  for (size_t at = 0; at + 2 <= n; at++) {
    const uint32_t pair = load16(text + at);
    if (pairs[pair >> 6] >> (pair & 63) & 1) check_pair(scan, text, n, at, finds);
  }
}

/* Literals at an end whose key has n_key bytes; `at` is where that key begins. */
static void check_edge(const fl_sigma_scan *scan, const table *t, fl_str text, size_t n_key,
                       fl_sigma_finds *finds) {
  const bool is_suffix = t == &scan->suffix;
  const uint8_t *p = (const uint8_t *)text.p;
  const uint64_t key = load_edge(is_suffix ? p + text.n - n_key : p, n_key);
  const size_t bucket = bucket_of(t, mix64(key, n_key));
  for (uint32_t i = t->starts[bucket]; i < t->starts[bucket + 1]; i++) {
    const fl_sigma_literal *literal = &scan->literals[t->entries[i].literal];
    const size_t n = literal->text.n;
    if (t->entries[i].key != key || n > text.n || (n < EDGE ? n : EDGE) != n_key) continue;
    if (memcmp(is_suffix ? p + text.n - n : p, literal->text.p, n) == 0) found(finds, literal->id);
  }
}

static void scan_edge(const fl_sigma_scan *scan, const table *t, uint16_t lengths, fl_str text,
                      fl_sigma_finds *finds) {
  for (unsigned left = lengths; left; left &= left - 1) {
    const size_t n_key = (size_t)__builtin_ctz(left);
    if (n_key <= text.n) check_edge(scan, t, text, n_key, finds);
  }
}

static void scan_whole(const fl_sigma_scan *scan, fl_str text, fl_sigma_finds *finds) {
  const table *t = &scan->whole;
  if (!(scan->whole_lengths >> (text.n < 63 ? text.n : 63) & 1)) return;
  const uint64_t key = fl_hash_bytes(text.p, text.n, 0);
  const size_t bucket = bucket_of(t, mix64(key, 0));
  for (uint32_t i = t->starts[bucket]; i < t->starts[bucket + 1]; i++) {
    const fl_sigma_literal *literal = &scan->literals[t->entries[i].literal];
    if (t->entries[i].key == key && fl_str_eq(literal->text, text)) found(finds, literal->id);
  }
}

void fl_sigma_scan_text(const fl_sigma_scan *scan, const uint8_t *text, size_t n,
                        fl_sigma_finds *finds) {
  const fl_str s = {(const char *)text, n};
  if (n == 0) return;
  if (scan->anywhere.n) scan_anywhere(scan, text, n, finds);
  if (scan->brief.n) scan_brief(scan, text, n, finds);
  if (scan->prefix.n) scan_edge(scan, &scan->prefix, scan->prefix_lengths, s, finds);
  if (scan->suffix.n) scan_edge(scan, &scan->suffix, scan->suffix_lengths, s, finds);
  if (scan->whole.n) scan_whole(scan, s, finds);
}
