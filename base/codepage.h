/* codepage.h - text of old code pages: decoding, and a guess at which one it is. */
#ifndef FL_BASE_CODEPAGE_H
#define FL_BASE_CODEPAGE_H

#include "faultline/core.h"

/* Needs no freeing: it points into constant text. */
typedef struct fl_codepage {
  unsigned number;
  uint16_t high[128];    /* bytes from 0x80 on; 0xfffd: nothing, or a lead byte */
  const char *rows[128]; /* of lead bytes; NULL: none */
  uint8_t last_trail;    /* 0: one byte a character */
} fl_codepage;

/* 437, 850, 852, 857, 866, 932, 936, 1250, 1251, 1252, 1254; any other number gives 1252. */
void fl_codepage_init(fl_codepage *page, unsigned number);
bool fl_codepage_is_known(unsigned number);
/* Needs room of 3 bytes for each byte. What means nothing becomes U+FFFD. */
size_t fl_codepage_to_utf8(const fl_codepage *page, const uint8_t *bytes, size_t n_bytes,
                           char *ret_text);
/* Which code page text is most likely in, by how its bytes beyond ASCII stand together; 1252 when
 * nothing speaks for another one. */
unsigned fl_codepage_guess(const uint8_t *bytes, size_t n_bytes);

#endif
