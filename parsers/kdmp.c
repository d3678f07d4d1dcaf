/* kdmp.c - the header of kernel dumps of 32 and 64 bits. Fields that nobody wrote hold "PAGE".
 *
 * Layout: DUMP_HEADER32 and DUMP_HEADER64 of microsoft/win32metadata. */
#include "parsers/kdmp.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/rd.h"
#include "base/text.h"

enum {
  HEADER_32 = 0x1000,
  HEADER_64 = 0x2000,
  COMMENT = 128,
  CONTEXT_64 = 3000,
  CONTEXT_32 = 1200
};

const char *const kdmp_confidence_names[KDMP_N_CONFIDENCES] = {"low", "medium", "high"};

/* Offsets of the header's fields; 0: there is none. */
static const struct layout {
  uint16_t page_table, module_list, machine, processors, code, parameters, context, type, time,
      comment, uptime, product, suite;
} layouts[2] = {
    {0x10, 0x18, 0x20, 0x24, 0x28, 0x2C, 0x320, 0xF88, 0xFC0, 0x820, 0xFB8, 0xF94, 0xF98},
    {0x10, 0x20, 0x30, 0x34, 0x38, 0x40, 0x348, 0xF98, 0xFA8, 0xFB0, 0x1030, 0x1040, 0x1044}};

static uint32_t word(const uint8_t *p) {
  const uint32_t value = fl_le32(p);
  return value == 0x45474150 ? 0 : value;
}

static uint64_t long_word(const uint8_t *p) {
  const uint64_t value = fl_le64(p);
  return value == UINT64_C(0x4547415045474150) ? 0 : value;
}

/* Addresses of 32 bits are kept as they are. */
static uint64_t pointer(const kdmp *k, const uint8_t *p) {
  return k->is_64 ? long_word(p) : word(p);
}

fl_str kdmp_utf16(kdmp *k, const uint8_t *bytes, size_t n_bytes) {
  size_t n = 0;
  while (n + 2 <= n_bytes && (bytes[n] || bytes[n + 1])) n += 2;
  char *text = fl_arena_take(k->arena, n / 2 * 3);
  return text ? (fl_str){text, fl_utf16_to_utf8(bytes, n / 2, text)} : (fl_str){0};
}

fl_str kdmp_file_name(fl_str path) {
  size_t at = path.n;
  while (at > 0 && path.p[at - 1] != '\\') at--;
  if (at == 0) return path;
  return (fl_str){path.p + at, path.n - at};
}

static fl_str comment_of(kdmp *k, const uint8_t *p) {
  if (memcmp(p, "PAGE", 4) == 0) return (fl_str){0};
  const size_t n = strnlen((const char *)p, COMMENT);
  char *text = fl_arena_take(k->arena, 3 * n);
  return text ? (fl_str){text, fl_cp1252_to_utf8(p, n, text)} : (fl_str){0};
}

static uint16_t arch_of(uint32_t machine) {
  switch (machine) {
    case 0x14C:
      return DUMP_X86;
    case 0x8664:
      return DUMP_AMD64;
    case 0xAA64:
      return DUMP_ARM64;
    case 0x1C4:
      return DUMP_ARM;
    default:
      return DUMP_UNKNOWN;
  }
}

static void read_header(kdmp *k, const uint8_t *p) {
  const struct layout *at = &layouts[k->is_64];
  const size_t size = k->is_64 ? 8 : 4;
  k->build = word(p + 0x0C);
  k->page_table = pointer(k, p + at->page_table);
  k->module_list = pointer(k, p + at->module_list);
  k->machine = word(p + at->machine);
  k->space.arch = arch_of(k->machine);
  k->n_processors = word(p + at->processors);
  k->bugcheck = word(p + at->code);
  for (size_t i = 0; i < 4; i++) k->parameters[i] = pointer(k, p + at->parameters + i * size);
  k->context = (dump_place){k->is_64 ? CONTEXT_64 : CONTEXT_32, at->context};
  k->type = word(p + at->type);
  if (!fl_time_from_filetime(long_word(p + at->time), &k->time)) k->time = 0;
  k->uptime = long_word(p + at->uptime);
  k->product = word(p + at->product);
  k->suite = word(p + at->suite);
  k->comment = comment_of(k, p + at->comment);
}

const uint8_t *kdmp_bytes_at(kdmp *k, uint64_t address, size_t n_bytes) {
  return fl_vmem_bytes(&k->space.memory, &k->space.window, address, n_bytes);
}

static bool read_body(kdmp *k, const kdmp_watcher *w) {
  if (k->type == KDMP_TRIAGE) return kdmp_read_triage(k, w);
  return kdmp_read_pages(k, w);
}

fl_status kdmp_read(fl_source *source, uint8_t *window, fl_arena *arena, const kdmp_watcher *w,
                    kdmp *ret_dump, fl_err *err) {
  kdmp *k = ret_dump;
  *k = (kdmp){.space = {.window = fl_window_of(source, window), .arch = DUMP_UNKNOWN},
              .arena = arena,
              .is_whole = true,
              .pid = -1};
  const uint8_t *p = fl_window_bytes(&k->space.window, 0, 8);
  if (!p || memcmp(p, "PAGE", 4) != 0)
    return fl_fail(err, FL_E_CORRUPT, 0, "no header of a kernel dump");
  k->is_64 = memcmp(p + 4, "DU64", 4) == 0;
  const size_t n_header = k->is_64 ? HEADER_64 : HEADER_32;
  p = fl_window_bytes(&k->space.window, 0, n_header);
  if (!p)
    return fl_fail(err, FL_E_CORRUPT, 0, "header of %zu bytes in a file of %" PRIu64, n_header,
                   fl_source_size(source));
  read_header(k, p);
  if (w->range) w->range(w->self, 0, n_header, NULL);
  k->registers = dump_registers_at(&k->space, k->context);
  if (!read_body(k, w)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (!dump_space_settle(&k->space, arena)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  kdmp_find_fault(k);
  return FL_OK;
}

const char *kdmp_type_name(uint32_t type) {
  static const char *const names[] = {"unknown",         "full",
                                      "kernel summary",  "header alone",
                                      "triage",          "full (bitmap)",
                                      "kernel (bitmap)", "automatic",
                                      "live kernel",     "live kernel, active pages",
                                      "live, full"};
  return type < sizeof names / sizeof *names ? names[type] : names[0];
}
