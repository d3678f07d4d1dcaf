/* text_services.c - Win32_Service as a table: services, how they start and whether they run.
 *
 * Names of properties, StartMode and State are the same in every language. The rule of '-' below
 * the heading shows where columns begin. */
#include <stdio.h>

#include "base/text.h"
#include "parsers/text.h"

enum { COLUMNS_MAX = 16 };

typedef enum column { C_PID, C_DISPLAY, C_MODE, C_STATE, C_NAME, C_ACCOUNT, N_COLUMNS } column;
static const char *const names[N_COLUMNS] = {"ProcessId", "DisplayName", "StartMode",
                                             "State",     "Name",        "StartName"};

typedef struct services {
  bool has_rule;
  size_t n_columns;
  size_t at[COLUMNS_MAX];    /* in characters */
  size_t index[N_COLUMNS];   /* of a property's column + 1; 0: it is not shown */
  size_t order[COLUMNS_MAX]; /* property of each column; N_COLUMNS: another one */
} services;

static size_t property_of(fl_str word) {
  for (size_t k = 0; k < N_COLUMNS; k++)
    if (fl_str_eq_nocase(word, fl_str_of(names[k]))) return k;
  return N_COLUMNS;
}

static size_t read_heading(fl_str line, size_t order[COLUMNS_MAX]) {
  fl_str rest = line, word;
  size_t n = 0;
  while (n < COLUMNS_MAX && text_word(&rest, &word)) order[n++] = property_of(word);
  return n;
}

static bool begins(fl_str line, fl_str before) {
  (void)before;
  size_t order[COLUMNS_MAX];
  unsigned seen = 0;
  const size_t n = read_heading(line, order);
  for (size_t i = 0; i < n; i++)
    if (order[i] < N_COLUMNS) seen |= 1u << order[i];
  const unsigned needed = 1u << C_MODE | 1u << C_STATE | 1u << C_NAME;
  return (seen & needed) == needed;
}

static size_t byte_of(fl_str line, size_t width) {
  size_t pos = 0;
  for (size_t n = 0; pos < line.n && n < width; n++) (void)fl_utf8_next(line, &pos);
  return pos;
}

/* "---------   ----------- ----": where each group begins. */
static bool read_rule(fl_str line, services *s) {
  size_t n = 0;
  for (size_t i = 0; i < line.n; i++) {
    if (line.p[i] != '-' && line.p[i] != ' ') return false;
    const bool is_start = line.p[i] == '-' && (i == 0 || line.p[i - 1] == ' ');
    if (is_start && n < COLUMNS_MAX) s->at[n++] = i;
  }
  return n == s->n_columns && n > 0;
}

static fl_str cell(const services *s, fl_str line, column which) {
  if (s->index[which] == 0) return (fl_str){0};
  const size_t i = s->index[which] - 1;
  /* Numbers stand to the right of their column. */
  const size_t start = i == 0 ? 0 : byte_of(line, s->at[i]);
  const size_t end = i + 1 < s->n_columns ? byte_of(line, s->at[i + 1]) : line.n;
  return text_trim((fl_str){line.p + start, end > start ? end - start : 0});
}

static bool is_word_of(fl_str word, const char *words) {
  char marked[24];
  const int n = snprintf(marked, sizeof marked, " %.*s ", FL_STR_ARG(word));
  return word.n > 0 && n > 0 && (size_t)n < sizeof marked && strstr(words, marked);
}

static fl_status take_row(text_reader *r, const services *s, bool *ret_is_row, fl_err *err) {
  static const char modes[] = " Auto Manual Disabled Boot System Unknown ";
  const fl_str line = r->line.text;
  const fl_str name = cell(s, line, C_NAME), mode = cell(s, line, C_MODE);
  uint64_t pid = 0;
  *ret_is_row = name.n > 0 && !memchr(name.p, ' ', name.n) && is_word_of(mode, modes);
  if (!*ret_is_row) return FL_OK;
  text_fact(r, FL_STATE_SERVICE);
  fl_fact_text(&r->fact, "service", name);
  fl_fact_text(&r->fact, "display_name", cell(s, line, C_DISPLAY));
  fl_fact_text(&r->fact, "start_mode", mode);
  fl_fact_text(&r->fact, "service_state", cell(s, line, C_STATE));
  if (text_is_number(cell(s, line, C_PID), UINT32_MAX, &pid) && pid)
    fl_fact_number(&r->fact, "pid", pid);
  fl_fact_text(&r->fact, "user", cell(s, line, C_ACCOUNT));
  return fl_fact_add(&r->fact, err);
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  services *s = r->state;
  const fl_str line = r->line.text;
  bool is_row = false;
  *ret_answer = TEXT_IS_MINE;
  if (begins(line, (fl_str){0})) {
    memset(s, 0, sizeof *s);
    s->n_columns = read_heading(line, s->order);
    for (size_t i = 0; i < s->n_columns; i++)
      if (s->order[i] < N_COLUMNS) s->index[s->order[i]] = i + 1;
    return FL_OK;
  }
  if (!s->has_rule) {
    s->has_rule = read_rule(line, s);
    if (!s->has_rule) *ret_answer = TEXT_IS_NOT_MINE;
    return FL_OK;
  }
  FL_TRY(take_row(r, s, &is_row, err));
  if (!is_row) *ret_answer = TEXT_IS_FILLER;
  return FL_OK;
}

const text_tool text_tool_services = {"services", sizeof(services), begins, take, NULL};
