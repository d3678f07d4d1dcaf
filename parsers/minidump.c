/* minidump.c - user-mode crash dumps: one event for the crash (docs/formats/minidump.md). */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/rd.h"
#include "base/text.h"
#include "faultline/facts.h"
#include "parsers/dump_fact.h"
#include "parsers/dump_places.h"
#include "parsers/dump_stack.h"
#include "parsers/mdmp.h"

enum { FULL_MEMORY = 2, LOCAL_SYSTEM = 0x4000, TOLD_MODULES = 16, SIGNATURE_FRAMES = 3 };

typedef struct minidump {
  fl_job *job;
  mdmp m;
  dump_places places;
  dump_registers registers;
  dump_frame frames[DUMP_FRAMES];
  size_t n_frames;
} minidump;

/* "MDMP", u16 0xa793 */
static int probe(const fl_probe *probe) {
  if (probe->n_head < 6 || memcmp(probe->head, "MDMP", 4) != 0) return 0;
  return memcmp(probe->head + 4, "\x93\xa7", 2) == 0 ? 100 : 50;
}

static void take_damage(void *self, uint64_t offset, const char *format, ...) FL_PRINTF(3, 4);
static void take_damage(void *self, uint64_t offset, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  fl_job_note(((minidump *)self)->job, FL_NOTE_DAMAGED, offset, "%s", text);
}

static void take_range(void *self, uint64_t offset, uint64_t length) {
  dump_places_add(&((minidump *)self)->places, offset, length, FL_L_PARSED, "");
}

static fl_status open_dump(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  (void)err;
  ((minidump *)state)->job = job;
  *ret_n_spans = 1;
  return FL_OK;
}

/* ---- what died ---- */

static fl_time time_of(uint32_t stamp) { return (fl_time)stamp * FL_SECOND; }

static const dump_module *program_of(const minidump *d) {
  return d->m.space.n_modules ? &d->m.space.modules[0] : NULL;
}

static void put_process(fl_fact *fact, const minidump *d) {
  const dump_module *program = program_of(d);
  if (program) {
    fl_fact_text(fact, "process", program->name);
    fl_fact_text(fact, "path", program->path);
    if (program->has_version)
      dump_fact_printf(fact, "version", "%u.%u.%u.%u", program->version[0], program->version[1],
                       program->version[2], program->version[3]);
  }
  const mdmp_misc *misc = &d->m.misc;
  if (misc->has_pid) fl_fact_number(fact, "pid", misc->pid);
  if (misc->has_times) {
    fl_fact_date(fact, "started", time_of(misc->created));
    if (d->m.stamp >= misc->created) fl_fact_number(fact, "lived_s", d->m.stamp - misc->created);
  }
}

/* What an access violation did, why a fast fail came, which page was missing. */
static void put_detail(fl_fact *fact, const mdmp_exception *e) {
  enum { ACCESS = 0xC0000005, IN_PAGE = 0xC0000006, FAST_FAIL = 0xC0000409, CLR = 0xE0434352 };
  if ((e->code == ACCESS || e->code == IN_PAGE) && e->n_parameters >= 2) {
    const char *what = e->parameters[0] == 0   ? "read of"
                       : e->parameters[0] == 1 ? "write to"
                                               : "jump to";
    dump_fact_printf(fact, "detail", "%s 0x%" PRIx64, what, e->parameters[1]);
  }
  if (e->code == FAST_FAIL && e->n_parameters >= 1) {
    const fl_code_fact *known = fl_code_find(FL_CODE_FAST_FAIL, (uint32_t)e->parameters[0]);
    dump_fact_printf(fact, "detail", "%s (fast fail %" PRIu64 ")",
                     known ? known->meaning : "a reason without documentation", e->parameters[0]);
  }
  if (e->code == IN_PAGE && e->n_parameters >= 3)
    dump_fact_code(fact, "page_status", "page_status_text", FL_CODE_NTSTATUS,
                   (uint32_t)e->parameters[2]);
  if (e->code == CLR && e->n_parameters >= 1)
    dump_fact_code(fact, "hresult", "hresult_text", FL_CODE_HRESULT, (uint32_t)e->parameters[0]);
}

/* Codes of other systems mean something else: Breakpad and Crashpad write them, too. */
static bool is_windows(const minidump *d) { return d->m.system.platform == 2; }

static void put_module(fl_fact *fact, const dump_module *module, uint64_t address) {
  if (!module) {
    fl_fact_words(fact, "module", "(no module)");
    dump_fact_hex(fact, "offset", address);
    return;
  }
  dump_fact_printf(fact, "module", "%.*s%s", FL_STR_ARG(module->name),
                   module->is_unloaded ? "_unloaded" : "");
  dump_fact_hex(fact, "offset", address - module->base);
  if (module->has_version)
    dump_fact_printf(fact, "module_version", "%u.%u.%u.%u", module->version[0], module->version[1],
                     module->version[2], module->version[3]);
}

static void put_exception(fl_fact *fact, const minidump *d) {
  const mdmp_exception *e = &d->m.exception;
  if (!e->is_there) {
    fl_fact_words(fact, "exception_text", "the dump was taken without an exception");
  } else if (is_windows(d)) {
    dump_fact_code(fact, "exception", "exception_text", FL_CODE_EXCEPTION, e->code);
    put_detail(fact, e);
  } else {
    dump_fact_hex(fact, "exception", e->code);
    fl_fact_words(fact, "exception_text", "a code of another system than Windows");
  }
  if (d->n_frames == 0) return;
  dump_fact_hex(fact, "address", d->frames[0].address);
  put_module(fact, d->frames[0].module, d->frames[0].address);
}

/* ---- where ---- */

static fl_str place_text(fl_arena *arena, const dump_frame *frame) {
  if (!frame->module) return fl_arena_printf(arena, "0x%" PRIx64, frame->address);
  return fl_arena_printf(arena, "%.*s%s+0x%" PRIx64, FL_STR_ARG(frame->module->name),
                         frame->module->is_unloaded ? "_unloaded" : "",
                         frame->address - frame->module->base);
}

static void put_stack(fl_fact *fact, const minidump *d, dump_texts *list) {
  list->n = 0;
  for (size_t i = 0; i < d->n_frames; i++) {
    const dump_frame *frame = &d->frames[i];
    const fl_str place = place_text(list->arena, frame);
    if (frame->n_repeats)
      dump_texts_add(list, "%.*s (%s, %" PRIu32 " times)", FL_STR_ARG(place),
                     dump_method_names[frame->method], frame->n_repeats + 1);
    else dump_texts_add(list, "%.*s (%s)", FL_STR_ARG(place), dump_method_names[frame->method]);
  }
  dump_fact_texts(fact, "stack", list);
}

/* Program, code and reason, and the first modules of the stack: equal on every machine that has
 * equal versions. Frames that a scan found are left out, since it finds old ones as well. */
static void put_signature(fl_fact *fact, const minidump *d) {
  const mdmp_exception *e = &d->m.exception;
  const dump_module *program = program_of(d);
  fl_arena *arena = d->m.arena;
  fl_str text =
      fl_arena_printf(arena, "%.*s|%" PRIx32, FL_STR_ARG(program ? program->name : (fl_str){0}),
                      e->is_there ? e->code : 0);
  if (e->code == 0xC0000409 && e->n_parameters)
    text = fl_arena_printf(arena, "%.*s(%" PRIu64 ")", FL_STR_ARG(text), e->parameters[0]);
  size_t n = 0;
  for (size_t i = 0; i < d->n_frames && n < SIGNATURE_FRAMES; i++) {
    if (d->frames[i].method == DUMP_BY_SCAN) continue;
    text = fl_arena_printf(arena, "%.*s|%.*s", FL_STR_ARG(text),
                           FL_STR_ARG(place_text(arena, &d->frames[i])));
    n++;
  }
  if (text.n) dump_fact_signature(fact, text);
}

static void put_thread(fl_fact *fact, const mdmp_thread *thread) {
  if (!thread) return;
  fl_fact_number(fact, "thread", thread->id);
  fl_fact_text(fact, "thread_name", thread->name);
}

static void put_registers(fl_fact *fact, const minidump *d, dump_texts *list) {
  list->n = 0;
  for (size_t i = 0; i < d->registers.n; i++)
    dump_texts_add(list, "%s=0x%" PRIx64, d->registers.names[i], d->registers.values[i]);
  dump_fact_texts(fact, "registers", list);
}

/* ---- what was loaded ---- */

static bool holds(fl_str path, const char *part) {
  const size_t n = strlen(part);
  for (size_t at = 0; at + n <= path.n; at++) {
    size_t i = 0;
    while (i < n && fl_lower(path.p[at + i]) == part[i]) i++;
    if (i == n) return true;
  }
  return false;
}

/* Neither of Windows nor of the program's own folder: hooks, plug-ins, patched libraries. */
static bool is_foreign(const dump_module *module, const dump_module *program) {
  const size_t n_folder = program->path.n - program->name.n;
  if (holds(module->name, "rdpwrap")) return true;
  if (holds(module->path, "\\windows\\") || module->path.n == 0) return false;
  return module->path.n < n_folder || memcmp(module->path.p, program->path.p, n_folder) != 0;
}

static void put_foreign(fl_fact *fact, const minidump *d, dump_texts *list) {
  list->n = 0;
  for (uint32_t i = 1; i < d->m.space.n_modules && list->n < TOLD_MODULES; i++)
    if (is_foreign(&d->m.space.modules[i], program_of(d)))
      dump_texts_add(list, "%.*s", FL_STR_ARG(d->m.space.modules[i].path));
  if (is_windows(d)) dump_fact_texts(fact, "foreign_modules", list);
}

/* As symbol servers name it: GUID and age. */
static fl_str pdb_id(fl_arena *arena, const dump_module *module) {
  const uint8_t *g = module->pdb_guid;
  return fl_arena_printf(arena, "%08" PRIX32 "%04X%04X%02X%02X%02X%02X%02X%02X%02X%02X%" PRIX32,
                         fl_le32(g), fl_le16(g + 4), fl_le16(g + 6), g[8], g[9], g[10], g[11],
                         g[12], g[13], g[14], g[15], module->pdb_age);
}

static void put_modules(fl_fact *fact, const minidump *d, dump_texts *list) {
  list->n = list->n_left_out = 0;
  for (uint32_t i = 0; i < d->m.space.n_modules; i++) {
    const dump_module *module = &d->m.space.modules[i];
    const fl_str id = module->has_pdb ? pdb_id(list->arena, module) : (fl_str){0};
    dump_texts_add(
        list, "%.*s 0x%" PRIx64 " 0x%" PRIx32 " %u.%u.%u.%u %08" PRIX32 "%" PRIx32 " %.*s %.*s",
        FL_STR_ARG(module->name), module->base, module->n_bytes, module->version[0],
        module->version[1], module->version[2], module->version[3], module->stamp, module->n_bytes,
        FL_STR_ARG(module->pdb), FL_STR_ARG(id));
  }
  fl_fact_number(fact, "n_modules", d->m.space.n_modules);
  dump_fact_texts(fact, "modules", list);
  list->n = 0;
  for (uint32_t i = 0; i < d->m.space.n_unloaded; i++)
    dump_texts_add(list, "%.*s 0x%" PRIx64 " 0x%" PRIx32, FL_STR_ARG(d->m.space.unloaded[i].name),
                   d->m.space.unloaded[i].base, d->m.space.unloaded[i].n_bytes);
  dump_fact_texts(fact, "unloaded_modules", list);
}

/* ---- the system around it ---- */

static void put_system(fl_fact *fact, const minidump *d) {
  const mdmp_system *s = &d->m.system;
  if (s->is_there) {
    fl_fact_words(fact, "architecture", dump_arch_name(d->m.space.arch));
    dump_fact_printf(fact, "os_version", "%" PRIu32 ".%" PRIu32 ".%" PRIu32, s->major, s->minor,
                     s->build);
    fl_fact_text(fact, "service_pack", s->service_pack);
    if (is_windows(d)) fl_fact_bool(fact, "is_server", s->product > 1);
  }
  fl_fact_text(fact, "os_build", d->m.misc.build);
  if (d->m.misc.has_integrity) dump_fact_hex(fact, "integrity", d->m.misc.integrity);
  const mdmp_memory_state *state = &d->m.state;
  if (state->is_there && state->limit)
    fl_fact_number(fact, "commit_percent",
                   state->committed < state->limit
                       ? (uint64_t)((double)state->committed * 100 / (double)state->limit)
                       : 100);
  if (d->m.private_bytes) fl_fact_number(fact, "private_bytes", d->m.private_bytes);
}

static uint64_t memory_bytes(const fl_vmem *memory) {
  uint64_t n = 0;
  for (size_t i = 0; i < memory->n_ranges; i++) n += memory->ranges[i].n_bytes;
  return n;
}

static void put_counts(fl_fact *fact, const minidump *d, dump_texts *list) {
  fl_fact_number(fact, "n_threads", d->m.n_threads);
  if (d->m.n_handles) fl_fact_number(fact, "n_handles", d->m.n_handles);
  fl_fact_number(fact, "memory_bytes", memory_bytes(&d->m.space.memory));
  fl_fact_text(fact, "comment", d->m.comment);
  list->n = 0;
  for (uint32_t i = 0; i < d->m.n_notes; i++)
    dump_texts_add(list, "%.*s: %.*s", FL_STR_ARG(d->m.notes[i].name),
                   FL_STR_ARG(d->m.notes[i].value));
  dump_fact_texts(fact, "annotations", list);
  list->n = 0;
  for (uint32_t i = 0; i < d->m.n_streams; i++)
    dump_texts_add(list, "%s (0x%" PRIx32 ") %" PRIu32, mdmp_stream_name(d->m.streams[i].type),
                   d->m.streams[i].type, d->m.streams[i].place.n_bytes);
  dump_fact_texts(fact, "streams", list);
}

/* Credentials lie in the memory of some: whoever passes the file on should know. */
static void warn(const minidump *d) {
  const dump_module *program = program_of(d);
  const bool is_lsass = program && holds(program->name, "lsass.exe");
  if (is_lsass)
    fl_job_note(d->job, FL_NOTE_INFO, 0,
                "sensitive: the memory of lsass.exe holds credentials; pass the file on to nobody");
  else if (d->m.flags & FULL_MEMORY)
    fl_job_note(d->job, FL_NOTE_INFO, 0,
                "sensitive: the whole memory of the process is in the dump, secrets included");
}

/* ---- the row ---- */

static fl_status put_all(minidump *d, fl_rows *rows, fl_err *err) {
  const mdmp_thread *thread = mdmp_guilty_thread(&d->m);
  dump_place context = d->m.exception.is_there ? d->m.exception.context : (dump_place){0};
  if (!context.n_bytes && thread) context = thread->context;
  d->registers = dump_registers_at(&d->m.space, context);
  d->n_frames = dump_stack_walk(&d->m.space, &d->registers, thread ? thread->stack : (fl_extent){0},
                                d->frames);
  dump_texts *list = FL_NEW(d->job->arena, dump_texts);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  list->arena = d->job->arena;
  fl_fact fact;
  FL_TRY(fl_fact_init(&fact, d->job, rows, err));
  const uint64_t size = fl_source_size(d->job->source);
  fl_fact_begin(&fact, FL_CRASH_DUMP, 0, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX, 0);
  if (d->m.stamp) fl_fact_time(&fact, time_of(d->m.stamp), false);
  put_process(&fact, d);
  put_exception(&fact, d);
  put_thread(&fact, thread);
  put_stack(&fact, d, list);
  put_signature(&fact, d);
  put_foreign(&fact, d, list);
  put_system(&fact, d);
  put_counts(&fact, d, list);
  put_registers(&fact, d, list);
  put_modules(&fact, d, list);
  warn(d);
  return fl_fact_add(&fact, err);
}

static void tell_memory(minidump *d) {
  for (size_t i = 0; i < d->m.space.memory.n_ranges; i++)
    dump_places_add(&d->places, d->m.space.memory.ranges[i].offset,
                    d->m.space.memory.ranges[i].n_bytes, FL_L_SKIPPED, "memory of the process");
}

static fl_status read_dump(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  (void)span;
  minidump *d = state;
  const mdmp_watcher watcher = {d, take_damage, take_range};
  FL_TRY(fl_rows_window(rows, FL_WINDOW_BYTES, err));
  FL_TRY(mdmp_read(job->source, rows->window, job->arena, &watcher, &d->m, err));
  FL_TRY(put_all(d, rows, err));
  tell_memory(d);
  dump_places_tell(&d->places, job, NULL);
  return FL_OK;
}

static void close_dump(fl_job *job, void *state) {
  (void)job;
  dump_places_drop(&((minidump *)state)->places);
}

const fl_parser fl_parser_minidump = {.name = "minidump",
                                      .summary = "user-mode crash dump",
                                      .state_size = sizeof(minidump),
                                      .probe = probe,
                                      .open = open_dump,
                                      .read = read_dump,
                                      .close = close_dump};
