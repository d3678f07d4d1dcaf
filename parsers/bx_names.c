/* bx_names.c - names of a template whose own were overwritten.
 *
 * A definition gives most names by their offset in the chunk. Behind the live records definitions
 * stay whole while the names in front of them are replaced, sometimes by other names at the same
 * place, so that no hash tells. Two kinds of templates need no names to be understood: System has
 * fixed elements in a fixed order, and the same values stand for the same things in each template
 * (docs/formats/evtx.md); EventData is a list of <Data Name="…">, whose texts stand inside. */
#include "base/text.h"
#include "parsers/bx_walk.h"

enum { LOST = 0x7f };

const fl_str *bx_lost_name(bx_walk *w, uint32_t offset) {
  char text[24];
  text[0] = LOST;
  return bx_intern(w, (fl_str){text, 1 + fl_text_u64(offset, text + 1)});
}

static bool is_name(uint64_t word) {
  return bx_word_tag(word) == BX_OPEN || bx_word_tag(word) == BX_ATTR;
}

static bool is_sub(uint64_t word) {
  return bx_word_tag(word) == BX_SUB || bx_word_tag(word) == BX_SUB_OPT;
}

static fl_str text_of(uint64_t word) { return *(const fl_str *)(uintptr_t)bx_word_payload(word); }

static bool is_lost(uint64_t word) {
  return is_name(word) && text_of(word).n > 1 && text_of(word).p[0] == LOST;
}

static bool has_lost(const bx_words *words) {
  for (size_t i = 0; i < words->n; i++)
    if (is_lost(words->items[i])) return true;
  return false;
}

/* ---- System ---- */

/* The elements of System in their order, each with the value that it is known by. */
typedef struct element {
  const char *name, *attribute; /* attribute: that holds the value, or NULL */
  uint16_t index;
  uint8_t type; /* FL_T_NULL: known by its place only */
} element;
enum { PROVIDER, RECORD_ID = 8, CHANNEL = 11, COMPUTER, SECURITY };
static const element elements[] = {
    {"Provider", NULL, 0, FL_T_NULL},
    {"EventID", NULL, 3, FL_T_U16},
    {"Version", NULL, 11, FL_T_U8},
    {"Level", NULL, 0, FL_T_U8},
    {"Task", NULL, 2, FL_T_U16},
    {"Opcode", NULL, 1, FL_T_U8},
    {"Keywords", NULL, 5, FL_T_HEX64},
    {"TimeCreated", "SystemTime", 6, FL_T_FILETIME},
    {"EventRecordID", NULL, 10, FL_T_U64},
    {"Correlation", "ActivityID", 7, FL_T_GUID},
    {"Execution", "ProcessID", 8, FL_T_U32},
    {"Channel", NULL, 0, FL_T_NULL},
    {"Computer", NULL, 0, FL_T_NULL},
    {"Security", "UserID", 12, FL_T_SID},
};
enum { N_ELEMENTS = sizeof elements / sizeof *elements };
/* Attributes that no element is known by. */
static const element more_attributes[] = {
    {"EventID", "Qualifiers", 4, FL_T_U16},
    {"Correlation", "RelatedActivityID", 13, FL_T_GUID}, /* of 18 values */
    {"Correlation", "RelatedActivityID", 18, FL_T_GUID}, /* of 20: providers with an event source */
    {"Execution", "ThreadID", 9, FL_T_U32},
};

static bool is_value(uint64_t word, const element *of) {
  return is_sub(word) && bx_sub_index(word) == of->index && bx_sub_declared(word) == of->type;
}

/* Renames as it goes; `rank` is the last element of System that was met. */
typedef struct renamer {
  bx_walk *w;
  bx_words *words;
  size_t at;
  int rank;
} renamer;

static bool rename_to(renamer *r, size_t at, const char *name) {
  const fl_str *text = bx_intern(r->w, fl_str_of(name));
  if (!text) return false;
  r->words->items[at] = bx_word(bx_word_tag(r->words->items[at]), (uintptr_t)text);
  return true;
}

static uint64_t word_at(const renamer *r, size_t at) {
  return at < r->words->n ? r->words->items[at] : bx_word(BX_END, 0);
}

/* What follows an OPEN; the value that the element hangs on is no part of its form. */
static size_t behind_open(const renamer *r, size_t at) {
  return at + 1 + (bx_word_tag(word_at(r, at + 1)) == BX_DEPENDS);
}

/* The element that holds [at, end) by the first value in it that one is known by; else by place. */
static int rank_of(const renamer *r, size_t at, size_t end) {
  for (size_t i = at; i < end; i++) {
    for (int k = 0; k < N_ELEMENTS; k++)
      if (elements[k].type != FL_T_NULL && is_value(word_at(r, i), &elements[k])) return k;
    for (size_t k = 0; k < sizeof more_attributes / sizeof *more_attributes; k++)
      for (int e = 0; is_value(word_at(r, i), &more_attributes[k]) && e < N_ELEMENTS; e++)
        if (strcmp(elements[e].name, more_attributes[k].name) == 0) return e;
  }
  const bool is_empty = end == behind_open(r, at);
  if (r->rank < PROVIDER) return PROVIDER;
  if (is_empty) return r->rank >= COMPUTER ? SECURITY : r->rank + 1;
  if (r->rank < RECORD_ID) return N_ELEMENTS;
  return r->rank < CHANNEL ? CHANNEL : COMPUTER;
}

/* The name of the attribute at `at` of an element. */
static const char *attribute_of(const renamer *r, size_t at, int rank, unsigned n_before) {
  const uint64_t value = word_at(r, at + 1);
  if (rank == PROVIDER && n_before == 0) return "Name";
  if (rank == PROVIDER) {
    const bool is_guid = is_sub(value) ? bx_sub_declared(value) == FL_T_GUID
                                       : bx_word_tag(value) == BX_CONST && text_of(value).n > 0 &&
                                             text_of(value).p[0] == '{';
    return is_guid ? "Guid" : "EventSourceName";
  }
  if (elements[rank].attribute && is_value(value, &elements[rank])) return elements[rank].attribute;
  for (size_t k = 0; k < sizeof more_attributes / sizeof *more_attributes; k++)
    if (strcmp(more_attributes[k].name, elements[rank].name) == 0 &&
        is_value(value, &more_attributes[k]))
      return more_attributes[k].attribute;
  return NULL;
}

/* The CLOSE of the element whose OPEN is at `at`; the end of the words if there is none. */
static size_t find_close(const renamer *r, size_t at) {
  unsigned depth = 0;
  for (; at < r->words->n; at++) {
    depth += bx_word_tag(word_at(r, at)) == BX_OPEN;
    if (bx_word_tag(word_at(r, at)) == BX_CLOSE && --depth == 0) break;
  }
  return at;
}

/* One child of System, which has no children itself. */
static bool name_child(renamer *r) {
  const size_t close = find_close(r, r->at);
  const int rank = rank_of(r, r->at, close);
  unsigned n_attributes = 0;
  if (rank >= N_ELEMENTS || rank <= r->rank || !rename_to(r, r->at, elements[rank].name))
    return false;
  for (size_t i = r->at + 1; i < close; i++) {
    if (bx_word_tag(word_at(r, i)) == BX_OPEN) return false;
    if (bx_word_tag(word_at(r, i)) != BX_ATTR) continue;
    const char *name = attribute_of(r, i, rank, n_attributes++);
    if (!name || !rename_to(r, i, name)) return false;
  }
  r->rank = rank;
  r->at = close + 1;
  return true;
}

/* <Event xmlns="…"> at the front. */
static bool name_event(renamer *r) {
  if (bx_word_tag(word_at(r, r->at)) != BX_OPEN || !rename_to(r, r->at, "Event")) return false;
  r->at = behind_open(r, r->at);
  if (bx_word_tag(word_at(r, r->at)) != BX_ATTR) return true;
  if (!rename_to(r, r->at, "xmlns")) return false;
  while (bx_word_tag(word_at(r, r->at)) != BX_ATTR_END && r->at < r->words->n) r->at++;
  r->at++;
  return true;
}

/* What System is followed by: the fragment with the event's values, inside of UserData or bare. */
static bool name_user_data(renamer *r) {
  if (bx_word_tag(word_at(r, r->at)) != BX_OPEN) return true;
  const uint64_t inside = word_at(r, behind_open(r, r->at));
  const bool holds_fragment = is_sub(inside) && bx_sub_declared(inside) == FL_T_BINXML;
  return holds_fragment && rename_to(r, r->at, "UserData");
}

static bool name_system(renamer *r) {
  r->rank = -1;
  if (!name_event(r) || bx_word_tag(word_at(r, r->at)) != BX_OPEN) return false;
  if (!rename_to(r, r->at, "System")) return false;
  r->at = behind_open(r, r->at);
  while (bx_word_tag(word_at(r, r->at)) == BX_OPEN)
    if (!name_child(r)) return false;
  if (r->rank < RECORD_ID || bx_word_tag(word_at(r, r->at++)) != BX_CLOSE) return false;
  return name_user_data(r);
}

/* ---- EventData ---- */

/* A constant attribute at r->at that is "Name": UserData has a namespace there. */
static bool name_name(renamer *r) {
  const uint64_t text = word_at(r, r->at + 1);
  if (bx_word_tag(word_at(r, r->at)) != BX_ATTR || bx_word_tag(text) != BX_CONST ||
      bx_word_tag(word_at(r, r->at + 2)) != BX_ATTR_END)
    return false;
  const fl_str s = text_of(text);
  if (s.n >= 4 && memcmp(s.p, "http", 4) == 0) return false;
  r->at += 3;
  return rename_to(r, r->at - 3, "Name");
}

/* The values of classic events: all strings in one <Data>, and <Binary>. */
static const char *classic_name(uint64_t value) {
  if (!is_sub(value)) return NULL;
  if (bx_sub_declared(value) == (FL_T_STR16 | FL_T_ARRAY) && bx_sub_index(value) == 0)
    return "Data";
  if (bx_sub_declared(value) == FL_T_BIN && bx_sub_index(value) == 2) return "Binary";
  return NULL;
}

/* <Data Name="text">value</Data>, or a value of a classic event. */
static bool name_data(renamer *r) {
  const size_t inside = behind_open(r, r->at);
  const char *classic = classic_name(word_at(r, inside));
  if (!rename_to(r, r->at, classic ? classic : "Data")) return false;
  r->at = inside;
  if (!classic && !name_name(r)) return false;
  if (!is_sub(word_at(r, r->at)) || bx_word_tag(word_at(r, r->at + 1)) != BX_CLOSE) return false;
  r->at += 2;
  return true;
}

/* <EventData>, or <EventData Name="text">. */
static bool name_event_data(renamer *r) {
  if (bx_word_tag(word_at(r, r->at)) != BX_OPEN || !rename_to(r, r->at, "EventData")) return false;
  r->at = behind_open(r, r->at);
  if (bx_word_tag(word_at(r, r->at)) == BX_ATTR && !name_name(r)) return false;
  if (bx_word_tag(word_at(r, r->at)) != BX_OPEN) return false; /* empty: it may be anything */
  while (bx_word_tag(word_at(r, r->at)) == BX_OPEN)
    if (!name_data(r)) return false;
  return r->at + 1 == r->words->n && bx_word_tag(word_at(r, r->at)) == BX_CLOSE;
}

static bool is_system(const bx_words *words) {
  for (size_t i = 0; i < words->n; i++)
    if (is_value(words->items[i], &elements[RECORD_ID])) return true;
  return false;
}

fl_status bx_recover_names(bx_walk *w, fl_err *err) {
  renamer r = {.w = w, .words = w->words};
  if (bx_has_odd_name(w->words))
    return fl_fail(err, FL_E_CORRUPT, w->rd.pos, "names inside of the template are overwritten");
  if (!has_lost(w->words)) return FL_OK;
  const bool is_named = is_system(w->words) ? name_system(&r) : name_event_data(&r);
  if (is_named && !has_lost(w->words)) {
    w->b->compiled.is_renamed = true;
    return FL_OK;
  }
  return fl_fail(err, FL_E_CORRUPT, w->rd.pos, "names of the template are overwritten");
}
