/* near.c - names of codes and causes that are close to what somebody wrote. */
#include <string.h>

#include "base/text.h"
#include "faultline/facts.h"

enum { WORD_MAX = 64, PART_MIN = 3, LONG_PART_MIN = 5, FAR = 1000 };

typedef struct near_list {
  fl_str word;
  const char **names;
  size_t distances[FL_NEAR_MAX];
  size_t n, cap;
} near_list;

static size_t smallest(size_t a, size_t b, size_t c) {
  const size_t least = a < b ? a : b;
  return least < c ? least : c;
}

/* Letters to change, add or leave out; case does not count. */
static size_t edit_distance(fl_str word, const char *name) {
  size_t row[WORD_MAX + 1];
  for (size_t i = 0; i <= word.n; i++) row[i] = i;
  for (size_t k = 0; name[k]; k++) {
    size_t diagonal = row[0];
    row[0] = k + 1;
    for (size_t i = 1; i <= word.n; i++) {
      const size_t above = row[i];
      const bool is_equal = fl_lower(word.p[i - 1]) == fl_lower(name[k]);
      row[i] = smallest(above + 1, row[i - 1] + 1, diagonal + !is_equal);
      diagonal = above;
    }
  }
  return row[word.n];
}

static bool starts_at(const char *at, fl_str word) {
  for (size_t i = 0; i < word.n; i++)
    if (fl_lower(at[i]) != fl_lower(word.p[i])) return false;
  return true;
}

/* Is it a part of the name: a long one anywhere, a short one where a word of the name begins? */
static bool is_part(fl_str word, const char *name) {
  if (word.n < PART_MIN) return false;
  for (const char *at = name; *at; at++) {
    const bool is_start = at == name || at[-1] == '.' || at[-1] == '_';
    if ((is_start || word.n >= LONG_PART_MIN) && starts_at(at, word)) return true;
  }
  return false;
}

static size_t distance_of(fl_str word, const char *name) {
  const size_t n_name = strlen(name);
  if (n_name == 0) return FAR;
  if (is_part(word, name)) return 1;
  const size_t allowed = word.n / 4 < 4 ? word.n / 4 : 4;
  if (n_name > word.n + allowed || word.n > n_name + allowed) return FAR;
  const size_t distance = edit_distance(word, name);
  return distance <= allowed ? distance : FAR;
}

static void offer(near_list *list, const char *name) {
  const size_t distance = distance_of(list->word, name);
  if (distance == FAR) return;
  size_t at = list->n;
  while (at > 0 && list->distances[at - 1] > distance) at--;
  if (at == list->cap) return;
  if (list->n < list->cap) list->n++;
  for (size_t i = list->n - 1; i > at; i--) {
    list->names[i] = list->names[i - 1];
    list->distances[i] = list->distances[i - 1];
  }
  list->names[at] = name;
  list->distances[at] = distance;
}

size_t fl_fact_near(fl_str word, const char *ret_names[FL_NEAR_MAX]) {
  near_list list = {.word = word, .names = ret_names, .cap = FL_NEAR_MAX};
  const fl_cause_fact *causes = NULL;
  const fl_code_fact *codes = NULL;
  if (word.n > WORD_MAX) return 0;
  const size_t n_causes = fl_causes(&causes);
  for (size_t i = 0; i < n_causes; i++) offer(&list, causes[i].id);
  for (int space = 0; space < FL_CODE_N_SPACES; space++) {
    const size_t n = fl_code_facts((fl_code_space)space, &codes);
    for (size_t i = 0; i < n; i++) offer(&list, codes[i].symbol);
  }
  return list.n;
}
