/* evt.c - legacy event logs of Windows XP and before: recognised so that they are not lost
 * silently. */
#include <string.h>

#include "parsers/parser.h"

/* u32 header size 0x30, "LfLe", u32 major 1, u32 minor 1 */
static int probe(const fl_probe *probe) {
  if (probe->n_head < 16 || memcmp(probe->head + 4, "LfLe", 4) != 0) return 0;
  const bool has_size = fl_le32(probe->head) == 0x30;
  return has_size && fl_le32(probe->head + 8) == 1 ? 100 : 50;
}

const fl_parser fl_parser_evt = {
    .name = "evt",
    .summary = "legacy event log of Windows XP and before (recognised, not read)",
    .instead =
        "legacy event log (.evt): not read by this version; convert it with \"wevtutil epl "
        "FILE.evt FILE.evtx /lf:true\", or in Event Viewer with \"Save All Events As\", on a "
        "Windows machine",
    .probe = probe,
};
