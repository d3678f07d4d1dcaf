/* machines.c - the machines of a case: one for each computer name, with aliases, roles and logs. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "rules/flr.h"
#include "rules/solve.h"

const char *const fl_role_names[FL_N_ROLES] = {"client", "server",  "gateway",
                                               "broker", "license", "dc"};

/* Which channel or provider makes a machine what. The text is a part of the channel's name. */
typedef struct role_source {
  const char *part;
  unsigned role, log;
} role_source;
static const role_source role_sources[] = {
    {"TerminalServices-RDPClient", FL_ROLE_CLIENT, FL_LOG_CLIENT},
    {"RemoteDesktopServices-RdpCoreTS", FL_ROLE_SERVER, FL_LOG_CORE},
    {"TerminalServices-RemoteConnectionManager", FL_ROLE_SERVER, FL_LOG_RCM},
    {"TerminalServices-LocalSessionManager", FL_ROLE_SERVER, FL_LOG_LSM},
    {"TerminalServices-Gateway", FL_ROLE_GATEWAY, 0},
    {"TerminalServices-SessionBroker/", FL_ROLE_BROKER, 0},
    {"TerminalServices-Licensing", FL_ROLE_LICENSE, 0},
    {"Directory Service", FL_ROLE_DC, 0},
    {"DFS Replication", FL_ROLE_DC, 0},
};

/* An address and the machine whose own list names it. */
enum { MOST_LISTED = 1024 };
typedef struct listed {
  fl_str address;
  uint32_t machine;
} listed;

static fl_str first_label(fl_str host) {
  const char *dot = host.n ? memchr(host.p, '.', host.n) : NULL;
  return dot ? (fl_str){host.p, (size_t)(dot - host.p)} : host;
}

bool fl_is_address(fl_str s) {
  size_t n_dots = 0, n_colons = 0;
  for (size_t i = 0; i < s.n; i++) {
    const char c = fl_lower(s.p[i]);
    if (c == '%') break;
    if (c == '.') n_dots++;
    else if (c == ':') n_colons++;
    else if (!fl_is_digit(c) && !(c >= 'a' && c <= 'f')) return false;
  }
  if (n_colons >= 2) return true;
  if (n_dots != 3 || n_colons) return false;
  for (size_t i = 0; i < s.n; i++)
    if (s.p[i] != '.' && !fl_is_digit(s.p[i])) return false;
  return true;
}

static unsigned octet(fl_str address, size_t index) {
  unsigned value = 0;
  for (size_t i = 0; i < address.n; i++) {
    if (address.p[i] == '.') {
      if (index == 0) break;
      index--;
      value = 0;
    } else if (index == 0 && value < 1000) {
      value = value * 10 + (unsigned)(address.p[i] - '0');
    }
  }
  return value;
}

/* RFC 1918, loopback, link-local, shared address space; IPv6 other than 2000::/3. */
bool fl_is_public(fl_str address) {
  if (!fl_is_address(address)) return false;
  if (memchr(address.p, ':', address.n)) return address.p[0] == '2' || address.p[0] == '3';
  const unsigned a = octet(address, 0), b = octet(address, 1);
  return a != 10 && a != 127 && a != 0 && !(a == 172 && b >= 16 && b < 32) &&
         !(a == 192 && b == 168) && !(a == 169 && b == 254) && !(a == 100 && b >= 64 && b < 128);
}

bool fl_host_same(fl_str a, fl_str b) {
  if (!a.n || !b.n) return false;
  if (fl_str_eq_nocase(a, b)) return true;
  if (fl_is_address(a) || fl_is_address(b)) return false;
  const fl_str short_a = first_label(a), short_b = first_label(b);
  return (short_a.n == a.n || short_b.n == b.n) && fl_str_eq_nocase(short_a, short_b);
}

/* The account alone: `DOMAIN\\anna` and `anna@domain` are anna. */
static fl_str account(fl_str user) {
  for (size_t i = 0; i < user.n; i++)
    if (user.p[i] == '\\') return (fl_str){user.p + i + 1, user.n - i - 1};
  size_t n = 0;
  while (n < user.n && user.p[n] != '@') n++;
  return (fl_str){user.p, n};
}

bool fl_user_same(fl_str a, fl_str b) { return fl_str_eq_nocase(account(a), account(b)); }

static bool has_alias(const fl_machine *machine, fl_str host) {
  for (size_t i = 0; i < machine->n_aliases; i++)
    if (fl_str_eq_nocase(machine->aliases[i], host)) return true;
  return false;
}

static int find(const fl_machine *machines, size_t n, fl_str host) {
  if (!host.n) return -1;
  for (size_t i = 0; i < n; i++)
    if (fl_str_eq_nocase(machines[i].name, host) || has_alias(&machines[i], host)) return (int)i;
  for (size_t i = 0; i < n; i++)
    if (fl_host_same(machines[i].name, host)) return (int)i;
  return -1;
}

int fl_machine_index(const fl_solver *s, fl_str host) {
  return find(s->machines, s->n_machines, host);
}

const fl_machine *fl_case_machine(const fl_case *c, fl_str host) {
  const int at = find(c->machines, c->n_machines, host);
  return at < 0 ? NULL : &c->machines[at];
}

fl_status fl_machine_add_alias(fl_solver *s, uint32_t machine, fl_str alias, fl_err *err) {
  fl_machine *m = &s->machines[machine];
  if (!alias.n || fl_str_eq(m->name, alias) || has_alias(m, alias)) return FL_OK;
  if (m->n_aliases >= FL_LIMIT_ALIASES) {
    s->has_cut_aliases = true;
    return FL_OK;
  }
  fl_str *list = FL_NEW_ARRAY(s->arena, fl_str, m->n_aliases + 1);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for the names of a machine");
  if (m->n_aliases) memcpy(list, m->aliases, m->n_aliases * sizeof *list);
  list[m->n_aliases] = alias;
  m->aliases = list;
  m->n_aliases++;
  return FL_OK;
}

static fl_status make_room(fl_solver *s, fl_err *err) {
  if (s->n_machines < s->cap_machines) return FL_OK;
  const size_t cap = s->cap_machines ? s->cap_machines * 2 : 8;
  fl_machine *machines = FL_NEW_ARRAY(s->arena, fl_machine, cap);
  unsigned *logs = FL_NEW_ARRAY(s->arena, unsigned, cap);
  if (!machines || !logs) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for machines");
  if (s->n_machines) memcpy(machines, s->machines, s->n_machines * sizeof *machines);
  if (s->n_machines) memcpy(logs, s->logs, s->n_machines * sizeof *logs);
  s->machines = machines;
  s->logs = logs;
  s->cap_machines = cap;
  return FL_OK;
}

/* The machine of a name as recorded; -1 when there are too many already. */
static fl_status add_host(fl_solver *s, fl_str host, int *ret_index, fl_err *err) {
  int at = fl_machine_index(s, host);
  if (at < 0) {
    *ret_index = -1;
    s->has_cut_machines |= s->n_machines >= FL_LIMIT_MACHINES;
    if (s->n_machines >= FL_LIMIT_MACHINES) return FL_OK;
    FL_TRY(make_room(s, err));
    at = (int)s->n_machines++;
    s->machines[at].name = host;
  } else if (host.n > s->machines[at].name.n && !fl_is_address(host)) {
    const fl_str known = s->machines[at].name;
    s->machines[at].name = host;
    FL_TRY(fl_machine_add_alias(s, (uint32_t)at, known, err));
  } else {
    FL_TRY(fl_machine_add_alias(s, (uint32_t)at, host, err));
  }
  *ret_index = at;
  return FL_OK;
}

static bool contains(fl_str text, const char *part) {
  const size_t n = strlen(part);
  for (size_t i = 0; i + n <= text.n; i++)
    if (fl_str_eq_nocase((fl_str){text.p + i, n}, (fl_str){part, n})) return true;
  return false;
}

static void learn(fl_solver *s, int machine, fl_str channel) {
  if (machine < 0) return;
  for (size_t i = 0; i < sizeof role_sources / sizeof *role_sources; i++) {
    if (!contains(channel, role_sources[i].part)) continue;
    s->machines[machine].roles |= role_sources[i].role;
    s->logs[machine] |= role_sources[i].log;
  }
  if (fl_str_eq_nocase(channel, FL_STR("System"))) s->logs[machine] |= FL_LOG_SYSTEM;
  if (fl_str_eq_nocase(channel, FL_STR("Security"))) s->logs[machine] |= FL_LOG_SECURITY;
}

/* 4778 and 4779 name the client beside its address; 4624 would name the host itself. */
static fl_status learn_peer(fl_solver *s, const fl_event *event, fl_err *err) {
  if (event->event_id != 4778 && event->event_id != 4779) return FL_OK;
  const fl_value *name = fl_event_field(event, FL_STR("client_name"));
  const fl_value *address = fl_event_field(event, FL_STR("client_ip"));
  if (!name || !address || name->kind != FL_V_STR || address->kind != FL_V_STR) return FL_OK;
  const int at = fl_machine_index(s, name->as.text);
  if (at < 0 || at == fl_machine_index(s, event->host) || !fl_is_address(address->as.text))
    return FL_OK;
  if (fl_machine_index(s, address->as.text) >= 0) return FL_OK;
  return fl_machine_add_alias(s, (uint32_t)at, address->as.text, err);
}

/* Loopback, link-local and unset addresses are everybody's. */
static bool is_own_address(fl_str address) {
  static const char *const shared[] = {"0.", "127.", "169.254.", "::", "fe80:"};
  for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
    const fl_str start = fl_str_of(shared[i]);
    if (address.n >= start.n && fl_str_eq_nocase((fl_str){address.p, start.n}, start)) return false;
  }
  return fl_is_address(address);
}

/* The address that a machine's own list of addresses names. */
static fl_str listed_address(fl_solver *s, const fl_event *event) {
  if (!fl_str_eq(event->kind, FL_STR("state.address")) || !event->host.n) return (fl_str){0};
  const fl_value *value = fl_event_field(event, FL_STR("address"));
  if (!value || value->kind != FL_V_STR) return (fl_str){0};
  const fl_str address = fl_norm_apply(FL_NORM_IP, value->as.text, s->arena);
  return is_own_address(address) ? address : (fl_str){0};
}

/* Two machines may have the same private address in two networks: then it names neither. */
static bool is_listed_elsewhere(const fl_solver *s, const listed *list, size_t n, size_t at) {
  for (size_t i = 0; i < n; i++)
    if (list[i].machine != list[at].machine && fl_str_eq(list[i].address, list[at].address))
      return true;
  const int known = fl_machine_index(s, list[at].address);
  return known >= 0 && (uint32_t)known != list[at].machine;
}

static fl_status learn_addresses(fl_solver *s, fl_err *err) {
  size_t n = 0;
  listed *list = FL_NEW_ARRAY(s->arena, listed, MOST_LISTED);
  if (!list) return fl_fail(err, FL_E_NOMEM, 0, "out of memory for addresses");
  for (size_t i = 0; i < s->c->n_events && n < MOST_LISTED; i++) {
    const fl_str address = listed_address(s, s->c->events[i]);
    const int at = address.n ? fl_machine_index(s, s->c->events[i]->host) : -1;
    if (at >= 0) list[n++] = (listed){address, (uint32_t)at};
  }
  for (size_t i = 0; i < n; i++)
    if (!is_listed_elsewhere(s, list, n, i))
      FL_TRY(fl_machine_add_alias(s, list[i].machine, list[i].address, err));
  return FL_OK;
}

static void take_given_roles(fl_solver *s) {
  for (size_t i = 0; s->options && i < s->options->n_roles; i++) {
    const int at = fl_machine_index(s, s->options->role_hosts[i]);
    if (at < 0) continue;
    fl_machine *m = &s->machines[at];
    m->roles = s->options->role_bits[i] | (m->role_is_given ? m->roles : 0);
    m->role_is_given = true;
  }
}

fl_status fl_machines_find(fl_solver *s, fl_err *err) {
  int at = -1;
  for (size_t i = 0; i < s->c->n_coverage; i++) {
    if (!s->c->coverage[i].host.n) continue;
    FL_TRY(add_host(s, s->c->coverage[i].host, &at, err));
    learn(s, at, s->c->coverage[i].channel);
  }
  fl_str last_host = {0}, last_channel = {0};
  for (size_t i = 0; i < s->c->n_events; i++) {
    const fl_event *event = s->c->events[i];
    if (!event->host.n) continue;
    if (fl_str_eq(event->host, last_host) && fl_str_eq(event->channel, last_channel)) continue;
    last_host = event->host;
    last_channel = event->channel;
    FL_TRY(add_host(s, event->host, &at, err));
    learn(s, at, event->channel);
    if (!event->channel.n) learn(s, at, event->provider);
  }
  for (size_t i = 0; i < s->c->n_events; i++) FL_TRY(learn_peer(s, s->c->events[i], err));
  FL_TRY(learn_addresses(s, err));
  take_given_roles(s);
  return FL_OK;
}
