/* shared_library_test.c - a program of others: links libfaultline.so and asks it something. */
#include <stdio.h>
#include <string.h>

#include "faultline/faultline.h"

int main(void) {
  const fl_format_info *formats = NULL;
  bool has_evtx = false;
  for (size_t i = fl_formats(&formats); i-- > 0;) has_evtx |= strcmp(formats[i].name, "evtx") == 0;
  (void)printf("faultline %s, evtx %s\n", fl_version(), has_evtx ? "read" : "missing");
  return has_evtx && strcmp(fl_version(), FL_VERSION) == 0 ? 0 : 1;
}
