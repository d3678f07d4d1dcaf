/* text.c - output of Windows tools kept as text, section by section; other text is told apart. */
#include "parsers/text.h"
#include <stdio.h>

#include <inttypes.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"

static const text_tool *const tools[] = {
#define FL_TEXT_TOOL(id) &text_tool_##id,
#include "parsers/text_tools.def"
#undef FL_TEXT_TOOL
};
enum { N_TOOLS = sizeof tools / sizeof tools[0], SCORE_OUTPUT = 60, SCORE_TEXT = 5 };

/* ---- probing ---- */

static const text_tool *tool_at(fl_str line, fl_str before) {
  for (size_t i = 0; i < N_TOOLS; i++)
    if (tools[i]->begins(line, before)) return tools[i];
  return NULL;
}

/* Bytes that text may hold: no NUL and few controls. Old code pages use all upper bytes. */
static bool is_bytes_of_text(const uint8_t *bytes, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const uint8_t c = bytes[i];
    const bool is_space = (c >= '\t' && c <= '\r') || c == 0x1b || c == 0x1a;
    if ((c < 0x20 && !is_space) || c == 0x7f) return false;
  }
  return true;
}

/* UTF-16 of mostly Latin text has a zero in most odd places and in hardly any even one. */
static bool is_utf16_text(const uint8_t *bytes, size_t n) {
  size_t n_low = 0, n_high = 0;
  for (size_t i = 0; i + 1 < n; i += 2) {
    n_low += bytes[i] == 0;
    n_high += bytes[i + 1] == 0;
  }
  return n >= 16 && n_low == 0 && n_high >= n / 2 * 3 / 4;
}

static bool is_text(const fl_probe *probe) {
  const uint8_t *p = probe->head;
  if (probe->n_head == 0) return false;
  if (probe->n_head >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
    return true;
  return is_utf16_text(p, probe->n_head) || is_bytes_of_text(p, probe->n_head);
}

/* What a reader knows is 60; of all other text it only says that it is text: the lowest bid. */
static int probe_text(const fl_probe *probe) {
  char *room = malloc(FL_HEAD_TEXT_MAX);
  if (!room) return 0;
  fl_str text = fl_lines_head(probe, room), line = {0}, before = {0};
  const text_tool *tool = NULL;
  for (; !tool && fl_lines_take(&text, &line); before = line) tool = tool_at(line, before);
  free(room);
  if (tool) return SCORE_OUTPUT;
  return is_text(probe) ? SCORE_TEXT : 0;
}

/* ---- reading ---- */

typedef struct text_section {
  const text_tool *tool; /* NULL: between outputs */
  uint64_t offset;       /* of its first line */
  uint64_t n_before;     /* facts that were given before it */
  bool is_seen[N_TOOLS];
  uint64_t n_facts[N_TOOLS];
} text_section;

static size_t index_of(const text_tool *tool) {
  size_t i = 0;
  while (tools[i] != tool) i++;
  return i;
}

static fl_status end_section(text_reader *r, text_section *s, fl_err *err) {
  if (!s->tool) return FL_OK;
  if (s->tool->finish) FL_TRY(s->tool->finish(r, err));
  const uint64_t n = r->fact.n_facts - s->n_before;
  s->n_facts[index_of(s->tool)] += n;
  if (n == 0)
    fl_job_note(r->job, FL_NOTE_INFO, s->offset, "output of %s without anything to use",
                s->tool->name);
  s->tool = NULL;
  return FL_OK;
}

static void begin_section(text_reader *r, text_section *s, const text_tool *tool) {
  s->tool = tool;
  s->offset = r->line.offset;
  s->n_before = r->fact.n_facts;
  s->is_seen[index_of(tool)] = true;
  memset(r->state, 0, tool->state_size);
}

static fl_status take_line(text_reader *r, text_section *s, fl_err *err) {
  text_answer answer = TEXT_IS_NOT_MINE;
  if (s->tool) FL_TRY(s->tool->take(r, &answer, err));
  if (answer == TEXT_IS_MINE) {
    fl_lines_use(&r->lines);
    return FL_OK;
  }
  const text_tool *next = tool_at(r->line.text, text_kept_str(&r->before[0]));
  if (answer == TEXT_IS_FILLER && (!next || next == s->tool)) return FL_OK;
  FL_TRY(end_section(r, s, err));
  if (!next) return FL_OK;
  begin_section(r, s, next);
  FL_TRY(next->take(r, &answer, err));
  if (answer == TEXT_IS_MINE) fl_lines_use(&r->lines);
  return FL_OK;
}

static fl_status open_text(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  (void)job;
  (void)state;
  (void)err;
  *ret_n_spans = 1;
  return FL_OK;
}

/* The beginning of the source says how its dates are written. */
static fl_status learn_order(text_reader *r, fl_err *err) {
  enum { HEAD = 4096 };
  uint8_t *head = fl_arena_take(r->job->arena, HEAD);
  char *room = fl_arena_take(r->job->arena, FL_HEAD_TEXT_MAX);
  size_t n = 0;
  if (!head || !room) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (uint64_t at = 0; r->order == TEXT_ORDER_UNKNOWN && at < 16 * HEAD; at += n) {
    FL_TRY(fl_source_read(r->job->source, at, head, HEAD, &n, err));
    if (n == 0) break;
    const fl_probe probe = {head, n, r->job->name, n};
    r->order = text_learn_order(fl_lines_head(&probe, room));
  }
  return FL_OK;
}

static fl_status start(text_reader *r, fl_job *job, fl_rows *rows, fl_err *err) {
  size_t state_size = 1;
  for (size_t i = 0; i < N_TOOLS; i++)
    if (tools[i]->state_size > state_size) state_size = tools[i]->state_size;
  r->job = job;
  r->state = fl_arena_take(job->arena, state_size);
  if (!r->state) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(fl_fact_init(&r->fact, job, rows, err));
  FL_TRY(learn_order(r, err));
  return fl_lines_open(job, 0, &r->lines, err);
}

/* "netstat 12, ipconfig 3": whose output it was, and how many facts each gave. */
static void tell_sections(const text_reader *r, const text_section *s) {
  char text[512];
  fl_str words = {text, 0};
  for (size_t i = 0; i < N_TOOLS; i++) {
    if (!s->is_seen[i]) continue;
    char *at = text + words.n;
    const int n = snprintf(at, sizeof text - words.n, "%s%s %" PRIu64, words.n ? ", " : "",
                           tools[i]->name, s->n_facts[i]);
    if (n > 0 && (size_t)n < sizeof text - words.n) words.n += (size_t)n;
  }
  fl_job_detail(r->job, words);
}

static fl_status read_text(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  (void)span;
  text_reader *r = state;
  text_section *section = FL_NEW(job->arena, text_section);
  if (!section) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  FL_TRY(start(r, job, rows, err));
  for (;;) {
    const fl_status s = fl_lines_next(&r->lines, &r->line, err);
    if (s < FL_OK) return s;
    if (s == FL_END) break;
    FL_TRY(take_line(r, section, err));
    r->before[1] = r->before[0];
    text_keep(&r->before[0], r->line.text);
    if (r->line.text.n && text_indent(r->line.text) == 0) text_keep(&r->margin, r->line.text);
  }
  FL_TRY(end_section(r, section, err));
  tell_sections(r, section);
  return FL_OK;
}

const fl_parser fl_parser_text = {
    .name = "text",
    .summary = "output of Windows tools; other text is recognised, not read",
    .instead =
        "plain text: not read by this version; events are read from .evtx files, folders "
        "and archives of them",
    .state_size = sizeof(text_reader),
    .probe = probe_text,
    .open = open_text,
    .read = read_text,
};
