/* core.h - the words every stage uses: status, error, string, arena, output. */
#ifndef FAULTLINE_CORE_H
#define FAULTLINE_CORE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_API __attribute__((visibility("default")))
#define FL_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

/* Graded results. FL_END means "nothing more" and is not an error; negatives are errors. */
typedef enum fl_status {
  FL_OK = 0,
  FL_END = 1,
  FL_E_ARG = -1,         /* the caller asked for something impossible */
  FL_E_NOMEM = -2,       /* out of memory: the only error that ends a run by itself */
  FL_E_IO = -3,          /* the operating system refused; the sentence holds its reason */
  FL_E_CORRUPT = -4,     /* input breaks its own format */
  FL_E_LIMIT = -5,       /* a limit of base/limits.h was reached */
  FL_E_UNSUPPORTED = -6, /* known, but not read by this build */
  FL_E_SYNTAX = -7,      /* a rule, scenario or expression that does not parse */
  FL_E_INTERNAL = -8,    /* an invariant of ours broke */
  FL_E_STOPPED = -9      /* the consumer wants no more */
} fl_status;

/* Owned by the caller. Written once, where the problem is noticed: one sentence in lower case
 * without a full stop that names the thing, the value and the expectation. `offset` is a byte
 * position in the source, or a line number times 2^20 plus column for rule text. */
typedef struct fl_err {
  fl_status code;
  uint64_t offset;
  char text[320];
} fl_err;

/* Fills *err (which may be NULL) and returns `code`, so that callers can `return fl_fail(...)`. */
FL_API fl_status fl_fail(fl_err *err, fl_status code, uint64_t offset, const char *format, ...)
    FL_PRINTF(4, 5);

/* The only macro that hides a return. */
#define FL_TRY(expression)                           \
  do {                                               \
    const fl_status fl_try_status = (expression);    \
    if (fl_try_status < FL_OK) return fl_try_status; \
  } while (0)

/* A borrowed run of UTF-8 bytes; not terminated; may hold NUL. p may be NULL when n is 0. */
typedef struct fl_str {
  const char *p;
  size_t n;
} fl_str;

#define FL_STR(literal) ((fl_str){"" literal, sizeof(literal) - 1})
#define FL_STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

FL_API fl_str fl_str_of(const char *c_string);
FL_API bool fl_str_eq(fl_str a, fl_str b);
FL_API bool fl_str_eq_nocase(fl_str a, fl_str b); /* ASCII folding only */
FL_API int fl_str_cmp(fl_str a, fl_str b);        /* by bytes: stable in every locale */

/* Bump memory, freed as a whole. `cap_bytes` bounds what a hostile input can make it take;
 * allocation beyond it gives NULL. Memory is zeroed. */
typedef struct fl_arena fl_arena;
FL_API fl_arena *fl_arena_create(size_t cap_bytes);
FL_API void fl_arena_free(fl_arena *arena);
FL_API void fl_arena_reset(fl_arena *arena); /* keeps the first block */
FL_API void *fl_arena_alloc(fl_arena *arena, size_t size_bytes);
FL_API fl_str fl_arena_str(fl_arena *arena,
                           fl_str s); /* copy with a trailing NUL; p NULL = no memory */
FL_API fl_str fl_arena_printf(fl_arena *arena, const char *format, ...) FL_PRINTF(2, 3);

/* Where bytes of ours go: a file that gets its final name only when finished, standard output,
 * or memory. Writes are buffered; the first failure sticks and is reported by fl_out_close. */
typedef struct fl_out fl_out;
FL_API fl_status fl_out_open(const char *path, fl_out **ret_out,
                             fl_err *err); /* "-" or NULL = stdout */
FL_API fl_status fl_out_memory(fl_out **ret_out, fl_err *err);
FL_API void fl_out_write(fl_out *out, const void *bytes, size_t n_bytes);
FL_API void fl_out_str(fl_out *out, fl_str s);
FL_API void fl_out_puts(fl_out *out, const char *c_string);
FL_API void fl_out_printf(fl_out *out, const char *format, ...) FL_PRINTF(2, 3);
/* For people's eyes: what would drive a terminal, hide or reorder text is escaped. */
FL_API void fl_out_printable(fl_out *out, fl_str s);
FL_API bool fl_out_failed(const fl_out *out);
FL_API fl_status fl_out_check(const fl_out *out, fl_err *err); /* names the target and the reason */
FL_API fl_str fl_out_text(const fl_out *out); /* memory outputs: what was written so far */
FL_API uint64_t fl_out_size(const fl_out *out);
/* Flushes, syncs and renames; frees `out` in every case. */
FL_API fl_status fl_out_close(fl_out *out, fl_err *err);
FL_API void fl_out_discard(fl_out *out); /* removes what was written to a file; NULL is fine */

/* Library version, "1.2.3". */
FL_API const char *fl_version(void);

#endif
