/* run.c - external sort: time, then the source's name, then the order in the source. */
#include "timeline/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { READ_BUFFER_MIN = 64 << 10, READ_BUFFER_MAX = 128 << 10, WRITE_BUFFER = 256 << 10 };

/* Nameless, so that no crash leaves it behind; opened before a run gives up its rights. */
static int open_temporary(const char *folder) {
  const int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  char path[512];
  const int n = snprintf(path, sizeof path, "%s/faultline-XXXXXX", folder);
  if (n < 0 || (size_t)n >= sizeof path) return -1;
  const int named = mkostemp(path, O_CLOEXEC);
  if (named >= 0) (void)unlink(path);
  return named;
}

void fl_runs_init(fl_runs *runs, size_t memory_bytes, const char *folder) {
  *runs = (fl_runs){.memory_bytes = memory_bytes, .fd = open_temporary(folder ? folder : "/tmp")};
  runs->open_errno = runs->fd < 0 ? errno : 0;
}

void fl_runs_done(fl_runs *runs) {
  for (size_t i = 0; i < runs->n_runs; i++) free(runs->runs[i].p);
  free(runs->runs);
  free(runs->entries);
  free(runs->sorted);
  free(runs->heap);
  if (runs->fd >= 0) (void)close(runs->fd);
}

void fl_run_part_done(fl_run_part *part) {
  fl_pack_free(&part->rows);
  free(part->entries);
  *part = (fl_run_part){0};
}

fl_status fl_run_part_add(fl_run_part *part, size_t at, const fl_row_head *head, fl_err *err) {
  void *list = part->entries;
  if (!fl_grow(&list, &part->cap_entries, part->n_entries + 1, sizeof *part->entries))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  part->entries = list;
  part->entries[part->n_entries++] =
      (fl_run_entry){.t = head->t, .seq = head->seq, .row = {.at = at}, .source = head->source};
  return FL_OK;
}

fl_status fl_runs_take(fl_runs *runs, const fl_run_part *part, uint64_t first_seq, fl_err *err) {
  void *list = runs->entries;
  if (!fl_grow(&list, &runs->cap_entries, runs->n_entries + part->n_entries, sizeof *runs->entries))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  runs->entries = list;
  for (size_t i = 0; i < part->n_entries; i++) {
    fl_run_entry *entry = &runs->entries[runs->n_entries++];
    *entry = part->entries[i];
    entry->row.p = part->rows.p + part->entries[i].row.at;
    entry->seq += first_seq;
  }
  runs->n_bytes += fl_run_part_bytes(part);
  return FL_OK;
}

bool fl_runs_are_full(const fl_runs *runs) { return runs->n_bytes >= runs->memory_bytes; }

static int compare_entries(const void *left, const void *right) {
  const fl_run_entry *a = left, *b = right;
  if (a->t != b->t) return a->t < b->t ? -1 : 1;
  if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
  if (a->seq != b->seq) return a->seq < b->seq ? -1 : 1;
  return 0;
}

/* Where the entries from `at` on, which are in order, end. */
static size_t end_of_order(const fl_run_entry *entries, size_t at, size_t n) {
  for (at++; at < n && compare_entries(&entries[at - 1], &entries[at]) <= 0; at++) continue;
  return at < n ? at : n;
}

/* Merges from[at, middle) and from[middle, end) to the same place in `to`. */
static void merge_pair(const fl_run_entry *from, size_t at, size_t middle, size_t end,
                       fl_run_entry *to) {
  size_t left = at, right = middle;
  while (left < middle && right < end) {
    const bool is_right = compare_entries(&from[left], &from[right]) > 0;
    to[at++] = is_right ? from[right++] : from[left++];
  }
  memcpy(&to[at], &from[left], (middle - left) * sizeof *to);
  memcpy(&to[at + (middle - left)], &from[right], (end - right) * sizeof *to);
}

/* Merges neighbours that are in order. */
static void merge_all(const fl_run_entry *from, size_t n, fl_run_entry *to) {
  for (size_t at = 0, end = 0; at < n; at = end) {
    const size_t middle = end_of_order(from, at, n);
    end = middle < n ? end_of_order(from, middle, n) : n;
    merge_pair(from, at, middle, end, to);
  }
}

/* What comes in is in order for long stretches, so these are merged; stable. */
static fl_status sort_entries(fl_runs *runs, const uint32_t *ranks, fl_err *err) {
  const size_t n = runs->n_entries;
  void *list = runs->sorted;
  if (!fl_grow(&list, &runs->cap_sorted, n, sizeof *runs->sorted))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  runs->sorted = list;
  for (size_t i = 0; i < n; i++) runs->entries[i].rank = ranks[runs->entries[i].source];
  while (n != 0 && end_of_order(runs->entries, 0, n) < n) {
    merge_all(runs->entries, n, runs->sorted);
    fl_run_entry *const merged = runs->sorted;
    const size_t cap = runs->cap_sorted;
    runs->sorted = runs->entries;
    runs->cap_sorted = runs->cap_entries;
    runs->entries = merged;
    runs->cap_entries = cap;
  }
  return FL_OK;
}

void fl_run_part_sort(fl_run_part *part) {
  if (end_of_order(part->entries, 0, part->n_entries) < part->n_entries)
    qsort(part->entries, part->n_entries, sizeof *part->entries, compare_entries);
}

static fl_status write_file(fl_runs *runs, const fl_pack *bytes, fl_err *err) {
  size_t done = 0;
  while (done < bytes->n) {
    const ssize_t n = pwrite(runs->fd, bytes->p + done, bytes->n - done, (off_t)runs->file_bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return fl_fail(err, FL_E_IO, 0, "temporary file: cannot write: %s", strerror(errno));
    done += (size_t)n;
    runs->file_bytes += (uint64_t)n;
  }
  return FL_OK;
}

static fl_row_head head_at(const uint8_t *p) {
  fl_row_head head;
  memcpy(&head, p, sizeof head);
  return head;
}

/* The number of a row is the entry's. */
static fl_row_head head_of(const fl_run_entry *entry) {
  fl_row_head head = head_at(entry->row.p);
  head.seq = entry->seq;
  return head;
}

static fl_status write_rows(fl_runs *runs, fl_pack *buffer, fl_err *err) {
  for (size_t i = 0; i < runs->n_entries; i++) {
    const fl_row_head head = head_of(&runs->entries[i]);
    fl_pack_bytes(buffer, &head, sizeof head);
    fl_pack_bytes(buffer, runs->entries[i].row.p + sizeof head, head.n_bytes);
    if (buffer->failed) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
    if (buffer->n < WRITE_BUFFER) continue;
    FL_TRY(write_file(runs, buffer, err));
    buffer->n = 0;
  }
  return write_file(runs, buffer, err);
}

fl_status fl_runs_spill(fl_runs *runs, const uint32_t *ranks, fl_err *err) {
  if (runs->n_entries == 0) return FL_OK;
  if (runs->fd < 0)
    return fl_fail(err, FL_E_IO, 0, "cannot create a temporary file: %s",
                   strerror(runs->open_errno));
  FL_TRY(sort_entries(runs, ranks, err));
  void *list = runs->runs;
  if (!fl_grow(&list, &runs->cap_runs, runs->n_runs + 1, sizeof *runs->runs))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  runs->runs = list;
  fl_pack buffer = {0};
  const uint64_t start = runs->file_bytes;
  const fl_status status = write_rows(runs, &buffer, err);
  fl_pack_free(&buffer);
  FL_TRY(status);
  runs->runs[runs->n_runs++] = (fl_run){.at = start, .end = runs->file_bytes};
  runs->n_bytes = 0;
  runs->n_entries = 0;
  return FL_OK;
}

/* At least n_bytes of the run in a row at p + pos. */
static fl_status fill(fl_runs *runs, fl_run *run, size_t n_bytes, fl_err *err) {
  if (run->n - run->pos >= n_bytes) return FL_OK;
  run->n -= run->pos;
  if (run->pos && run->n) memmove(run->p, run->p + run->pos, run->n);
  run->pos = 0;
  void *p = run->p;
  size_t want = runs->memory_bytes / (runs->n_runs + 1);
  if (want < READ_BUFFER_MIN) want = READ_BUFFER_MIN;
  if (want > READ_BUFFER_MAX) want = READ_BUFFER_MAX;
  if (want < n_bytes) want = n_bytes;
  if (!fl_grow(&p, &run->cap, want, 1)) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  run->p = p;
  while (run->n < n_bytes) {
    size_t room = run->cap - run->n;
    if (room > run->end - run->at) room = (size_t)(run->end - run->at);
    const ssize_t n = pread(runs->fd, run->p + run->n, room, (off_t)run->at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return fl_fail(err, FL_E_IO, 0, "temporary file: cannot read %zu bytes: %s", n_bytes,
                     n < 0 ? strerror(errno) : "it is too short");
    run->n += (size_t)n;
    run->at += (uint64_t)n;
  }
  return FL_OK;
}

/* FL_END: the run is used up. */
static fl_status load_head(fl_runs *runs, fl_run *run, fl_err *err) {
  if (run->pos == run->n && run->at == run->end) return FL_END;
  FL_TRY(fill(runs, run, sizeof run->head, err));
  run->head = head_at(run->p + run->pos);
  return fill(runs, run, sizeof run->head + run->head.n_bytes, err);
}

static fl_run_entry key_of(const fl_runs *runs, size_t index) {
  if (index == runs->n_runs) return runs->entries[runs->next_entry];
  const fl_row_head *head = &runs->runs[index].head;
  return (fl_run_entry){.t = head->t, .seq = head->seq, .rank = runs->ranks[head->source]};
}

/* Equal keys leave in the order of the runs. */
static bool is_before(const fl_runs *runs, size_t a, size_t b) {
  const fl_run_entry left = key_of(runs, a), right = key_of(runs, b);
  const int order = compare_entries(&left, &right);
  return order ? order < 0 : a < b;
}

static void sift_down(fl_runs *runs, size_t at) {
  for (;;) {
    size_t least = at;
    for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < runs->n_heap; child++)
      if (is_before(runs, runs->heap[child], runs->heap[least])) least = child;
    if (least == at) return;
    const size_t swapped = runs->heap[at];
    runs->heap[at] = runs->heap[least];
    runs->heap[least] = swapped;
    at = least;
  }
}

fl_status fl_runs_merge(fl_runs *runs, const uint32_t *ranks, fl_err *err) {
  runs->ranks = ranks;
  FL_TRY(sort_entries(runs, ranks, err));
  runs->heap = malloc((runs->n_runs + 1) * sizeof *runs->heap);
  if (!runs->heap) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  for (size_t i = 0; i < runs->n_runs; i++) {
    const fl_status status = load_head(runs, &runs->runs[i], err);
    FL_TRY(status);
    if (status == FL_OK) runs->heap[runs->n_heap++] = i;
  }
  if (runs->n_entries) runs->heap[runs->n_heap++] = runs->n_runs;
  for (size_t i = runs->n_heap / 2; i-- > 0;) sift_down(runs, i);
  runs->next_entry = 0;
  return FL_OK;
}

/* Steps over the row at the root; its bytes were still in use until now. */
static fl_status step_root(fl_runs *runs, fl_err *err) {
  const size_t index = runs->heap[0];
  bool has_more = false;
  if (index == runs->n_runs) {
    has_more = ++runs->next_entry < runs->n_entries;
  } else {
    fl_run *run = &runs->runs[index];
    run->pos += sizeof run->head + run->head.n_bytes;
    const fl_status status = load_head(runs, run, err);
    FL_TRY(status);
    has_more = status == FL_OK;
  }
  if (!has_more) runs->heap[0] = runs->heap[--runs->n_heap];
  if (runs->n_heap) sift_down(runs, 0);
  return FL_OK;
}

fl_status fl_runs_next(fl_runs *runs, fl_row_head *ret_head, const uint8_t **ret_bytes,
                       fl_err *err) {
  if (runs->has_root) FL_TRY(step_root(runs, err));
  runs->has_root = runs->n_heap > 0;
  if (!runs->has_root) return FL_END;
  const size_t index = runs->heap[0];
  if (index == runs->n_runs) {
    const fl_run_entry *entry = &runs->entries[runs->next_entry];
    *ret_head = head_of(entry);
    *ret_bytes = entry->row.p + sizeof *ret_head;
  } else {
    const fl_run *run = &runs->runs[index];
    *ret_head = run->head;
    *ret_bytes = run->p + run->pos + sizeof *ret_head;
  }
  return FL_OK;
}

/* Behind the row at the root, in the same run. */
static bool is_run_past(const fl_runs *runs, size_t index, fl_time t) {
  if (index == runs->n_runs)
    return runs->next_entry + 1 >= runs->n_entries || runs->entries[runs->next_entry + 1].t != t;
  const fl_run *run = &runs->runs[index];
  const size_t next = run->pos + sizeof run->head + run->head.n_bytes;
  if (next == run->n) return run->at == run->end;
  return run->n - next >= sizeof run->head && head_at(run->p + next).t != t;
}

bool fl_runs_are_past(const fl_runs *runs, fl_time t) {
  if (!runs->has_root || !is_run_past(runs, runs->heap[0], t)) return false;
  for (size_t i = 1; i <= 2 && i < runs->n_heap; i++)
    if (key_of(runs, runs->heap[i]).t == t) return false;
  return true;
}
