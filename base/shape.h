/* shape.h - which shapes consumers may keep plans of. */
#ifndef FL_BASE_SHAPE_H
#define FL_BASE_SHAPE_H

#include "base/limits.h"
#include "faultline/event.h"

/* It lives as long as the run and its serial is small: plans can stand in an array. Serials go up
 * to twice the limit of shapes, since those of a log with exported texts have a second range. */
static inline bool fl_shape_is_kept(const fl_shape *shape) {
  return shape->cached && shape->serial < (uint64_t)2 * FL_LIMIT_SHAPES;
}

#endif
