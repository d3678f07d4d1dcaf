/* yara_scan.c - the sink of a scan: sources and scripts become tasks, tasks become finds. */
#include "rules/yara_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for scanning with YARA rules");
}

yara_task *fl_yara_task_create(fl_yara_scan *scan, uint32_t source, fl_str name) {
  (void)scan;
  yara_task *task = calloc(1, sizeof *task);
  if (!task) return NULL;
  task->source = source;
  task->name = strndup(name.p ? name.p : "", name.n);
  if (task->name) return task;
  free(task);
  return NULL;
}

void fl_yara_task_free(yara_task *task) {
  if (!task) return;
  if (task->bytes.release) task->bytes.release(task->bytes.self);
  fl_yara_result_free(&task->result);
  free(task->rows.items);
  free(task->text);
  free(task->name);
  free(task->id);
  free(task);
}

fl_status fl_yara_note(fl_yara_scan *scan, uint32_t source, fl_severity severity,
                       const char *format, ...) {
  char text[300];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const fl_str kept = fl_arena_str(scan->arena, fl_str_of(text));
  if (!kept.p ||
      !fl_grow((void **)&scan->notes, &scan->cap_notes, scan->n_notes + 1, sizeof *scan->notes))
    return FL_E_NOMEM;
  scan->notes[scan->n_notes++] = (fl_note){.source = source, .severity = severity, .text = kept};
  return FL_OK;
}

/* The last part of a source's name, and its ending with the dot. */
static const char *leaf_of(const char *name) {
  const char *slash = strrchr(name, '/');
  return slash ? slash + 1 : name;
}
static const char *ending_of(const char *leaf) {
  const char *dot = strrchr(leaf, '.');
  return dot && dot != leaf ? dot : "";
}

/* A second for each MiB beyond half a minute: ten times what the largest public sets need. */
static unsigned seconds_for(const fl_yara_scan *scan, const yara_task *task) {
  const uint64_t n_bytes = task->is_script ? task->n_text : task->bytes.size_bytes;
  const uint64_t seconds = scan->seconds + (n_bytes >> 20);
  return seconds < INT32_MAX ? (unsigned)seconds : INT32_MAX;
}

static fl_status scan_run(fl_yara_scan *scan, yara_task *task, unsigned worker,
                          const yara_run *run) {
  char script[80] = "";
  if (task->is_script) (void)snprintf(script, sizeof script, "%.64s.ps1", task->id);
  const char *leaf = task->is_script ? script : leaf_of(task->name);
  const yara_medium medium = {.runs = run,
                              .n_runs = 1,
                              .has_size = true,
                              .may_vanish = task->mapped != NULL,
                              .seconds = seconds_for(scan, task),
                              .filename = leaf,
                              .filepath = task->name,
                              .extension = ending_of(leaf)};
  return fl_yara_scanner_run(scan->scanners[worker], &medium, &task->result);
}

/* All bytes of a source into the worker's buffer. */
static fl_status read_source(fl_yara_scan *scan, yara_task *task, unsigned worker,
                             yara_run *ret_run) {
  size_t n = 0;
  const size_t size = (size_t)task->bytes.size_bytes;
  if (!fl_grow((void **)&scan->buffers[worker], &scan->n_buffers[worker], size, 1))
    return no_memory(&task->err);
  FL_TRY(task->bytes.read(task->bytes.self, 0, scan->buffers[worker], size, &n, &task->err));
  *ret_run = (yara_run){.bytes = scan->buffers[worker], .n_bytes = n};
  return FL_OK;
}

/* A worker's: nothing but the task, its scanner and its buffer is touched. */
static void scan_task(void *self, void *given, unsigned worker) {
  fl_yara_scan *scan = self;
  yara_task *task = given;
  yara_run run = {.bytes = task->text, .n_bytes = task->n_text};
  if (!task->is_script && task->mapped)
    run = (yara_run){.bytes = task->mapped, .n_bytes = (size_t)task->bytes.size_bytes};
  else if (!task->is_script) task->status = read_source(scan, task, worker, &run);
  if (task->status == FL_OK) task->status = scan_run(scan, task, worker, &run);
}

static int by_place(const void *a, const void *b) {
  const yara_row *l = a, *r = b;
  if (l->at != r->at) return l->at < r->at ? -1 : 1;
  return l->seq < r->seq ? -1 : l->seq > r->seq;
}

static fl_status tell(fl_yara_scan *scan, const yara_task *task) {
  const yara_result *r = &task->result;
  if (task->status < FL_OK)
    return fl_yara_note(scan, task->source, FL_NOTE_UNREADABLE, "not scanned with YARA rules: %s",
                        task->err.text);
  if (r->is_timed_out)
    return fl_yara_note(scan, task->source, FL_NOTE_LIMIT,
                        "limit reached: YARA rules were stopped after %u s; what they would find "
                        "here is not known",
                        seconds_for(scan, task));
  if (r->has_failed)
    return fl_yara_note(scan, task->source, FL_NOTE_LIMIT,
                        "YARA rules were stopped by error %d of libyara; what they would find here "
                        "is not known",
                        r->code);
  if (r->many[0])
    return fl_yara_note(scan, task->source, FL_NOTE_LIMIT,
                        "limit reached: YARA string %s is found more than %d times; further ones "
                        "do not count",
                        r->many, YR_MAX_STRING_MATCHES);
  return FL_OK;
}

/* Rules that take too long on a few sources would do so on all. What was given before that was
 * known is scanned and thrown away: the answer does not hang on the number of workers. */
static bool is_left(fl_yara_scan *scan, yara_task *task) {
  if (scan->n_stopped >= FL_LIMIT_YARA_STRIKES) {
    scan->n_left++;
    fl_yara_result_clear(&task->result);
    return true;
  }
  scan->n_stopped += task->result.is_timed_out;
  return false;
}

/* Waits for the oldest task that is not done, and gives back what it held. */
static fl_status ease(fl_yara_scan *scan, fl_err *err) {
  yara_task *task = scan->undone;
  if (scan->crew && !task->is_skipped) fl_crew_wait(scan->crew, task->number);
  task->is_done = true;
  scan->undone = task->next;
  scan->n_open--;
  if (task->bytes.release) task->bytes.release(task->bytes.self);
  task->bytes.release = NULL;
  if (task->is_script) scan->n_open_bytes -= task->n_text;
  free(task->text);
  task->text = NULL;
  if (task->status == FL_E_NOMEM) return no_memory(err);
  if (is_left(scan, task)) return FL_OK;
  return tell(scan, task) == FL_E_NOMEM ? no_memory(err) : FL_OK;
}

/* A log of very many records: once it is scanned, only those that hold a match are kept. */
static void thin_rows(yara_task *task) {
  yara_rows *rows = &task->rows;
  const yara_result *r = &task->result;
  size_t n = 0;
  for (size_t i = 0; i < rows->n; i++) {
    const yara_row *row = &rows->items[i];
    bool is_hit = false;
    for (size_t h = 0; h < r->n_hits && !is_hit; h++) {
      /* The first match of this hit at or behind the row's begin. */
      size_t low = r->hits[h].first, high = low + r->hits[h].n;
      while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (r->matches[mid].offset < row->at) low = mid + 1;
        else high = mid;
      }
      is_hit = low < r->hits[h].first + r->hits[h].n && r->matches[low].offset - row->at < row->n;
    }
    if (is_hit) rows->items[n++] = *row;
  }
  rows->n = n;
}

/* Tasks become finds in the order in which they were given. */
static fl_status settle(fl_yara_scan *scan, fl_err *err) {
  while (scan->first && scan->first->is_done && scan->first->is_ended) {
    yara_task *task = scan->first;
    yara_rows *rows = &task->rows;
    if (rows->n > 1) qsort(rows->items, rows->n, sizeof *rows->items, by_place);
    const yara_found found = {
        .source = task->source,
        .name = fl_str_of(task->name),
        .medium = task->is_script ? "script" : "file",
        .script = fl_str_of(task->id ? task->id : ""),
        .rows = rows,
        .n_bytes = task->is_script ? task->n_text : task->n_size,
        .only_in_rows = scan->options.only_in_rows && !task->is_script,
    };
    if (scan->tracing) fl_yara_trace(scan, &found, &task->result);
    FL_TRY(fl_yara_find_add(scan, &found, &task->result, err));
    scan->first = task->next;
    if (!scan->first) scan->newest = NULL;
    fl_yara_task_free(task);
  }
  return FL_OK;
}

fl_status fl_yara_give(fl_yara_scan *scan, yara_task *task, fl_err *err) {
  const size_t most = scan->crew ? (size_t)scan->n_workers * 2 + 2 : 1;
  if (scan->newest) scan->newest->next = task;
  else scan->first = task;
  scan->newest = task;
  if (!scan->undone) scan->undone = task;
  scan->n_open++;
  if (task->is_script) scan->n_open_bytes += task->n_text;
  const bool is_over = scan->n_stopped >= FL_LIMIT_YARA_STRIKES;
  task->is_skipped = is_over;
  if (is_over) task->status = FL_OK;
  else if (scan->crew) task->number = fl_crew_give(scan->crew, task);
  else scan_task(scan, task, 0);
  while (scan->n_open >= most || (scan->n_open > 1 && scan->n_open_bytes > FL_LIMIT_YARA_SCRIPTS))
    FL_TRY(ease(scan, err));
  return settle(scan, err);
}

/* A name that no longer fits is left out. */
static bool keep_name(fl_yara_scan *scan, const fl_source_info *source) {
  if (!fl_grow_zeroed((void **)&scan->names, &scan->cap_names, (size_t)source->id + 1,
                      sizeof *scan->names))
    return false;
  if (source->name.n) scan->names[source->id] = fl_arena_str(scan->name_arena, source->name);
  return true;
}

fl_str fl_yara_name_of(const fl_yara_scan *scan, uint32_t source) {
  const bool is_known = source < scan->cap_names && scan->names[source].p;
  return is_known ? scan->names[source] : FL_STR("");
}

static fl_status begin(void *self, const fl_source_info *source, fl_err *err) {
  fl_yara_scan *scan = self;
  if (!keep_name(scan, source)) return no_memory(err);
  if (!source->is_container) scan->leaf = NULL;
  if (!source->bytes || !scan->n_workers) return FL_OK;
  yara_task *task = fl_yara_task_create(scan, source->id, source->name);
  if (!task) return no_memory(err);
  task->bytes = *source->bytes;
  task->n_size = task->bytes.size_bytes;
  task->bytes.share(task->bytes.self);
  task->is_ended = source->is_container;
  if (task->bytes.size_bytes > FL_LIMIT_YARA_BUFFER)
    task->mapped = task->bytes.map(task->bytes.self);
  if (task->bytes.size_bytes > FL_LIMIT_YARA_BUFFER && !task->mapped) {
    const fl_status s = fl_yara_note(scan, source->id, FL_NOTE_LIMIT,
                                     "not scanned with YARA rules: no room to map its bytes");
    fl_yara_task_free(task);
    return s == FL_OK ? s : no_memory(err);
  }
  if (!source->is_container) scan->leaf = task;
  scan->n_given++;
  return fl_yara_give(scan, task, err);
}

static fl_status take_rows(fl_yara_scan *scan, const fl_batch *batch, fl_err *err) {
  yara_task *leaf = scan->leaf;
  if (!leaf || leaf->source != batch->source) return FL_OK;
  for (uint32_t i = 0; i < batch->n_rows; i++) {
    yara_row row;
    if (batch->rows[i].length == 0) continue;
    if (!fl_yara_row_of(scan, batch, &batch->rows[i], &row) || !fl_yara_rows_add(&leaf->rows, &row))
      return no_memory(err);
  }
  if (leaf->rows.n <= FL_LIMIT_YARA_ROWS) return FL_OK;
  while (!leaf->is_done) FL_TRY(ease(scan, err));
  thin_rows(leaf);
  return FL_OK;
}

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  fl_yara_scan *scan = self;
  FL_TRY(take_rows(scan, batch, err));
  if (scan->scripts) FL_TRY(fl_yara_scripts_batch(scan, batch, err));
  return scan->events ? fl_yara_events_batch(scan, batch, err) : FL_OK;
}

static fl_status end(void *self, const fl_source_info *source, fl_err *err) {
  fl_yara_scan *scan = self;
  if (scan->scripts) FL_TRY(fl_yara_scripts_end(scan, source->id, err));
  if (scan->leaf && scan->leaf->source == source->id) {
    scan->leaf->is_ended = true;
    scan->leaf = NULL;
  }
  return settle(scan, err);
}

fl_sink fl_yara_scan_sink(fl_yara_scan *scan) {
  return (fl_sink){.self = scan, .begin = begin, .batch = take_batch, .end = end};
}

static fl_status start(fl_yara_scan *scan, fl_err *err) {
  const unsigned wanted = scan->options.n_jobs ? scan->options.n_jobs : fl_processors();
  const unsigned n = wanted < FL_CREW_MAX_WORKERS ? wanted : FL_CREW_MAX_WORKERS;
  for (; scan->n_workers < n; scan->n_workers++)
    FL_TRY(
        fl_yara_scanner_create(scan->yara, FL_YARA_BYTES, &scan->scanners[scan->n_workers], err));
  if (n > 1 && fl_crew_start(n, scan_task, scan, &scan->crew, NULL) < FL_OK) scan->crew = NULL;
  return fl_yara_scripts_create(&scan->scripts, err);
}

fl_status fl_yara_scan_create(const fl_yara *yara, const fl_yara_options *options,
                              fl_yara_scan **ret_scan, fl_err *err) {
  fl_yara_scan *scan = calloc(1, sizeof *scan);
  if (!scan) return no_memory(err);
  scan->yara = yara;
  scan->seconds = FL_LIMIT_YARA_SCAN;
  if (options) scan->options = *options;
  scan->arena = fl_arena_create(FL_LIMIT_CASE_ARENA);
  scan->name_arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  scan->origin_slots = calloc(YARA_ORIGIN_SLOTS, sizeof *scan->origin_slots);
  scan->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA);
  fl_status s = scan->arena && scan->scratch && scan->name_arena && scan->origin_slots
                    ? FL_OK
                    : no_memory(err);
  if (s == FL_OK && yara->compiled[FL_YARA_BYTES]) s = start(scan, err);
  if (s == FL_OK && yara->compiled[FL_YARA_EVENT])
    s = fl_yara_events_create(yara, &scan->events, err);
  if (s == FL_OK) *ret_scan = scan;
  else fl_yara_scan_free(scan);
  return s;
}

void fl_yara_scan_free(fl_yara_scan *scan) {
  if (!scan) return;
  fl_crew_stop(scan->crew);
  while (scan->first) {
    yara_task *next = scan->first->next;
    fl_yara_task_free(scan->first);
    scan->first = next;
  }
  for (unsigned i = 0; i < scan->n_workers; i++) {
    fl_yara_scanner_free(scan->scanners[i]);
    free(scan->buffers[i]);
  }
  fl_yara_scripts_free(scan->scripts);
  fl_yara_events_free(scan->events);
  fl_arena_free(scan->arena);
  fl_arena_free(scan->scratch);
  fl_arena_free(scan->name_arena);
  free(scan->names);
  free(scan->origin_slots);
  free(scan->origins);
  free(scan->finds);
  free(scan->notes);
  free(scan);
}

static int by_source(const void *a, const void *b) {
  const fl_note *l = a, *r = b;
  if (l->source != r->source) return l->source < r->source ? -1 : 1;
  return fl_str_cmp(l->text, r->text);
}

fl_status fl_yara_scan_finish(fl_yara_scan *scan, const fl_yara_find **ret_finds, size_t *ret_n,
                              fl_err *err) {
  if (scan->leaf) scan->leaf->is_ended = true; /* the run was cut short in it */
  if (scan->scripts) FL_TRY(fl_yara_scripts_end(scan, UINT32_MAX, err));
  while (scan->undone) FL_TRY(ease(scan, err));
  FL_TRY(settle(scan, err));
  if (scan->n_dropped && fl_yara_note(scan, UINT32_MAX, FL_NOTE_LIMIT,
                                      "limit reached: %llu more finds of YARA rules are not listed",
                                      (unsigned long long)scan->n_dropped) == FL_E_NOMEM)
    return no_memory(err);
  if (scan->n_left &&
      fl_yara_note(scan, UINT32_MAX, FL_NOTE_LIMIT,
                   "limit reached: YARA rules were stopped on %d sources; %llu more were not "
                   "scanned",
                   (int)FL_LIMIT_YARA_STRIKES, (unsigned long long)scan->n_left) == FL_E_NOMEM)
    return no_memory(err);
  fl_yara_finds_sort(scan);
  if (scan->n_notes > 1) qsort(scan->notes, scan->n_notes, sizeof *scan->notes, by_source);
  *ret_finds = scan->finds;
  *ret_n = scan->n_finds;
  return FL_OK;
}

void fl_yara_scan_watch(fl_yara_scan *scan, const fl_tracing *tracing) {
  scan->tracing = tracing;
  for (unsigned i = 0; i < scan->n_workers; i++)
    fl_yara_scanner_watch(scan->scanners[i], tracing->rule);
  if (scan->events) fl_yara_events_watch(scan->events, tracing->rule);
}

size_t fl_yara_scan_notes(const fl_yara_scan *scan, const fl_note **ret_notes) {
  *ret_notes = scan->notes;
  return scan->n_notes;
}

uint64_t fl_yara_scan_count(const fl_yara_scan *scan) { return scan->n_given; }
bool fl_yara_scan_wants_bytes(const fl_yara_scan *scan) { return scan->n_workers != 0; }
