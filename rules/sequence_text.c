/* sequence_text.c - explanation and evidence texts. */
#include <string.h>

#include "base/text.h"
#include "rules/sequence_run.h"

enum { MAX_VALUE = 512, MAX_TEXT = 16 << 10, GAP = 1 /* a control character */ };

/* A text that grows in an arena; `failed` when memory is short. */
typedef struct writer {
  fl_scene *scene;
  fl_arena *arena;
  char *p;
  size_t n, cap;
  fl_str gap; /* stands for a value that is not there */
} writer;

static void put(writer *w, fl_str s) {
  if (s.n > MAX_TEXT - w->n) s.n = MAX_TEXT - w->n;
  if (s.n == 0) return;
  if (w->n + s.n > w->cap) {
    size_t cap = w->cap ? w->cap : 256;
    while (cap < w->n + s.n) cap *= 2;
    char *grown = fl_arena_take(w->arena, cap);
    if (!grown) return;
    if (w->n) memcpy(grown, w->p, w->n);
    w->p = grown;
    w->cap = cap;
  }
  memcpy(w->p + w->n, s.p, s.n);
  w->n += s.n;
}

static void put_value(writer *w, fl_str s) {
  if (s.n > MAX_VALUE) {
    s.n = MAX_VALUE;
    while (s.n && ((unsigned char)s.p[s.n] & 0xc0u) == 0x80u) s.n--;
  }
  put(w, s.n ? s : w->gap);
}

fl_value fl_scene_var(const fl_scene *scene, uint16_t var) {
  const fl_path *path = scene->var_path[var];
  if (!scene->vars[var] || !path) return (fl_value){.kind = FL_V_NULL};
  const fl_event *event = fl_run_event(scene->run, scene->var_event[var]);
  const fl_value value = fl_path_value(path, event);
  if (value.kind == FL_V_NULL && path->machine) /* the host itself */
    return (fl_value){.kind = FL_V_STR, .as.text = event->host};
  return value;
}

static void put_formatted(writer *w, const fl_part *part, const fl_value *value) {
  int64_t number = 0;
  const bool is_number = fl_value_number(value, &number);
  if (part->format == FL_FORMAT_PLAIN || !is_number) {
    put_value(w, fl_value_text(value, w->scene->run->scratch));
    return;
  }
  char text[24] = "0x";
  const uint64_t bits = number < 0 && number >= INT32_MIN ? (uint32_t)number : (uint64_t)number;
  put(w, (fl_str){text, 2 + fl_text_hex(bits, text + 2)});
  const fl_code_fact *fact = part->format == FL_FORMAT_CODE && bits <= UINT32_MAX
                                 ? fl_code_find(part->space, (uint32_t)bits)
                                 : NULL;
  if (!fact || !fact->symbol[0]) return;
  put(w, FL_STR(" ("));
  put(w, fl_str_of(fact->symbol));
  put(w, FL_STR(")"));
}

fl_str fl_moment_text(fl_time t, fl_arena *arena) {
  char text[FL_TIME_TEXT_MAX];
  (void)fl_time_format(t, 0, text);
  return fl_arena_printf(arena, "%.10s %.8s UTC", text, text + 11);
}

/* When the event happened is told in aligned time, like everything else. */
static bool is_own_time(const fl_path *path) {
  return path->column && path->column->offset == offsetof(fl_event, t);
}

static void put_field(writer *w, const fl_part *part) {
  const fl_sight *sight = &w->scene->sights[part->event];
  if (!sight->is_bound || (part->is_last ? sight->is_last_cut : sight->is_first_cut)) {
    put_value(w, (fl_str){0});
    return;
  }
  const fl_event *event = fl_run_event(w->scene->run, part->is_last ? sight->last : sight->first);
  if (part->kind == FL_PART_SENTENCE) {
    put_value(w, fl_event_sentence(event, w->scene->run->scratch));
  } else if (is_own_time(&part->path)) {
    const uint32_t at = part->is_last ? sight->last : sight->first;
    if (fl_run_slot(w->scene->run, at)->is_timeless) put_value(w, (fl_str){0});
    else put(w, fl_moment_text(fl_run_time(w->scene->run, at), w->scene->run->scratch));
  } else {
    const fl_value value = fl_path_value(&part->path, event);
    put_formatted(w, part, &value);
  }
}

static void put_delta(writer *w, const fl_part *part) {
  const fl_sight *a = &w->scene->sights[part->event], *b = &w->scene->sights[part->other];
  if (!a->is_bound || !b->is_bound || a->is_first_cut || b->is_first_cut) {
    put_value(w, (fl_str){0});
    return;
  }
  const fl_run *run = w->scene->run;
  if (fl_run_slot(run, a->first)->is_timeless || fl_run_slot(run, b->first)->is_timeless) {
    put_value(w, (fl_str){0});
    return;
  }
  const int64_t ns =
      (int64_t)((uint64_t)fl_run_time(run, a->first) - (uint64_t)fl_run_time(run, b->first));
  put_value(w, fl_duration_text(ns, w->scene->run->scratch));
}

/* The machine that joins by role, else the host of the first event with that role. */
static void put_machine(writer *w, unsigned role) {
  fl_scene *scene = w->scene;
  for (size_t i = 0; i < scene->rule->n_vars; i++) {
    if (!scene->vars[i] || !scene->var_path[i] || scene->var_path[i]->machine != role) continue;
    const fl_value value = fl_scene_var(scene, (uint16_t)i);
    put_value(w, fl_value_text(&value, scene->run->scratch));
    return;
  }
  for (size_t i = 0; i < scene->rule->n_selectors; i++) {
    if (!scene->sights[i].is_bound || scene->rule->selectors[i].role != role) continue;
    put_value(w, fl_run_event(scene->run, scene->sights[i].first)->host);
    return;
  }
  put_value(w, (fl_str){0});
}

static void write_parts(writer *w, const fl_part *part) {
  fl_scene *scene = w->scene;
  for (; part; part = part->next) {
    char digits[24];
    fl_value value;
    switch (part->kind) {
      case FL_PART_TEXT:
        put(w, part->text);
        write_parts(w, part->kid);
        break;
      case FL_PART_VAR:
        value = fl_scene_var(scene, part->var);
        put_formatted(w, part, &value);
        break;
      case FL_PART_FIELD:
      case FL_PART_SENTENCE:
        put_field(w, part);
        break;
      case FL_PART_DELTA:
        put_delta(w, part);
        break;
      case FL_PART_COUNT:
        if (scene->sights[part->event].is_cut) put(w, FL_STR("at least "));
        put(w, (fl_str){digits, fl_text_u64(scene->sights[part->event].count, digits)});
        break;
      case FL_PART_MACHINE:
        put_machine(w, part->role);
        break;
      case FL_PART_IF_UNKNOWN:
        if (fl_scene_truth(scene, part->event) == FL_UNKNOWN) write_parts(w, part->kid);
        break;
      case FL_PART_IF_EVENT:
        if (scene->sights[part->event].is_bound) write_parts(w, part->kid);
        break;
      case FL_PART_IF_VAR:
        if (scene->vars[part->var]) write_parts(w, part->kid);
        break;
    }
  }
}

fl_str fl_scene_text(fl_scene *scene, const fl_part *part, fl_arena *arena) {
  writer w = {.scene = scene, .arena = scene->run->scratch, .gap = FL_STR("?")};
  write_parts(&w, part);
  return fl_arena_str(arena, (fl_str){w.p, w.n});
}

/* Leaves out text[from, to). */
static void cut(writer *w, size_t from, size_t to) {
  memmove(w->p + from, w->p + to, w->n - to);
  w->n -= to - from;
}

static size_t find_gap(const writer *w, size_t from, size_t to) {
  while (from < to && w->p[from] != GAP) from++;
  return from;
}

/* Brackets with a gap inside, and the space before them. */
static void cut_brackets(writer *w) {
  for (size_t i = 0; i < w->n;) {
    size_t end = i;
    if (w->p[i] == '(')
      while (end < w->n && w->p[end] != ')') end++;
    if (end == i || end == w->n || find_gap(w, i, end) == end) {
      i++;
      continue;
    }
    if (i && w->p[i - 1] == ' ') i--;
    cut(w, i, end + 1);
  }
}

/* "{$x.host}: the claim at {$x.time}, more (event {$x.id}); why" keeps "the claim, more". */
fl_str fl_scene_claim(fl_scene *scene, const fl_part *part, fl_arena *arena) {
  static const char gap[] = {GAP};
  writer w = {.scene = scene, .arena = scene->run->scratch, .gap = {gap, 1}};
  write_parts(&w, part);
  if (w.n > 3 && memcmp(w.p, "\1: ", 3) == 0) cut(&w, 0, 3);
  cut_brackets(&w);
  for (size_t i = 0; i + 5 <= w.n; i++)
    if (memcmp(w.p + i, " at \1", 5) == 0) cut(&w, i, i + 5);
  for (size_t i = 0; i < w.n; i++) /* what follows is a comment */
    if (w.p[i] == ';') w.n = i;
  size_t end = find_gap(&w, 0, w.n);
  if (end < w.n) /* the clause that has the gap goes */
    while (end && !(w.p[end] == ' ' && w.p[end - 1] && strchr(",;:", w.p[end - 1]))) end--;
  if (end < w.n && end) end--;
  return fl_arena_str(arena, (fl_str){w.p, end});
}
