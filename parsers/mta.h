/* mta.h - the texts that Windows keeps beside an exported log (docs/formats/mta.md). */
#ifndef FL_PARSERS_MTA_H
#define FL_PARSERS_MTA_H

#include "faultline/value.h"
#include "parsers/window.h"

/* One section: pages of 100 places for numbered items. Offsets count from its start. */
enum { MTA_PAGE_ITEMS = 100, MTA_PAGE_BYTES = 88 + 8 * MTA_PAGE_ITEMS };
typedef struct mta_section {
  uint64_t start, size; /* in the source; 0 where the section is missing */
  uint64_t *pages;
  size_t n_pages, cap_pages;
  size_t page_read; /* whose places are in `places`, + 1 */
  uint64_t places[MTA_PAGE_ITEMS];
} mta_section;

typedef struct mta_event {
  uint64_t record_id, text;
} mta_event;

/* What one publisher calls its levels and so on. Texts are read when somebody asks. */
typedef enum mta_list { MTA_LEVELS, MTA_TASKS, MTA_OPCODES, MTA_KEYWORDS, MTA_N_LISTS } mta_list;
typedef struct mta_name {
  uint32_t value, text;
  bool is_read;
  fl_raw name;
} mta_name;
typedef struct mta_publisher {
  fl_raw name; /* UTF-16 */
  mta_name *lists[MTA_N_LISTS];
  uint32_t n[MTA_N_LISTS];
} mta_publisher;

typedef enum mta_which { MTA_EVT, MTA_MSG, MTA_PUB, MTA_N_SECTIONS } mta_which;

typedef struct mta {
  fl_arena *arena; /* of the job: publishers and names */
  mta_section sections[MTA_N_SECTIONS];
  mta_event *events; /* in the order of the log */
  size_t n_events, cap_events;
  mta_publisher *publishers;
  size_t n_publishers, cap_publishers;
  fl_window window;
  const mta_publisher *fallback; /* names that all publishers share; NULL when missing */
} mta;

/* Damage that was survived: told to whoever opened the file. `self` may be NULL. */
typedef struct mta_watcher {
  void *self;
  void (*damage)(void *self, uint64_t offset, const char *text);
  void (*range)(void *self, uint64_t offset, uint64_t length);
} mta_watcher;

/* Reads directory, pages, events and publishers; texts stay where they are. An error means that
 * there is nothing to get out of the file; mta_close is to be called in either case. */
fl_status mta_open(fl_source *source, fl_arena *arena, const mta_watcher *watcher, mta *ret_mta,
                   fl_err *err);
void mta_close(mta *m);
/* Walks over all texts, for the watcher's sake. */
fl_status mta_check_texts(mta *m, const mta_watcher *watcher, fl_err *err);
/* UTF-16, valid until the next call for `m`. FL_END: there is no such text, or it is damaged. */
fl_status mta_text(mta *m, uint64_t number, fl_raw *ret_text);
/* The name of a value, `publisher` may be NULL; null when neither it nor the default one has it. */
fl_raw mta_name_of(mta *m, const mta_publisher *publisher, mta_list list, uint32_t value);
/* NULL when the file does not have it. */
const mta_publisher *mta_publisher_of(const mta *m, fl_raw provider);

#endif
