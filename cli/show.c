/* show.c - faultline show: one record whole, by its reference. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* A reference is SOURCE@OFFSET. SOURCE starts with the basename of an input; without INPUT on the
 * command line, it is itself a path to one. */
typedef struct finder {
  const char *format;
  fl_str name; /* of the source, from its input's basename on */
  uint64_t offset;
  uint32_t source;  /* id of the source of that name, UINT32_MAX = not met yet */
  uint32_t related; /* the newest source that it is, or that holds it */
  char reason[400]; /* what the first note about a related one says */
  fl_out *out;
  bool is_found, has_source;
} finder;

static fl_status begin(void *self, const fl_source_info *source, fl_err *err) {
  finder *f = self;
  (void)err;
  if (source->name.n && source->name.n <= f->name.n &&
      memcmp(source->name.p, f->name.p, source->name.n) == 0)
    f->related = source->id;
  if (!fl_str_eq(source->name, f->name)) return FL_OK;
  f->source = source->id;
  f->has_source = true;
  return FL_OK;
}

static fl_status take_note(void *self, const fl_note *note, fl_err *err) {
  finder *f = self;
  (void)err;
  if (note->source == f->related && note->severity > FL_NOTE_INFO && !f->reason[0])
    (void)snprintf(f->reason, sizeof f->reason, "%.*s", FL_STR_ARG(note->text));
  return FL_OK;
}

/* The record's own bytes; NULL when they cannot be had again. */
static uint8_t *read_bytes(const fl_batch *batch, const fl_row *row) {
  fl_err ignored = {0};
  uint8_t *bytes = malloc(row->length ? row->length : 1);
  if (bytes && fl_row_bytes(batch, row, bytes, &ignored) >= FL_OK) return bytes;
  free(bytes);
  return NULL;
}

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  finder *f = self;
  for (uint32_t i = 0; i < batch->n_rows && batch->source == f->source; i++) {
    const fl_row *row = &batch->rows[i];
    if (row->offset != f->offset) continue;
    uint8_t *bytes = read_bytes(batch, row);
    const fl_status status = fl_report_record(batch, row, f->name, bytes, bytes ? row->length : 0,
                                              f->format, f->out, err);
    free(bytes);
    if (status < FL_OK) return status;
    f->is_found = true;
    return fl_fail(err, FL_E_STOPPED, 0, "found");
  }
  return FL_OK;
}

/* Undoes the escapes of source names, %21 for '!' and the like, in place. */
static void unescape(char *text) {
  char *to = text;
  for (const char *at = text; *at; at++) {
    const char hex[3] = {at[0] == '%' ? at[1] : '\0', at[0] == '%' && at[1] ? at[2] : '\0', '\0'};
    char *end = NULL;
    const long code = strtol(hex, &end, 16);
    const bool is_escape = hex[0] && hex[1] && *end == '\0';
    *to++ = is_escape ? (char)code : *at;
    if (is_escape) at += 2;
  }
  *to = '\0';
}

bool cli_ref_split(const char *ref, bool has_inputs, fl_str *ret_source, uint64_t *ret_offset,
                   char **ret_path) {
  const char *at = strrchr(ref, '@');
  char *end = NULL;
  errno = 0;
  *ret_offset = at && at[1] >= '0' && at[1] <= '9' ? strtoull(at + 1, &end, 0) : 0;
  if (!end || *end || at == ref || errno) return false;
  const char *member = strstr(ref, "!/");
  const size_t n_path = member && member < at ? (size_t)(member - ref) : (size_t)(at - ref);
  size_t start = n_path;
  while (start && ref[start - 1] != '/') start--;
  if (has_inputs) start = 0;
  *ret_source = (fl_str){ref + start, (size_t)(at - ref) - start};
  *ret_path = strndup(ref, n_path);
  if (*ret_path) unescape(*ret_path);
  return *ret_path != NULL;
}

static cli_exit find(const cli_args *args, const cli_list *inputs, finder *f) {
  cli_args own = *args;
  own.words = *inputs;
  own.ingest.with_recovered = true;
  own.ingest.hash = FL_HASH_NONE;
  own.ingest.want_markup = true;
  cli_gate gate;
  fl_ingest_totals totals = {0};
  (void)cli_gate_init(&gate, &own, false);
  gate.is_quiet_on_notes = true;
  cli_gate_add(&gate, (fl_sink){.self = f, .begin = begin, .batch = take_batch, .note = take_note});
  const cli_exit exit = cli_read(&gate, &totals);
  cli_gate_done(&gate);
  if (f->is_found || exit != CLI_DONE) return exit;
  if (f->reason[0]) cli_say("%.*s: %s", FL_STR_ARG(f->name), f->reason);
  if (!f->has_source) cli_say("no source is named %.*s", FL_STR_ARG(f->name));
  else if (totals.n_parsed)
    cli_say("%.*s holds no record at offset %llu", FL_STR_ARG(f->name),
            (unsigned long long)f->offset);
  return CLI_NOTHING;
}

/* Options that all commands share, and that say nothing about one record. */
static void say_idle(const cli_args *args) {
  const bool is_narrowed =
      cli_has(args, OPT_since) || cli_has(args, OPT_until) || cli_has(args, OPT_where);
  if (is_narrowed && !cli_has(args, OPT_quiet))
    cli_say("show prints the record that REF names, whatever --since, --until and --where say");
}

cli_exit cli_show(const cli_args *args) {
  finder f = {.source = UINT32_MAX, .related = UINT32_MAX, .format = "text"};
  char *path = NULL;
  if (!cli_args_need_words(args, "REF")) return CLI_USAGE;
  if (cli_has(args, OPT_format)) f.format = args->value[OPT_format];
  if (strcmp(f.format, "text") != 0 && strcmp(f.format, "json") != 0 &&
      strcmp(f.format, "xml") != 0)
    return cli_usage(args, "--format %s: show writes text, json or xml", f.format);
  say_idle(args);
  if (!cli_ref_split(args->words.items[0], args->words.n > 1, &f.name, &f.offset, &path))
    return cli_usage(args, "show %s: want SOURCE@OFFSET", args->words.items[0]);
  cli_exit exit = cli_open(args->value[OPT_output], &f.out);
  if (exit == CLI_DONE) {
    const cli_list given = {args->words.items + 1, args->words.n - 1};
    const cli_list inputs = given.n ? given : (cli_list){&path, 1};
    exit = cli_close(f.out, find(args, &inputs, &f));
  }
  free(path);
  return exit;
}
