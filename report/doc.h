/* doc.h - the note about a case as a list of blocks, before text or Markdown lays it out.
 *
 * Every text in a block is printable: what comes from input went through fl_text_printable. */
#ifndef FL_REPORT_DOC_H
#define FL_REPORT_DOC_H

#include "faultline/case.h"

enum { FL_DOC_STEPS = 10, FL_DOC_CITED = 26 };

typedef enum fl_block_kind {
  FL_B_TITLE,    /* text */
  FL_B_PARA,     /* text */
  FL_B_HEADING,  /* text */
  FL_B_FIELD,    /* label, text */
  FL_B_STEP,     /* label = number, time, delta, host, text, ref; label empty: a missing step */
  FL_B_CAUSE,    /* label = rank, time = status, delta = score, text = title, ref = cause id */
  FL_B_EVIDENCE, /* label = for, against or missing, delta = points, text, host = rule, ref */
  FL_B_ITEM,     /* text, ref */
  FL_B_NUMBERED, /* label = number, text */
  FL_B_SOURCE,   /* label = letter, text = name: never broken, so that it can be copied */
  FL_B_COMMAND   /* text: never broken either */
} fl_block_kind;

typedef struct fl_block {
  fl_block_kind kind;
  fl_str label, time, delta, host, text, ref;
} fl_block;

typedef struct fl_doc {
  const fl_case *c;
  fl_arena *arena;
  fl_block *blocks; /* owned */
  size_t n_blocks, cap_blocks;
  const fl_event *steps[FL_DOC_STEPS]; /* the numbered steps of the story: others cite them */
  size_t n_steps;
  uint32_t cited[FL_DOC_CITED]; /* sources that references name by a short letter */
  size_t n_cited;
  bool has_failed; /* out of memory */
} fl_doc;

/* Builds the whole note; fl_doc_done frees it, also after an error. */
fl_status fl_doc_init(fl_doc *doc, const fl_case *c, fl_err *err);
void fl_doc_done(fl_doc *doc);

/* Its parts, in the order of the note. */
void fl_doc_headline(fl_doc *doc);
void fl_doc_facts(fl_doc *doc); /* client, server, user, time … */
void fl_doc_story(fl_doc *doc); /* what happened, in order */
void fl_doc_changes(fl_doc *doc);
void fl_doc_compare(fl_doc *doc);
void fl_doc_causes(fl_doc *doc);    /* ranked, with evidence */
void fl_doc_incidents(fl_doc *doc); /* crashes and stops */
void fl_doc_advice(fl_doc *doc);    /* collect, fix, check */
void fl_doc_signs(fl_doc *doc);     /* what Sigma and YARA rules found */
void fl_doc_attempts(fl_doc *doc);
void fl_doc_read(fl_doc *doc); /* what was read, and what it cannot show */
void fl_doc_logs(fl_doc *doc); /* what each log covers */
void fl_doc_made(fl_doc *doc); /* by which version and rules, of which inputs, and how again */

/* For the parts. */
void fl_doc_add(fl_doc *doc, fl_block block);
void fl_doc_heading(fl_doc *doc, const char *text);
void fl_doc_field(fl_doc *doc, const char *label, fl_str text);
void fl_doc_item(fl_doc *doc, fl_str text);
void fl_doc_lines(fl_doc *doc, const char *lines, size_t max_lines); /* '\n' separated, numbered */
fl_str fl_doc_say(fl_doc *doc, const char *format, ...) FL_PRINTF(2, 3);
/* Printable, and cut to a length that a note can bear. */
fl_str fl_doc_clean(fl_doc *doc, fl_str s);
fl_str fl_doc_whole(fl_doc *doc, fl_str s);   /* printable, never cut: for what is pasted */
fl_str fl_doc_host(fl_doc *doc, fl_str host); /* without its domain */
fl_str fl_doc_moment(fl_doc *doc, fl_time t); /* "2026-03-02 08:15:02.310 UTC" */
fl_str fl_doc_minute(fl_doc *doc, fl_time t); /* "2026-03-02 08:15:02" */
fl_str fl_doc_count(fl_doc *doc, uint64_t n); /* "29,333" */
/* "A@4608": the letter is explained at the end of the note, by fl_doc_cited. */
fl_str fl_doc_ref(fl_doc *doc, const fl_event *event);
void fl_doc_cited(fl_doc *doc);
/* The same of a record that the case keeps no more of: a step of the story is cited as such. */
fl_str fl_doc_place(fl_doc *doc, const fl_hit_event *place);
/* "step 2, A@4608 and 3 more" */
fl_str fl_doc_refs(fl_doc *doc, const fl_event *const *events, size_t n_events);
fl_str fl_doc_code(fl_doc *doc, const fl_code_fact *fact,
                   uint32_t code); /* number, name, meaning */

/* The phases in words: what a phase proves, and the channel of the host that would show it. */
const char *fl_doc_phase_words(fl_phase phase);
const char *fl_doc_phase_channel(fl_phase phase);

#endif
