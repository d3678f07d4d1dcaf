/* dump_space.h - addresses of a dump: modules, memory, registers, whatever kind of dump it is. */
#ifndef FL_PARSERS_DUMP_SPACE_H
#define FL_PARSERS_DUMP_SPACE_H

#include "parsers/vmem.h"
#include "parsers/window.h"

typedef enum dump_arch {
  DUMP_X86 = 0,
  DUMP_ARM = 5,
  DUMP_AMD64 = 9,
  DUMP_ARM64 = 12,
  DUMP_ARM64_OLD = 0x8003, /* Breakpad's first layout */
  DUMP_UNKNOWN = 0xffff
} dump_arch;

typedef struct dump_place {
  uint32_t n_bytes;
  uint64_t offset;
} dump_place;

/* Registers by name, in the order in which people read them. */
enum { DUMP_REGISTERS = 34 };
typedef struct dump_registers {
  bool is_known;
  uint64_t pc, sp, fp, lr; /* lr: ARM64 alone */
  size_t n;
  const char *names[DUMP_REGISTERS];
  uint64_t values[DUMP_REGISTERS];
} dump_registers;

typedef struct dump_module {
  uint64_t base;
  uint32_t n_bytes, checksum, stamp;
  fl_str path, name; /* name: the last part of the path */
  uint16_t version[4];
  bool has_version, has_pdb, is_unloaded;
  fl_str pdb;
  uint8_t pdb_guid[16];
  uint32_t pdb_age;
} dump_module;

/* The arena owns the lists; `by_base` holds loaded modules of some size, in order. */
typedef struct dump_space {
  fl_window window;
  uint16_t arch;
  dump_module *modules;
  uint32_t n_modules;
  const dump_module **by_base;
  uint32_t n_by_base;
  dump_module *unloaded;
  uint32_t n_unloaded;
  fl_vmem memory;
} dump_space;

/* Makes `by_base` and sorts the memory; false when out of memory. */
bool dump_space_settle(dump_space *space, fl_arena *arena);
/* NULL when no module lies there. */
const dump_module *dump_loaded_at(const dump_space *space, uint64_t address);
const dump_module *dump_unloaded_at(const dump_space *space, uint64_t address);
/* The registers at a place of the file; is_known is false where the layout is not one of ours. */
dump_registers dump_registers_at(dump_space *space, dump_place place);
const char *dump_arch_name(uint16_t arch); /* "x64" */

#endif
