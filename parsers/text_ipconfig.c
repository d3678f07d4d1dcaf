/* text_ipconfig.c - ipconfig /all: addresses, gateways and name servers of each adapter.
 *
 * Labels are localised but all have leaders: "Label . . . . : value". What a line is follows from
 * its value and its place: the first line names the machine, an adapter's heading ends in ':', its
 * description stands in front of the physical address, the gateway behind the mask. Only DNS, DHCP
 * and WINS are the same words everywhere. */
#include "base/text.h"
#include "parsers/text.h"

enum { ADDRESSES_MAX = 16 };

typedef struct found_address {
  char address[48], mask[16], gateway[48];
  text_place place;
} found_address;

typedef enum list_kind { LIST_NONE, LIST_GATEWAY, LIST_DNS } list_kind;

typedef struct ipconfig {
  bool has_machine, is_adapter, awaits_gateway;
  unsigned n_lines; /* with leaders, of the part in front of the adapters */
  text_kept adapter, description, value, dns, name, domain;
  char mac[24], gateway[48];
  found_address list[ADDRESSES_MAX];
  size_t n;
  list_kind open; /* what lines without a label go on with */
  text_place machine_place;
} ipconfig;

/* Leaders: dots with blanks between them in front of the colon. */
static bool split_line(fl_str line, fl_str *ret_label, fl_str *ret_value) {
  size_t n_dots = 0, first = 0;
  for (size_t i = 0; i < line.n; i++) {
    if (line.p[i] == ':' && n_dots >= 2) {
      *ret_label = text_trim((fl_str){line.p, first});
      *ret_value = text_trim((fl_str){line.p + i + 1, line.n - i - 1});
      return ret_label->n > 0;
    }
    if (line.p[i] == '.' && (i + 1 == line.n || line.p[i + 1] == ' ' || line.p[i + 1] == ':' ||
                             (unsigned char)line.p[i + 1] >= 0x80)) {
      if (n_dots++ == 0) first = i;
    } else if (n_dots > 0 && line.p[i] != ' ' && (unsigned char)line.p[i] < 0x80) {
      n_dots = 0;
    }
  }
  return false;
}

/* A line of the output: with leaders, or as far in where the label leaves no room for them. */
static bool read_line(fl_str line, fl_str *ret_label, fl_str *ret_value) {
  if (text_indent(line) == 0) return false;
  return split_line(line, ret_label, ret_value) ||
         (text_indent(line) <= 4 && text_pair(line, ':', ret_label, ret_value));
}

static bool begins(fl_str line, fl_str before) {
  (void)before;
  fl_str label, value;
  const char *dots = line.n ? memmem(line.p, line.n, ". . .", 5) : NULL;
  return dots && text_indent(line) > 0 && split_line(line, &label, &value);
}

static void copy(char *to, size_t size, fl_str from) {
  const size_t n = from.n < size ? from.n : size - 1;
  if (n) memcpy(to, from.p, n);
  to[n] = '\0';
}

/* 00-15-5D-01-02-03, longer for tunnels. */
static bool is_mac(fl_str s) {
  if (s.n < 17 || s.n > 23 || s.n % 3 != 2) return false;
  for (size_t i = 0; i < s.n; i++) {
    const char c = fl_lower(s.p[i]);
    const bool is_hex = fl_is_digit(c) || (c >= 'a' && c <= 'f');
    if (i % 3 == 2 ? c != '-' : !is_hex) return false;
  }
  return true;
}

static bool is_mask(fl_str s) { return s.n >= 7 && memcmp(s.p, "255.", 4) == 0; }

static bool is_vpn(const ipconfig *s) {
  static const char *const words[] = {
      "VPN",       "PPP ",     "TAP-",     "Wintun",  "WireGuard",    "AnyConnect",
      "PANGP",     "Fortinet", "Fortissl", "Juniper", "Pulse Secure", "Check Point Virtual",
      "SonicWall", "Zscaler",  "Tailscale"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (text_has(text_kept_str(&s->adapter), words[i]) ||
        text_has(text_kept_str(&s->description), words[i]))
      return true;
  return false;
}

static void add_to_list(text_kept *list, fl_str item) {
  if (list->n + item.n + 2 > TEXT_KEPT_MAX) return;
  if (list->n) {
    memcpy(list->p + list->n, ", ", 2);
    list->n += 2;
  }
  memcpy(list->p + list->n, item.p, item.n);
  list->n += item.n;
}

static fl_status give_machine(text_reader *r, ipconfig *s, fl_err *err) {
  if (!s->name.n || s->has_machine) return FL_OK;
  s->has_machine = true;
  text_fact_at(r, FL_STATE_SYSTEM, &s->machine_place);
  fl_fact_text(&r->fact, "name", text_kept_str(&s->name));
  fl_fact_text(&r->fact, "domain", text_kept_str(&s->domain));
  return fl_fact_add(&r->fact, err);
}

static fl_status give_adapter(text_reader *r, ipconfig *s, fl_err *err) {
  for (size_t i = 0; i < s->n; i++) {
    const found_address *a = &s->list[i];
    text_fact_at(r, FL_STATE_ADDRESS, &a->place);
    fl_fact_text(&r->fact, "address", fl_str_of(a->address));
    fl_fact_text(&r->fact, "mask", fl_str_of(a->mask));
    fl_fact_text(&r->fact, "gateway", fl_str_of(s->gateway));
    fl_fact_text(&r->fact, "dns", text_kept_str(&s->dns));
    fl_fact_text(&r->fact, "adapter", text_kept_str(&s->adapter));
    fl_fact_text(&r->fact, "description", text_kept_str(&s->description));
    fl_fact_text(&r->fact, "mac", fl_str_of(s->mac));
    fl_fact_bool(&r->fact, "is_vpn", is_vpn(s));
    FL_TRY(fl_fact_add(&r->fact, err));
  }
  s->n = s->dns.n = s->description.n = s->value.n = 0;
  s->mac[0] = s->gateway[0] = '\0';
  s->open = LIST_NONE;
  s->awaits_gateway = false;
  return FL_OK;
}

static void add_address(text_reader *r, ipconfig *s, fl_str address) {
  if (s->n == ADDRESSES_MAX) return;
  found_address *a = &s->list[s->n++];
  *a = (found_address){.place = text_here(r)};
  copy(a->address, sizeof a->address, address);
  s->awaits_gateway = true;
}

/* A line with a label inside of an adapter. */
static void take_value(text_reader *r, ipconfig *s, fl_str label, fl_str value) {
  fl_str address = {0};
  const bool is_address = text_address(value, &address);
  const bool is_dns = text_has(label, "DNS"), is_dhcp = text_has(label, "DHCP");
  /* "IPv4" is the same word everywhere; /all adds "(Preferred)" in some language. */
  const bool is_own =
      is_address && !is_dns && !is_dhcp &&
      (memchr(value.p, '(', value.n) || text_has(label, "IPv4") || text_has(label, "IPv6"));
  const bool is_in_adapter = s->adapter.n || s->mac[0];
  s->open = LIST_NONE;
  if (is_mac(value)) {
    copy(s->mac, sizeof s->mac, value);
    s->description = s->value;
  } else if (is_dns && is_address) {
    add_to_list(&s->dns, address);
    s->open = LIST_DNS;
  } else if (is_address && is_mask(address) && s->n > 0 && !s->list[s->n - 1].mask[0]) {
    copy(s->list[s->n - 1].mask, sizeof s->list[0].mask, address);
  } else if (is_own && is_in_adapter) {
    add_address(r, s, address);
  } else if (s->awaits_gateway && !is_dhcp && !is_dns && (is_address || value.n == 0)) {
    copy(s->gateway, sizeof s->gateway, address);
    s->awaits_gateway = false;
    s->open = LIST_GATEWAY;
  } else if (is_address && is_in_adapter && s->n == 0 && !is_dhcp && !is_dns) {
    add_address(r, s, address); /* "IP Address" of old versions */
  }
  if (!is_dns) text_keep(&s->value, value);
}

/* More gateways or name servers, each on a line of its own. */
static bool take_more(text_reader *r, ipconfig *s) {
  fl_str address, text = text_trim(r->line.text);
  if (s->open == LIST_NONE || text_indent(r->line.text) < 8 || !text_address(text, &address))
    return false;
  if (s->open == LIST_DNS) add_to_list(&s->dns, address);
  else if (!s->gateway[0] || !memchr(address.p, ':', address.n))
    copy(s->gateway, sizeof s->gateway, address); /* IPv4 wins over fe80::1 */
  return true;
}

/* In front of the adapters: the machine's name, its domain. */
static void take_machine(text_reader *r, ipconfig *s, fl_str value) {
  if (s->n_lines == 0) {
    text_keep(&s->name, value);
    s->machine_place = text_here(r);
    r->fact.collected.host = fl_arena_str(r->job->arena, value);
    if (!r->fact.collected.host.p) r->fact.collected.host.n = 0;
  } else if (s->n_lines == 1) {
    text_keep(&s->domain, value);
  }
  s->n_lines++;
}

static bool is_heading(fl_str line) {
  const fl_str text = text_trim(line);
  return text.n > 2 && text_indent(line) == 0 &&
         (text.p[text.n - 1] == ':' || (text.n > 3 && memcmp(text.p + text.n - 3, "：", 3) == 0));
}

static void name_adapter(ipconfig *s, fl_str heading) {
  fl_str text = text_trim(heading);
  text.n -= text.p[text.n - 1] == ':' ? 1 : 3;
  text_keep(&s->adapter, text_trim(text));
  s->is_adapter = true;
}

/* The machine's lines stand below the title and a blank line. Where the beginning of the output is
 * missing, lines belong to an adapter without a name. */
static bool is_of_machine(const text_reader *r, ipconfig *s, fl_str value) {
  if (s->is_adapter || s->n_lines > 0) return !s->is_adapter;
  const fl_str title = text_kept_str(&r->before[1]);
  const bool has_title =
      r->before[0].n == 0 && title.n && text_indent(title) == 0 && title.p[title.n - 1] != ':';
  s->is_adapter = !has_title || value.n == 0 || value.n > 63 || memchr(value.p, ' ', value.n);
  const fl_str margin = text_kept_str(&r->margin);
  if (s->is_adapter && is_heading(margin)) name_adapter(s, margin); /* without /all */
  return !s->is_adapter;
}

static fl_status take(text_reader *r, text_answer *ret_answer, fl_err *err) {
  ipconfig *s = r->state;
  const fl_str line = r->line.text;
  fl_str label, value;
  *ret_answer = TEXT_IS_MINE;
  if (read_line(line, &label, &value)) {
    if (is_of_machine(r, s, value)) take_machine(r, s, value);
    else take_value(r, s, label, value);
    return FL_OK;
  }
  if (take_more(r, s)) return FL_OK;
  if (is_heading(line)) {
    FL_TRY(give_machine(r, s, err));
    FL_TRY(give_adapter(r, s, err));
    name_adapter(s, line);
    return FL_OK;
  }
  *ret_answer = text_trim(line).n ? TEXT_IS_NOT_MINE : TEXT_IS_FILLER;
  return FL_OK;
}

static fl_status finish(text_reader *r, fl_err *err) {
  FL_TRY(give_machine(r, r->state, err));
  return give_adapter(r, r->state, err);
}

const text_tool text_tool_ipconfig = {"ipconfig", sizeof(ipconfig), begins, take, finish};
