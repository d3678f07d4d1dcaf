/* reg_system.h - which Windows a machine runs, put together from values of its registry. */
#ifndef FL_PARSERS_REG_SYSTEM_H
#define FL_PARSERS_REG_SYSTEM_H

#include "parsers/reg_value.h"
#include "parsers/state.h"

enum { REG_SYSTEM_TEXT = 96 };

/* Starts zeroed. */
typedef struct reg_system {
  char build[REG_SYSTEM_TEXT], product[REG_SYSTEM_TEXT];
  size_t n_build, n_product;
  bool has_revision, has_time;
  uint64_t revision;
  fl_time t;
  uint64_t offset, line; /* of the build */
  uint32_t length;
} reg_system;

/* Keeps what the value says of it, in `scratch` for the moment. */
void reg_system_learn(reg_system *system, const reg_value *value, fl_arena *scratch);
/* The fact state.system, once the source is read; none where no build was named. */
fl_status reg_system_add(const reg_system *system, fl_fact *fact, fl_err *err);

#endif
