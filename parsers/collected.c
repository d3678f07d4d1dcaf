/* collected.c - the machine and the time that names of collectors bear. */
#include "parsers/collected.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { HOST_MAX = 63, NETBIOS_MAX = 15 };

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_host_char(char c) {
  return fl_is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z') || c == '-';
}

static bool is_host(fl_str s) {
  if (s.n == 0 || s.n > HOST_MAX) return false;
  bool has_letter = false;
  for (size_t i = 0; i < s.n; i++) {
    if (!is_host_char(s.p[i])) return false;
    has_letter |= !fl_is_digit(s.p[i]) && s.p[i] != '-';
  }
  return has_letter && s.p[0] != '-' && s.p[s.n - 1] != '-';
}

/* Upper case with a digit or a hyphen, as computers are named; "KB5031356" is none. */
static bool is_likely_host(fl_str s) {
  bool has_mark = false, is_update = s.n > 2 && memcmp(s.p, "KB", 2) == 0;
  if (!is_host(s) || s.n > NETBIOS_MAX) return false;
  for (size_t i = 0; i < s.n; i++) {
    if (!is_upper(s.p[i]) && !fl_is_digit(s.p[i]) && s.p[i] != '-') return false;
    has_mark |= fl_is_digit(s.p[i]) || s.p[i] == '-';
    is_update &= i < 2 || fl_is_digit(s.p[i]);
  }
  return has_mark && !is_update && is_upper(s.p[0]);
}

static fl_str from(fl_str s, size_t at) { return (fl_str){s.p + at, s.n - at}; }
static fl_str upto(fl_str s, size_t n) { return (fl_str){s.p, n}; }

static bool starts_nocase(fl_str s, const char *start) {
  const fl_str e = fl_str_of(start);
  return s.n >= e.n && fl_str_eq_nocase(upto(s, e.n), e);
}

static unsigned digits(fl_str s, size_t at, size_t n) {
  unsigned number = 0;
  for (size_t i = at; i < at + n; i++) number = number * 10 + (unsigned)(s.p[i] - '0');
  return number;
}

/* "d" stands for a digit, everything else for itself. */
static bool fits(fl_str s, const char *pattern) {
  const size_t n = strlen(pattern);
  if (s.n < n || (s.n > n && fl_is_digit(s.p[n]))) return false;
  for (size_t i = 0; i < n; i++)
    if (pattern[i] == 'd' ? !fl_is_digit(s.p[i]) : s.p[i] != pattern[i]) return false;
  return true;
}

/* A stamp at the beginning of `s`; its length, 0 when there is none. */
static size_t take_stamp(fl_str s, fl_time *ret_t, bool *ret_is_local) {
  static const struct {
    const char *pattern;
    size_t n_year, time_at;
    bool is_utc;
  } forms[] = {{"dddddddd_dddddd", 4, 9, false},
               {"dddddddd-dddddd", 4, 9, false},
               {"ddddddddTddddddZ", 4, 9, true},
               {"dddddd-dddddd", 2, 7, false},
               {"dddddd_dddddd", 2, 7, false}};
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    if (!fits(s, forms[i].pattern)) continue;
    const size_t y = forms[i].n_year, t = forms[i].time_at;
    const unsigned year = digits(s, 0, y) + (y == 2 ? 2000 : 0);
    char text[32];
    const int n =
        snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02uZ", year, digits(s, y, 2),
                 digits(s, y + 2, 2), digits(s, t, 2), digits(s, t + 2, 2), digits(s, t + 4, 2));
    if (n <= 0 || !fl_time_parse((fl_str){text, (size_t)n}, ret_t)) continue;
    *ret_is_local = !forms[i].is_utc;
    return strlen(forms[i].pattern);
  }
  return 0;
}

/* A stamp behind the separator at `at`. */
static bool stamp_behind(fl_str part, size_t at, fl_collected *c) {
  fl_time t = 0;
  bool is_local = false;
  if (at + 1 >= part.n || take_stamp(from(part, at + 1), &t, &is_local) == 0) return false;
  c->t = t;
  c->is_local = is_local;
  return true;
}

/* PREFIX HOST, then a stamp or the end: the host may hold the separator itself. */
static bool of_prefix(fl_str part, const char *prefix, char separator, fl_collected *c) {
  if (!starts_nocase(part, prefix)) return false;
  const fl_str rest = from(part, strlen(prefix));
  for (size_t i = 1; i < rest.n; i++) {
    if (rest.p[i] != separator || !is_host(upto(rest, i))) continue;
    if (!stamp_behind(rest, i, c)) continue;
    c->host = upto(rest, i);
    return true;
  }
  size_t n = 0;
  while (n < rest.n && is_host_char(rest.p[n])) n++;
  if (n < rest.n && rest.p[n] != '.' && rest.p[n] != '_') return false;
  if (!is_host(upto(rest, n))) return false;
  c->host = upto(rest, n);
  return true;
}

/* HOST_Folder of MSRD-Collect. */
static bool of_msrd_folder(fl_str part, fl_collected *c) {
  static const char *const folders[] = {
      "_AVD",        "_Certificates", "_Dumps",    "_EventLogs",    "_Monitoring",
      "_Networking", "_RDS",          "_RDClient", "_RegistryKeys", "_ScheduledTasks",
      "_SystemInfo", "_W365",         "_Teams"};
  for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
    const fl_str end = fl_str_of(folders[i]);
    if (part.n <= end.n || !fl_str_eq_nocase(from(part, part.n - end.n), end)) continue;
    if (!is_host(upto(part, part.n - end.n))) continue;
    c->host = upto(part, part.n - end.n);
    return true;
  }
  return false;
}

/* HOST_STAMP_X of TSS; HOST_X where HOST looks like one. */
static bool of_file(fl_str part, fl_collected *c) {
  for (size_t i = 1; i < part.n; i++) {
    if (part.p[i] != '_') continue;
    const fl_str head = upto(part, i);
    if (!is_host(head)) return false;
    if (!stamp_behind(part, i, c) && !is_likely_host(head)) return false;
    c->host = head;
    return true;
  }
  return false;
}

static void read_part(fl_str part, fl_collected *c) {
  if (of_prefix(part, "MSRD-Results-", '-', c) || of_prefix(part, "TSS_", '_', c) ||
      of_prefix(part, "Evt-Results-", '-', c) || of_prefix(part, "DiagLogs-", '-', c))
    return;
  if (!of_msrd_folder(part, c)) of_file(part, c);
}

/* From the file to the outermost container; each question is answered once. */
fl_collected fl_collected_of(fl_str name) {
  fl_collected all = {0};
  size_t end = name.n;
  for (size_t at = name.n; at-- > 0 && (all.host.n == 0 || all.t == 0);) {
    const bool is_break = name.p[at] == '/' || name.p[at] == '!';
    if (!is_break && at > 0) continue;
    const size_t start = is_break ? at + 1 : at;
    fl_collected one = {0};
    read_part((fl_str){name.p + start, end - start}, &one);
    if (all.host.n == 0) all.host = one.host;
    if (all.t == 0 && one.t != 0) {
      all.t = one.t;
      all.is_local = one.is_local;
    }
    end = at;
  }
  return all;
}
