/* evtx_old.c - old records: how their headers are told from chance, and which of them are copies.
 */
#include "parsers/evtx_old.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"

/* 2000-01-01 to 2100-01-01 as FILETIME: event logs of this kind exist since 2006. */
#define FILETIME_2000 UINT64_C(125911584000000000)
#define FILETIME_2100 UINT64_C(157469184000000000)
/* Ids count records one by one: a log of a million events a second takes 9 years to get there. */
#define MOST_ID (UINT64_C(1) << 48)

void evtx_old_at(const uint8_t *bytes, size_t at, size_t end, evtx_old *ret_old) {
  *ret_old = (evtx_old){.at = at, .to = end};
  fl_rd rd = fl_rd_of(bytes, end);
  fl_rd_seek(&rd, at + 4);
  const uint32_t size = fl_rd_u32(&rd);
  ret_old->id = fl_rd_u64(&rd);
  ret_old->written = fl_rd_u64(&rd);
  fl_rd_skip(&rd, 4); /* the fragment's header */
  const uint16_t token = fl_rd_u16(&rd);
  const uint32_t template = fl_rd_u32(&rd);
  if (fl_rd_ok(&rd) && token == 0x010c) ret_old->template = template;
  ret_old->is_whole = evtx_is_record(bytes, at, end);
  if (size <= end - at) ret_old->to = at + size;
}

bool evtx_old_find(const uint8_t *bytes, size_t from, size_t end, evtx_old *ret_old) {
  static const uint8_t magic[4] = {0x2a, 0x2a, 0, 0};
  while (end - from >= EVTX_RECORD_MIN + 10) {
    const uint8_t *hit = memmem(bytes + from, end - from, magic, sizeof magic);
    if (!hit) return false;
    const size_t at = (size_t)(hit - bytes);
    evtx_old_at(bytes, at, end, ret_old);
    const bool is_one = ret_old->id - 1 < MOST_ID && ret_old->written >= FILETIME_2000 &&
                        ret_old->written < FILETIME_2100 && end - at >= EVTX_RECORD_MIN + 10 &&
                        ret_old->to - at >= EVTX_RECORD_MIN + 10;
    if (is_one) return true;
    from = at + 1;
  }
  return false;
}

/* ---- copies ---- */

static size_t place_of(const evtx_olds *olds, const evtx_old *old) {
  const uint64_t hash = fl_hash_mix(fl_hash_mix(old->id, old->written), old->template);
  size_t at = (size_t)(hash >> 8) & (olds->cap - 1);
  for (; olds->keys[at].id; at = (at + 1) & (olds->cap - 1)) {
    const evtx_old_key *key = &olds->keys[at];
    if (key->id == old->id && key->written == old->written && key->template == old->template) break;
  }
  return at;
}

static bool grow(evtx_olds *olds) {
  if (olds->n * 2 < olds->cap) return true;
  evtx_olds grown = {.cap = olds->cap ? olds->cap * 2 : 256};
  if (!(grown.keys = calloc(grown.cap, sizeof *grown.keys))) return false;
  for (size_t i = 0; i < olds->cap; i++) {
    const evtx_old_key *key = &olds->keys[i];
    if (!key->id) continue;
    const evtx_old old = {.id = key->id, .written = key->written, .template = key->template};
    grown.keys[place_of(&grown, &old)] = *key;
  }
  free(olds->keys);
  olds->keys = grown.keys;
  olds->cap = grown.cap;
  return true;
}

fl_status evtx_olds_add(evtx_olds *olds, const evtx_old *old, fl_err *err) {
  if (!grow(olds)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  evtx_old_key *key = &olds->keys[place_of(olds, old)];
  if (key->id) return FL_OK;
  if (olds->n >= FL_LIMIT_OLD_RECORDS)
    return fl_fail(err, FL_E_LIMIT, 0, "limit reached: one log has at most %d old records",
                   FL_LIMIT_OLD_RECORDS);
  *key = (evtx_old_key){old->id, old->written, old->template, EVTX_COPY_NONE};
  olds->n++;
  return FL_OK;
}

evtx_old_key *evtx_olds_find(const evtx_olds *olds, const evtx_old *old) {
  if (!olds->cap) return NULL;
  evtx_old_key *key = &olds->keys[place_of(olds, old)];
  return key->id ? key : NULL;
}

static int by_id(const void *left, const void *right) {
  const uint64_t *a = left, *b = right;
  return (*a > *b) - (*a < *b);
}

fl_status evtx_olds_sort(evtx_olds *olds, fl_err *err) {
  size_t n = 0;
  if (!(olds->ids = calloc(olds->n + 1, sizeof *olds->ids)))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (size_t i = 0; i < olds->cap; i++)
    if (olds->keys[i].id) olds->ids[n++] = olds->keys[i].id;
  qsort(olds->ids, n, sizeof *olds->ids, by_id);
  return FL_OK;
}

bool evtx_olds_has_between(const evtx_olds *olds, uint64_t first, uint64_t last) {
  size_t low = 0, high = olds->n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (olds->ids[middle] < first) low = middle + 1;
    else high = middle;
  }
  return low < olds->n && olds->ids[low] <= last;
}

void evtx_olds_free(evtx_olds *olds) {
  free(olds->keys);
  free(olds->ids);
  *olds = (evtx_olds){0};
}
