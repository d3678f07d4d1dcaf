/* provider.c - names of providers and channels as people say them. */
#include "base/text.h"
#include "faultline/facts.h"

fl_str fl_provider_short(fl_str name) {
  static const char *const prefixes[] = {"Microsoft-Windows-", "TerminalServices-",
                                         "RemoteDesktopServices-"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    const fl_str prefix = fl_str_of(prefixes[i]);
    if (name.n > prefix.n && fl_str_eq_nocase((fl_str){name.p, prefix.n}, prefix))
      name = (fl_str){name.p + prefix.n, name.n - prefix.n};
  }
  return name;
}
