/* yara_script.c - PowerShell scripts put together from the events that hold their parts.
 *
 * Event 4104 has ScriptBlockText, the id that all parts of a script share, and which part of how
 * many it is. Parts stand near each other in one log; a script without some of its parts at the end
 * of its source is scanned as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rules/yara_scan.h"

enum { EVENT_SCRIPT = 4104, MAX_AWAITED = 256 };

typedef struct part {
  uint64_t number;
  char *text;
  size_t n;
  yara_row row;
} part;
typedef struct script {
  uint32_t source;
  char *id;
  uint64_t n_wanted;
  part *parts;
  size_t n_parts, cap_parts, n_bytes;
} script;

struct yara_scripts {
  script awaited[MAX_AWAITED];
  size_t n;
  size_t n_bytes;
};

fl_status fl_yara_scripts_create(yara_scripts **ret_scripts, fl_err *err) {
  *ret_scripts = calloc(1, sizeof **ret_scripts);
  return *ret_scripts ? FL_OK : fl_fail(err, FL_E_NOMEM, 0, "out of memory for scripts");
}

static void drop_script(yara_scripts *scripts, size_t at) {
  script *s = &scripts->awaited[at];
  for (size_t i = 0; i < s->n_parts; i++) free(s->parts[i].text);
  scripts->n_bytes -= s->n_bytes;
  free(s->parts);
  free(s->id);
  memmove(s, s + 1, (scripts->n - at - 1) * sizeof *s);
  scripts->n--;
}

void fl_yara_scripts_free(yara_scripts *scripts) {
  if (!scripts) return;
  while (scripts->n) drop_script(scripts, scripts->n - 1);
  free(scripts);
}

static int by_number(const void *a, const void *b) {
  const part *l = a, *r = b;
  if (l->number != r->number) return l->number < r->number ? -1 : 1;
  return l->row.seq < r->row.seq ? -1 : l->row.seq > r->row.seq;
}

/* The same part twice, as a log and its copy have it, counts once. */
static bool join(const script *s, yara_task *task) {
  task->text = malloc(s->n_bytes + 1);
  if (!task->text) return false;
  for (size_t i = 0; i < s->n_parts; i++) {
    const part *p = &s->parts[i];
    if (i && p->number == s->parts[i - 1].number) continue;
    yara_row row = p->row;
    row.at = task->n_text;
    row.n = (uint32_t)p->n;
    memcpy(task->text + task->n_text, p->text, p->n);
    task->n_text += p->n;
    if (!fl_yara_rows_add(&task->rows, &row)) return false;
  }
  return true;
}

static fl_status give(fl_yara_scan *scan, size_t at, fl_err *err) {
  script *s = &scan->scripts->awaited[at];
  qsort(s->parts, s->n_parts, sizeof *s->parts, by_number);
  yara_task *task = fl_yara_task_create(scan, s->source, fl_yara_name_of(scan, s->source));
  if (!task || !join(s, task)) {
    fl_yara_task_free(task);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for scripts");
  }
  task->is_script = task->is_ended = true;
  task->id = s->id;
  s->id = NULL;
  drop_script(scan->scripts, at);
  return fl_yara_give(scan, task, err);
}

static fl_str field_text(const fl_batch *batch, const fl_row *row, const char *name,
                         fl_arena *arena) {
  for (uint32_t i = 0; i < row->shape->n_fields; i++) {
    const fl_shape_field *field = &row->shape->fields[i];
    if (!fl_str_eq(field->name, fl_str_of(name))) continue;
    const fl_value value = fl_row_field(batch, row, field, arena);
    return fl_value_text(&value, arena);
  }
  return (fl_str){0};
}

static uint64_t field_number(const fl_batch *batch, const fl_row *row, const char *name,
                             fl_arena *arena) {
  const fl_str text = field_text(batch, row, name, arena);
  const fl_value value = {.kind = FL_V_STR, .as.text = text};
  int64_t number = 0;
  return fl_value_number(&value, &number) && number > 0 ? (uint64_t)number : 1;
}

/* The script of that id, a new one where there is none. NULL: no memory. */
static script *find_script(yara_scripts *scripts, uint32_t source, fl_str id) {
  for (size_t i = scripts->n; i > 0; i--) {
    script *s = &scripts->awaited[i - 1];
    if (s->source == source && fl_str_eq(fl_str_of(s->id), id)) return s;
  }
  script *made = &scripts->awaited[scripts->n];
  *made = (script){.source = source, .id = strndup(id.p ? id.p : "", id.n)};
  if (!made->id) return NULL;
  scripts->n++;
  return made;
}

static bool add_part(yara_scripts *scripts, script *s, part p, fl_str text) {
  p.text = malloc(text.n + 1);
  if (!p.text || !fl_grow((void **)&s->parts, &s->cap_parts, s->n_parts + 1, sizeof *s->parts)) {
    free(p.text);
    return false;
  }
  if (text.n) memcpy(p.text, text.p, text.n);
  p.n = text.n;
  s->parts[s->n_parts++] = p;
  s->n_bytes += text.n;
  scripts->n_bytes += text.n;
  return true;
}

/* Room for one more script and its part: the oldest are scanned as they are. */
static fl_status make_room(fl_yara_scan *scan, size_t n_more, fl_err *err) {
  yara_scripts *scripts = scan->scripts;
  while (scripts->n &&
         (scripts->n == MAX_AWAITED || scripts->n_bytes + n_more > FL_LIMIT_YARA_SCRIPTS))
    FL_TRY(give(scan, 0, err));
  return FL_OK;
}

static fl_status take_part(fl_yara_scan *scan, const fl_batch *batch, const fl_row *row,
                           fl_err *err) {
  yara_row place;
  yara_scripts *scripts = scan->scripts;
  if (!fl_yara_row_of(scan, batch, row, &place))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for scripts");
  fl_arena *arena = scan->scratch;
  fl_arena_reset(arena);
  const fl_str text = field_text(batch, row, "ScriptBlockText", arena);
  const fl_str id = field_text(batch, row, "ScriptBlockId", arena);
  if (text.n == 0) return FL_OK;
  const part p = {.number = field_number(batch, row, "MessageNumber", arena), .row = place};
  FL_TRY(make_room(scan, text.n, err));
  script *s = find_script(scripts, row->source, id);
  if (!s || !add_part(scripts, s, p, text))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for scripts");
  const uint64_t n_wanted = field_number(batch, row, "MessageTotal", arena);
  if (n_wanted > s->n_wanted) s->n_wanted = n_wanted;
  const bool is_whole = id.n == 0 || s->n_parts >= s->n_wanted;
  if (!is_whole && s->n_bytes < FL_LIMIT_YARA_SCRIPT) return FL_OK;
  return give(scan, (size_t)(s - scripts->awaited), err);
}

fl_status fl_yara_scripts_batch(fl_yara_scan *scan, const fl_batch *batch, fl_err *err) {
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    const fl_row *row = &batch->rows[i];
    uint64_t id = 0;
    if (!fl_raw_u64(fl_row_column(batch, row, FL_C_EVENT_ID), &id) || id != EVENT_SCRIPT) continue;
    FL_TRY(take_part(scan, batch, row, err));
  }
  return FL_OK;
}

fl_status fl_yara_scripts_end(fl_yara_scan *scan, uint32_t source, fl_err *err) {
  yara_scripts *scripts = scan->scripts;
  for (size_t i = 0; i < scripts->n;) {
    if (source != UINT32_MAX && scripts->awaited[i].source != source) i++;
    else FL_TRY(give(scan, i, err)); /* which takes it out */
  }
  return FL_OK;
}
