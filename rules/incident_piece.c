/* incident_piece.c - reads the records that tell of crashes and stops, each log and file in its
 * way, into one form that can be compared. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "rules/incident.h"

static const struct piece_row {
  const char *kind;
  fl_piece_kind piece;
} piece_rows[] = {{"crash.dump", FL_PIECE_DUMP},
                  {"crash.app", FL_PIECE_APP},
                  {"crash.wer", FL_PIECE_WER},
                  {"crash.report", FL_PIECE_REPORT},
                  {"crash.hang", FL_PIECE_HANG},
                  {"crash.dotnet", FL_PIECE_DOTNET},
                  {"crash.dotnet_runtime", FL_PIECE_DOTNET},
                  {"crash.page_error", FL_PIECE_PAGE},
                  {"crash.critical", FL_PIECE_CRITICAL},
                  {"service.driver_host_failed", FL_PIECE_UMDF},
                  {"service.driver_host_ended", FL_PIECE_UMDF},
                  {"service.crashed", FL_PIECE_SERVICE},
                  {"crash.kernel", FL_PIECE_KERNEL},
                  {"power.bugcheck", FL_PIECE_STOP},
                  {"power.unclean", FL_PIECE_UNCLEAN},
                  {"power.unexpected", FL_PIECE_DIRTY},
                  {"crash.dump_failed", FL_PIECE_NO_DUMP},
                  {"crash.display", FL_PIECE_DISPLAY}};

static fl_piece_kind kind_of(const fl_event *event) {
  if (event->flags & (FL_F_DUPLICATE | FL_F_GAP | FL_F_SYNTHETIC)) return FL_PIECE_NONE;
  for (size_t i = 0; i < sizeof piece_rows / sizeof *piece_rows; i++)
    if (fl_str_eq(event->kind, fl_str_of(piece_rows[i].kind))) return piece_rows[i].piece;
  return FL_PIECE_NONE;
}

static fl_str text_of(const fl_event *event, const char *name, fl_arena *arena) {
  const fl_value *value = fl_event_field(event, fl_str_of(name));
  return value && value->kind != FL_V_NULL ? fl_value_text(value, arena) : (fl_str){0};
}

/* Numbers that are facts, and texts such as "0x613d4". */
static bool number_of(const fl_event *event, const char *name, uint64_t *ret_number) {
  const fl_value *value = fl_event_field(event, fl_str_of(name));
  if (!value) return false;
  if (value->kind == FL_V_UINT) *ret_number = value->as.natural;
  else if (value->kind == FL_V_INT) *ret_number = (uint64_t)value->as.integer;
  else return value->kind == FL_V_STR && fl_text_number(value->as.text, ret_number);
  return true;
}

/* Hexadecimal digits without 0x, as error reports write their signatures. */
static bool hex_of(fl_str text, uint64_t *ret_number) {
  uint64_t number = 0;
  if (text.n > 2 && text.p[0] == '0' && fl_lower(text.p[1]) == 'x')
    text = (fl_str){text.p + 2, text.n - 2};
  if (text.n == 0 || text.n > 16) return false;
  for (size_t i = 0; i < text.n; i++) {
    const char c = fl_lower(text.p[i]);
    if (!fl_is_digit(c) && (c < 'a' || c > 'f')) return false;
    number = number << 4 | (uint64_t)(fl_is_digit(c) ? c - '0' : c - 'a' + 10);
  }
  *ret_number = number;
  return true;
}

static fl_str last_part(fl_str path) {
  while (path.n && (path.p[path.n - 1] == '\\' || path.p[path.n - 1] == '/')) path.n--;
  size_t at = path.n;
  while (at > 0 && path.p[at - 1] != '\\' && path.p[at - 1] != '/' && path.p[at - 1] != '!') at--;
  if (at == 0) return path;
  return (fl_str){path.p + at, path.n - at};
}

/* The bytes 00000000-0000-0000-0000-000000000000 name no report. */
static fl_str guid_of(const fl_event *event, const char *name, fl_arena *arena) {
  const fl_str text = text_of(event, name, arena);
  for (size_t i = 0; i < text.n; i++)
    if (text.p[i] != '0' && text.p[i] != '-' && text.p[i] != '{' && text.p[i] != '}') return text;
  return (fl_str){0};
}

/* "svchost.exe_TermService" is svchost.exe; the service is a field of its own. */
static void read_process(fl_piece *p, fl_arena *arena) {
  const fl_event *event = p->event;
  const fl_str host = FL_STR("svchost.exe");
  p->process = last_part(text_of(event, "process", arena));
  p->service = text_of(event, "service", arena);
  if (p->kind == FL_PIECE_SERVICE) p->process = (fl_str){0};
  if (p->kind == FL_PIECE_UMDF) p->process = FL_STR("WUDFHost.exe");
  if (p->service.n && p->process.n > host.n) p->process.n = host.n;
  p->started = text_of(event, "started", arena);
  if (p->started.n > 19) p->started.n = 19;
  uint64_t pid = 0;
  p->pid = number_of(event, "pid", &pid) && pid > 0 && pid <= UINT32_MAX ? (int64_t)pid : -1;
}

static void read_place(fl_piece *p, fl_arena *arena) {
  p->module = text_of(p->event, "module", arena);
  if (p->module.n && p->module.p[0] == '(') p->module = (fl_str){0};
  p->has_offset = number_of(p->event, "offset", &p->offset) && p->module.n;
  if (p->has_offset)
    p->place =
        fl_arena_printf(arena, "%.*s+0x%llx", FL_STR_ARG(p->module), (unsigned long long)p->offset);
}

static void read_stop(fl_piece *p) {
  static const char *const names[] = {"parameter1", "parameter2", "parameter3", "parameter4"};
  p->is_stop = true;
  p->has_code = number_of(p->event, "bugcheck", &p->code);
  p->has_parameters = p->has_code;
  for (size_t i = 0; i < 4; i++)
    if (!number_of(p->event, names[i], &p->parameters[i])) p->has_parameters = false;
  if (p->code >> 28 == 1) p->code &= 0x0fffffff; /* of a small dump: the same code */
}

static bool starts(fl_str text, const char *start) {
  const size_t n = strlen(start);
  return text.n >= n && fl_str_eq_nocase((fl_str){text.p, n}, (fl_str){start, n});
}

static bool contains(fl_str text, const char *word) {
  const size_t n = strlen(word);
  for (size_t i = 0; i + n <= text.n; i++)
    if (fl_str_eq_nocase((fl_str){text.p + i, n}, (fl_str){word, n})) return true;
  return false;
}

/* Reports of anything else, such as updates that failed, are no incidents. */
static bool is_crash_type(fl_str type) {
  static const char *const types[] = {"APPCRASH",  "BEX",        "MoAppCrash",   "CLR20r3",
                                      "AppHang",   "MoAppHang",  "ServiceHang",  "InPageError",
                                      "WUDFHost",  "WUDFUnhand", "WUDFVerifier", "BlueScreen",
                                      "LiveKernel"};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (starts(type, types[i])) return true;
  return false;
}

/* P1 to P10 of event 1001 by the kind of report. */
static void read_report(fl_piece *p, fl_str type, fl_arena *arena) {
  const bool is_bex = starts(type, "BEX"), is_app = starts(type, "APPCRASH");
  static const char *const parameters[] = {"version", "p3", "module", "p5"};
  p->names = text_of(p->event, "files", arena);
  p->store = last_part(text_of(p->event, "store", arena));
  p->is_reported = true;
  if (p->is_stop) {
    p->module = p->place = (fl_str){0};
    p->has_code = hex_of(p->process, &p->code);
    p->has_parameters = p->has_code;
    for (size_t i = 0; i < 4; i++)
      if (!hex_of(text_of(p->event, parameters[i], arena), &p->parameters[i]))
        p->has_parameters = false;
    if (p->code >> 28 == 1) p->code &= 0x0fffffff;
    p->process = (fl_str){0};
    return;
  }
  if (!is_bex && !is_app) {
    p->module = (fl_str){0};
    return;
  }
  p->has_code = hex_of(text_of(p->event, is_bex ? "p8" : "p7", arena), &p->code);
  p->has_offset = hex_of(text_of(p->event, is_bex ? "p7" : "p8", arena), &p->offset);
  if (p->has_offset)
    p->place =
        fl_arena_printf(arena, "%.*s+0x%llx", FL_STR_ARG(p->module), (unsigned long long)p->offset);
}

/* The process that ran when Windows stopped did not die of it. */
static void read_driver(fl_piece *p, fl_arena *arena) {
  p->process = p->service = p->started = (fl_str){0};
  p->pid = -1;
  p->place = text_of(p->event, "fault", arena);
  p->module = text_of(p->event, "driver", arena);
}

static void read_file(const fl_solver *s, fl_piece *p) {
  for (size_t i = 0; i < s->c->n_sources; i++) {
    if (s->c->sources[i].id != p->event->source) continue;
    const fl_str name = s->c->sources[i].name;
    p->file = last_part(name);
    p->folder = last_part((fl_str){name.p, name.n - p->file.n});
    if (contains(name, "LiveKernelReports")) p->is_live = true;
    return;
  }
}

/* The UTC time of 6008 says until when the machine surely ran. */
static fl_time alive_of(const fl_event *event, fl_arena *arena) {
  const fl_str text = text_of(event, "at_utc", arena);
  fl_time t = 0;
  return text.n && fl_time_parse(text, &t) ? t : 0;
}

static bool read_piece(const fl_solver *s, fl_piece *p) {
  fl_arena *arena = s->arena;
  const fl_str type = text_of(p->event, "event_type", arena);
  const bool is_report = p->kind == FL_PIECE_WER || p->kind == FL_PIECE_REPORT;
  if (is_report && !is_crash_type(type)) return false;
  read_process(p, arena);
  read_place(p, arena);
  p->has_code = number_of(p->event, "exception", &p->code);
  p->is_live = starts(type, "LiveKernel");
  p->is_stop = p->is_live || starts(type, "BlueScreen");
  if (p->kind >= FL_PIECE_KERNEL && p->kind <= FL_PIECE_UNCLEAN) read_stop(p);
  if (p->kind == FL_PIECE_WER && p->is_stop) read_stop(p);
  if (p->kind == FL_PIECE_CRITICAL) p->has_code = number_of(p->event, "status", &p->code);
  if (p->kind == FL_PIECE_REPORT) read_report(p, type, arena);
  if (p->kind == FL_PIECE_STOP) p->names = text_of(p->event, "dump", arena);
  if (p->kind == FL_PIECE_WER) p->names = text_of(p->event, "files", arena);
  if (p->kind == FL_PIECE_KERNEL) read_driver(p, arena);
  if (p->module.n && p->module.p[0] == '(') p->module = (fl_str){0};
  if (p->kind == FL_PIECE_DISPLAY) p->is_live = true;
  if (p->kind == FL_PIECE_DIRTY) p->alive = alive_of(p->event, arena);
  if (fl_event_is_crash_file(p->event)) read_file(s, p);
  p->signature = text_of(p->event, "signature", arena);
  p->guids[0] = guid_of(p->event, "report_id", arena);
  p->guids[1] = guid_of(p->event, "integrator_report_id", arena);
  p->is_reported |= p->kind >= FL_PIECE_STOP && p->kind <= FL_PIECE_NO_DUMP;
  p->is_reported |= p->kind == FL_PIECE_WER && p->is_stop;
  p->has_time = !(p->event->flags & FL_F_TIME_INVALID);
  p->t = p->event->t;
  /* A dump that somebody took of a living process tells of no crash. */
  return p->kind != FL_PIECE_DUMP || p->has_code;
}

fl_status fl_pieces_read(fl_solver *s, fl_pieces *ret_pieces, fl_err *err) {
  const size_t most = FL_LIMIT_INCIDENT_RECORDS;
  fl_pieces pieces = {.n = 0};
  size_t n = 0;
  for (size_t i = 0; i < s->c->n_events; i++) n += kind_of(s->c->events[i]) != FL_PIECE_NONE;
  const size_t n_skip = n > most ? n - most : 0; /* the newest are kept */
  pieces.items = FL_NEW_ARRAY(s->arena, fl_piece, n - n_skip + 1);
  pieces.joins = FL_NEW_ARRAY(s->arena, fl_piece_join, n - n_skip + 1);
  if (!pieces.items || !pieces.joins)
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory for incidents");
  pieces.n_left_out = n_skip;
  for (size_t i = 0, at = 0; i < s->c->n_events; i++) {
    const fl_event *event = s->c->events[i];
    const fl_piece_kind kind = kind_of(event);
    if (kind == FL_PIECE_NONE || at++ < n_skip) continue;
    fl_piece *p = &pieces.items[pieces.n];
    *p = (fl_piece){.event = event,
                    .kind = kind,
                    .machine = event->host.n ? fl_machine_index(s, event->host) : -1,
                    .parent = (uint32_t)pieces.n};
    if (read_piece(s, p)) pieces.n++;
  }
  *ret_pieces = pieces;
  return FL_OK;
}
