/* hash.c - table hash (multiply and fold) and SHA-256 through OpenSSL's libcrypto. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

uint64_t fl_hash_bytes(const void *bytes, size_t n_bytes, uint64_t seed) {
  const uint8_t *p = bytes;
  uint64_t h = seed ^ (n_bytes * UINT64_C(0xff51afd7ed558ccd));
  while (n_bytes >= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    h = fl_hash_mix(h, word);
    p += 8;
    n_bytes -= 8;
  }
  uint64_t tail = 0;
  if (n_bytes) memcpy(&tail, p, n_bytes);
  h = fl_hash_mix(h, tail);
  return fl_hash_mix(h, h >> 32);
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
