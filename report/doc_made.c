/* doc_made.c - what made the note: program, rules, inputs, and the command to make it again. */
#include <inttypes.h>

#include "report/doc.h"

enum { MAX_INPUTS = 4, DIGITS_SHOWN = 16 };

static void add_version(fl_doc *doc) {
  const fl_rule_set *rules = &doc->c->rules;
  if (rules->n_rules == 0) {
    fl_doc_field(doc, "Made by", fl_doc_say(doc, "faultline %s, without rules", fl_version()));
    return;
  }
  fl_doc_field(doc, "Made by",
               fl_doc_say(doc, "faultline %s, %zu rule%s in %zu file%s (sha256 %.*s)", fl_version(),
                          rules->n_rules, rules->n_rules == 1 ? "" : "s", rules->n_files,
                          rules->n_files == 1 ? "" : "s", DIGITS_SHOWN, rules->sha256));
}

static bool is_input(const fl_source_info *source) { return source->parent == UINT32_MAX; }

/* A folder has no bytes of its own to sum up. */
static void add_folder(fl_doc *doc, const fl_source_info *folder, fl_str name) {
  size_t n = 0;
  for (size_t i = 0; i < doc->c->n_sources; i++)
    n += doc->c->sources[i].parent == folder->id && !doc->c->sources[i].is_skipped;
  fl_doc_field(
      doc, "Input",
      fl_doc_say(doc, "%.*s (folder, %zu of its files read; --format json has their sha256)",
                 FL_STR_ARG(name), n));
}

static void add_input(fl_doc *doc, const fl_source_info *source) {
  const fl_str name = fl_doc_clean(doc, source->name);
  if (source->size_bytes == 0 && source->is_container) {
    add_folder(doc, source, name);
    return;
  }
  const fl_str size = fl_doc_count(doc, source->size_bytes);
  if (source->sha256[0])
    fl_doc_field(doc, "Input",
                 fl_doc_say(doc, "%.*s (%.*s bytes, sha256 %.*s)", FL_STR_ARG(name),
                            FL_STR_ARG(size), DIGITS_SHOWN, source->sha256));
  else
    fl_doc_field(
        doc, "Input",
        fl_doc_say(doc, "%.*s (%.*s bytes, not hashed)", FL_STR_ARG(name), FL_STR_ARG(size)));
}

void fl_doc_made(fl_doc *doc) {
  const fl_case *c = doc->c;
  size_t n = 0;
  fl_doc_heading(
      doc, c->command.n ? "How this was made, and how to make it again" : "How this was made");
  if (c->command.n)
    fl_doc_add(doc, (fl_block){.kind = FL_B_COMMAND, .text = fl_doc_whole(doc, c->command)});
  add_version(doc);
  for (size_t i = 0; i < c->n_sources; i++)
    if (is_input(&c->sources[i]) && n++ < MAX_INPUTS) add_input(doc, &c->sources[i]);
  if (n > MAX_INPUTS) fl_doc_field(doc, "", fl_doc_say(doc, "... and %zu more", n - MAX_INPUTS));
}
