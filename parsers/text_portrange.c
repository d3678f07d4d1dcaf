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

static bool is_letter(char c) { return fl_lower(c) >= 'a' && fl_lower(c) <= 'z'; }

/* "tcp" or "udp" as a word of its own; *ret_is_udp says which. */
static bool find_proto(fl_str line, bool *ret_is_udp) {
  for (size_t i = 0; i + 3 <= line.n; i++) {
    const fl_str here = {line.p + i, 3};
    *ret_is_udp = fl_str_eq_nocase(here, FL_STR("udp"));
    if (!*ret_is_udp && !fl_str_eq_nocase(here, FL_STR("tcp"))) continue;
    if (i > 0 && is_letter(line.p[i - 1])) continue;
    if (i + 3 == line.n || !is_letter(line.p[i + 3])) return true;
  }
  return false;
}

static bool read_number(fl_str line, uint64_t *ret_number) {
  fl_str label, value;
  return text_pair(line, ':', &label, &value) && text_is_number(value, 65536, ret_number);
}

/* The first number below the rule; whether the heading above names a protocol shows then. */
static bool begins(fl_str line, fl_str before) {
  uint64_t number = 0;
  return is_rule(before) && text_indent(line) == 0 && read_number(line, &number);
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  portrange *s = r->state;
  const fl_str line = r->line.text;
  uint64_t number = 0;
  *ret_answer = TEXT_IS_MINE;
  if (begins(line, text_kept_str(&r->before[0]))) {
    *s = (portrange){.n_numbers = 1, .place = text_here(r)};
    (void)read_number(line, &s->first);
    if (find_proto(text_kept_str(&r->before[1]), &s->is_udp)) return FL_OK;
    s->n_numbers = 0;
  } else if (s->n_numbers == 1 && read_number(line, &number) && number > 0 &&
             s->first + number <= 65536) {
    s->n_numbers = 0;
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
