/* rules_include.c - `include "file"`: opened below the folder of who includes it, read once. */
#include "rules/rules_include.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"

static fl_str folder_of(fl_str path) {
  size_t n = path.n;
  while (n > 0 && path.p[n - 1] != '/') n--;
  return (fl_str){path.p, n};
}

static fl_known_file *find(fl_includes *includes, const struct stat *info) {
  for (size_t i = 0; i < includes->n; i++)
    if (includes->known[i].device == info->st_dev && includes->known[i].inode == info->st_ino)
      return &includes->known[i];
  return NULL;
}

/* Without memory the file is read all the same: it only cannot be included. */
static void open_place(fl_includes *includes, const struct stat *info, fl_place *place) {
  place->index = SIZE_MAX;
  includes->place = place;
  if (!fl_grow((void **)&includes->known, &includes->cap, includes->n + 1, sizeof *includes->known))
    return;
  place->index = includes->n;
  includes->known[includes->n++] =
      (fl_known_file){.device = info->st_dev, .inode = info->st_ino, .is_open = true};
}

bool fl_includes_enter(fl_includes *includes, const char *path, const char *root, int fd,
                       fl_place *ret_place) {
  struct stat info = {0};
  const fl_str folder = folder_of(fl_str_of(path));
  *ret_place =
      (fl_place){.folder = folder, .root = root ? fl_str_of(root) : folder, .by = includes->place};
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && find(includes, &info)) return false;
  open_place(includes, &info, ret_place);
  return true;
}

void fl_includes_leave(fl_includes *includes, const fl_place *place, fl_status status) {
  includes->place = place->by;
  if (place->index >= includes->n) return;
  fl_known_file *known = &includes->known[place->index];
  known->is_open = false;
  known->is_refused = status != FL_OK;
  known->aliases = includes->aliases;
}

/* What keeps a name from being looked for at all; NULL = nothing does. */
static const char *refuses(fl_str name) {
  static const char suffix[] = ".flr";
  const size_t n = sizeof suffix - 1;
  if (name.n && name.p[0] == '/') return "an absolute path, expected one below this file's folder";
  if (name.n <= n || memcmp(name.p + name.n - n, suffix, n) != 0)
    return "not the name of a .flr file";
  for (size_t i = 0; i < name.n;) {
    size_t end = i;
    while (end < name.n && name.p[end] != '/') end++;
    const bool is_up = end - i == 2 && name.p[i] == '.' && name.p[i + 1] == '.';
    if (is_up) return "a path that leads upwards, expected one below this file's folder";
    if (end == i || (end - i == 1 && name.p[i] == '.')) return "a path with empty parts";
    i = end + 1;
  }
  return NULL;
}

/* Step by step, so that no link leads out of the folder. -1 with errno. */
static int open_below(const char *folder, char *name) {
  int at = open(*folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (at >= 0) {
    char *slash = strchr(name, '/');
    if (slash) *slash = '\0';
    const int flags = slash ? O_RDONLY | O_DIRECTORY : O_RDONLY | O_NONBLOCK;
    const int next = openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC);
    const int why = errno;
    (void)close(at);
    errno = why;
    if (slash) *slash = '/';
    if (!slash) return next;
    at = next;
    name = slash + 1;
  }
  return -1;
}

static fl_status complain(fl_parser *p, size_t at, fl_str name, const char *reason) {
  return fl_lex_error(&p->lex, at, "include \"%.*s\": %s", (int)(name.n < 80 ? name.n : 80), name.p,
                      reason);
}

static fl_status read_text(int fd, char *buffer, size_t *ret_n) {
  size_t n = 0;
  while (n <= FL_LIMIT_RULE_FILE) {
    const ssize_t more = read(fd, buffer + n, FL_LIMIT_RULE_FILE + 1 - n);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return FL_E_IO;
    if (more == 0) break;
    n += (size_t)more;
  }
  *ret_n = n;
  return FL_OK;
}

/* The file is there and new: its rules and aliases. */
static fl_status load(fl_parser *p, int fd, fl_str path, const struct stat *info) {
  fl_includes *includes = fl_rules_includes(p->rules);
  fl_place place = {.folder = folder_of(path),
                    .root = includes->place->root,
                    .depth = includes->place->depth + 1,
                    .by = includes->place};
  char *buffer = malloc(FL_LIMIT_RULE_FILE + 1);
  size_t n = 0;
  if (!buffer) return fl_lex_nomem(&p->lex);
  fl_status s = read_text(fd, buffer, &n);
  open_place(includes, info, &place);
  if (s == FL_OK) s = fl_rules_add_text(p->rules, path, (fl_str){buffer, n}, p->lex.err);
  fl_includes_leave(includes, &place, s);
  free(buffer);
  return s;
}

static fl_status take(fl_parser *p, int fd, fl_str path, fl_str name, size_t at) {
  fl_includes *includes = fl_rules_includes(p->rules);
  struct stat info = {0};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
    return complain(p, at, name, "not a regular file");
  const fl_known_file *known = find(includes, &info);
  if (known && known->is_open)
    return complain(p, at, name, "the files include each other in a circle");
  if (!known && includes->place->depth + 1 > FL_LIMIT_RULE_INCLUDES)
    return complain(p, at, name, "files include each other more than 8 deep");
  if (!known) {
    const fl_status s = load(p, fd, path, &info);
    if (s == FL_E_NOMEM) return s;
    known = find(includes, &info);
  }
  if (!known || known->is_refused) return complain(p, at, name, "that file is refused");
  for (const fl_alias *alias = known->aliases; alias; alias = alias->next)
    FL_TRY(fl_parse_add_alias(p, alias, at));
  return FL_OK;
}

/* Looked for beside this file first, then below the folder that the user named. */
fl_status fl_parse_include(fl_parser *p, fl_str name, size_t at) {
  const fl_place *place = p->rules ? fl_rules_includes(p->rules)->place : NULL;
  const char *reason = refuses(name);
  if (reason) return complain(p, at, name, reason);
  if (!place) return complain(p, at, name, "this text is no file, so it has no folder");
  const fl_str folders[] = {place->folder, place->root};
  int fd = -1;
  fl_str path = {0};
  for (size_t i = 0; i < 2 && fd < 0; i++) {
    const fl_str folder = fl_arena_str(p->lex.arena, folders[i]);
    const fl_str copy = fl_arena_str(p->lex.arena, name);
    path = fl_arena_printf(p->lex.arena, "%.*s%.*s", FL_STR_ARG(folders[i]), FL_STR_ARG(name));
    if (!folder.p || !copy.p || !path.p) return fl_lex_nomem(&p->lex);
    fd = open_below(folder.p, (char *)(uintptr_t)copy.p);
    if (fd < 0 && errno != ENOENT) break;
  }
  if (fd < 0) return complain(p, at, name, errno == ELOOP ? "a symbolic link" : strerror(errno));
  const fl_status s = take(p, fd, path, name, at);
  (void)close(fd);
  return s;
}
