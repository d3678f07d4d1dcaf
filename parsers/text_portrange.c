/* text_portrange.c - netsh int ipv4 show dynamicport: from which ports the machine dials.
 *
 * A heading that names the protocol, a rule of '-', then two numbers: first port, number of ports.
 */
#include "base/text.h"
#include "parsers/text.h"

typedef struct portrange {
  bool is_udp;
  unsigned n_numbers;
  uint64_t first;
  text_place place;
} portrange;

static bool is_rule(fl_str line) {
  size_t n = 0;
  const fl_str s = text_trim(line);
  while (n < s.n && s.p[n] == '-') n++;
  return n == s.n && n >= 20;
}

static bool has_proto(fl_str line) {
  fl_str rest = line, word;
  while (text_word(&rest, &word))
    if (fl_str_eq_nocase(word, FL_STR("tcp")) || fl_str_eq_nocase(word, FL_STR("udp"))) return true;
  return false;
}

/* A short heading of words with the protocol as one of them; whether it is followed by a rule and
 * two numbers shows later. */
static bool begins(fl_str line) {
  fl_str label, value;
  if (line.n > 120 || text_indent(line) > 0 || !has_proto(line)) return false;
  for (size_t i = 0; i < line.n; i++)
    if (fl_is_digit(line.p[i]) || line.p[i] == '\\' || line.p[i] == '#') return false;
  return !text_pair(line, ':', &label, &value);
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  portrange *s = r->state;
  fl_str label, value, line = r->line.text;
  uint64_t number = 0;
  *ret_answer = TEXT_IS_MINE;
  if (begins(line)) {
    *s = (portrange){.is_udp = text_has(line, "udp")};
    return FL_OK;
  }
  if (is_rule(line) && s->n_numbers == 0) return FL_OK;
  const bool is_number =
      text_pair(line, ':', &label, &value) && text_is_number(value, 65536, &number);
  if (is_number && s->n_numbers == 0) {
    s->first = number;
    s->n_numbers = 1;
    s->place = text_here(r);
    return FL_OK;
  }
  if (is_number && s->n_numbers == 1 && number > 0 && s->first + number <= 65536) {
    s->n_numbers = 2;
    text_fact_at(r, FL_STATE_PORT_RANGE, &s->place);
    fl_fact_words(&r->fact, "proto", s->is_udp ? "udp" : "tcp");
    fl_fact_number(&r->fact, "first_port", s->first);
    fl_fact_number(&r->fact, "n_ports", number);
    return fl_fact_add(&r->fact, err);
  }
  *ret_answer = text_trim(line).n ? TEXT_IS_NOT_MINE : TEXT_IS_FILLER;
  return FL_OK;
}

const text_tool text_tool_portrange = {"portrange", sizeof(portrange), begins, take, NULL};
