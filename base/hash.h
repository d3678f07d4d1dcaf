/* hash.h - a fast hash for tables, and SHA-256 for evidence. */
#ifndef FL_BASE_HASH_H
#define FL_BASE_HASH_H

#include "faultline/core.h"

/* Folds 16 bytes a step by a product of 128 bits. For tables in memory and for digests, against
 * chance and not against an attacker: it never decides an order or what is equal. */
uint64_t fl_hash_bytes(const void *bytes, size_t n_bytes, uint64_t seed);
static inline uint64_t fl_hash_mix(uint64_t h, uint64_t word) {
  h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
  return h ^ (h >> 29);
}

typedef struct fl_sha256 fl_sha256;
fl_sha256 *fl_sha256_create(void);
void fl_sha256_add(fl_sha256 *sha, const void *bytes, size_t n_bytes);
/* Writes 64 lower-case digits and a NUL; frees. */
void fl_sha256_finish(fl_sha256 *sha, char ret_hex[65]);

#endif
