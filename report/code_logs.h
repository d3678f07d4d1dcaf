/* code_logs.h - the logs that short names in texts of codes stand for; private to code*.c. */
#ifndef FL_REPORT_CODE_LOGS_H
#define FL_REPORT_CODE_LOGS_H

#include "faultline/core.h"

typedef struct fl_log_name {
  const char *name; /* "LSM" */
  const char *log;  /* where Event Viewer has it */
} fl_log_name;
enum { FL_LOG_NAMES_MAX = 32 };
/* Those that one of the texts names; texts may be NULL. */
size_t fl_logs_named(const char *const *texts, size_t n_texts,
                     const fl_log_name *ret_names[FL_LOG_NAMES_MAX]);

#endif
