/* reg.c - registry values in text files, under any name and in any encoding: exports of regedit,
 * and what `reg query` and PowerShell print (docs/formats/registry.md). */
#include <inttypes.h>

#include "parsers/reg_text.h"

/* A key and a value of it are two independent witnesses; so is the header with any line. Where
 * other text stands in front of a listing, who knows that text reads both (text_regquery.c). */
static int probe(const fl_probe *probe) {
  char room[FL_HEAD_TEXT_MAX];
  fl_str text = fl_lines_head(probe, room), line;
  bool has_key = false, is_first = true;
  while (fl_lines_take(&text, &line)) {
    if (reg_export_is_header(line)) return 100;
    if (reg_psobject_names_key(line)) return 60;
    if (has_key && reg_query_is_value(line)) return is_first ? 100 : 55;
    is_first = is_first && (has_key || line.n == 0 || reg_text_is_key(line));
    has_key = has_key || (line.n && line.p[0] == 'H' && reg_text_is_key(line));
  }
  return 0;
}

static fl_status open_text(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  reg_text *t = state;
  *ret_n_spans = 1;
  FL_TRY(fl_lines_open(job, 0, &t->lines, err));
  return reg_text_open(job, t, err);
}

/* One file may hold outputs of several commands. */
static fl_status take_line(reg_text *t, const fl_line *line, fl_err *err) {
  bool is_taken = false;
  FL_TRY(reg_export_line(t, line, &is_taken, err));
  if (!is_taken) FL_TRY(reg_query_line(t, line, &is_taken, err));
  if (!is_taken) FL_TRY(reg_psobject_line(t, line, &is_taken, err));
  if (is_taken) fl_lines_use(&t->lines);
  return FL_OK;
}

static fl_status read_text(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  reg_text *t = state;
  fl_line line;
  (void)span;
  t->fact = FL_NEW(job->arena, fl_fact);
  if (!t->fact) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(fl_fact_init(t->fact, job, rows, err));
  for (;;) {
    const fl_status status = fl_lines_next(&t->lines, &line, err);
    if (status < FL_OK) return status;
    if (status == FL_END) break;
    FL_TRY(take_line(t, &line, err));
  }
  if (t->n_unread)
    fl_job_note(job, FL_NOTE_DAMAGED, 0,
                "lines that should be registry values and cannot be read: %" PRIu64, t->n_unread);
  FL_TRY(reg_system_add(&t->system, t->fact, err));
  if (t->fact->n_facts == 0)
    fl_job_note(job, FL_NOTE_INFO, 0, "it is an export of the registry without any value");
  return FL_OK;
}

const fl_parser fl_parser_reg = {
    .name = "reg",
    .summary = "registry values as text",
    .state_size = sizeof(reg_text),
    .probe = probe,
    .open = open_text,
    .read = read_text,
};
