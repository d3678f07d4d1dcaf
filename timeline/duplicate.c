/* duplicate.c - the second copy of an event (archived log, export) is marked, never dropped. */
#include "timeline/duplicate.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rd.h"

/* Of one instant; later copies beyond it stay unmarked. */
enum { KEY_BYTES_MAX = 32 << 20, FIRST_SLOTS = 64 };

void fl_duplicates_done(fl_duplicates *duplicates) {
  fl_pack_free(&duplicates->keys);
  free(duplicates->slots);
}

/* Appends the key's values; false when the event has no record id, or no channel in which that
 * would be a name: what text files say bears the number of its line. */
static bool pack_key(fl_duplicates *duplicates, const fl_familiars *familiars, const fl_plan *plan,
                     const uint8_t *at) {
  static const bool is_part[FL_C_COUNT] = {[FL_C_PROVIDER] = true,
                                           [FL_C_EVENT_ID] = true,
                                           [FL_C_RECORD_ID] = true,
                                           [FL_C_CHANNEL] = true,
                                           [FL_C_HOST] = true};
  fl_pack *keys = &duplicates->keys;
  for (unsigned column = 0; column <= FL_C_HOST; column++) {
    fl_str value = plan->constants[column];
    if (!value.n) value = fl_familiars_take(familiars, &at);
    const bool is_name = column == FL_C_RECORD_ID || column == FL_C_CHANNEL;
    if (is_name && (uint8_t)value.p[0] == 0xc0) return false;
    if (is_part[column]) fl_pack_bytes(keys, value.p, value.n);
  }
  return !keys->failed;
}

static bool grow_slots(fl_duplicates *duplicates) {
  const size_t n_slots = duplicates->n_slots ? duplicates->n_slots * 2 : FIRST_SLOTS;
  fl_duplicate_slot *slots = calloc(n_slots, sizeof *slots);
  if (!slots) return false;
  for (size_t i = 0; i < duplicates->n_slots; i++) {
    const fl_duplicate_slot *slot = &duplicates->slots[i];
    if (slot->round != duplicates->round) continue;
    size_t at = slot->hash & (n_slots - 1);
    while (slots[at].round == duplicates->round) at = (at + 1) & (n_slots - 1);
    slots[at] = *slot;
  }
  free(duplicates->slots);
  duplicates->slots = slots;
  duplicates->n_slots = n_slots;
  return true;
}

static void start_round(fl_duplicates *duplicates, fl_time t) {
  if (duplicates->round != 0 && t == duplicates->t) return;
  duplicates->t = t;
  duplicates->round++;
  duplicates->keys.n = 0;
  duplicates->n_used = 0;
}

/* A live event is not hidden by a recovered copy of itself that happens to come first. */
static bool match(fl_duplicate_slot *slot, bool is_live) {
  if (is_live && !slot->is_live) {
    slot->is_live = true;
    return false;
  }
  return true;
}

bool fl_duplicates_see(fl_duplicates *duplicates, const fl_row_head *head, const uint8_t *bytes) {
  start_round(duplicates, head->t);
  if (duplicates->n_used * 2 >= duplicates->n_slots && !grow_slots(duplicates)) return false;
  const fl_legend_item *with = &duplicates->legend->items[head->packer];
  fl_plan inline_plan;
  const fl_plan *plan = &inline_plan;
  if (head->plan != FL_PLAN_INLINE) {
    plan = with->plans->plans[head->plan];
  } else {
    const uint32_t n_blob = fl_le32(bytes);
    fl_plan_parse((fl_str){(const char *)bytes + 4, n_blob}, &inline_plan);
    bytes += 4 + n_blob;
  }
  const size_t start = duplicates->keys.n;
  const bool has_key = pack_key(duplicates, with->familiars, plan, bytes);
  const size_t n = duplicates->keys.n - start;
  duplicates->keys.n = start;
  if (!has_key) return false;
  const uint8_t *key = duplicates->keys.p + start;
  const bool is_live = !(head->flags & (FL_F_SLACK | FL_F_RECOVERED));
  const uint64_t hash = fl_hash_bytes(key, n, 0);
  size_t at = hash & (duplicates->n_slots - 1);
  for (; duplicates->slots[at].round == duplicates->round;
       at = (at + 1) & (duplicates->n_slots - 1)) {
    fl_duplicate_slot *slot = &duplicates->slots[at];
    if (slot->hash == hash && slot->n == n && memcmp(duplicates->keys.p + slot->at, key, n) == 0)
      return match(slot, is_live);
  }
  if (start + n > KEY_BYTES_MAX) return false;
  duplicates->keys.n = start + n;
  duplicates->slots[at] = (fl_duplicate_slot){hash, duplicates->round, start, n, is_live};
  duplicates->n_used++;
  return false;
}
