/* tags.c - looks up the rules that matched a record. */
#include "timeline/tags.h"

static bool is_before(const fl_tag *tag, uint32_t source, uint64_t seq) {
  return tag->source != source ? tag->source < source : tag->seq < seq;
}

void fl_tags_pack(const fl_tags *tags, uint32_t source, uint64_t seq, fl_pack *pack) {
  size_t low = 0, high = tags->n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (is_before(&tags->items[middle], source, seq)) low = middle + 1;
    else high = middle;
  }
  const fl_tag *first = &tags->items[low];
  size_t n = 0;
  while (low + n < tags->n && first[n].source == source && first[n].seq == seq) n++;
  if (n == 0) return;
  fl_pack_array(pack, n);
  for (size_t i = 0; i < n; i++) fl_pack_str(pack, tags->names[first[i].name]);
}
