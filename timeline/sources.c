/* sources.c - source objects of a timeline file become fl_source_info again. */
#include "timeline/sources.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "timeline/decode.h"

void fl_sources_done(fl_sources *sources) {
  free(sources->items);
  free(sources->keys);
  free(sources->slots);
}

/* Keys are the sender's: they are mixed before they place anything. */
static size_t slot_of(const fl_sources *sources, uint64_t key) {
  return fl_hash_mix(0, key) & (sources->n_slots - 1);
}

bool fl_sources_find(fl_sources *sources, uint64_t key, uint32_t *ret_id) {
  if (sources->n == 0) return false;
  if (sources->last < sources->n && sources->keys[sources->last] == key) {
    *ret_id = sources->last;
    return true;
  }
  for (size_t at = slot_of(sources, key); sources->slots[at];
       at = (at + 1) & (sources->n_slots - 1)) {
    const uint32_t id = sources->slots[at] - 1;
    if (sources->keys[id] != key) continue;
    *ret_id = sources->last = id;
    return true;
  }
  return false;
}

static void place(fl_sources *sources, uint32_t id) {
  size_t at = slot_of(sources, sources->keys[id]);
  while (sources->slots[at]) at = (at + 1) & (sources->n_slots - 1);
  sources->slots[at] = id + 1;
}

static bool grow(fl_sources *sources) {
  void *items = sources->items;
  void *keys = sources->keys;
  if (!fl_grow(&items, &sources->cap_items, sources->n + 1, sizeof *sources->items)) return false;
  sources->items = items;
  if (!fl_grow(&keys, &sources->cap_keys, sources->n + 1, sizeof *sources->keys)) return false;
  sources->keys = keys;
  if (sources->n * 2 < sources->n_slots) return true;
  const size_t n_slots = sources->n_slots ? sources->n_slots * 2 : 64;
  uint32_t *slots = calloc(n_slots, sizeof *slots);
  if (!slots) return false;
  free(sources->slots);
  sources->slots = slots;
  sources->n_slots = n_slots;
  for (uint32_t id = 0; id < sources->n; id++) place(sources, id);
  return true;
}

fl_status fl_sources_add(fl_sources *sources, uint64_t key, const fl_source_info *info,
                         uint32_t *ret_id, fl_err *err) {
  if (sources->n >= UINT32_MAX / 2 || !grow(sources))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  const uint32_t id = (uint32_t)sources->n;
  sources->items[id] = *info;
  sources->items[id].id = id;
  sources->items[id].name = fl_arena_str(sources->arena, info->name);
  sources->items[id].type = fl_arena_str(sources->arena, fl_str_of(info->type)).p;
  if (!sources->items[id].name.p || !sources->items[id].type)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  sources->keys[id] = key;
  sources->n++;
  place(sources, id);
  *ret_id = id;
  return FL_OK;
}

static bool is_true(const msgpack_object *object) {
  return object && object->type == MSGPACK_OBJECT_BOOLEAN && object->via.boolean;
}

/* [[offset, length, state, reason]…] */
static fl_status read_ledger(fl_sources *sources, const msgpack_object *object,
                             fl_source_info *info, fl_err *err) {
  if (!object || object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size == 0) return FL_OK;
  const uint32_t n = object->via.array.size;
  fl_range *ranges = FL_NEW_ARRAY(sources->arena, fl_range, n);
  if (!ranges) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (uint32_t i = 0; i < n; i++) {
    const msgpack_object *item = &object->via.array.ptr[i];
    if (item->type != MSGPACK_OBJECT_ARRAY || item->via.array.size < 4)
      return fl_fail(err, FL_E_CORRUPT, 0, "ledger range %u has no four parts", (unsigned)i);
    const msgpack_object *parts = item->via.array.ptr;
    const uint64_t state = fl_object_natural(&parts[2]);
    ranges[i] =
        (fl_range){.offset = fl_object_natural(&parts[0]), .length = fl_object_natural(&parts[1])};
    ranges[i].state = state <= FL_L_UNSUPPORTED ? (fl_ledger_state)state : FL_L_UNKNOWN;
    ranges[i].reason = fl_arena_str(sources->arena, fl_object_text(&parts[3]));
    if (!ranges[i].reason.p) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
    if (ranges[i].length > UINT64_MAX - ranges[i].offset)
      return fl_fail(err, FL_E_CORRUPT, 0, "ledger range %u has no end", (unsigned)i);
  }
  info->ledger = ranges;
  info->n_ledger = n;
  return FL_OK;
}

fl_status fl_sources_read(fl_sources *sources, const msgpack_object *payload, uint32_t *ret_id,
                          fl_err *err) {
  const msgpack_object *key = fl_map_find(payload, "key");
  const msgpack_object *name = fl_map_find(payload, "name");
  const fl_str type = fl_object_text(fl_map_find(payload, "type"));
  const fl_str sha256 = fl_object_text(fl_map_find(payload, "sha256"));
  const msgpack_object *parent = fl_map_find(payload, "parent");
  if (!key || key->type != MSGPACK_OBJECT_POSITIVE_INTEGER || !name ||
      name->type != MSGPACK_OBJECT_STR)
    return fl_fail(err, FL_E_CORRUPT, 0, "source without key or name");
  if (name->via.str.size > FL_LIMIT_SOURCE_NAME)
    return fl_fail(err, FL_E_LIMIT, 0, "a source's name has %" PRIu32 " bytes, at most %d",
                   name->via.str.size, FL_LIMIT_SOURCE_NAME);
  if (fl_sources_find(sources, key->via.u64, ret_id)) return FL_END;
  fl_source_info info = {.parent = UINT32_MAX,
                         .name = fl_object_text(name),
                         .type = fl_arena_str(sources->arena, type).p,
                         .is_container = is_true(fl_map_find(payload, "container")),
                         .is_skipped = is_true(fl_map_find(payload, "skipped")),
                         .is_failed = is_true(fl_map_find(payload, "failed")),
                         .is_cut = is_true(fl_map_find(payload, "cut")),
                         .size_bytes = fl_object_natural(fl_map_find(payload, "size")),
                         .n_events = fl_object_natural(fl_map_find(payload, "events")),
                         .n_recovered = fl_object_natural(fl_map_find(payload, "recovered")),
                         .first = fl_object_integer(fl_map_find(payload, "first")),
                         .last = fl_object_integer(fl_map_find(payload, "last"))};
  if (!info.type) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (sha256.n == sizeof info.sha256 - 1) memcpy(info.sha256, sha256.p, sha256.n);
  if (parent && parent->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
    (void)fl_sources_find(sources, parent->via.u64, &info.parent);
  FL_TRY(read_ledger(sources, fl_map_find(payload, "ledger"), &info, err));
  return fl_sources_add(sources, key->via.u64, &info, ret_id, err);
}
