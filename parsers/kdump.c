/* kdump.c - kernel crash dumps: one event for the stop (docs/formats/kdump.md). */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "faultline/facts.h"
#include "parsers/dump_fact.h"
#include "parsers/dump_places.h"
#include "parsers/dump_stack.h"
#include "parsers/kdmp.h"

typedef struct kdump {
  fl_job *job;
  kdmp k;
  dump_places places;
} kdump;

static int probe(const fl_probe *probe) {
  if (probe->n_head < 8) return 0;
  const bool is_64 = memcmp(probe->head, "PAGEDU64", 8) == 0;
  return is_64 || memcmp(probe->head, "PAGEDUMP", 8) == 0 ? 100 : 0;
}

static void take_damage(void *self, uint64_t offset, const char *format, ...) FL_PRINTF(3, 4);
static void take_damage(void *self, uint64_t offset, const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  fl_job_note(((kdump *)self)->job, FL_NOTE_DAMAGED, offset, "%s", text);
}

static void take_range(void *self, uint64_t offset, uint64_t length, const char *skipped) {
  dump_places_add(&((kdump *)self)->places, offset, length, skipped ? FL_L_SKIPPED : FL_L_PARSED,
                  skipped ? skipped : "");
}

static fl_status open_dump(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  (void)err;
  ((kdump *)state)->job = job;
  *ret_n_spans = 1;
  return FL_OK;
}

/* ---- the stop ---- */

static void put_stop(fl_fact *fact, const kdmp *k) {
  static const char *const names[] = {"parameter1", "parameter2", "parameter3", "parameter4"};
  const fl_code_fact *known = fl_code_find(FL_CODE_BUGCHECK, k->bugcheck);
  dump_fact_code(fact, "bugcheck", "bugcheck_text", FL_CODE_BUGCHECK, k->bugcheck);
  if (known) fl_fact_words(fact, "bugcheck_name", known->symbol);
  for (size_t i = 0; i < 4; i++) dump_fact_hex(fact, names[i], k->parameters[i]);
  fl_fact_words(fact, "dump_type", kdmp_type_name(k->type));
  fl_fact_bool(fact, "is_whole", k->is_whole);
  if (k->uptime) fl_fact_number(fact, "uptime_s", k->uptime / 10000000);
  int64_t uptime = 0;
  fl_time booted = 0;
  const bool is_time = k->uptime && k->time && k->uptime <= INT64_MAX &&
                       !__builtin_mul_overflow((int64_t)k->uptime, 100, &uptime) &&
                       !__builtin_sub_overflow(k->time, uptime, &booted);
  if (is_time) fl_fact_date(fact, "booted", booted);
}

static void put_exception(fl_fact *fact, const kdmp *k) {
  const kdmp_exception *e = &k->exception;
  if (!e->code) return;
  dump_fact_code(fact, "exception", "exception_text", FL_CODE_EXCEPTION, e->code);
  if (e->code == 0xC0000005 && e->n_parameters >= 2)
    dump_fact_printf(fact, "detail", "%s 0x%" PRIx64,
                     e->parameters[0] == 0   ? "read of"
                     : e->parameters[0] == 1 ? "write to"
                                             : "jump to",
                     e->parameters[1]);
}

static fl_str place_text(fl_arena *arena, const dump_module *module, uint64_t address) {
  if (!module) return fl_arena_printf(arena, "0x%" PRIx64, address);
  return fl_arena_printf(arena, "%.*s%s+0x%" PRIx64, FL_STR_ARG(module->name),
                         module->is_unloaded ? "_unloaded" : "", address - module->base);
}

static void put_fault(fl_fact *fact, const kdmp *k) {
  const kdmp_fault *f = &k->fault;
  if (!f->driver) {
    fl_fact_words(fact, "driver", "(none named)");
    return;
  }
  fl_fact_text(fact, "driver", f->driver->name);
  fl_fact_text(fact, "driver_path", f->driver->path);
  fl_fact_text(fact, "fault", place_text(k->arena, f->driver, f->address));
  fl_fact_words(fact, "confidence", kdmp_confidence_names[f->confidence]);
  fl_fact_words(fact, "reason", f->reason);
}

/* Drivers of Remote Desktop: their presence says what the machine was doing. */
static bool is_rdp_driver(fl_str name) {
  static const char *const names[] = {
      "termdd.sys", "rdpwd.sys",       "tdtcp.sys",    "tssecsrv.sys",         "rdpdr.sys",
      "rdpbus.sys", "terminpt.sys",    "tsusbflt.sys", "tsusbhub.sys",         "TsUsbGD.sys",
      "rdpudd.dll", "rdpdd.dll",       "rdpencdd.sys", "rdpvideominiport.sys", "rdprefmp.sys",
      "rfxvmt.sys", "IndirectKmd.sys", "cdd.dll"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (fl_str_eq_nocase(name, fl_str_of(names[i]))) return true;
  return false;
}

static void put_drivers(fl_fact *fact, const kdmp *k, dump_texts *list) {
  fl_fact_number(fact, "n_drivers", k->space.n_modules);
  if (k->fault.driver) fl_fact_bool(fact, "is_rdp_driver", is_rdp_driver(k->fault.driver->name));
  if (k->space.n_modules)
    fl_fact_text(fact, "last_driver", k->space.modules[k->space.n_modules - 1].name);
  list->n = 0;
  for (uint32_t i = 0; i < k->space.n_modules; i++)
    if (is_rdp_driver(k->space.modules[i].name))
      dump_texts_add(list, "%.*s", FL_STR_ARG(k->space.modules[i].name));
  dump_fact_texts(fact, "rdp_drivers", list);
  list->n = 0;
  for (uint32_t i = 0; i < k->space.n_modules; i++) {
    const dump_module *m = &k->space.modules[i];
    dump_texts_add(list, "%.*s 0x%" PRIx64 " 0x%" PRIx32 " %08" PRIX32 "%" PRIx32,
                   FL_STR_ARG(m->path), m->base, m->n_bytes, m->stamp, m->n_bytes);
  }
  dump_fact_texts(fact, "drivers", list);
  list->n = 0;
  for (uint32_t i = 0; i < k->space.n_unloaded; i++)
    dump_texts_add(list, "%.*s 0x%" PRIx64 " 0x%" PRIx32, FL_STR_ARG(k->space.unloaded[i].name),
                   k->space.unloaded[i].base, k->space.unloaded[i].n_bytes);
  dump_fact_texts(fact, "unloaded_drivers", list);
}

static void put_stack(fl_fact *fact, kdmp *k, dump_texts *list) {
  dump_frame frames[DUMP_FRAMES];
  const size_t n = dump_stack_walk(&k->space, &k->registers, k->stack, frames);
  list->n = 0;
  for (size_t i = 0; i < n; i++) {
    const fl_str place = place_text(list->arena, frames[i].module, frames[i].address);
    dump_texts_add(list, "%.*s (%s)", FL_STR_ARG(place), dump_method_names[frames[i].method]);
  }
  dump_fact_texts(fact, "stack", list);
  list->n = 0;
  for (size_t i = 0; i < k->registers.n; i++)
    dump_texts_add(list, "%s=0x%" PRIx64, k->registers.names[i], k->registers.values[i]);
  dump_fact_texts(fact, "registers", list);
}

static void put_system(fl_fact *fact, const kdmp *k, dump_texts *list) {
  fl_fact_words(fact, "architecture", dump_arch_name(k->space.arch));
  fl_fact_number(fact, "os_build", k->build);
  fl_fact_number(fact, "n_processors", k->n_processors);
  if (k->product) fl_fact_bool(fact, "is_server", k->product > 1);
  fl_fact_text(fact, "process", k->process);
  if (k->pid >= 0) fl_fact_number(fact, "pid", (uint64_t)k->pid);
  fl_fact_text(fact, "comment", k->comment);
  list->n = 0;
  for (uint32_t i = 0; i < k->n_blobs; i++) {
    const uint8_t *g = k->blobs[i].tag;
    dump_texts_add(
        list,
        "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X at %" PRIu64
        ", %" PRIu32 " bytes",
        g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13],
        g[14], g[15], k->blobs[i].offset, k->blobs[i].n_bytes);
  }
  dump_fact_texts(fact, "blobs", list);
}

static void put_signature(fl_fact *fact, const kdmp *k) {
  const fl_str place =
      k->fault.driver ? place_text(k->arena, k->fault.driver, k->fault.address) : FL_STR("?");
  const fl_str text = fl_arena_printf(k->arena, "%" PRIx32 "|%.*s",
                                      k->bugcheck & ~UINT32_C(0x10000000), FL_STR_ARG(place));
  if (text.n) dump_fact_signature(fact, text);
}

static void warn(const kdump *d) {
  if (d->k.type == KDMP_TRIAGE || d->k.type == KDMP_HEADER) return;
  fl_job_note(d->job, FL_NOTE_INFO, 0,
              "sensitive: a dump of type %s holds memory of the whole machine, secrets included",
              kdmp_type_name(d->k.type));
}

static fl_status put_all(kdump *d, fl_rows *rows, fl_err *err) {
  dump_texts *list = FL_NEW(d->job->arena, dump_texts);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  list->arena = d->job->arena;
  fl_fact fact;
  FL_TRY(fl_fact_init(&fact, d->job, rows, err));
  const uint64_t size = fl_source_size(d->job->source);
  fl_fact_begin(&fact, FL_CRASH_KERNEL_DUMP, 0, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX, 0);
  if (d->k.time) fl_fact_time(&fact, d->k.time, false);
  put_stop(&fact, &d->k);
  put_exception(&fact, &d->k);
  put_fault(&fact, &d->k);
  put_signature(&fact, &d->k);
  put_system(&fact, &d->k, list);
  put_stack(&fact, &d->k, list);
  put_drivers(&fact, &d->k, list);
  warn(d);
  return fl_fact_add(&fact, err);
}

static fl_status read_dump(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  (void)span;
  kdump *d = state;
  const kdmp_watcher watcher = {d, take_damage, take_range};
  FL_TRY(fl_rows_window(rows, FL_WINDOW_BYTES, err));
  FL_TRY(kdmp_read(job->source, rows->window, job->arena, &watcher, &d->k, err));
  FL_TRY(put_all(d, rows, err));
  dump_places_tell(&d->places, job, "copies of the kernel's structures");
  return FL_OK;
}

static void close_dump(fl_job *job, void *state) {
  (void)job;
  dump_places_drop(&((kdump *)state)->places);
}

const fl_parser fl_parser_kdump = {.name = "kdump",
                                   .summary = "kernel crash dump",
                                   .state_size = sizeof(kdump),
                                   .probe = probe,
                                   .open = open_dump,
                                   .read = read_dump,
                                   .close = close_dump};
