/* text_pfirewall.c - pfirewall.log: what the Windows firewall dropped and let pass.
 *
 * W3C text, never localised: "#Fields:" names the columns, a line is a packet. */
#include <stdio.h>
#include "base/text.h"
#include "parsers/text.h"

enum { COLUMNS_MAX = 24 };

typedef enum column {
  C_DATE,
  C_TIME,
  C_ACTION,
  C_PROTOCOL,
  C_SRC_IP,
  C_DST_IP,
  C_SRC_PORT,
  C_DST_PORT,
  C_PATH,
  C_PID,
  N_COLUMNS
} column;
static const char *const names[N_COLUMNS] = {"date",   "time",     "action",   "protocol", "src-ip",
                                             "dst-ip", "src-port", "dst-port", "path",     "pid"};

typedef struct pfirewall {
  bool is_utc;
  size_t at[N_COLUMNS]; /* index + 1, 0: there is none */
} pfirewall;

static bool begins(fl_str line, fl_str before) {
  (void)before;
  if (text_starts(line, "#Software: Microsoft Windows Firewall")) return true;
  return text_starts(line, "#Fields:") && text_has(line, "src-ip") && text_has(line, "dst-port");
}

static void take_fields(pfirewall *s, fl_str line) {
  fl_str rest = {line.p + 8, line.n - 8}, word;
  memset(s->at, 0, sizeof s->at);
  for (size_t i = 1; i <= COLUMNS_MAX && text_word(&rest, &word); i++)
    for (size_t k = 0; k < N_COLUMNS; k++)
      if (fl_str_eq_nocase(word, fl_str_of(names[k]))) s->at[k] = i;
}

static fl_str lowered(fl_str s, char room[16]) {
  size_t n = 0;
  for (; n < s.n && n < 16; n++) room[n] = fl_lower(s.p[n]);
  return (fl_str){room, n};
}

/* Who asked: the end with the port that nobody listens on. */
static bool is_answer(uint64_t from, uint64_t to) { return from < 49152 && to >= 49152; }

static void add_ends(text_reader *r, const fl_str *v) {
  uint64_t from = 0, to = 0;
  const bool has_from = text_is_number(v[C_SRC_PORT], 65535, &from);
  const bool has_to = text_is_number(v[C_DST_PORT], 65535, &to);
  const bool turned = has_from && has_to && is_answer(from, to);
  const char *const ips[] = {"client_ip", "server_ip"}, *const ports[] = {"client_port",
                                                                          "server_port"};
  fl_fact_text(&r->fact, ips[turned], v[C_SRC_IP]);
  if (has_from) fl_fact_number(&r->fact, ports[turned], from);
  fl_fact_text(&r->fact, ips[!turned], v[C_DST_IP]);
  if (has_to) fl_fact_number(&r->fact, ports[!turned], to);
}

static fl_status take_packet(text_reader *r, const pfirewall *s, bool *ret_is_packet, fl_err *err) {
  fl_str words[COLUMNS_MAX], rest = r->line.text, v[N_COLUMNS] = {{0}};
  size_t n = 0;
  char text[40], room[16];
  fl_time t = 0;
  while (n < COLUMNS_MAX && text_word(&rest, &words[n])) n++;
  for (size_t k = 0; k < N_COLUMNS; k++)
    if (s->at[k] != 0 && s->at[k] <= n && !fl_str_eq(words[s->at[k] - 1], FL_STR("-")))
      v[k] = words[s->at[k] - 1];
  fl_str address;
  *ret_is_packet = v[C_ACTION].n && v[C_SRC_IP].n && v[C_DST_IP].n &&
                   text_address(v[C_SRC_IP], &address) && text_address(v[C_DST_IP], &address);
  if (!*ret_is_packet) return FL_OK;
  text_fact(r, FL_FIREWALL_PACKET);
  const int n_text =
      snprintf(text, sizeof text, "%.*sT%.*sZ", (int)(v[C_DATE].n < 12 ? v[C_DATE].n : 12),
               v[C_DATE].n ? v[C_DATE].p : "", (int)(v[C_TIME].n < 12 ? v[C_TIME].n : 12),
               v[C_TIME].n ? v[C_TIME].p : "");
  if (n_text > 0 && (size_t)n_text < sizeof text &&
      fl_time_parse((fl_str){text, (size_t)n_text}, &t))
    fl_fact_time(&r->fact, t, !s->is_utc);
  fl_fact_text(&r->fact, "action", lowered(v[C_ACTION], room));
  fl_fact_text(&r->fact, "proto", lowered(v[C_PROTOCOL], room));
  add_ends(r, v);
  const bool is_in = fl_str_eq(v[C_PATH], FL_STR("RECEIVE"));
  if (is_in || fl_str_eq(v[C_PATH], FL_STR("SEND")))
    fl_fact_words(&r->fact, "direction", is_in ? "in" : "out");
  fl_fact_text(&r->fact, "path", v[C_PATH]);
  uint64_t pid = 0;
  if (text_is_number(v[C_PID], UINT32_MAX, &pid)) fl_fact_number(&r->fact, "pid", pid);
  return fl_fact_add(&r->fact, err);
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  pfirewall *s = r->state;
  const fl_str line = r->line.text;
  bool is_packet = false;
  *ret_answer = TEXT_IS_MINE;
  if (text_starts(line, "#Fields:")) {
    take_fields(s, line);
    return FL_OK;
  }
  if (text_starts(line, "#Time Format:"))
    s->is_utc = text_has(line, "UTC") || text_has(line, "GMT");
  if (line.n && line.p[0] == '#') return FL_OK;
  FL_TRY(take_packet(r, s, &is_packet, err));
  if (!is_packet) *ret_answer = TEXT_IS_FILLER;
  return FL_OK;
}

const text_tool text_tool_pfirewall = {"pfirewall", sizeof(pfirewall), begins, take, NULL};
