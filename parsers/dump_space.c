/* dump_space.c - which module lies at an address, and registers as CONTEXT of each processor has
 * them. */
#include "parsers/dump_space.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/rd.h"

static int compare_bases(const void *left, const void *right) {
  const dump_module *a = *(const dump_module *const *)left, *b = *(const dump_module *const *)right;
  if (a->base != b->base) return a->base < b->base ? -1 : 1;
  return a < b ? -1 : a > b;
}

bool dump_space_settle(dump_space *space, fl_arena *arena) {
  fl_vmem_sort(&space->memory);
  if (space->n_modules == 0) return true;
  space->by_base = FL_NEW_ARRAY(arena, const dump_module *, space->n_modules);
  if (!space->by_base) return false;
  for (uint32_t i = 0; i < space->n_modules; i++)
    if (space->modules[i].n_bytes) space->by_base[space->n_by_base++] = &space->modules[i];
  qsort(space->by_base, space->n_by_base, sizeof *space->by_base, compare_bases);
  return true;
}

const dump_module *dump_loaded_at(const dump_space *space, uint64_t address) {
  uint32_t low = 0, high = space->n_by_base;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (space->by_base[middle]->base <= address) low = middle + 1;
    else high = middle;
  }
  if (low == 0) return NULL;
  const dump_module *module = space->by_base[low - 1];
  return address - module->base < module->n_bytes ? module : NULL;
}

const dump_module *dump_unloaded_at(const dump_space *space, uint64_t address) {
  for (uint32_t i = 0; i < space->n_unloaded; i++)
    if (address - space->unloaded[i].base < space->unloaded[i].n_bytes) return &space->unloaded[i];
  return NULL;
}

const char *dump_arch_name(uint16_t arch) {
  switch (arch) {
    case DUMP_X86:
      return "x86";
    case DUMP_ARM:
      return "arm";
    case DUMP_AMD64:
      return "x64";
    case DUMP_ARM64:
    case DUMP_ARM64_OLD:
      return "arm64";
    default:
      return "unknown";
  }
}

/* ---- registers ---- */

typedef struct register_row {
  const char *name;
  uint16_t at;
} register_row;

static const register_row amd64[] = {
    {"rip", 0xF8}, {"rsp", 0x98}, {"rbp", 0xA0}, {"rax", 0x78}, {"rbx", 0x90}, {"rcx", 0x80},
    {"rdx", 0x88}, {"rsi", 0xA8}, {"rdi", 0xB0}, {"r8", 0xB8},  {"r9", 0xC0},  {"r10", 0xC8},
    {"r11", 0xD0}, {"r12", 0xD8}, {"r13", 0xE0}, {"r14", 0xE8}, {"r15", 0xF0}};

static const register_row x86[] = {{"eip", 0xB8}, {"esp", 0xC4}, {"ebp", 0xB4},
                                   {"eax", 0xB0}, {"ebx", 0xA4}, {"ecx", 0xAC},
                                   {"edx", 0xA8}, {"esi", 0xA0}, {"edi", 0x9C}};

static const register_row arm64[] = {
    {"pc", 0x108}, {"sp", 0x100}, {"fp", 0xF0},  {"lr", 0xF8},  {"x0", 0x08},  {"x1", 0x10},
    {"x2", 0x18},  {"x3", 0x20},  {"x4", 0x28},  {"x5", 0x30},  {"x6", 0x38},  {"x7", 0x40},
    {"x8", 0x48},  {"x9", 0x50},  {"x10", 0x58}, {"x11", 0x60}, {"x12", 0x68}, {"x13", 0x70},
    {"x14", 0x78}, {"x15", 0x80}, {"x16", 0x88}, {"x17", 0x90}, {"x18", 0x98}, {"x19", 0xA0},
    {"x20", 0xA8}, {"x21", 0xB0}, {"x22", 0xB8}, {"x23", 0xC0}, {"x24", 0xC8}, {"x25", 0xD0},
    {"x26", 0xD8}, {"x27", 0xE0}, {"x28", 0xE8}};

/* Breakpad's first layout: u64 flags, x0 to x28, fp, lr, sp, pc. */
static const register_row arm64_old[] = {{"pc", 0x108}, {"sp", 0x100}, {"fp", 0xF0}, {"lr", 0xF8},
                                         {"x0", 0x08},  {"x1", 0x10},  {"x2", 0x18}, {"x3", 0x20}};

static const struct layout {
  dump_arch arch;
  uint16_t n_bytes, flags_at;
  uint32_t flag; /* that says whose layout it is */
  uint8_t word, n;
  const register_row *rows;
} layouts[] = {
    {DUMP_AMD64, 0x4D0, 0x30, 0x100000, 8, sizeof amd64 / sizeof *amd64, amd64},
    {DUMP_X86, 0xCC, 0, 0x10000, 4, sizeof x86 / sizeof *x86, x86},
    {DUMP_ARM64, 0x110, 0, 0x400000, 8, sizeof arm64 / sizeof *arm64, arm64},
    {DUMP_ARM64_OLD, 0x110, 0, 0x80000000, 8, sizeof arm64_old / sizeof *arm64_old, arm64_old},
};

static uint64_t value_at(const uint8_t *p, const struct layout *layout, size_t i) {
  const uint8_t *at = p + layout->rows[i].at;
  return layout->word == 8 ? fl_le64(at) : fl_le32(at);
}

dump_registers dump_registers_at(dump_space *space, dump_place place) {
  dump_registers r = {0};
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
    const struct layout *layout = &layouts[i];
    if (space->arch != layout->arch || place.n_bytes < layout->n_bytes) continue;
    const uint8_t *p = fl_window_bytes(&space->window, place.offset, layout->n_bytes);
    if (!p || !(fl_le32(p + layout->flags_at) & layout->flag)) return r;
    r.is_known = true;
    r.n = layout->n;
    for (size_t k = 0; k < r.n; k++) {
      r.names[k] = layout->rows[k].name;
      r.values[k] = value_at(p, layout, k);
    }
    r.pc = r.values[0];
    r.sp = r.values[1];
    r.fp = r.values[2];
    if (layout->word == 8 && layout->arch != DUMP_AMD64) r.lr = r.values[3];
  }
  return r;
}
