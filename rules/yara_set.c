/* yara_set.c - a set of YARA rules: texts, messages, look-up. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "rules/yara_set.h"

static fl_status no_memory(fl_err *err) {
  return fl_fail(err, FL_E_NOMEM, 0, "out of memory for YARA rules");
}

/* libyara counts who started it. */
fl_status fl_yara_create(fl_yara **ret_yara, fl_err *err) {
  if (yr_initialize() != ERROR_SUCCESS) return no_memory(err);
  fl_yara *yara = calloc(1, sizeof *yara);
  if (yara) yara->arena = fl_arena_create(FL_LIMIT_JOB_ARENA);
  if (!yara || !yara->arena) {
    free(yara);
    (void)yr_finalize();
    return no_memory(err);
  }
  yara->compile_seconds = FL_LIMIT_YARA_COMPILE;
  yara->link_seconds = FL_LIMIT_YARA_LINK;
  (void)yr_set_configuration_uint32(YR_CONFIG_MAX_MATCH_DATA, FL_YARA_MATCH_BYTES);
  *ret_yara = yara;
  return FL_OK;
}

void fl_yara_free(fl_yara *yara) {
  if (!yara) return;
  for (int scope = 0; scope < 2; scope++) {
    if (yara->compiled[scope]) yr_rules_destroy(yara->compiled[scope]);
    free(yara->by_index[scope]);
  }
  fl_arena_free(yara->arena);
  free(yara->files);
  free(yara->shown);
  free(yara->messages.items);
  free(yara->rules);
  free(yara->file_of);
  free(yara);
  (void)yr_finalize();
}

fl_status fl_yara_say(fl_yara *yara, size_t file, uint32_t line, bool is_warning,
                      const char *text) {
  fl_message_list *list = &yara->messages;
  const fl_str kept = fl_arena_str(yara->arena, fl_str_of(text));
  if (!kept.p || !fl_grow((void **)&list->items, &list->cap, list->n + 1, sizeof *list->items))
    return FL_E_NOMEM;
  list->items[list->n++] = (fl_rule_message){.file = yara->files[file].name,
                                             .line = line,
                                             .column = line ? 1 : 0,
                                             .is_warning = is_warning,
                                             .text = kept,
                                             .context = FL_STR("")};
  if (!is_warning) yara->files[file].is_refused = true;
  return is_warning ? FL_OK : FL_E_SYNTAX;
}

/* The newest file is not taken. */
static fl_status refuse(fl_yara *yara, fl_status code, uint32_t line, const char *text,
                        fl_err *err) {
  const fl_str name = yara->files[yara->n_files - 1].name;
  if (fl_yara_say(yara, yara->n_files - 1, line, false, text) == FL_E_NOMEM) return no_memory(err);
  return fl_fail(err, code, (uint64_t)line << 20 | 1, "%.*s: %s",
                 (int)(name.n < 150 ? name.n : 150), name.p, text);
}

/* Text for the newest file. */
static fl_status take_text(fl_yara *yara, fl_str text, fl_err *err) {
  yara_complaint complaint;
  if (text.n > FL_LIMIT_YARA_FILE)
    return refuse(yara, FL_E_SYNTAX, 1, "is larger than 16 MiB", err);
  if (text.n > FL_LIMIT_YARA_TEXT - yara->n_text_bytes)
    return refuse(yara, FL_E_SYNTAX, 1, "limit reached: all YARA rules have at most 64 MiB", err);
  if (yara->n_files > FL_LIMIT_YARA_FILES)
    return refuse(yara, FL_E_SYNTAX, 1, "limit reached: at most 10,000 YARA files are read", err);
  if (!fl_yara_check_text(text, &complaint))
    return refuse(yara, FL_E_SYNTAX, complaint.line, complaint.text, err);
  const fl_str kept = fl_arena_str(yara->arena, text);
  if (!kept.p) return no_memory(err);
  yara->files[yara->n_files - 1].text = kept;
  yara->n_text_bytes += text.n;
  return FL_OK;
}

/* NULL: it is gone. */
static const char *real_path_of(fl_yara *yara, const char *path) {
  char *real = realpath(path, NULL);
  const fl_str kept = real ? fl_arena_str(yara->arena, fl_str_of(real)) : (fl_str){0};
  free(real);
  return kept.p;
}

fl_status fl_yara_add(fl_yara *yara, fl_str file, fl_str text, const char *folder, fl_err *err) {
  if (yara->is_finished) return fl_fail(err, FL_E_ARG, 0, "YARA rules were finished already");
  if (!fl_grow((void **)&yara->files, &yara->cap_files, yara->n_files + 1, sizeof *yara->files))
    return no_memory(err);
  yara->files[yara->n_files++] = (yara_file){.name = file, .text = FL_STR("")};
  FL_TRY(take_text(yara, text, err));
  if (!folder) return FL_OK;
  const fl_str name = fl_arena_str(yara->arena, file);
  if (!name.p) return no_memory(err);
  yara->files[yara->n_files - 1].folder = real_path_of(yara, folder);
  yara->files[yara->n_files - 1].path = real_path_of(yara, name.p);
  return FL_OK;
}

fl_status fl_yara_finish(fl_yara *yara, fl_err *err) {
  if (yara->is_finished) return fl_fail(err, FL_E_ARG, 0, "YARA rules were finished already");
  yara->is_finished = true;
  FL_TRY(fl_yara_compile_all(yara, err));
  yara->shown = calloc(yara->n_files + 1, sizeof *yara->shown);
  if (!yara->shown) return no_memory(err);
  size_t n_refused = 0;
  for (size_t i = 0; i < yara->n_files; i++) {
    const yara_file *file = &yara->files[i];
    yara->shown[i] = (fl_rule_file){file->name, file->n_rules, file->is_refused};
    n_refused += file->is_refused;
  }
  if (n_refused)
    return fl_fail(err, FL_E_SYNTAX, 0, "%zu of %zu YARA files refused", n_refused, yara->n_files);
  return FL_OK;
}

size_t fl_yara_messages(const fl_yara *yara, const fl_rule_message **ret_messages) {
  *ret_messages = yara->messages.items;
  return yara->messages.n;
}

size_t fl_yara_files(const fl_yara *yara, const fl_rule_file **ret_files) {
  *ret_files = yara->shown;
  return yara->shown ? yara->n_files : 0;
}

fl_str fl_yara_text_of(const fl_yara *yara, fl_str file) {
  for (size_t i = 0; i < yara->n_files; i++)
    if (yara->files[i].name.p == file.p) return yara->files[i].text;
  return FL_STR("");
}

size_t fl_yara_count(const fl_yara *yara) { return yara->n_rules; }
const fl_yara_rule *fl_yara_rule_at(const fl_yara *yara, size_t index) {
  return &yara->rules[index];
}

/* "name", or "file:name" with as much of the end of the file's name as tells it. */
static bool is_named(const fl_yara_rule *rule, fl_str name) {
  const fl_str own = fl_str_of(rule->name);
  if (fl_str_eq(own, name)) return true;
  if (name.n <= own.n + 1 || name.p[name.n - own.n - 1] != ':') return false;
  const fl_str file = {name.p, name.n - own.n - 1};
  const fl_str tail = {name.p + name.n - own.n, own.n};
  if (!fl_str_eq(own, tail) || file.n > rule->file.n) return false;
  const size_t at = rule->file.n - file.n;
  const bool is_whole = at == 0 || rule->file.p[at - 1] == '/';
  return is_whole && fl_str_eq((fl_str){rule->file.p + at, file.n}, file);
}

const fl_yara_rule *fl_yara_rule_find(const fl_yara *yara, fl_str name) {
  for (size_t i = 0; i < yara->n_rules; i++)
    if (is_named(&yara->rules[i], name)) return &yara->rules[i];
  return NULL;
}
