/* case.c - the builder of a case: keeps sources, notes and wanted events while they are read. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rules/case.h"
#include "rules/case_sigma.h"

/* What the reconstruction itself needs, whatever rules are loaded. */
static const char *const kept_kinds[] = {"rdp.",
                                         "session.",
                                         "logon.failed",
                                         "logon.reconnect",
                                         "logon.disconnect",
                                         "service.crashed",
                                         "power.",
                                         "crash.",
                                         "service.driver_host",
                                         "gateway.",
                                         "broker.",
                                         "update.",
                                         "policy.applied",
                                         "policy.failed",
                                         "service.installed",
                                         "service.changed",
                                         "driver.",
                                         "firewall.global",
                                         "firewall.interface_profile",
                                         "firewall.policy",
                                         "firewall.profile",
                                         "firewall.reset",
                                         "firewall.rule",
                                         "firewall.setting",
                                         "time.changed",
                                         "setting.rdp",
                                         "yara.",
                                         "state.address"};

static void owner_free(case_owner *owner) {
  if (!owner) return;
  fl_coverage_free(owner->coverage);
  fl_match_free(owner->match);
  fl_places_free(owner->places);
  fl_hits_free(owner->hits);
  fl_arena_free(owner->arena);
  free(owner->sources);
  free(owner->notes);
  free(owner->off);
  free(owner);
}

void fl_case_free(fl_case *c) { owner_free((case_owner *)c); }

fl_status fl_case_builder_create(const fl_rules *rules, const fl_case_options *options,
                                 fl_case_builder **ret_builder, fl_err *err) {
  fl_case_builder *b = calloc(1, sizeof *b);
  case_owner *owner = calloc(1, sizeof *owner);
  fl_status status = FL_OK;
  if (!b || !owner || !(owner->arena = fl_arena_create(FL_LIMIT_CASE_ARENA)))
    status = fl_fail(err, FL_E_NOMEM, 0, "out of memory for a case");
  if (status == FL_OK) status = fl_coverage_create(&owner->coverage, err);
  if (status == FL_OK) status = fl_places_create(&owner->places, err);
  if (status == FL_OK)
    status = fl_match_create(rules, kept_kinds, sizeof kept_kinds / sizeof *kept_kinds,
                             &owner->match, err);
  const bool with_sigma = !options || !options->sequences_alone;
  if (status == FL_OK && with_sigma)
    status = fl_case_sigma_create(rules, owner->arena, &b->sigma, err);
  if (status != FL_OK) {
    owner_free(owner);
    free(b);
    return status;
  }
  b->rules = rules;
  b->options = options ? *options : (fl_case_options){0};
  b->owner = owner;
  owner->c.window = (fl_window){.since = b->options.since, .until = b->options.until};
  *ret_builder = b;
  return FL_OK;
}

void fl_case_builder_free(fl_case_builder *builder) {
  if (!builder) return;
  fl_case_sigma_free(builder->sigma);
  owner_free(builder->owner);
  fl_arena_free(builder->scratch);
  free(builder->rows);
  free(builder);
}

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for what a case keeps");
}

/* Everything that a source's description points to is copied. */
static fl_status copy_source(fl_arena *arena, fl_source_info *source, fl_err *err) {
  source->name = fl_arena_str(arena, source->name);
  const fl_str type = fl_arena_str(arena, fl_str_of(source->type ? source->type : "unknown"));
  fl_range *ledger = FL_NEW_ARRAY(arena, fl_range, source->n_ledger);
  if (!source->name.p || !type.p || !ledger) return no_memory(err);
  source->type = type.p;
  for (size_t i = 0; i < source->n_ledger; i++) {
    ledger[i] = source->ledger[i];
    ledger[i].reason = fl_arena_str(arena, ledger[i].reason);
    if (!ledger[i].reason.p) return no_memory(err);
  }
  source->ledger = ledger;
  return FL_OK;
}

static fl_status take_source(void *self, const fl_source_info *source, fl_err *err) {
  case_owner *o = ((fl_case_builder *)self)->owner;
  size_t at = o->n_sources;
  while (at > 0 && o->sources[at - 1].id != source->id) at--;
  const bool is_new = at == 0;
  if (is_new &&
      !fl_grow((void **)&o->sources, &o->cap_sources, o->n_sources + 1, sizeof *o->sources))
    return no_memory(err);
  fl_source_info copy = *source;
  FL_TRY(copy_source(o->arena, &copy, err));
  o->sources[is_new ? o->n_sources++ : at - 1] = copy;
  return FL_OK;
}

static fl_status end_source(void *self, const fl_source_info *source, fl_err *err) {
  FL_TRY(take_source(self, source, err));
  return fl_coverage_source(((fl_case_builder *)self)->owner->coverage, source, err);
}

fl_status fl_case_note(case_owner *o, const fl_note *note, fl_err *err) {
  if (!fl_grow((void **)&o->notes, &o->cap_notes, o->n_notes + 1, sizeof *o->notes))
    return no_memory(err);
  fl_note copy = *note;
  copy.text = fl_arena_str(o->arena, note->text);
  if (!copy.text.p) return no_memory(err);
  o->notes[o->n_notes++] = copy;
  return FL_OK;
}

fl_status fl_case_note_limit(case_owner *o, fl_str text, fl_err *err) {
  if (!text.p) return no_memory(err);
  if (o->c.totals.worst < FL_NOTE_LIMIT) o->c.totals.worst = FL_NOTE_LIMIT;
  o->c.totals.n_notes++;
  const fl_note note = {UINT32_MAX, FL_NOTE_LIMIT, 0, text};
  return fl_case_note(o, &note, err);
}

static fl_status take_note(void *self, const fl_note *note, fl_err *err) {
  case_owner *o = ((fl_case_builder *)self)->owner;
  if (o->n_notes < FL_LIMIT_CASE_NOTES) return fl_case_note(o, note, err);
  o->n_notes_dropped++;
  return FL_OK;
}

static fl_status begin_source(void *self, const fl_source_info *source, fl_err *err) {
  fl_case_builder *b = self;
  if (b->sigma) FL_TRY(fl_case_sigma_begin(b->sigma, source, err));
  return take_source(self, source, err);
}

static fl_status match_batch(fl_case_builder *b, const fl_batch *batch, fl_err *err) {
  if (b->sigma) FL_TRY(fl_case_sigma_batch(b->sigma, batch, err));
  return fl_match_batch(b->owner->match, batch, err);
}

static bool is_narrowed(const fl_case_options *o) { return o->since || o->until || o->filter; }

static fl_status is_taken(fl_case_builder *b, const fl_batch *batch, const fl_row *row,
                          bool *ret_is, fl_err *err) {
  const fl_case_options *o = &b->options;
  const bool has_window = o->since || o->until;
  *ret_is = !has_window || fl_row_is_state(batch, row) ||
            (!(row->flags & FL_F_TIME_INVALID) && (!o->since || row->t >= o->since) &&
             (!o->until || row->t <= o->until));
  if (!*ret_is || !o->filter) return FL_OK;
  fl_event event = {0};
  fl_arena_reset(b->scratch);
  FL_TRY(fl_event_build(batch, row, b->scratch, &event, err));
  *ret_is = fl_filter_event(o->filter, &event);
  return FL_OK;
}

static fl_status take_batch(void *self, const fl_batch *batch, fl_err *err) {
  fl_case_builder *b = self;
  FL_TRY(fl_coverage_batch(b->owner->coverage, batch, err));
  FL_TRY(fl_places_batch(b->owner->places, batch, err));
  if (!b->scratch && !(b->scratch = fl_arena_create(FL_LIMIT_BATCH_ARENA))) return no_memory(err);
  FL_TRY(fl_case_logs_batch(b->owner, batch, b->scratch, err));
  if (b->options.trace) FL_TRY(fl_case_trace_batch(b->owner, b->options.trace, batch, err));
  if (!is_narrowed(&b->options)) return match_batch(b, batch, err);
  if (!b->rows && !(b->rows = malloc(FL_BATCH_ROWS * sizeof *b->rows))) return no_memory(err);
  fl_batch inside = *batch;
  inside.rows = b->rows;
  inside.n_rows = 0;
  for (uint32_t i = 0; i < batch->n_rows && inside.n_rows < FL_BATCH_ROWS; i++) {
    bool is = false;
    FL_TRY(is_taken(b, batch, &batch->rows[i], &is, err));
    if (is) b->rows[inside.n_rows++] = batch->rows[i];
  }
  b->owner->c.window.n_rows += batch->n_rows;
  b->owner->c.window.n_taken += inside.n_rows;
  return inside.n_rows ? match_batch(b, &inside, err) : FL_OK;
}

fl_sink fl_case_builder_sink(fl_case_builder *builder) {
  return (fl_sink){.self = builder,
                   .begin = begin_source,
                   .batch = take_batch,
                   .note = take_note,
                   .end = end_source};
}

fl_status fl_case_builder_finish(fl_case_builder *builder, const fl_ingest_totals *totals,
                                 fl_case **ret_case, fl_err *err) {
  case_owner *o = builder->owner;
  if (!o) return fl_fail(err, FL_E_ARG, 0, "a case is finished once only");
  if (totals) o->c.totals = *totals;
  o->c.window.where = fl_arena_str(o->arena, builder->options.where);
  o->c.command = fl_arena_str(o->arena, builder->options.command);
  o->c.inputs = fl_arena_str(o->arena, builder->options.inputs);
  if (!o->c.window.where.p || !o->c.command.p || !o->c.inputs.p) return no_memory(err);
  if (builder->rules) o->c.rules = fl_rules_set(builder->rules);
  FL_TRY(fl_coverage_finish(o->coverage, &o->c.coverage, &o->c.n_coverage, err));
  FL_TRY(fl_coverage_gaps(o->coverage, &o->c.gaps, &o->c.n_gaps, err));
  o->c.sources = o->sources; /* a trace names them */
  o->c.n_sources = o->n_sources;
  FL_TRY(fl_case_place_states(o, err));
  FL_TRY(fl_case_solve(builder->rules, &builder->options, o, err));
  if (builder->sigma) FL_TRY(fl_case_sigma_finish(builder->sigma, o, err));
  o->c.notes = o->notes;
  o->c.n_notes = o->n_notes;
  builder->owner = NULL;
  *ret_case = &o->c;
  return FL_OK;
}
