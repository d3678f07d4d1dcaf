/* rdpfile.c - .rdp files: a line "name:type:value" for each setting of a connection, in any
 * encoding (docs/formats/registry.md). */
#include <inttypes.h>

#include "base/limits.h"
#include "base/text.h"
#include "parsers/lines.h"
#include "parsers/setting.h"
#include "parsers/state.h"

enum { SHOWN_BYTES = 96, NAME_MAX_BYTES = 64 };

typedef struct rdpfile {
  fl_lines lines;
  fl_fact fact;
  uint64_t n_other; /* lines that are none of a setting */
} rdpfile;

/* name:type:value; type is s, i or b. */
typedef struct entry {
  fl_str name, value;
  char type;
} entry;

static bool read_entry(fl_str line, entry *ret) {
  const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
  const size_t n = colon ? (size_t)(colon - line.p) : 0;
  if (n == 0 || n > NAME_MAX_BYTES || line.n < n + 3 || line.p[n + 2] != ':') return false;
  const char type = fl_lower(line.p[n + 1]);
  if (type != 's' && type != 'i' && type != 'b') return false;
  for (size_t i = 0; i < n; i++)
    if ((unsigned char)line.p[i] < ' ') return false;
  *ret = (entry){{line.p, n}, {line.p + n + 3, line.n - n - 3}, type};
  return true;
}

/* Names that no other format has; two of them make an .rdp file. */
static bool is_known(fl_str name) {
  static const char *const names[] = {"full address",
                                      "alternate full address",
                                      "server port",
                                      "screen mode id",
                                      "session bpp",
                                      "desktopwidth",
                                      "desktopheight",
                                      "use multimon",
                                      "audiomode",
                                      "authentication level",
                                      "prompt for credentials",
                                      "gatewayhostname",
                                      "gatewayusagemethod",
                                      "redirectclipboard",
                                      "redirectprinters",
                                      "enablecredsspsupport",
                                      "negotiate security layer",
                                      "remoteapplicationmode",
                                      "remoteapplicationprogram",
                                      "loadbalanceinfo",
                                      "autoreconnection enabled",
                                      "networkautodetect",
                                      "bandwidthautodetect",
                                      "connection type",
                                      "username",
                                      "domain",
                                      "compression",
                                      "keyboardhook",
                                      "winposstr",
                                      "workspace id",
                                      "signature",
                                      "signscope",
                                      "promptcredentialonce",
                                      "gatewaycredentialssource",
                                      "gatewayprofileusagemethod",
                                      "targetisaadjoined",
                                      "enablerdsaadauth",
                                      "use redirection server name",
                                      "drivestoredirect"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (fl_str_eq_nocase(name, fl_str_of(names[i]))) return true;
  return false;
}

static bool ends_with_rdp(fl_str name) {
  return name.n > 4 && fl_str_eq_nocase((fl_str){name.p + name.n - 4, 4}, FL_STR(".rdp"));
}

static int probe(const fl_probe *probe) {
  char room[FL_HEAD_TEXT_MAX];
  fl_str text = fl_lines_head(probe, room), line;
  unsigned n_known = 0, n_entries = 0;
  entry e;
  while (fl_lines_take(&text, &line)) {
    if (!read_entry(line, &e)) continue;
    n_entries++;
    n_known += is_known(e.name);
  }
  if (n_known >= 2) return 100;
  if (n_known == 1) return ends_with_rdp(probe->name) ? 100 : 50;
  return n_entries && ends_with_rdp(probe->name) ? 50 : 0;
}

/* ---- facts ---- */

/* "host", "host:3390", "[::1]:3390", "::1" */
static void put_address(fl_fact *fact, fl_str address) {
  const bool is_bracketed = address.n && address.p[0] == '[';
  const char *first = address.n ? memchr(address.p, ':', address.n) : NULL;
  const char *last = address.n ? memrchr(address.p, ':', address.n) : NULL;
  const char *close = is_bracketed ? memchr(address.p, ']', address.n) : NULL;
  fl_str host = address;
  uint64_t port = 0;
  const bool has_port = last && (close ? last > close : last == first);
  if (has_port) {
    const size_t n = (size_t)(last - address.p);
    host.n = n;
    if (fl_text_number((fl_str){last + 1, address.n - n - 1}, &port) && port <= UINT16_MAX)
      fl_fact_number(fact, "port", port);
  }
  if (close) host = (fl_str){address.p + 1, (size_t)(close - address.p) - 1};
  fl_fact_text(fact, "server", host);
}

static bool is_name(const entry *e, const char *name) {
  return fl_str_eq_nocase(e->name, fl_str_of(name));
}

static void put_value(fl_fact *fact, const entry *e) {
  uint64_t number = 0;
  if (setting_is_secret(e->name)) {
    fl_fact_words(fact, "value", "(withheld)");
  } else if (e->type == 'i' && fl_text_number(e->value, &number)) {
    fl_fact_number(fact, "value", number);
  } else if (is_name(e, "signature") && e->value.n > SHOWN_BYTES) {
    fl_fact_text(fact, "value", (fl_str){e->value.p, SHOWN_BYTES});
    fl_fact_bool(fact, "is_cut", true);
  } else {
    fl_fact_text(fact, "value", e->value);
  }
}

/* Where the connection leads to, in a form that other facts can be compared with. */
static void put_target(fl_fact *fact, const entry *e) {
  uint64_t number = 0;
  if (is_name(e, "full address") || is_name(e, "alternate full address") ||
      is_name(e, "gatewayhostname"))
    put_address(fact, e->value);
  else if (is_name(e, "server port") && fl_text_number(e->value, &number))
    fl_fact_number(fact, "port", number);
}

static void put_name(fl_fact *fact, fl_str name) {
  char lower[NAME_MAX_BYTES];
  for (size_t i = 0; i < name.n; i++) lower[i] = fl_lower(name.p[i]);
  fl_fact_text(fact, "name", (fl_str){lower, name.n});
}

static fl_str base_name(fl_str name) {
  const char *slash = name.n ? memrchr(name.p, '/', name.n) : NULL;
  return slash ? (fl_str){slash + 1, name.n - (size_t)(slash + 1 - name.p)} : name;
}

static fl_status add_entry(rdpfile *r, const fl_line *line, const entry *e, fl_err *err) {
  static const char types[] = "s\0i\0b";
  fl_fact *fact = &r->fact;
  fl_fact_begin(fact, FL_STATE_RDP_FILE, line->offset, line->length, line->number);
  put_name(fact, e->name);
  fl_fact_words(fact, "type", e->type == 's' ? types : e->type == 'i' ? types + 2 : types + 4);
  put_value(fact, e);
  put_target(fact, e);
  fl_fact_text(fact, "file", base_name(fact->job->name));
  if (line->is_cut) fl_fact_bool(fact, "is_cut", true);
  return fl_fact_add(fact, err);
}

/* ---- the source ---- */

static fl_status open_rdpfile(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  *ret_n_spans = 1;
  return fl_lines_open(job, 0, &((rdpfile *)state)->lines, err);
}

static fl_status read_rdpfile(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  rdpfile *r = state;
  fl_line line;
  entry e;
  (void)span;
  FL_TRY(fl_fact_init(&r->fact, job, rows, err));
  for (;;) {
    const fl_status status = fl_lines_next(&r->lines, &line, err);
    if (status < FL_OK) return status;
    if (status == FL_END) break;
    if (!read_entry(line.text, &e)) {
      r->n_other += line.text.n != 0;
      continue;
    }
    fl_lines_use(&r->lines);
    FL_TRY(add_entry(r, &line, &e, err));
  }
  if (r->n_other)
    fl_job_note(job, FL_NOTE_INFO, 0, "lines that are no setting of a connection: %" PRIu64,
                r->n_other);
  return FL_OK;
}

const fl_parser fl_parser_rdpfile = {
    .name = "text",
    .summary = ".rdp file",
    .state_size = sizeof(rdpfile),
    .probe = probe,
    .open = open_rdpfile,
    .read = read_rdpfile,
};
