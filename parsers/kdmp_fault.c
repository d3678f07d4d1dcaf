/* kdmp_fault.c - which driver a kernel dump accuses, why, and how surely.
 *
 * What the parameters of a stop code mean: Microsoft's pages on bug checks. */
#include "base/rd.h"
#include "parsers/dump_stack.h"
#include "parsers/kdmp.h"

enum { NONE = 0, BIT_SMALL = 0x10000000 };

/* Parameters, from 1: the code that failed, an exception record, a CONTEXT. */
static const struct suspect {
  uint32_t code;
  uint8_t address, exception, context;
  kdmp_confidence confidence;
  const char *reason;
} suspects[] = {
    {0x0A, 4, NONE, NONE, KDMP_HIGH, "parameter 4 is the instruction that touched the memory"},
    {0x1E, 2, NONE, NONE, KDMP_HIGH, "parameter 2 is the instruction that raised the exception"},
    {0x3B, 2, NONE, 3, KDMP_HIGH, "parameter 2 is the instruction that raised the exception"},
    {0x50, 3, NONE, NONE, KDMP_HIGH, "parameter 3 is the instruction that touched the memory"},
    {0x7E, 2, 3, 4, KDMP_HIGH, "parameter 2 is the instruction that raised the exception"},
    {0x8E, 2, NONE, NONE, KDMP_HIGH, "parameter 2 is the instruction that raised the exception"},
    {0xC5, 4, NONE, NONE, KDMP_MEDIUM, "parameter 4 is the instruction that met damaged memory"},
    {0xCE, 3, NONE, NONE, KDMP_HIGH, "parameter 3 is code of a driver that was unloaded"},
    {0xCF, 3, NONE, NONE, KDMP_HIGH, "parameter 3 is the instruction that touched the memory"},
    {0xD1, 4, NONE, NONE, KDMP_HIGH, "parameter 4 is the instruction that touched the memory"},
    {0xD3, 4, NONE, NONE, KDMP_HIGH, "parameter 4 is the instruction that touched the memory"},
    {0xD4, 4, NONE, NONE, KDMP_HIGH, "parameter 4 is code of a driver that was unloaded"},
    {0xD5, 3, NONE, NONE, KDMP_HIGH, "parameter 3 is the instruction that used the memory"},
    {0xD6, 3, NONE, NONE, KDMP_HIGH, "parameter 3 is the instruction that used the memory"},
    {0xFC, 1, NONE, NONE, KDMP_LOW, "parameter 1 is the address that was jumped to"},
    {0x116, 2, NONE, NONE, KDMP_HIGH, "parameter 2 lies in the display driver that did not answer"},
    {0x117, 2, NONE, NONE, KDMP_HIGH, "parameter 2 lies in the display driver that did not answer"},
    {0x139, NONE, 3, NONE, KDMP_MEDIUM, "the exception record of parameter 3"},
};

static const struct suspect *suspect_of(uint32_t bugcheck) {
  const uint32_t code = bugcheck & ~(uint32_t)BIT_SMALL;
  for (size_t i = 0; i < sizeof suspects / sizeof *suspects; i++)
    if (suspects[i].code == code) return &suspects[i];
  return NULL;
}

/* u32 code, u32 flags, u64, u64 address, u32 n, u32, 15 × u64 */
static void read_exception(kdmp *k, uint64_t address) {
  const uint8_t *p = k->is_64 ? kdmp_bytes_at(k, address, 152) : NULL;
  if (!p) return;
  kdmp_exception *e = &k->exception;
  e->code = fl_le32(p);
  e->address = fl_le64(p + 16);
  e->n_parameters = fl_le32(p + 24) <= 15 ? fl_le32(p + 24) : 15;
  for (size_t i = 0; i < 15; i++) e->parameters[i] = fl_le64(p + 32 + 8 * i);
}

/* The registers at the exception instead of those at the stop. */
static void read_context(kdmp *k, uint64_t address) {
  const fl_extent *range = fl_vmem_find(&k->space.memory, address);
  if (!range) return;
  const uint64_t into = address - range->address, left = range->n_bytes - into;
  const dump_place place = {left < UINT32_MAX ? (uint32_t)left : UINT32_MAX, range->offset + into};
  const dump_registers registers = dump_registers_at(&k->space, place);
  if (registers.is_known) k->registers = registers;
}

/* Those through which every fault passes say nothing of who is to blame. */
static bool is_kernel(const dump_module *module) {
  static const char *const names[] = {
      "ntoskrnl.exe",   "ntkrnlmp.exe",   "ntkrnlpa.exe", "ntkrpamp.exe", "hal.dll",  "win32k.sys",
      "win32kbase.sys", "win32kfull.sys", "Wdf01000.sys", "CI.dll",       "kdcom.dll"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (fl_str_eq_nocase(module->name, fl_str_of(names[i]))) return true;
  return false;
}

static bool accuse(kdmp *k, uint64_t address, kdmp_confidence confidence, const char *reason) {
  const dump_module *driver = dump_loaded_at(&k->space, address);
  if (!driver) driver = dump_unloaded_at(&k->space, address);
  if (!driver) return false;
  if (is_kernel(driver) && confidence > KDMP_LOW) confidence = KDMP_LOW;
  k->fault = (kdmp_fault){driver, address, confidence, reason};
  return true;
}

/* A driver on the stack, where the code that failed is the kernel's own. */
static bool accuse_stack(kdmp *k) {
  dump_frame frames[DUMP_FRAMES];
  const size_t n = dump_stack_walk(&k->space, &k->registers, k->stack, frames);
  for (size_t i = 0; i < n; i++)
    if (frames[i].module && !is_kernel(frames[i].module))
      return accuse(k, frames[i].address, KDMP_LOW,
                    "the first driver on the stack that is not part of the kernel");
  return false;
}

/* Stops that no driver's code made: hardware, a person, the end of a process. */
static bool is_nobodys(uint32_t bugcheck) {
  static const uint32_t codes[] = {0x9C, 0xE2, 0xEF, 0xF4, 0x124, 0x161, 0x1C8, 0xC000021A};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if ((bugcheck & ~(uint32_t)BIT_SMALL) == codes[i]) return true;
  return false;
}

void kdmp_find_fault(kdmp *k) {
  if (is_nobodys(k->bugcheck)) return;
  const struct suspect *s = suspect_of(k->bugcheck);
  if (s && s->exception) read_exception(k, k->parameters[s->exception - 1]);
  if (s && s->context) read_context(k, k->parameters[s->context - 1]);
  if (s && s->address && accuse(k, k->parameters[s->address - 1], s->confidence, s->reason) &&
      !is_kernel(k->fault.driver))
    return;
  const kdmp_fault first = k->fault;
  if (k->exception.code &&
      accuse(k, k->exception.address, KDMP_MEDIUM, "the exception record names its instruction") &&
      !is_kernel(k->fault.driver))
    return;
  const dump_module *at_stop = dump_loaded_at(&k->space, k->registers.pc);
  if (at_stop && !is_kernel(at_stop) &&
      accuse(k, k->registers.pc, KDMP_MEDIUM, "it was running when the machine stopped"))
    return;
  if (!accuse_stack(k)) k->fault = first;
}
