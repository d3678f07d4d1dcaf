/* text_netstat.c - netstat -an, -ano, -anob: who listens, who is connected.
 *
 *   PROTO LOCAL FOREIGN [STATE] [PID], and with -b below it the service and [program.exe]. Headings
 * and states are localised; protocols, addresses and numbers are not. */
#include "base/text.h"
#include "parsers/text.h"

typedef struct endpoint {
  text_kept address;
  uint64_t port;
  bool has_port;
} endpoint;

typedef struct netstat {
  bool has_row, is_udp, is_listener, has_pid;
  endpoint local, remote;
  text_kept proto, tcp_state, process, service;
  uint64_t pid;
  text_place place;
} netstat;

static bool is_proto(fl_str word) {
  return fl_str_eq(word, FL_STR("TCP")) || fl_str_eq(word, FL_STR("UDP")) ||
         fl_str_eq(word, FL_STR("TCPv6")) || fl_str_eq(word, FL_STR("UDPv6"));
}

/* ADDRESS:PORT, [ADDRESS%ZONE]:PORT, *:*, NAME:PORT; 3389 has a name where -n was not given. */
static bool read_endpoint(fl_str word, endpoint *ret) {
  size_t at = word.n;
  while (at > 0 && word.p[at - 1] != ':') at--;
  if (at < 2) return false;
  fl_str address = {word.p, at - 1};
  const fl_str port = {word.p + at, word.n - at};
  if (address.p[0] == '[' && address.p[address.n - 1] == ']')
    address = (fl_str){address.p + 1, address.n - 2};
  for (size_t i = 0; i < address.n; i++)
    if (address.p[i] == '%') address.n = i;
  text_keep(&ret->address, address);
  ret->has_port = text_is_number(port, 65535, &ret->port);
  if (fl_str_eq(port, FL_STR("ms-wbt-server"))) {
    ret->port = 3389;
    ret->has_port = true;
  }
  return ret->has_port || fl_str_eq(port, FL_STR("*")) || address.n > 0;
}

static bool split_row(fl_str line, fl_str words[5], size_t *ret_n) {
  fl_str rest = line;
  *ret_n = 0;
  while (*ret_n < 5 && text_word(&rest, &words[*ret_n])) ++*ret_n;
  if (*ret_n < 3 || !is_proto(words[0]) || text_trim(rest).n) return false;
  return memchr(words[1].p, ':', words[1].n) && memchr(words[2].p, ':', words[2].n);
}

static bool begins(fl_str line, fl_str before) {
  (void)before;
  fl_str words[5];
  size_t n = 0;
  endpoint local;
  return split_row(line, words, &n) && read_endpoint(words[1], &local) && local.has_port;
}

static bool is_anywhere(const endpoint *e) {
  const fl_str a = text_kept_str(&e->address);
  if (fl_str_eq(a, FL_STR("*"))) return true;
  return (fl_str_eq(a, FL_STR("0.0.0.0")) || fl_str_eq(a, FL_STR("::"))) && e->has_port &&
         e->port == 0;
}

/* The foreign end of a listener is nowhere, whatever the word for its state is. */
static bool take_row(text_reader *r, netstat *s) {
  fl_str words[5];
  size_t n = 0;
  netstat row = {.has_row = true, .place = text_here(r)};
  if (!split_row(r->line.text, words, &n)) return false;
  if (!read_endpoint(words[1], &row.local) || !read_endpoint(words[2], &row.remote)) return false;
  text_keep(&row.proto, words[0]);
  row.is_udp = words[0].p[0] == 'U';
  if (n > 3) row.has_pid = text_is_number(words[n - 1], UINT32_MAX, &row.pid);
  const bool has_state = !row.is_udp && n > 3 && !(n == 4 && row.has_pid);
  const char *known = has_state ? text_tcp_state(words[3]) : NULL;
  if (has_state) text_keep(&row.tcp_state, known ? fl_str_of(known) : words[3]);
  const bool says_listening = known && strcmp(known, "LISTENING") == 0;
  row.is_listener = row.is_udp || is_anywhere(&row.remote) || says_listening;
  if (known && strcmp(known, "BOUND") == 0) row.is_listener = false;
  *s = row;
  return true;
}

static void add_endpoint(text_reader *r, const endpoint *e, const char *address, const char *port) {
  fl_fact_text(&r->fact, address, text_kept_str(&e->address));
  if (e->has_port) fl_fact_number(&r->fact, port, e->port);
}

/* "tcp", "udp": the family shows in the address. */
static fl_status give_row(text_reader *r, netstat *s, fl_err *err) {
  if (!s->has_row) return FL_OK;
  s->has_row = false;
  text_fact_at(r, s->is_listener ? FL_STATE_LISTENER : FL_STATE_CONNECTION, &s->place);
  fl_fact_words(&r->fact, "proto", s->is_udp ? "udp" : "tcp");
  if (s->is_listener) {
    add_endpoint(r, &s->local, "address", "port");
  } else {
    add_endpoint(r, &s->local, "local_address", "local_port");
    add_endpoint(r, &s->remote, "remote_address", "remote_port");
    fl_fact_text(&r->fact, "tcp_state", text_kept_str(&s->tcp_state));
  }
  if (s->has_pid) fl_fact_number(&r->fact, "pid", s->pid);
  fl_fact_text(&r->fact, "process", text_kept_str(&s->process));
  fl_fact_text(&r->fact, "services", text_kept_str(&s->service));
  return fl_fact_add(&r->fact, err);
}

/* " [svchost.exe]", or a service's key alone on its line; sentences say that it is not known. */
static bool take_owner(text_reader *r, netstat *s) {
  const fl_str text = text_trim(r->line.text);
  if (!s->has_row || text.n < 2 || text_indent(r->line.text) > 4) return false;
  if (text.p[0] == '[' && text.p[text.n - 1] == ']') {
    text_keep(&s->process, (fl_str){text.p + 1, text.n - 2});
    return true;
  }
  for (size_t i = 0; i < text.n; i++)
    if (text.p[i] == ' ' || (unsigned char)text.p[i] >= 0x80) return text_indent(r->line.text) > 0;
  if (text_indent(r->line.text) == 0) return false;
  text_keep(&s->service, text);
  return true;
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  netstat *s = r->state;
  *ret_answer = TEXT_IS_MINE;
  if (begins(r->line.text, (fl_str){0})) {
    FL_TRY(give_row(r, s, err));
    (void)take_row(r, s);
    return FL_OK;
  }
  if (take_owner(r, s)) return FL_OK;
  FL_TRY(give_row(r, s, err));
  *ret_answer = text_trim(r->line.text).n ? TEXT_IS_NOT_MINE : TEXT_IS_FILLER;
  return FL_OK;
}

static fl_status finish(text_reader *r, fl_err *err) { return give_row(r, r->state, err); }

const text_tool text_tool_netstat = {"netstat", sizeof(netstat), begins, take, finish};
