/* rules.c - a set of rules: loading of texts, files, folders and packs; messages; look-up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/engine.h"
#include "rules/flr_parse.h"
#include "rules/named.h"
#include "rules/packs.h"
#include "rules/rules.h"
#include "rules/rules_include.h"

/* By fl_rule_engine; sequences are loaded here. */
static const fl_engine_kind *const kinds[FL_N_RULE_ENGINES] = {
    NULL,
#define FL_ENGINE(id) &fl_engine_##id,
#include "rules/engines.def"
#undef FL_ENGINE
};

struct fl_rules {
  fl_arena *arena;
  fl_pattern *patterns;
  fl_named *named;
  fl_named_engine sigma; /* set NULL = none */
  fl_includes includes;
  const fl_rule **items;
  size_t n, cap;
  uint32_t *slots; /* hash of names: index + 1 */
  size_t n_slots;
  fl_message_list messages;
  fl_rule_file *files;
  size_t n_files, cap_files;
  void *sets[FL_N_RULE_ENGINES]; /* of the engines whose files were loaded */
  fl_sha256 *sha;                /* of the texts that were taken; NULL once finished */
  char sha256[65];
  bool is_finished;
};

fl_status fl_rules_create(fl_rules **ret_rules, fl_err *err) {
  fl_rules *rules = calloc(1, sizeof *rules);
  if (rules) rules->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  if (rules) rules->sha = fl_sha256_create();
  if (!rules || !rules->arena || !rules->sha) {
    fl_rules_free(rules);
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  }
  *ret_rules = rules;
  return FL_OK;
}

void fl_rules_free(fl_rules *rules) {
  if (!rules) return;
  for (size_t i = 0; i < FL_N_RULE_ENGINES; i++)
    if (rules->sets[i]) kinds[i]->free(rules->sets[i]);
  if (rules->sha) fl_sha256_finish(rules->sha, rules->sha256);
  fl_patterns_done(rules->patterns);
  fl_arena_free(rules->arena);
  free(rules->includes.known);
  free(rules->items);
  free(rules->slots);
  free(rules->messages.items);
  free(rules->files);
  free(rules);
}

static size_t slot_of(const fl_rules *rules, const char *name) {
  size_t at = (size_t)fl_hash_bytes(name, strlen(name), 0) & (rules->n_slots - 1);
  while (rules->slots[at] && strcmp(rules->items[rules->slots[at] - 1]->info.name, name) != 0)
    at = (at + 1) & (rules->n_slots - 1);
  return at;
}

/* Room for n rules, at most half full. */
static bool make_room(fl_rules *rules, size_t n) {
  if (!fl_grow((void **)&rules->items, &rules->cap, n, sizeof *rules->items)) return false;
  if (n * 2 <= rules->n_slots) return true;
  size_t n_slots = 64;
  while (n_slots < n * 2) n_slots *= 2;
  uint32_t *slots = calloc(n_slots, sizeof *slots);
  if (!slots) return false;
  free(rules->slots);
  rules->slots = slots;
  rules->n_slots = n_slots;
  for (size_t i = 0; i < rules->n; i++)
    rules->slots[slot_of(rules, rules->items[i]->info.name)] = (uint32_t)i + 1;
  return true;
}

static void drop_last(fl_rules *rules, size_t n_before) {
  rules->n = n_before;
  if (rules->n_slots) memset(rules->slots, 0, rules->n_slots * sizeof *rules->slots);
  for (size_t i = 0; i < rules->n; i++)
    rules->slots[slot_of(rules, rules->items[i]->info.name)] = (uint32_t)i + 1;
}

/* All rules of a file, or none of them. */
static fl_status take_rules(fl_rules *rules, fl_parser *p, const fl_rule_node *first, size_t n) {
  const size_t n_before = rules->n;
  if (!make_room(rules, rules->n + n)) return fl_lex_nomem(&p->lex);
  fl_status s = FL_OK;
  for (const fl_rule_node *node = first; node; node = node->next) {
    const char *name = node->rule->info.name;
    const size_t slot = slot_of(rules, name);
    if (rules->slots[slot]) {
      const fl_rule_info *other = &rules->items[rules->slots[slot] - 1]->info;
      s = fl_lex_error(&p->lex, node->at, "rule '%.60s' is defined already at %.*s:%u", name,
                       (int)(other->file.n < 80 ? other->file.n : 80), other->file.p, other->line);
      continue;
    }
    rules->items[rules->n++] = node->rule;
    rules->slots[slot] = (uint32_t)rules->n;
  }
  if (s != FL_OK) drop_last(rules, n_before);
  return s;
}

static fl_status add_file(fl_rules *rules, fl_str name, size_t n_rules, bool is_refused,
                          fl_err *err) {
  if (!fl_grow((void **)&rules->files, &rules->cap_files, rules->n_files + 1, sizeof *rules->files))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  rules->files[rules->n_files++] =
      (fl_rule_file){.name = name, .n_rules = is_refused ? 0 : n_rules, .is_refused = is_refused};
  return FL_OK;
}

fl_arena *fl_rules_arena(fl_rules *rules) { return rules->arena; }

fl_status fl_rules_refuse(fl_rules *rules, fl_str name, fl_status code, const char *text,
                          fl_err *err) {
  fl_message_list *list = &rules->messages;
  const fl_str file = fl_arena_str(rules->arena, name);
  const fl_str kept = fl_arena_str(rules->arena, fl_str_of(text));
  if (!file.p || !kept.p ||
      !fl_grow((void **)&list->items, &list->cap, list->n + 1, sizeof *list->items))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  list->items[list->n++] = (fl_rule_message){.file = file, .text = kept, .context = FL_STR("")};
  FL_TRY(add_file(rules, file, 0, true, err));
  return fl_fail(err, code, 0, "%.*s: %s", (int)(name.n < 150 ? name.n : 150), name.p, text);
}

/* The engine of a file by its suffix; what has none of them is a text of sequences. */
static fl_rule_engine engine_of(fl_str file) {
  for (size_t i = 0; i < FL_N_RULE_ENGINES; i++)
    if (kinds[i] && fl_name_has_suffix(file, kinds[i]->suffixes)) return (fl_rule_engine)i;
  return FL_BY_SEQUENCE;
}

bool fl_rules_knows_suffix(fl_str file) {
  static const char *const own[] = {".flr", NULL};
  return fl_name_has_suffix(file, own) || engine_of(file) != FL_BY_SEQUENCE;
}

static fl_status add_sequences(fl_rules *rules, fl_lexer *lex, size_t *ret_n) {
  fl_parser *p = calloc(1, sizeof *p);
  fl_draft *draft = calloc(1, sizeof *draft);
  const fl_str copy = fl_arena_str(rules->arena, lex->text);
  fl_status s = FL_E_NOMEM;
  if (p && draft && copy.p) {
    fl_rule_node *first = NULL;
    p->draft = draft;
    p->lex = *lex;
    p->patterns = &rules->patterns;
    p->named = &rules->named;
    p->rules = rules;
    fl_lex_start(&p->lex, lex->file, copy);
    s = fl_lex_check_text(&p->lex);
    if (s == FL_OK) s = fl_parse_text(p, &first, ret_n);
    if (s == FL_OK) s = take_rules(rules, p, first, *ret_n);
    rules->includes.aliases = p->aliases;
  }
  free(draft);
  free(p);
  return s;
}

static fl_status add_to_engine(fl_rules *rules, fl_rule_engine engine, fl_lexer *lex,
                               size_t *ret_n) {
  if (engine == FL_BY_SEQUENCE) return add_sequences(rules, lex, ret_n);
  if (!rules->sets[engine]) FL_TRY(kinds[engine]->create(&rules->sets[engine], lex->err));
  const fl_status s = kinds[engine]->takes_any_bytes ? FL_OK : fl_lex_check_text(lex);
  return s == FL_OK ? kinds[engine]->add(rules->sets[engine], lex, ret_n) : s;
}

size_t fl_rules_max_bytes(fl_str file) {
  const fl_engine_kind *kind = kinds[engine_of(file)];
  return kind && kind->max_bytes ? kind->max_bytes : FL_LIMIT_RULE_FILE;
}

static fl_status refuse_size(fl_rules *rules, fl_str file, fl_err *err) {
  char text[64];
  (void)snprintf(text, sizeof text, "rule file is larger than %zu MiB",
                 fl_rules_max_bytes(file) >> 20);
  return fl_rules_refuse(rules, file, FL_E_SYNTAX, text, err);
}

fl_status fl_rules_add_text(fl_rules *rules, fl_str file, fl_str text, fl_err *err) {
  return fl_rules_add_file(rules, file, text, NULL, err);
}

fl_status fl_rules_add_file(fl_rules *rules, fl_str file, fl_str text, const char *folder,
                            fl_err *err) {
  if (text.n > fl_rules_max_bytes(file)) return refuse_size(rules, file, err);
  fl_lexer lex = {.file = fl_arena_str(rules->arena, file),
                  .text = text,
                  .folder = folder,
                  .end = text.n,
                  .arena = rules->arena,
                  .messages = &rules->messages,
                  .err = err};
  size_t n = 0;
  const fl_status s = lex.file.p ? add_to_engine(rules, engine_of(file), &lex, &n) : FL_E_NOMEM;
  if (s == FL_E_NOMEM) return fl_fail(err, s, 0, "out of memory while compiling rules");
  if (s == FL_OK && rules->sha) fl_sha256_add(rules->sha, text.p, text.n);
  const fl_status added = add_file(rules, lex.file, n, s != FL_OK, err);
  return added != FL_OK ? added : s;
}

fl_status fl_rules_prepare(fl_rules *rules, fl_str file, fl_str text, fl_err *err) {
  fl_lexer lex = {.file = fl_arena_str(rules->arena, file),
                  .text = text,
                  .end = text.n,
                  .arena = rules->arena,
                  .messages = &rules->messages,
                  .err = err};
  void **set = &rules->sets[FL_BY_SIGMA];
  if (!lex.file.p) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  if (!*set) FL_TRY(kinds[FL_BY_SIGMA]->create(set, err));
  FL_TRY(fl_lex_check_text(&lex));
  return kinds[FL_BY_SIGMA]->prepare(*set, &lex);
}

fl_status fl_rules_add_packs(fl_rules *rules, fl_err *err) {
  fl_status s = FL_OK;
  for (size_t i = 0; i < fl_n_packs; i++) {
    const fl_str text = {fl_packs[i].text, fl_packs[i].n_text};
    const fl_status one =
        fl_rules_add_text(rules, fl_str_of(fl_packs[i].name), text, s == FL_OK ? err : NULL);
    if (s == FL_OK || one == FL_E_NOMEM) s = one;
  }
  return s;
}

fl_includes *fl_rules_includes(fl_rules *rules) { return &rules->includes; }

void fl_rules_use_sigma(fl_rules *rules, const fl_named_engine *engine) { rules->sigma = *engine; }
const fl_named_engine *fl_rules_sigma(const fl_rules *rules) {
  return rules->sigma.set ? &rules->sigma : NULL;
}

/* Strings of rule texts end with a NUL behind them, and hold none. */
static const fl_rule *find_rule(const fl_rules *rules, fl_str name) {
  const uint32_t slot = rules->n_slots ? rules->slots[slot_of(rules, name.p)] : 0;
  return slot ? rules->items[slot - 1] : NULL;
}

static bool has_yara(const fl_rules *rules, fl_str name) {
  const size_t n = fl_rules_engine_count(rules, FL_BY_YARA);
  for (size_t i = 0; i < n; i++)
    if (fl_str_eq(fl_str_of(fl_rules_engine_info(rules, FL_BY_YARA, i).name), name)) return true;
  return false;
}

static fl_rule_file *file_of(const fl_rules *rules, fl_str name) {
  for (size_t i = 0; i < rules->n_files; i++)
    if (rules->files[i].name.p == name.p) return &rules->files[i];
  return NULL;
}

/* A file whose sources name what is not there loads none of its rules, like any other mistake. */
static void drop_file(fl_rules *rules, fl_rule_file *file) {
  size_t n_left = 0;
  for (size_t i = 0; i < rules->n; i++)
    if (rules->items[i]->info.file.p != file->name.p) rules->items[n_left++] = rules->items[i];
  drop_last(rules, n_left);
  file->is_refused = true;
  file->n_rules = 0;
}

/* One pass over the names of files that are still there; a file that goes may take others along. */
static fl_status resolve(fl_rules *rules, bool checks_ends, bool *ret_has_dropped, fl_err *err) {
  const fl_named_finder finder = {rules, fl_rules_sigma(rules), find_rule, has_yara};
  fl_status first = FL_OK;
  *ret_has_dropped = false;
  for (fl_named *named = rules->named; named; named = named->next) {
    fl_rule_file *file = file_of(rules, named->file);
    if (!file || file->is_refused) continue;
    fl_lexer lex = {.file = named->file,
                    .text = named->text,
                    .end = named->text.n,
                    .arena = rules->arena,
                    .messages = &rules->messages,
                    .err = first == FL_OK ? err : NULL};
    const fl_status s =
        checks_ends ? fl_named_check_end(named, &lex) : fl_named_resolve(&finder, named, &lex);
    if (s == FL_E_NOMEM) return s;
    if (s == FL_OK) continue;
    if (first == FL_OK) first = s;
    drop_file(rules, file);
    *ret_has_dropped = true;
  }
  return first;
}

static fl_status resolve_all(fl_rules *rules, fl_err *err) {
  fl_status first = FL_OK;
  bool checks_ends = false;
  for (;;) {
    bool has_dropped = false;
    const fl_status s = resolve(rules, checks_ends, &has_dropped, first == FL_OK ? err : NULL);
    if (first == FL_OK) first = s;
    if (s == FL_E_NOMEM) return s;
    if (!has_dropped && checks_ends) return first;
    checks_ends = !has_dropped;
  }
}

static int by_number(const void *a, const void *b) {
  const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

fl_status fl_rules_sigma_numbers(const fl_rules *rules, fl_arena *arena,
                                 const uint32_t **ret_numbers, size_t *ret_n, fl_err *err) {
  size_t n = 0, n_left = 0;
  for (const fl_named *named = rules->named; named; named = named->next) n++;
  uint32_t *numbers = FL_NEW_ARRAY(arena, uint32_t, n);
  if (!numbers) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for rules");
  n = 0;
  for (const fl_named *named = rules->named; named; named = named->next) {
    const fl_rule_file *file = file_of(rules, named->file);
    if (named->kind == FL_NAMED_SIGMA && file && !file->is_refused) numbers[n++] = named->number;
  }
  if (n) qsort(numbers, n, sizeof *numbers, by_number);
  for (size_t i = 0; i < n; i++)
    if (i == 0 || numbers[i] != numbers[i - 1]) numbers[n_left++] = numbers[i];
  *ret_numbers = numbers;
  *ret_n = n_left;
  return FL_OK;
}

/* What an engine learnt of its files when it was finished. */
static void amend_files(fl_rules *rules, fl_rule_engine engine) {
  const fl_rule_file *known = NULL;
  const size_t n = kinds[engine]->files(rules->sets[engine], &known);
  size_t at = 0;
  for (size_t i = 0; i < n; i++) {
    while (at < rules->n_files && rules->files[at].name.p != known[i].name.p) at++;
    if (at < rules->n_files) rules->files[at] = known[i];
  }
}

/* What is wrong with one kind of rules keeps no other from being finished. */
fl_status fl_rules_finish(fl_rules *rules, fl_err *err) {
  if (rules->is_finished) return fl_fail(err, FL_E_ARG, 0, "rules were finished already");
  rules->is_finished = true;
  fl_status s = FL_OK;
  for (size_t i = 0; i < FL_N_RULE_ENGINES; i++) {
    fl_lexer lex = {
        .arena = rules->arena, .messages = &rules->messages, .err = s == FL_OK ? err : NULL};
    if (!rules->sets[i] || !kinds[i]->finish) continue;
    const fl_status one = kinds[i]->finish(rules->sets[i], &lex);
    if (one == FL_OK && kinds[i]->files) amend_files(rules, (fl_rule_engine)i);
    if (s == FL_OK || one == FL_E_NOMEM) s = one;
  }
  fl_sha256_finish(rules->sha, rules->sha256);
  rules->sha = NULL;
  if (!rules->sigma.set && rules->sets[FL_BY_SIGMA])
    rules->sigma = fl_named_by_sigma(rules->sets[FL_BY_SIGMA]);
  const fl_status resolved = resolve_all(rules, s == FL_OK ? err : NULL);
  return s == FL_OK || resolved == FL_E_NOMEM ? resolved : s;
}

size_t fl_rules_messages(const fl_rules *rules, const fl_rule_message **ret_messages) {
  *ret_messages = rules->messages.items;
  return rules->messages.n;
}

size_t fl_rules_files(const fl_rules *rules, const fl_rule_file **ret_files) {
  *ret_files = rules->files;
  return rules->n_files;
}

fl_rule_set fl_rules_set(const fl_rules *rules) {
  fl_rule_set set = {0};
  for (size_t i = 0; i < FL_N_RULE_ENGINES; i++)
    set.n_rules += set.n_of[i] = fl_rules_engine_count(rules, (fl_rule_engine)i);
  for (size_t i = 0; i < rules->n_files; i++) set.n_files += !rules->files[i].is_refused;
  memcpy(set.sha256, rules->sha256, sizeof set.sha256);
  return set;
}

size_t fl_rules_count(const fl_rules *rules) { return rules->n; }
const fl_rule *fl_rules_at(const fl_rules *rules, size_t index) { return rules->items[index]; }
fl_rule_info fl_rules_info(const fl_rules *rules, size_t index) {
  return rules->items[index]->info;
}
const fl_pattern *fl_rules_patterns(const fl_rules *rules) { return rules->patterns; }
const void *fl_rules_engine_set(const fl_rules *rules, fl_rule_engine engine) {
  return rules->sets[engine];
}
size_t fl_rules_engine_count(const fl_rules *rules, fl_rule_engine engine) {
  if (engine == FL_BY_SEQUENCE) return rules->n;
  return rules->sets[engine] ? kinds[engine]->count(rules->sets[engine]) : 0;
}
fl_rule_info fl_rules_engine_info(const fl_rules *rules, fl_rule_engine engine, size_t index) {
  if (engine == FL_BY_SEQUENCE) return rules->items[index]->info;
  return kinds[engine]->info(rules->sets[engine], index);
}
bool fl_rule_is_noise(const fl_rule *rule) { return strcmp(rule->info.effect, "noise") == 0; }
