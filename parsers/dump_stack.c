/* dump_stack.c - frames by frame pointers where there are such, else by scanning the stack. */
#include "parsers/dump_stack.h"

#include "base/rd.h"

const char *const dump_method_names[DUMP_N_METHODS] = {"context", "leaf", "frame", "call", "scan"};

enum {
  SCAN_WORDS = 128 << 10, /* 1 MiB of a 64-bit stack */
  HEADERS = 0x1000,       /* of an image: no code lies there */
  CODE_BITS = 48          /* above them ARM64 signs return addresses */
};

typedef struct walk {
  dump_space *space;
  dump_frame *frames;
  size_t n;
  fl_extent stack;
  unsigned word; /* bytes */
} walk;

static uint64_t plain(const walk *w, uint64_t address) {
  if (w->space->arch != DUMP_ARM64 && w->space->arch != DUMP_ARM64_OLD) return address;
  return (uint64_t)((int64_t)(address << (64 - CODE_BITS)) >> (64 - CODE_BITS));
}

/* False when there is no room for more. */
static bool add(walk *w, uint64_t address, const dump_module *module, dump_method method) {
  dump_frame *last = w->n ? &w->frames[w->n - 1] : NULL;
  if (last && last->address == address && w->n > 1) {
    last->n_repeats++;
    return true;
  }
  if (w->n == DUMP_FRAMES) return false;
  w->frames[w->n++] = (dump_frame){address, module, method, 0};
  return true;
}

static bool read_word(walk *w, uint64_t address, uint64_t *ret_word) {
  if (address - w->stack.address >= w->stack.n_bytes) return false;
  const uint64_t left = w->stack.n_bytes - (address - w->stack.address);
  if (left < w->word) return false;
  const uint8_t *p =
      fl_window_bytes(&w->space->window, w->stack.offset + (address - w->stack.address), w->word);
  if (!p) return false;
  *ret_word = w->word == 8 ? fl_le64(p) : fl_le32(p);
  return true;
}

/* A place that code can return to. */
static const dump_module *code_at(const walk *w, uint64_t address) {
  const dump_module *module = dump_loaded_at(w->space, address);
  return module && address - module->base >= HEADERS ? module : NULL;
}

/* ---- frame pointers: {next frame, return address} at each; they only grow ---- */

static bool follow_frames(walk *w, uint64_t fp, uint64_t sp) {
  bool has_any = false;
  uint64_t next = 0, back = 0;
  for (uint64_t last = sp; fp >= last && fp % w->word == 0; last = fp + w->word, fp = next) {
    if (!read_word(w, fp, &next) || !read_word(w, fp + w->word, &back)) break;
    back = plain(w, back);
    const dump_module *module = code_at(w, back);
    if (!module) break;
    if (!add(w, back, module, DUMP_BY_FRAME)) return true;
    has_any = true;
    if (next <= fp) break;
  }
  return has_any;
}

/* ---- the scan ---- */

/* E8 and four bytes, or FF with /2 in two to seven bytes. */
static bool ends_with_call(const uint8_t *code, size_t n) {
  if (n >= 5 && code[n - 5] == 0xE8) return true;
  for (size_t length = 2; length <= 7 && length <= n; length++)
    if (code[n - length] == 0xFF && (code[n - length + 1] & 0x38) == 0x10) return true;
  return false;
}

static dump_method method_of(walk *w, uint64_t address) {
  enum { BEFORE = 7 };
  const uint8_t *code =
      fl_vmem_bytes(&w->space->memory, &w->space->window, address - BEFORE, BEFORE);
  return code && ends_with_call(code, BEFORE) ? DUMP_BY_CALL : DUMP_BY_SCAN;
}

static void scan(walk *w, uint64_t sp) {
  uint64_t address = 0;
  for (size_t i = 0; i < SCAN_WORDS && read_word(w, sp, &address); i++, sp += w->word) {
    const dump_module *module = code_at(w, address);
    if (module && !add(w, address, module, method_of(w, address))) return;
  }
}

/* ---- all together ---- */

static unsigned word_of(const dump_space *space) { return space->arch == DUMP_X86 ? 4 : 8; }

/* Some writers keep the stack in the list of memory alone. A stack that is used up ends a little
 * above its pointer: then what there is of it counts. */
static fl_extent stack_of(const dump_space *space, const dump_registers *r, fl_extent stack) {
  enum { USED_UP = 64 << 10 };
  if (stack.n_bytes && r->sp - stack.address < stack.n_bytes) return stack;
  if (stack.n_bytes && stack.address - r->sp <= USED_UP) return stack;
  const fl_extent *range = fl_vmem_find(&space->memory, r->sp);
  return range ? *range : (fl_extent){0};
}

size_t dump_stack_walk(dump_space *space, const dump_registers *r, fl_extent stack,
                       dump_frame ret_frames[DUMP_FRAMES]) {
  walk w = {.space = space,
            .frames = ret_frames,
            .stack = stack_of(space, r, stack),
            .word = word_of(space)};
  if (!r->is_known) return 0;
  const dump_module *module = dump_loaded_at(space, r->pc);
  if (!module) module = dump_unloaded_at(space, r->pc);
  (void)add(&w, r->pc, module, DUMP_BY_CONTEXT);
  uint64_t sp = r->sp < w.stack.address ? w.stack.address : r->sp, back = 0;
  if (r->lr && code_at(&w, plain(&w, r->lr)))
    (void)add(&w, plain(&w, r->lr), code_at(&w, plain(&w, r->lr)), DUMP_BY_FRAME);
  if (!module && !r->lr && read_word(&w, sp, &back) && code_at(&w, back)) {
    (void)add(&w, back, code_at(&w, back), DUMP_BY_LEAF);
    sp += w.word;
  }
  if (space->arch == DUMP_AMD64 || !follow_frames(&w, r->fp, sp)) scan(&w, sp);
  return w.n;
}
