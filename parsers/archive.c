/* archive.c - zip, 7z, cab, tar and single compressed files, streamed through libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "parsers/gunzip.h"
#include "parsers/run.h"
#include "parsers/source.h"
#include "parsers/texts.h"

enum {
  READ_STEP = 64 << 10,
  RATIO_GRACE = 1 << 20,
  RETRIES = 16,
  NAME_CAP = 1 << 16,
  CAB_NAMES_MAX = 8 << 20
};

/* Formats and filters are enabled by name: the "all" calls would start programs on content alone.
 */
typedef struct kind {
  const char *type;
  int (*enable)(struct archive *);
  bool is_filter;
  bool is_seekable; /* a member can be skipped without unpacking it */
  const char *suffix;
} kind;

/* Gzip is unpacked by gunzip.c: the library drops its last block when the stream breaks. */
static int enable_nothing(struct archive *a) {
  (void)a;
  return ARCHIVE_OK;
}

static const kind kinds[] = {
    {"zip", archive_read_support_format_zip, false, true, ""},
    {"7z", archive_read_support_format_7zip, false, false, ""},
    {"cab", archive_read_support_format_cab, false, false, ""},
    {"tar", archive_read_support_format_tar, false, true, ""},
    {"gz", enable_nothing, true, false, ".gz"},
    {"bz2", archive_read_support_filter_bzip2, true, false, ".bz2"},
    {"xz", archive_read_support_filter_xz, true, false, ".xz"},
    {"zstd", archive_read_support_filter_zstd, true, false, ".zst"},
};

typedef struct pack {
  fl_job *job;
  const kind *kind;
  struct archive *a;
  locale_t locale; /* member names are UTF-8 whatever the environment says; 0 when there is none */
  uint8_t *buffer;
  uint64_t at, farthest; /* next byte to read, end of what was read */
  uint64_t n_given;      /* all bytes that the library got */
  bool is_raw;           /* what is in the compressed file is no tar archive */
  fl_err read_err;       /* the container itself could not be read, or broke off */
  fl_gunzip *gz;         /* NULL for all but gz */
  bool is_told;          /* a note spoke of read_err */
  uint64_t end;          /* where the archive ends or breaks off */
  size_t n_members;
  fl_shelf shelf;
  bool has_looked;       /* all text files are on the shelf */
  size_t n_logs, n_late; /* logs without texts; text files behind such a log */
  /* The member that is being unpacked. */
  uint64_t n_out, start, claimed;
  bool is_done, is_claimed;
  bool is_bomb;   /* cut by the ratio: what is left of it is passed over, not kept */
  fl_status over; /* FL_E_LIMIT: the input's budget is used up */
} pack;

static la_ssize_t give_unzipped(pack *p, const void **ret_bytes) {
  const size_t n = fl_gunzip_read(p->gz, p->buffer, READ_STEP, &p->read_err);
  p->farthest = p->n_given = fl_gunzip_position(p->gz);
  *ret_bytes = p->buffer;
  return (la_ssize_t)n;
}

static la_ssize_t give_bytes(struct archive *a, void *self, const void **ret_bytes) {
  pack *p = self;
  size_t n = 0;
  if (p->gz) return give_unzipped(p, ret_bytes);
  if (fl_source_read(p->job->source, p->at, p->buffer, READ_STEP, &n, &p->read_err) < FL_OK) {
    archive_set_error(a, EIO, "%s", p->read_err.text);
    return ARCHIVE_FATAL;
  }
  p->at += n;
  p->n_given += n;
  if (p->at > p->farthest) p->farthest = p->at;
  *ret_bytes = p->buffer;
  return (la_ssize_t)n;
}

static la_int64_t skip_bytes(struct archive *a, void *self, la_int64_t request) {
  (void)a;
  pack *p = self;
  const uint64_t left = fl_source_size(p->job->source) - p->at;
  if (request <= 0) return 0;
  const uint64_t n = (uint64_t)request < left ? (uint64_t)request : left;
  p->at += n;
  return (la_int64_t)n;
}

static la_int64_t seek_bytes(struct archive *a, void *self, la_int64_t offset, int whence) {
  (void)a;
  pack *p = self;
  const la_int64_t size = (la_int64_t)fl_source_size(p->job->source);
  la_int64_t base = 0;
  if (whence == SEEK_CUR) base = (la_int64_t)p->at;
  if (whence == SEEK_END) base = size;
  if (offset < -base || offset > size - base) return ARCHIVE_FATAL;
  p->at = (uint64_t)(base + offset);
  return base + offset;
}

/* The library's words, which may end in a newline. */
static fl_str reason(const pack *p) {
  if (p->read_err.code < FL_OK) return fl_str_of(p->read_err.text);
  const char *text = archive_error_string(p->a);
  if (!text) return FL_STR("it ends too early");
  return (fl_str){text, strcspn(text, "\n")};
}

/* What kind of failure the library speaks of; it only has words for it. */
static fl_status failure(const pack *p) {
  if (p->read_err.code < FL_OK) return p->read_err.code;
  if (archive_errno(p->a) == ENOMEM) return FL_E_NOMEM;
  const char *text = archive_error_string(p->a);
  if (!text) return FL_E_CORRUPT;
  if (strstr(text, "nsupported") || strstr(text, "ncrypt") || strstr(text, "assphrase"))
    return FL_E_UNSUPPORTED;
  return FL_E_CORRUPT;
}

static fl_status fail_member(const pack *p, fl_err *err) {
  const fl_status s = failure(p);
  if (p->n_out == 0 && p->claimed != 0)
    return fl_fail(err, s, 0, "none of its %" PRIu64 " bytes can be unpacked: %.*s", p->claimed,
                   FL_STR_ARG(reason(p)));
  if (!p->is_claimed)
    return fl_fail(err, s, 0, "unpacking ends after %" PRIu64 " bytes: %.*s", p->n_out,
                   FL_STR_ARG(reason(p)));
  if (p->n_out >= p->claimed)
    return fl_fail(err, s, 0, "unpacked whole, but: %.*s", FL_STR_ARG(reason(p)));
  return fl_fail(err, s, 0, "unpacking ends after %" PRIu64 " of %" PRIu64 " bytes: %.*s", p->n_out,
                 p->claimed, FL_STR_ARG(reason(p)));
}

/* How many bytes went into unpacking so far. Zip is exact; other formats count a block as used up
 * only when its last byte was, so there everything that was handed over counts. */
static uint64_t packed_position(const pack *p) {
  if (strcmp(p->kind->type, "zip") != 0) return p->n_given;
  const la_int64_t position = archive_filter_bytes(p->a, -1);
  return position > 0 ? (uint64_t)position : 0;
}

/* Bytes that cost next to nothing to send must not cost memory and hours to read. */
static fl_status check_limits(pack *p, uint64_t n_more, fl_err *err) {
  const fl_status s = fl_job_unpack(p->job, n_more, err);
  if (s < FL_OK) return p->over = s;
  const uint64_t n = p->n_out + n_more;
  const uint64_t now = packed_position(p);
  const uint64_t packed = now > p->start ? now - p->start : 1;
  if (p->is_bomb || n <= RATIO_GRACE || (n - RATIO_GRACE) / FL_LIMIT_MEMBER_RATIO <= packed)
    return FL_OK;
  p->is_bomb = true;
  return fl_fail(err, FL_E_LIMIT, p->n_out,
                 "limit reached: unpacks to more than %d times its packed size, cut after %" PRIu64
                 " bytes",
                 (int)FL_LIMIT_MEMBER_RATIO, p->n_out);
}

/* The next block of the member. Sparse members are rare and their holes are not filled: an offset
 * that is not where the last block ended counts as damage. */
static fl_status pull(void *self, const uint8_t **ret_bytes, size_t *ret_n_bytes, fl_err *err) {
  pack *p = self;
  if (p->is_done) return FL_END;
  const void *bytes = NULL;
  size_t n = 0;
  la_int64_t offset = 0;
  int r = ARCHIVE_RETRY;
  for (int i = 0; r == ARCHIVE_RETRY && i < RETRIES; ++i)
    r = archive_read_data_block(p->a, &bytes, &n, &offset);
  if (r == ARCHIVE_EOF) {
    p->is_done = true;
    if (p->read_err.code >= FL_OK || archive_format(p->a) != ARCHIVE_FORMAT_RAW) return FL_END;
    p->is_told = true;
    return fail_member(p, err);
  }
  if (!bytes) n = 0;
  fl_status s = FL_OK;
  if (n != 0) s = check_limits(p, n, err);
  if (s == FL_OK && n != 0) {
    if (offset < 0 || (uint64_t)offset != p->n_out) {
      p->is_done = true;
      return fl_fail(err, FL_E_UNSUPPORTED, p->n_out,
                     "has holes and is cut after %" PRIu64 " bytes", p->n_out);
    }
    *ret_bytes = bytes;
    *ret_n_bytes = n;
    p->n_out += n;
  }
  if (s == FL_OK && r < ARCHIVE_OK) s = fail_member(p, err);
  p->is_done = s != FL_OK;
  return s;
}

/* Names of single compressed files are the container's own, without the suffix. The container's
 * name is encoded already and must not be so twice. */
static fl_str inner_name(const pack *p) {
  const fl_str outer = p->job->name;
  size_t start = outer.n;
  while (start > 0 && outer.p[start - 1] != '/') --start;
  const size_t n_suffix = strlen(p->kind->suffix), n = outer.n - start;
  const fl_str end = {outer.p + outer.n - (n > n_suffix ? n_suffix : 0),
                      n > n_suffix ? n_suffix : 0};
  if (end.n == 0 || !fl_str_eq_nocase(end, fl_str_of(p->kind->suffix))) return FL_STR("data");
  char *text = fl_arena_take(p->job->arena, n);
  if (!text) return FL_STR("data");
  size_t length = 0;
  for (size_t i = start; i < outer.n - n_suffix; ++i) {
    uint64_t code = 0;
    char hex[5] = "0x";
    if (outer.p[i] == '%' && i + 2 < outer.n) {
      memcpy(hex + 2, outer.p + i + 1, 2);
      if (fl_text_number((fl_str){hex, 4}, &code)) {
        text[length++] = (char)(uint8_t)code;
        i += 2;
        continue;
      }
    }
    text[length++] = outer.p[i];
  }
  return (fl_str){text, length};
}

/* Zip written by old tools has backslashes between folders. */
static fl_str member_name(pack *p, struct archive_entry *entry, fl_arena *scratch) {
  if (archive_format(p->a) == ARCHIVE_FORMAT_RAW) return inner_name(p);
  const char *raw = archive_entry_pathname(entry);
  if (!raw) raw = archive_entry_pathname_utf8(entry);
  if (!raw || !*raw) return fl_arena_printf(scratch, "member-%zu", p->n_members);
  fl_str name = fl_str_of(raw);
  if (name.n > NAME_CAP) name.n = NAME_CAP;
  char *text = fl_arena_take(scratch, name.n);
  if (!text) return FL_STR("member");
  for (size_t i = 0; i < name.n; ++i) text[i] = name.p[i] == '\\' ? '/' : name.p[i];
  return (fl_str){text, name.n};
}

static fl_source *member_source(pack *p, struct archive_entry *entry) {
  p->is_claimed = archive_entry_size_is_set(entry) && archive_entry_size(entry) >= 0;
  p->claimed = p->is_claimed ? (uint64_t)archive_entry_size(entry) : 0;
  p->n_out = 0;
  p->is_done = p->is_bomb = false;
  const uint64_t position = packed_position(p);
  const uint64_t ahead = strcmp(p->kind->type, "zip") == 0 ? 0 : READ_STEP;
  p->start = position > ahead ? position - ahead : 0;
  if (archive_entry_hardlink(entry) || archive_entry_filetype(entry) == AE_IFLNK)
    return fl_source_refused(0, FL_E_IO, "is a link inside its archive and was not followed");
  if (archive_entry_is_encrypted(entry))
    return fl_source_refused(p->claimed, FL_E_UNSUPPORTED,
                             "is encrypted; no password was given (%" PRIu64 " bytes)", p->claimed);
  const unsigned type = archive_entry_filetype(entry);
  if (type != AE_IFREG && type != 0)
    return fl_source_refused(0, FL_E_IO, "is no regular file inside its archive");
  return fl_source_of_stream(pull, p, p->is_claimed ? p->claimed : FL_SOURCE_SIZE_UNKNOWN);
}

/* What nobody wanted of a member still costs work where it cannot be jumped over: it counts against
 * the input's budget. */
static void drain(pack *p) {
  const uint8_t *bytes = NULL;
  size_t n = 0;
  fl_err err = {0};
  if (p->kind->is_seekable || p->over != FL_OK) return;
  if (p->is_bomb) p->is_done = archive_format(p->a) == ARCHIVE_FORMAT_RAW;
  while (pull(p, &bytes, &n, &err) == FL_OK) continue;
}

/* Text files lie on the shelf before the first log is read, where looking for them is cheap. Else
 * those are used that stand before their log. */
static fl_status shelve(pack *p, fl_str name, fl_source *source, fl_err *err) {
  if (!p->job->options->want_texts || !source) return FL_OK;
  if (!p->has_looked && fl_texts_is_path(name)) {
    p->n_late += p->n_logs != 0;
    fl_source_load(source);
    if (!fl_source_fault(source)) FL_TRY(fl_shelf_add(&p->shelf, name, source, err));
  }
  fl_shelf_attach(&p->shelf, name, source);
  p->n_logs += fl_texts_is_log(name) && !fl_source_get_texts(source);
  return FL_OK;
}

static fl_status emit_member(pack *p, struct archive_entry *entry, fl_err *err) {
  fl_arena *scratch = fl_arena_create(FL_LIMIT_RECORD_TEXT);
  if (!scratch) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  const locale_t before = p->locale ? uselocale(p->locale) : (locale_t)0;
  const fl_str name = member_name(p, entry, scratch);
  fl_source *source = member_source(p, entry);
  if (p->locale) uselocale(before);
  ++p->n_members;
  fl_status s = shelve(p, name, source, err);
  if (s == FL_OK) s = fl_job_emit(p->job, name, source, err);
  else fl_source_free(source);
  fl_arena_free(scratch);
  if (s == FL_OK) drain(p);
  return s;
}

static int next_header(pack *p, struct archive_entry **ret_entry) {
  const locale_t before = p->locale ? uselocale(p->locale) : (locale_t)0;
  int r = ARCHIVE_RETRY;
  for (int i = 0; r == ARCHIVE_RETRY && i < RETRIES; ++i)
    r = archive_read_next_header(p->a, ret_entry);
  if (p->locale) uselocale(before);
  return r;
}

/* The archive breaks off. Members before are read; without any the source is lost. */
static fl_status break_off(pack *p, fl_err *err) {
  const uint64_t size = fl_source_size(p->job->source);
  const fl_status s = failure(p);
  const uint64_t used = p->gz ? 0 : (uint64_t)archive_filter_bytes(p->a, -1);
  uint64_t at = p->farthest < size ? p->farthest : size;
  if (used != 0 && used < at) at = used; /* without what was read ahead */
  if (archive_read_has_encrypted_entries(p->a) == 1)
    return fl_fail(err, FL_E_UNSUPPORTED, at, "is encrypted; no password was given");
  if (p->n_members == 0 || s == FL_E_NOMEM)
    return fl_fail(err, s, at, "no member can be read: %.*s", FL_STR_ARG(reason(p)));
  p->end = at;
  fl_job_note(p->job, fl_note_severity(s), at, "archive breaks off after %zu members: %.*s",
              p->n_members, FL_STR_ARG(reason(p)));
  return FL_OK;
}

static fl_status open_library(pack *p, fl_err *err) {
  if (p->a) archive_read_free(p->a);
  fl_gunzip_free(p->gz);
  p->gz = NULL;
  p->at = 0;
  p->read_err = (fl_err){0};
  const bool is_gz = p->kind->enable == enable_nothing;
  if (is_gz && !(p->gz = fl_gunzip_create(p->job->source)))
    return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  if (!(p->a = archive_read_new())) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  int r = p->kind->enable(p->a);
  if (r >= ARCHIVE_WARN && p->kind->is_filter) {
    if (!p->is_raw) r = archive_read_support_format_tar(p->a);
    if (r >= ARCHIVE_WARN) r = archive_read_support_format_raw(p->a);
    if (r >= ARCHIVE_WARN) r = archive_read_support_format_empty(p->a);
  }
  if (r < ARCHIVE_WARN)
    return fl_fail(err, FL_E_UNSUPPORTED, 0, "the archive library cannot read it: %.*s",
                   FL_STR_ARG(reason(p)));
  archive_read_set_read_callback(p->a, give_bytes);
  if (!p->gz) archive_read_set_skip_callback(p->a, skip_bytes);
  if (!p->gz) archive_read_set_seek_callback(p->a, seek_bytes);
  archive_read_set_callback_data(p->a, p);
  if (archive_read_open1(p->a) < ARCHIVE_WARN)
    return fl_fail(err, failure(p), p->farthest, "no member can be read: %.*s",
                   FL_STR_ARG(reason(p)));
  return FL_OK;
}

/* The names of a cabinet stand unpacked behind u32 at 16, one after the other. */
static bool is_cab_with_texts(pack *p) {
  uint8_t *names = p->buffer;
  size_t n = 0;
  fl_err err = {0};
  if (fl_source_read(p->job->source, 0, names, 20, &n, &err) < FL_OK || n < 20) return false;
  const uint32_t at = fl_le32(names + 16);
  for (uint64_t i = at; fl_source_read(p->job->source, i, names, READ_STEP, &n, &err) == FL_OK;) {
    if (memmem(names, n, "LocaleMetaData", 14)) return true;
    if (n < READ_STEP || i - at > CAB_NAMES_MAX) break;
    i += n - 14;
  }
  return false;
}

/* Whether a pass over the members for their names alone costs little, or is known to be worth it.
 */
static bool is_worth_a_look(pack *p) {
  if (!p->job->options->want_texts) return false;
  return p->kind->is_seekable || (strcmp(p->kind->type, "cab") == 0 && is_cab_with_texts(p));
}

static fl_status look_at(pack *p, pack *look, struct archive_entry *entry, fl_arena *scratch,
                         fl_err *err) {
  const locale_t before = p->locale ? uselocale(p->locale) : (locale_t)0;
  const fl_str name = member_name(look, entry, scratch);
  const bool is_text = archive_entry_filetype(entry) != AE_IFDIR && fl_texts_is_path(name);
  fl_source *source = is_text ? member_source(look, entry) : NULL;
  if (p->locale) uselocale(before);
  if (!source) return is_text ? fl_fail(err, FL_E_NOMEM, 0, "out of memory") : FL_OK;
  fl_source_load(source);
  fl_status s = FL_OK;
  if (!fl_source_fault(source)) s = fl_shelf_add(&p->shelf, name, source, err);
  fl_source_free(source);
  return s;
}

/* Puts every text file on the shelf. What is wrong with the archive is for the pass that reads it
 * to say. */
static fl_status look_ahead(pack *p, fl_err *err) {
  if (!is_worth_a_look(p)) return FL_OK;
  pack look = {.job = p->job, .kind = p->kind, .locale = p->locale};
  look.buffer = fl_arena_take(p->job->arena, READ_STEP);
  fl_arena *scratch = fl_arena_create(FL_LIMIT_RECORD_TEXT);
  fl_err why = {0};
  fl_status s = look.buffer && scratch ? open_library(&look, &why) : FL_E_NOMEM;
  struct archive_entry *entry = NULL;
  int r = ARCHIVE_OK;
  if (s == FL_OK) p->has_looked = true;
  while (s == FL_OK && look.over == FL_OK) {
    r = next_header(&look, &entry);
    if (r == ARCHIVE_EOF || r == ARCHIVE_FATAL || !entry) break;
    fl_arena_reset(scratch);
    if (r != ARCHIVE_FAILED) s = look_at(p, &look, entry, scratch, err);
  }
  if (look.a) archive_read_free(look.a);
  fl_arena_free(scratch);
  return s == FL_E_NOMEM ? fl_fail(err, s, 0, "out of memory") : FL_OK;
}

/* One member. FL_END: there are no more. */
static fl_status read_member(pack *p, fl_err *err) {
  struct archive_entry *entry = NULL;
  const int r = next_header(p, &entry);
  const bool is_broken = p->read_err.code < FL_OK && !p->is_told;
  if (r == ARCHIVE_EOF && !is_broken) return FL_END;
  if (r == ARCHIVE_EOF || r == ARCHIVE_FATAL || !entry) {
    FL_TRY(break_off(p, err));
    return FL_END;
  }
  if (r == ARCHIVE_FAILED)
    fl_job_note(p->job, fl_note_severity(failure(p)), p->farthest, "member %zu: %.*s", p->n_members,
                FL_STR_ARG(reason(p)));
  if (r != ARCHIVE_FAILED && archive_entry_filetype(entry) == AE_IFDIR) return FL_OK;
  const fl_status s = emit_member(p, entry, err);
  if (s != FL_OK || p->over != FL_OK) return s != FL_OK ? s : p->over;
  return p->is_bomb && archive_format(p->a) == ARCHIVE_FORMAT_RAW ? FL_END : FL_OK;
}

static fl_status read_members(fl_job *job, void *state, uint64_t span, fl_rows *rows, fl_err *err) {
  (void)span;
  (void)rows;
  pack *p = state;
  fl_status s = look_ahead(p, err);
  while (s == FL_OK) {
    s = read_member(p, err);
    if (s != FL_END || p->n_members != 0 || p->is_raw || !p->kind->is_filter) continue;
    p->is_raw = true; /* zeros look like a tar archive without members */
    s = open_library(p, err);
  }
  if (s == FL_E_LIMIT) {
    fl_job_note(job, FL_NOTE_LIMIT, p->farthest,
                "limit reached: the archive is read to member %zu only", p->n_members);
    s = FL_OK;
  }
  FL_TRY(s);
  if (p->n_late || p->shelf.is_cut)
    fl_job_note(job, p->shelf.is_cut ? FL_NOTE_LIMIT : FL_NOTE_INFO, 0,
                p->shelf.is_cut ? "limit reached: message texts of more logs than are kept"
                                : "message texts of logs in front of them are not used: this "
                                  "archive can be read in one direction only");
  if (p->n_members == 0) return fl_fail(err, FL_E_IO, 0, "archive holds no members");
  fl_job_ledger(job, 0, p->end, FL_L_PARSED, NULL);
  fl_job_ledger(job, p->end, fl_source_size(job->source) - p->end, FL_L_DAMAGED,
                "behind the place where the archive breaks off");
  return FL_OK;
}

static const kind *find_kind(const char *type) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i)
    if (strcmp(kinds[i].type, type) == 0) return &kinds[i];
  return NULL;
}

static fl_status open_pack(fl_job *job, void *state, uint64_t *ret_n_spans, fl_err *err) {
  pack *p = state;
  p->job = job;
  p->shelf = (fl_shelf){.arena = job->arena, .folder_fd = -1};
  p->kind = find_kind(fl_frame_of(job)->info.type);
  p->end = fl_source_size(job->source);
  p->buffer = fl_arena_take(job->arena, READ_STEP);
  p->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  if (!p->kind || !p->buffer) return fl_fail(err, FL_E_NOMEM, 0, "out of memory");
  *ret_n_spans = 1;
  return open_library(p, err);
}

static void close_pack(fl_job *job, void *state) {
  (void)job;
  pack *p = state;
  if (p->a) archive_read_free(p->a);
  fl_gunzip_free(p->gz);
  if (p->locale) freelocale(p->locale);
  fl_shelf_done(&p->shelf);
}

static bool has_bytes(const fl_probe *probe, size_t at, const char *bytes, size_t n) {
  return probe->n_head >= at + n && memcmp(probe->head + at, bytes, n) == 0;
}

/* u32 "PK\3\4", u16 version, u16 flags, u16 method; or the end record of an archive without members
 */
static int probe_zip(const fl_probe *probe) {
  if (has_bytes(probe, 0, "PK\5\6", 4)) return probe->n_head >= 22 ? 100 : 0;
  const size_t at = has_bytes(probe, 0, "PK\7\10", 4) || has_bytes(probe, 0, "PK00", 4) ? 4 : 0;
  if (!has_bytes(probe, at, "PK\3\4", 4)) return 0;
  return probe->n_head >= at + 30 && fl_le16(probe->head + at + 8) <= 99 ? 100 : 50;
}

/* signature, u8 major version 0 */
static int probe_sevenzip(const fl_probe *probe) {
  if (!has_bytes(probe, 0, "7z\xbc\xaf\x27\x1c", 6)) return 0;
  return probe->n_head >= 32 && probe->head[6] == 0 ? 100 : 50;
}

/* "MSCF", u32 0, u32 size, u32 0, u32 first file */
static int probe_cab(const fl_probe *probe) {
  if (!has_bytes(probe, 0, "MSCF", 4)) return 0;
  return probe->n_head >= 36 && fl_le32(probe->head + 4) == 0 ? 100 : 50;
}

/* A header's checksum is the sum of its 512 bytes with blanks in the checksum's own place. */
static int probe_tar(const fl_probe *probe) {
  enum { BLOCK = 512, SUM_AT = 148, SUM_SIZE = 8 };
  if (probe->n_head < BLOCK || probe->head[0] == 0) return 0;
  uint32_t sum = 0, stored = 0;
  for (size_t i = 0; i < BLOCK; ++i)
    sum += i >= SUM_AT && i < SUM_AT + SUM_SIZE ? (uint32_t)' ' : probe->head[i];
  size_t i = SUM_AT;
  while (i < SUM_AT + SUM_SIZE && probe->head[i] == ' ') ++i;
  for (; i < SUM_AT + SUM_SIZE && probe->head[i] >= '0' && probe->head[i] <= '7'; ++i)
    stored = stored * 8 + (probe->head[i] - (uint32_t)'0');
  if (sum != stored) return 0;
  return has_bytes(probe, 257, "ustar", 5) ? 100 : 50;
}

/* 1f 8b, method 8, no reserved flags */
static int probe_gz(const fl_probe *probe) {
  if (!has_bytes(probe, 0, "\x1f\x8b\x08", 3)) return 0;
  return probe->n_head >= 10 && (probe->head[3] & 0xe0) == 0 ? 100 : 50;
}

/* "BZh", level, block magic (or the end magic of an empty file) */
static int probe_bz2(const fl_probe *probe) {
  if (!has_bytes(probe, 0, "BZh", 3) || probe->n_head < 4) return 0;
  if (probe->head[3] < '1' || probe->head[3] > '9') return 0;
  const bool has_block =
      has_bytes(probe, 4, "1AY&SY", 6) || has_bytes(probe, 4, "\x17\x72\x45\x38\x50\x90", 6);
  return has_block ? 100 : 0;
}

static int probe_xz(const fl_probe *probe) {
  if (!has_bytes(probe, 0,
                 "\xfd"
                 "7zXZ\0",
                 6))
    return 0;
  return probe->n_head >= 12 && probe->head[6] == 0 ? 100 : 50;
}

/* magic, u8 descriptor with bit 3 unused */
static int probe_zstd(const fl_probe *probe) {
  if (!has_bytes(probe, 0, "\x28\xb5\x2f\xfd", 4)) return 0;
  return probe->n_head >= 6 && (probe->head[4] & 0x08) == 0 ? 100 : 50;
}

#define PACK(id, type, words)        \
  const fl_parser fl_parser_##id = { \
      .name = type,                  \
      .summary = words,              \
      .state_size = sizeof(pack),    \
      .is_container = true,          \
      .probe = probe_##id,           \
      .open = open_pack,             \
      .read = read_members,          \
      .close = close_pack,           \
  };
PACK(zip, "zip", "zip archive")
PACK(sevenzip, "7z", "7-Zip archive")
PACK(cab, "cab", "cabinet archive")
PACK(tar, "tar", "tar archive")
PACK(gz, "gz", "gzip file, or a tar archive in one")
PACK(bz2, "bz2", "bzip2 file, or a tar archive in one")
PACK(xz, "xz", "xz file, or a tar archive in one")
PACK(zstd, "zstd", "Zstandard file, or a tar archive in one")
