/* known.c - formats that are told apart but not read by this version; none of them has an `open`.
 */
#include <string.h>

#include "base/text.h"
#include "parsers/parser.h"

static bool has_bytes(const fl_probe *probe, size_t at, const char *bytes, size_t n) {
  return probe->n_head >= at + n && memcmp(probe->head + at, bytes, n) == 0;
}

/* The buffer header says type 4 (header), its first event is a system header with marker 0xc0:
 * docs/formats/bundles.md, "Recognised formats". */
static int probe_etl(const fl_probe *probe) {
  if (probe->n_head < 0x50) return 0;
  const uint8_t *h = probe->head;
  const bool is_header = fl_le16(h + 0x36) == 4 && fl_le32(h) >= 0x48 && fl_le32(h) <= 16u << 20;
  const bool has_event = (h[0x4a] == 1 || h[0x4a] == 2) && h[0x4b] == 0xc0;
  return is_header && has_event ? 100 : 0;
}

/* section header block, length, byte order magic in either order */
static int probe_pcapng(const fl_probe *probe) {
  if (!has_bytes(probe, 0, "\x0a\x0d\x0d\x0a", 4)) return 0;
  const bool has_order =
      has_bytes(probe, 8, "\x4d\x3c\x2b\x1a", 4) || has_bytes(probe, 8, "\x1a\x2b\x3c\x4d", 4);
  return has_order ? 100 : 0;
}

/* magic for micro- or nanoseconds in either order, u16 major 2, u16 minor 4 */
static int probe_pcap(const fl_probe *probe) {
  const bool is_little = has_bytes(probe, 0, "\xd4\xc3\xb2\xa1\2\0", 6) ||
                         has_bytes(probe, 0, "\x4d\x3c\xb2\xa1\2\0", 6);
  const bool is_big = has_bytes(probe, 0, "\xa1\xb2\xc3\xd4\0\2", 6) ||
                      has_bytes(probe, 0, "\xa1\xb2\x3c\x4d\0\2", 6);
  return is_little || is_big ? 100 : 0;
}

/* What other tools say of these formats: docs/formats/bundles.md, "Recognised formats". */
#define KNOWN(id, words, advice)                                                            \
  const fl_parser fl_parser_##id = {.name = #id,                                            \
                                    .summary = words " (recognised, not read)",             \
                                    .instead = words ": not read by this version; " advice, \
                                    .probe = probe_##id};
KNOWN(etl, "event trace log", "convert it with \"tracerpt FILE -of EVTX\" on a Windows machine")
KNOWN(pcapng, "packet capture", "open it in Wireshark")
KNOWN(pcap, "packet capture", "open it in Wireshark")
