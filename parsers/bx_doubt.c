/* bx_doubt.c - what speaks against a record that is no longer live.
 *
 * Nothing guards an old record: no checksum covers it, and its bytes may be overwritten in part.
 * What all live records of real logs have in common, an old one has to have too. */
#include "base/raw.h"
#include "base/text.h"
#include "parsers/bx_walk.h"

enum {
  MOST_LEVEL = 16,        /* 0 to 5 are Windows' own, 16 is the first of a provider's */
  MOST_PROCESS = 1 << 24, /* ids of processes and threads are multiples of 4 */
  MOST_NUMBER = 1 << 16,  /* of a well-known SID with one part, as S-1-5-18 */
  MOST_AUTHORITY = 18,
  MOST_KEYWORDS = 11, /* bits; 5 were the most in 66,000 live records */
  MOST_SYSTEM_KEYWORDS = 3,
  MOST_QUALIFIERS = 4
};
#define MOST_RECORD_ID (UINT64_C(1) << 48)
/* An exported record's header has the time of the batch that it was exported with. */
#define MOST_LAG (INT64_C(3600) * 1000000000)

static fl_raw column(const fl_rows *rows, const fl_row *row, fl_column column) {
  const fl_ref *ref = &row->shape->columns[column];
  return ref->kind == FL_REF_SLOT ? rows->slots[row->slot0 + ref->slot] : ref->constant;
}

static uint64_t number_of(fl_raw raw) {
  uint64_t number = 0;
  if (raw.n <= 8 && raw.n > 0) memcpy(&number, raw.p, raw.n);
  return raw.n <= 8 ? number : UINT64_MAX;
}

/* Names of providers and channels: printable ASCII, not empty. */
static bool is_plain_name(fl_raw raw) {
  raw = raw.type == FL_T_STR16 ? fl_raw_trim(raw) : raw;
  const uint32_t unit = raw.type == FL_T_STR16 ? 2 : 1;
  if (raw.type != FL_T_STR16 && raw.type != FL_T_UTF8) return false;
  for (uint32_t i = 0; i + unit <= raw.n; i += unit) {
    const uint32_t c = unit == 2 ? fl_le16(raw.p + i) : raw.p[i];
    if (c < ' ' || c > '~') return false;
  }
  return raw.n >= unit;
}

/* Text that no program writes: halves of pairs, code points for private use or for nothing, and
 * control characters but for those of layout, colour and parts. */
static bool is_odd_unit(uint32_t c) {
  if (c < ' ') return c != 0 && c != '\t' && c != '\n' && c != '\r' && c != 0x1b;
  return (c >= 0xe000 && c < 0xf900) || (c >= 0xfdd0 && c < 0xfdf0) || c >= 0xfffe;
}

static bool is_odd_text(fl_raw raw) {
  for (uint32_t i = 0; i + 2 <= raw.n; i += 2) {
    const uint32_t c = fl_le16(raw.p + i);
    if (is_odd_unit(c)) return true;
    if (c < 0xd800 || c >= 0xe000) continue;
    const uint32_t next = i + 4 <= raw.n ? fl_le16(raw.p + i + 2) : 0;
    if (c >= 0xdc00 || next < 0xdc00 || next >= 0xe000) return true;
    i += 2;
  }
  return false;
}

static bool is_plausible_sid(fl_raw raw) {
  if (raw.type == FL_T_NULL || raw.n == 0) return true;
  if (raw.type != FL_T_SID || raw.n < 12 || raw.p[0] != 1) return false;
  if (raw.p[2] || raw.p[3] || raw.p[4] || raw.p[5] || raw.p[6] || raw.p[7] > MOST_AUTHORITY ||
      (raw.p[7] == 0 && fl_le32(raw.p + 8) != 0))
    return false;
  return raw.p[1] != 1 || raw.p[7] != 5 || fl_le32(raw.p + 8) < MOST_NUMBER;
}

static bool is_plausible_process(const fl_rows *rows, const fl_row *row) {
  const uint64_t pid = number_of(column(rows, row, FL_C_PID));
  const uint64_t tid = number_of(column(rows, row, FL_C_TID));
  return pid < MOST_PROCESS && tid < MOST_PROCESS && pid % 4 == 0 && tid % 4 == 0;
}

/* The id and the time of a record stand in its header too; in exported and forwarded logs others,
 * and no time at all in the last record of an export: there a live record's place says enough. */
static bool fits_header(const fl_rows *rows, const fl_row *row, const bx_surroundings *in) {
  int64_t lag = 0; /* times of two thousand years apart have none */
  if (row->flags & FL_F_TIME_INVALID || __builtin_sub_overflow(row->t, row->t_written, &lag))
    return false;
  if (in->is_live && row->t_written == 0)
    return number_of(column(rows, row, FL_C_RECORD_ID)) < MOST_RECORD_ID;
  if (!in->may_differ) return lag == 0 && bx_has_id_of_header(rows, row);
  return lag <= MOST_LAG && lag >= -MOST_LAG &&
         number_of(column(rows, row, FL_C_RECORD_ID)) < MOST_RECORD_ID;
}

bool bx_has_id_of_header(const fl_rows *rows, const fl_row *row) {
  return number_of(column(rows, row, FL_C_RECORD_ID)) == row->header_record_id;
}

/* Bits of keywords say one thing each, and few of them at once; the upper 16 are the system's. So
 * are those of an old event id's upper half: severity, customer, facility. */
static bool has_plausible_bits(const fl_rows *rows, const fl_row *row) {
  const uint64_t keywords = number_of(column(rows, row, FL_C_KEYWORDS));
  const uint64_t qualifiers = number_of(column(rows, row, FL_C_QUALIFIERS));
  return __builtin_popcountll(keywords) <= MOST_KEYWORDS &&
         __builtin_popcountll(keywords >> 48) <= MOST_SYSTEM_KEYWORDS &&
         __builtin_popcountll(qualifiers) <= MOST_QUALIFIERS;
}

/* Whether the text of a value stands in the chunk a second time. */
static bool is_repeated(const fl_raw *text, const bx_surroundings *in) {
  const uint8_t *end = in->bytes + in->n_bytes;
  const uint8_t *hit = memmem(in->bytes, in->n_bytes, text->p, text->n);
  if (hit == text->p) hit = memmem(text->p + 1, (size_t)(end - text->p) - 1, text->p, text->n);
  return hit != NULL;
}

/* "Microsoft-Windows-X" and "Microsoft-Windows-X/Operational". */
static bool begins_with(fl_raw channel, fl_raw provider) {
  return channel.type == provider.type && channel.n > provider.n && provider.n > 0 &&
         memcmp(channel.p, provider.p, provider.n) == 0;
}

/* Names of a provider and a channel that are values of the record, and not its template's, need a
 * witness: each other, or another record. */
static bool has_witness(const fl_rows *rows, const fl_row *row, const bx_surroundings *in) {
  const fl_raw provider = column(rows, row, FL_C_PROVIDER);
  const fl_raw channel = column(rows, row, FL_C_CHANNEL);
  if (begins_with(channel, provider)) return true;
  const bool is_provider_known = provider.type == FL_T_UTF8 || is_repeated(&provider, in);
  return is_provider_known && (channel.type == FL_T_UTF8 || is_repeated(&channel, in));
}

bool bx_is_plausible(const fl_rows *rows, const fl_row *row, const bx_surroundings *in) {
  const fl_shape *shape = row->shape;
  if (shape->columns[FL_C_EVENT_ID].kind == FL_REF_NONE ||
      shape->columns[FL_C_RECORD_ID].kind == FL_REF_NONE ||
      shape->columns[FL_C_TIME].kind == FL_REF_NONE)
    return false;
  return fits_header(rows, row, in) && is_plausible_process(rows, row) &&
         is_plain_name(column(rows, row, FL_C_PROVIDER)) &&
         is_plain_name(column(rows, row, FL_C_CHANNEL)) &&
         number_of(column(rows, row, FL_C_LEVEL)) <= MOST_LEVEL && has_plausible_bits(rows, row) &&
         is_plausible_sid(column(rows, row, FL_C_USER_SID)) &&
         (in->is_live || has_witness(rows, row, in));
}

bool bx_has_odd_text(const fl_rows *rows, const fl_row *row) {
  for (uint32_t i = 0; i < row->shape->n_slots; i++) {
    const fl_raw raw = rows->slots[row->slot0 + i];
    if (raw.type == FL_T_STR16 && is_odd_text(raw)) return true;
  }
  return false;
}

static bool is_plain_text(fl_str text) {
  return is_plain_name((fl_raw){(const uint8_t *)text.p, (uint32_t)text.n, FL_T_UTF8, 0});
}

/* Control characters, and what stands for bytes that are no text. */
static bool is_odd_utf8(fl_raw raw) {
  const fl_str text = {(const char *)raw.p, raw.n};
  for (size_t at = 0; at < text.n;)
    if (is_odd_unit(fl_utf8_next(text, &at))) return true;
  return false;
}

bool bx_is_plausible_text(const fl_rows *rows, const fl_row *row) {
  const fl_shape *shape = row->shape;
  bool is = shape->columns[FL_C_EVENT_ID].kind != FL_REF_NONE &&
            is_plain_name(column(rows, row, FL_C_PROVIDER)) &&
            is_plain_name(column(rows, row, FL_C_CHANNEL));
  for (uint32_t i = 0; i < shape->n_fields && is; i++) is = is_plain_text(shape->fields[i].name);
  for (uint32_t i = 0; i < shape->n_slots && is; i++)
    is = !is_odd_utf8(rows->slots[row->slot0 + i]);
  return is;
}

/* A field's name that no provider declares. */
bool bx_has_odd_name(const bx_words *words) {
  for (size_t i = 0; i + 1 < words->n; i++) {
    if (bx_word_tag(words->items[i]) != BX_ATTR || bx_word_tag(words->items[i + 1]) != BX_CONST)
      continue;
    const fl_str text = *(const fl_str *)(uintptr_t)bx_word_payload(words->items[i + 1]);
    if (!is_plain_text(text)) return true;
  }
  return false;
}
