/* hive_bins.c - bins of a hive that are not sound: libregf gives up a hive at the first of them. */
#include <string.h>

#include "parsers/hive_ask.h"

enum { BASE_BLOCK = 4096, PAGE = 4096, BIN_HEADER = 32, CHECKSUM = 508 };

/* "hbin", u32 offset behind the base block, u32 size. 0: no sound bin begins here. */
static size_t bin_size(const uint8_t *bytes, size_t n_bytes, size_t at) {
  uint32_t offset = 0, size = 0;
  if (n_bytes - at < BIN_HEADER || memcmp(bytes + at, "hbin", 4) != 0) return 0;
  memcpy(&offset, bytes + at + 4, sizeof offset);
  memcpy(&size, bytes + at + 8, sizeof size);
  const bool is_sound = offset == at - BASE_BLOCK && size >= PAGE && size % PAGE == 0;
  return is_sound && size <= n_bytes - at ? size : 0;
}

/* At 508: u32, the 127 numbers in front of it XORed. 0 and all ones are never written. */
static uint32_t checksum(const uint8_t *bytes) {
  uint32_t sum = 0;
  for (size_t at = 0; at < CHECKSUM; at += 4) {
    uint32_t number = 0;
    memcpy(&number, bytes + at, sizeof number);
    sum ^= number;
  }
  return sum == 0 ? 1 : sum == UINT32_MAX ? UINT32_MAX - 1 : sum;
}

static bool has_checksum(const uint8_t *bytes) {
  const uint32_t right = checksum(bytes);
  return memcmp(bytes + CHECKSUM, &right, sizeof right) == 0;
}

/* A page that no bin covers becomes one: what lies in it stays lost, but no more than that. The
 * header's own length of all bins may be wrong, too. Returns where the last bin ends. */
size_t hive_mend(uint8_t *bytes, size_t n_bytes) {
  uint32_t at = BASE_BLOCK;
  while (n_bytes - at >= PAGE) {
    const size_t size = bin_size(bytes, n_bytes, at);
    if (size == 0) {
      const uint32_t header[3] = {0x6e696268, at - BASE_BLOCK, PAGE};
      memcpy(bytes + at, header, sizeof header);
    }
    at += size ? (uint32_t)size : PAGE;
  }
  const uint32_t n_bins = at - BASE_BLOCK;
  memcpy(bytes + 40, &n_bins, sizeof n_bins);
  const uint32_t sum = checksum(bytes);
  memcpy(bytes + CHECKSUM, &sum, sizeof sum);
  return at;
}

/* At 40: u32 bytes of all bins. Behind them may be anything. */
size_t hive_bad_pages(const hive_question *hive, size_t *ret_first) {
  uint32_t n_bins = 0;
  size_t n_bad = 0, at = BASE_BLOCK;
  if (hive->n_bytes < BASE_BLOCK) return 0;
  memcpy(&n_bins, hive->bytes + 40, sizeof n_bins);
  const size_t end = n_bins < hive->n_bytes - BASE_BLOCK ? BASE_BLOCK + n_bins : hive->n_bytes;
  while (at < end) {
    const size_t size = bin_size(hive->bytes, hive->n_bytes, at);
    if (size == 0 && n_bad++ == 0) *ret_first = at;
    at += size ? size : PAGE;
  }
  const bool is_short = n_bad == 0 && n_bins > hive->n_bytes - BASE_BLOCK;
  const bool is_header_bad = !has_checksum(hive->bytes);
  if (is_short) *ret_first = end;
  if (is_header_bad) *ret_first = 0;
  return n_bad + is_short + is_header_bad;
}
