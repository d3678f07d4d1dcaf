/* verdict_collect.c - what to collect next: what is missing of these seconds, then what each cause
 * asks for, without the logs that are there. */
#include <string.h>

#include "rules/verdict.h"

/* A gap shortly before the attempt may hold what led to it; a log that begins with the attempt's
 * own first record lacks nothing. */
enum { MAX_COLLECT = 16, CAUSES_ASKED = 3, LEAD_MIN = 30, EDGE_S = 2 };

typedef struct wish_list {
  fl_str *items;
  size_t n;
} wish_list;

static void wish(wish_list *l, fl_str text) {
  if (!text.n || l->n == MAX_COLLECT) return;
  for (size_t i = 0; i < l->n; i++)
    if (fl_str_eq(l->items[i], text)) return;
  l->items[l->n++] = text;
}

typedef struct wanted_log {
  unsigned log;
  const char *channel;
} wanted_log;
static const wanted_log host_logs[] = {
    {FL_LOG_CORE, "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational"},
    {FL_LOG_SYSTEM, "System"},
    {FL_LOG_LSM, "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"},
    {FL_LOG_RCM, "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational"},
    {FL_LOG_SECURITY, "Security"},
};
#define CLIENT_LOG "Microsoft-Windows-TerminalServices-RDPClient/Operational"

/* The log of a machine: the entry that covers the attempt, else any; NULL = not in the case.
 * Coverage is in the machine's own time. */
static const fl_coverage *find_log(const fl_solver *s, const fl_machine *machine, fl_str channel,
                                   const fl_attempt *a, bool *ret_covers) {
  const fl_coverage *found = NULL;
  *ret_covers = false;
  for (size_t i = 0; machine && i < s->c->n_coverage && !*ret_covers; i++) {
    const fl_coverage *entry = &s->c->coverage[i];
    if (!fl_str_eq_nocase(entry->channel, channel)) continue;
    if (fl_machine_index(s, entry->host) != (int)(machine - s->machines)) continue;
    found = entry;
    *ret_covers =
        fl_entry_covers(entry, a->start - machine->offset_ns, a->end - machine->offset_ns);
  }
  return found;
}

/* Which records of a log that is in the case are missing around the attempt; empty if none. */
static fl_str missing_range(fl_solver *s, const fl_machine *machine, const fl_coverage *log,
                            const fl_attempt *a) {
  const fl_time from = a->start - machine->offset_ns, to = a->end - machine->offset_ns;
  const fl_str channel = fl_provider_short(log->channel), name = machine->name;
  for (size_t i = 0; i < log->n_holes; i++) {
    if (log->holes[i].start > to || log->holes[i].end < from - LEAD_MIN * 60 * FL_SECOND) continue;
    const fl_str start = fl_moment_text(log->holes[i].start, s->arena);
    const fl_str end = fl_moment_text(log->holes[i].end, s->arena);
    return fl_arena_printf(
        s->arena,
        "%.*s of %.*s: records between %.*s and %.*s are missing; an older copy, "
        "a backup or forwarded events may hold them",
        FL_STR_ARG(channel), FL_STR_ARG(name), FL_STR_ARG(start), FL_STR_ARG(end));
  }
  const bool is_before = log->start > from;
  if (is_before ? log->start - from <= EDGE_S * FL_SECOND : to - log->end <= EDGE_S * FL_SECOND)
    return (fl_str){0};
  const fl_str when = fl_moment_text(is_before ? log->start : log->end, s->arena);
  return fl_arena_printf(s->arena,
                         "%.*s of %.*s: records %s %.*s are missing; an older copy, a backup or "
                         "forwarded events may hold them",
                         FL_STR_ARG(channel), FL_STR_ARG(name), is_before ? "before" : "after",
                         FL_STR_ARG(when));
}

static void wish_range(fl_solver *s, const fl_machine *machine, const char *channel,
                       const fl_attempt *a, wish_list *l) {
  bool covers = false;
  const fl_coverage *log = find_log(s, machine, fl_str_of(channel), a, &covers);
  if (log) wish(l, missing_range(s, machine, log, a));
}

static void wish_ranges(fl_solver *s, const fl_attempt *a, wish_list *l) {
  for (size_t i = 0; i < sizeof host_logs / sizeof *host_logs; i++)
    wish_range(s, a->server, host_logs[i].channel, a, l);
  wish_range(s, a->client, CLIENT_LOG, a, l);
}

/* What the host's own word would decide. */
static const char *proof_wanted(const fl_solver *s) {
  const fl_symptom *asked = &s->c->symptom;
  if (asked->has_extended && asked->extended == 0x7)
    return "; SetErrorInfo(0x7) in its event 72 of this attempt would prove that the host refused, "
           "another code would disprove it";
  return "; SetErrorInfo in its event 72 of this attempt is the code that the host sent";
}

/* No name, or nobody who answered: there was no host to say a word. */
static bool is_never_connected(const fl_attempt *a) {
  return a->has_code &&
         (a->code == 0x104 || a->code == 0x204 || a->code == 0x208 || a->code == 0x508);
}

static void wish_logs(fl_solver *s, const fl_attempt *a, wish_list *l) {
  const unsigned host = a->server ? s->logs[a->server - s->machines] : 0;
  const unsigned client = a->client ? s->logs[a->client - s->machines] : 0;
  const fl_str name = a->server_name.n ? a->server_name : FL_STR("the host");
  for (size_t i = 0; i < sizeof host_logs / sizeof *host_logs; i++) {
    if (host & host_logs[i].log) continue;
    const bool is_word = host_logs[i].log == FL_LOG_CORE && !is_never_connected(a);
    wish(l, fl_arena_printf(s->arena, "%.*s: event log %s%s", FL_STR_ARG(name),
                            host_logs[i].channel, is_word ? proof_wanted(s) : ""));
  }
  if (!(client & FL_LOG_CLIENT))
    wish(l, fl_arena_printf(s->arena, "%.*s: event log " CLIENT_LOG,
                            FL_STR_ARG(a->client_name.n ? a->client_name : FL_STR("the client"))));
}

static bool take_prefix(fl_str *text, const char *prefix) {
  const size_t n = strlen(prefix);
  if (text->n < n || memcmp(text->p, prefix, n) != 0) return false;
  *text = (fl_str){text->p + n, text->n - n};
  return true;
}

/* The next channel of "System (1, 2), Microsoft-Windows-…/Operational and Security"; false at the
 * end, and *ret_is_other where something else stands. */
static bool next_channel(fl_str *text, fl_str *ret_channel, bool *ret_is_other) {
  while (text->n) {
    if (text->p[0] == '(') {
      const char *close = memchr(text->p, ')', text->n);
      if (!close) break;
      const size_t n = (size_t)(close - text->p) + 1;
      *text = (fl_str){text->p + n, text->n - n};
    } else if (text->p[0] == ' ' || text->p[0] == ',' || text->p[0] == ';') {
      *text = (fl_str){text->p + 1, text->n - 1};
    } else if (!take_prefix(text, "and ")) {
      size_t n = 0;
      while (n < text->n && !strchr(" ,;(", text->p[n])) n++;
      const fl_str word = {text->p, n};
      const bool is_classic = fl_str_eq(word, FL_STR("System")) ||
                              fl_str_eq(word, FL_STR("Security")) ||
                              fl_str_eq(word, FL_STR("Application"));
      fl_str rest = word;
      *ret_is_other =
          !is_classic && !(take_prefix(&rest, "Microsoft-Windows-") && memchr(word.p, '/', word.n));
      *ret_channel = word;
      *text = (fl_str){text->p + n, text->n - n};
      return true;
    }
  }
  return false;
}

static bool contains(fl_str text, fl_str part) {
  return part.n == 0 || memmem(text.p, text.n, part.p, part.n) != NULL;
}

/* Does a wish name this log of this machine already? */
static bool is_wished(const wish_list *l, fl_str owner, fl_str log) {
  for (size_t i = 0; i < l->n; i++)
    if (contains(l->items[i], owner) && contains(l->items[i], log)) return true;
  return false;
}

/* Does a line ask for nothing but logs that cover the attempt, or that a wish names already? */
static bool is_there(const fl_solver *s, const fl_attempt *a, fl_str line, const wish_list *l) {
  const bool is_host = take_prefix(&line, "Host: ");
  if (!a || (!is_host && !take_prefix(&line, "Client: "))) return false;
  const fl_machine *machine = is_host ? a->server : a->client;
  const fl_str owner = is_host ? a->server_name : a->client_name;
  fl_str channel = {0};
  bool is_other = false, is_any = false;
  while (next_channel(&line, &channel, &is_other)) {
    if (is_other) return false;
    bool covers = false;
    (void)find_log(s, machine, channel, a, &covers);
    if (!covers && !is_wished(l, owner, fl_provider_short(channel))) return false;
    is_any = true;
  }
  return is_any;
}

static void wish_lines(fl_solver *s, const char *lines, wish_list *l) {
  while (lines && *lines) {
    const char *end = strchr(lines, '\n');
    const fl_str line = {lines, end ? (size_t)(end - lines) : strlen(lines)};
    if (!is_there(s, s->c->chosen, line, l)) wish(l, fl_arena_str(s->arena, line));
    lines += line.n + (end != NULL);
  }
}

/* Logs that lack come first: they decide more than one cause. */
fl_status fl_verdict_collect(fl_solver *s, fl_err *err) {
  fl_verdict *v = &s->c->verdict;
  wish_list l = {.items = FL_NEW_ARRAY(s->arena, fl_str, MAX_COLLECT)};
  if (!l.items) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the verdict");
  const fl_attempt *a = s->c->chosen;
  if (v->status != FL_VERDICT_NO_FAILURE && v->status != FL_VERDICT_CONFIRMED) {
    if (a && a->outcome != FL_OUTCOME_ENDED) {
      wish_ranges(s, a, &l);
      wish_logs(s, a, &l);
    }
    for (size_t i = 0; i < v->n_hypotheses && i < CAUSES_ASKED; i++)
      if (v->hypotheses[i].cause->collect) wish_lines(s, v->hypotheses[i].cause->collect, &l);
  }
  v->collect = l.items;
  v->n_collect = l.n;
  return FL_OK;
}
