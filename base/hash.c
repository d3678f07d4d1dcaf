/* hash.c - table hash (multiply and fold) and SHA-256 through OpenSSL's libcrypto. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static uint64_t load64(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

static uint32_t load32(const uint8_t *p) {
  uint32_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

static uint64_t fold128(uint64_t a, uint64_t b) {
  __extension__ typedef unsigned __int128 wide;
  const wide product = (wide)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t fl_hash_bytes(const void *bytes, size_t n_bytes, uint64_t seed) {
  static const uint64_t k[3] = {UINT64_C(0xa0761d6478bd642f), UINT64_C(0xe7037ed1a0b428db),
                                UINT64_C(0x8ebc6af09c88c6e3)};
  const uint8_t *p = bytes;
  const uint64_t length = n_bytes;
  uint64_t one = seed ^ k[0], two = seed ^ k[1];
  for (; n_bytes > 32; n_bytes -= 32, p += 32) {
    one = fold128(load64(p) ^ k[0], load64(p + 8) ^ one);
    two = fold128(load64(p + 16) ^ k[1], load64(p + 24) ^ two);
  }
  if (n_bytes > 16) {
    one = fold128(load64(p) ^ k[0], load64(p + 8) ^ one);
    n_bytes -= 16;
    p += 16;
  }
  uint64_t a = 0, b = 0; /* the last 1 to 16 bytes; loads may overlap */
  if (n_bytes >= 8) {
    a = load64(p);
    b = load64(p + n_bytes - 8);
  } else if (n_bytes >= 4) {
    a = (uint64_t)load32(p) << 32 | load32(p + n_bytes - 4);
  } else if (n_bytes) {
    a = (uint64_t)p[0] << 16 | (uint64_t)p[n_bytes / 2] << 8 | p[n_bytes - 1];
  }
  return fold128(a ^ one, b ^ two ^ length * k[2]);
}

struct fl_sha256 {
  EVP_MD_CTX *context;
};

fl_sha256 *fl_sha256_create(void) {
  fl_sha256 *sha = calloc(1, sizeof *sha);
  if (!sha) return NULL;
  sha->context = EVP_MD_CTX_new();
  if (sha->context && EVP_DigestInit_ex(sha->context, EVP_sha256(), NULL) == 1) return sha;
  EVP_MD_CTX_free(sha->context);
  free(sha);
  return NULL;
}

void fl_sha256_add(fl_sha256 *sha, const void *bytes, size_t n_bytes) {
  (void)EVP_DigestUpdate(sha->context, bytes, n_bytes);
}

void fl_sha256_finish(fl_sha256 *sha, char ret_hex[65]) {
  static const char digits[] = "0123456789abcdef";
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  (void)EVP_DigestFinal_ex(sha->context, sum, &n);
  for (unsigned i = 0; i < 32; i++) {
    ret_hex[2 * i] = digits[sum[i] >> 4];
    ret_hex[2 * i + 1] = digits[sum[i] & 15];
  }
  ret_hex[64] = '\0';
  EVP_MD_CTX_free(sha->context);
  free(sha);
}
