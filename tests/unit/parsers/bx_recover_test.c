/* bx_recover_test.c - templates for old records: which one fits, and names that were overwritten.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "parsers/bx_walk.h"

typedef struct stage {
  fl_arena *arena;
  bx_store *store;
  bx b;
  bx_recovery recovery;
  bx_walk walk;
  bx_words words;
} stage;

static int set_up(void **state) {
  stage *s = calloc(1, sizeof *s);
  s->arena = fl_arena_create(1 << 20);
  assert_int_equal(bx_store_create(s->arena, &s->store, NULL), FL_OK);
  bx_store_begin_source(s->store);
  s->b = (bx){.store = s->store, .recovery = &s->recovery, .scratch = s->arena};
  s->walk = (bx_walk){.b = &s->b, .words = &s->words};
  *state = s;
  return 0;
}

static int tear_down(void **state) {
  stage *s = *state;
  free(s->words.items);
  bx_store_free(s->store);
  fl_arena_free(s->arena);
  free(s);
  return 0;
}

static void word(stage *s, bx_tag tag, uint64_t payload) {
  assert_int_equal(bx_put(&s->walk, tag, payload, NULL), FL_OK);
}

/* "?": a name that is lost. */
static void text(stage *s, bx_tag tag, const char *name) {
  const fl_str *stored = *name == '?' ? bx_lost_name(&s->walk, (uint32_t)atoi(name + 1))
                                      : bx_store_intern(s->store, fl_str_of(name));
  word(s, tag, (uintptr_t)stored);
}

static void value(stage *s, const char *name, uint16_t index, uint8_t type) {
  text(s, BX_OPEN, name);
  word(s, BX_SUB_OPT, bx_sub(index, type));
  word(s, BX_CLOSE, 0);
}

static void attribute(stage *s, const char *name, uint16_t index, uint8_t type) {
  text(s, BX_ATTR, name);
  word(s, BX_SUB_OPT, bx_sub(index, type));
  word(s, BX_ATTR_END, 0);
}

static void constant(stage *s, const char *name, const char *content) {
  text(s, BX_ATTR, name);
  text(s, BX_CONST, content);
  word(s, BX_ATTR_END, 0);
}

static const char *name_at(const stage *s, size_t at) {
  return ((const fl_str *)(uintptr_t)bx_word_payload(s->words.items[at]))->p;
}

/* All names of the words in a line. */
static void assert_names(const stage *s, const char *expected) {
  char line[600] = "";
  for (size_t i = 0; i < s->words.n; i++) {
    const bx_tag tag = bx_word_tag(s->words.items[i]);
    if (tag != BX_OPEN && tag != BX_ATTR) continue;
    (void)strcat(line, tag == BX_ATTR ? "@" : " ");
    (void)strcat(line, name_at(s, i));
  }
  assert_string_equal(line, expected);
}

/* System with all names lost, as providers with an event source have it. */
static void put_system(stage *s, const char *qualifiers) {
  text(s, BX_OPEN, "?1");
  constant(s, "?2", "http://schemas.microsoft.com/win/2004/08/events/event");
  text(s, BX_OPEN, "?3");
  text(s, BX_OPEN, "?4");
  constant(s, "?5", "Example");
  word(s, BX_CLOSE, 0);
  text(s, BX_OPEN, "?6");
  attribute(s, qualifiers, 4, FL_T_U16);
  word(s, BX_SUB_OPT, bx_sub(3, FL_T_U16));
  word(s, BX_CLOSE, 0);
  value(s, "Level", 0, FL_T_U8);
  value(s, "?7", 2, FL_T_U16);
  value(s, "?8", 5, FL_T_HEX64);
  text(s, BX_OPEN, "?9");
  attribute(s, "?10", 6, FL_T_FILETIME);
  word(s, BX_CLOSE, 0);
  value(s, "?11", 10, FL_T_U64);
  text(s, BX_OPEN, "?12");
  text(s, BX_CONST, "Application");
  word(s, BX_CLOSE, 0);
  text(s, BX_OPEN, "?13");
  text(s, BX_CONST, "HOST");
  word(s, BX_CLOSE, 0);
  text(s, BX_OPEN, "?14");
  attribute(s, "?15", 12, FL_T_SID);
  word(s, BX_CLOSE, 0);
  word(s, BX_CLOSE, 0);
  word(s, BX_SUB_OPT, bx_sub(19, FL_T_BINXML));
  word(s, BX_CLOSE, 0);
}

static void names_of_system_follow_from_its_values(void **state) {
  stage *s = *state;
  put_system(s, "?16");
  assert_int_equal(bx_recover_names(&s->walk, NULL), FL_OK);
  assert_names(s,
               " Event@xmlns System Provider@Name EventID@Qualifiers Level Task Keywords"
               " TimeCreated@SystemTime EventRecordID Channel Computer Security@UserID");
  assert_true(s->b.compiled.is_renamed);
}

/* At the offset of an overwritten name another one may stand, with a hash that fits. */
static void a_name_that_does_not_belong_there_is_put_right(void **state) {
  stage *s = *state;
  put_system(s, "Correlation");
  assert_int_equal(bx_recover_names(&s->walk, NULL), FL_OK);
  assert_names(s,
               " Event@xmlns System Provider@Name EventID@Qualifiers Level Task Keywords"
               " TimeCreated@SystemTime EventRecordID Channel Computer Security@UserID");
}

static void system_in_another_order_is_refused(void **state) {
  stage *s = *state;
  text(s, BX_OPEN, "?1");
  text(s, BX_OPEN, "?2");
  text(s, BX_OPEN, "?3");
  constant(s, "?4", "Example");
  word(s, BX_CLOSE, 0);
  value(s, "?5", 10, FL_T_U64);
  value(s, "?6", 3, FL_T_U16);
  word(s, BX_CLOSE, 0);
  word(s, BX_CLOSE, 0);
  assert_int_equal(bx_recover_names(&s->walk, NULL), FL_E_CORRUPT);
}

static void event_data_is_known_by_its_form(void **state) {
  stage *s = *state;
  text(s, BX_OPEN, "?1");
  for (uint16_t i = 0; i < 3; i++) {
    text(s, BX_OPEN, "?2");
    constant(s, "?3", "Reason");
    word(s, BX_SUB, bx_sub(i, FL_T_STR16));
    word(s, BX_CLOSE, 0);
  }
  word(s, BX_CLOSE, 0);
  assert_int_equal(bx_recover_names(&s->walk, NULL), FL_OK);
  assert_names(s, " EventData Data@Name Data@Name Data@Name");
}

static void user_data_keeps_its_secret(void **state) {
  stage *s = *state;
  text(s, BX_OPEN, "?1");
  constant(s, "?2", "http://manifests.example/events");
  value(s, "?3", 0, FL_T_STR16);
  word(s, BX_CLOSE, 0);
  assert_int_equal(bx_recover_names(&s->walk, NULL), FL_E_CORRUPT);
}

static void a_name_of_a_field_has_to_look_like_one(void **state) {
  stage *s = *state;
  text(s, BX_OPEN, "EventData");
  text(s, BX_OPEN, "Data");
  constant(s, "Name", "Rea\x01son");
  word(s, BX_SUB, bx_sub(0, FL_T_STR16));
  word(s, BX_CLOSE, 0);
  word(s, BX_CLOSE, 0);
  assert_int_equal(bx_recover_names(&s->walk, NULL), FL_E_CORRUPT);
}

/* ---- which template fits ---- */

static const bx_definition *make_template(stage *s, uint8_t type) {
  s->b.compiled.words = (bx_words){0};
  s->walk.words = &s->b.compiled.words;
  value(s, "Value", 0, type);
  s->walk.words = &s->words;
  const bx_definition *d = bx_store_add(s->store, type, &s->b.compiled, s->arena);
  free(s->b.compiled.words.items);
  s->b.compiled.words = (bx_words){0};
  assert_non_null(d);
  return d;
}

static void know(bx_known *known, uint32_t id, uint32_t source, const bx_definition *d) {
  assert_true(
      bx_known_add(known, &(bx_known_item){id, source, d->template, d->literals, NULL, false}));
}

/* u32 1, {u16 4, u8 type, u8 0}, 4 bytes */
static fl_status find(stage *s, uint32_t id, uint8_t type, const bx_definition **ret_definition) {
  const uint8_t table[12] = {1, 0, 0, 0, 4, 0, type, 0, 9, 9, 9, 9};
  s->b.bytes = table;
  s->b.n_bytes = sizeof table;
  s->walk.rd = fl_rd_of(table, sizeof table);
  s->recovery.is_missing = s->recovery.is_elsewhere = false;
  return bx_recover_template(&s->walk, id, 4000, ret_definition, NULL);
}

static void the_value_table_decides_between_templates(void **state) {
  stage *s = *state;
  bx_known known = {0};
  const bx_definition *number = make_template(s, FL_T_U32), *hex = make_template(s, FL_T_HEX32);
  const bx_definition *found = NULL;
  know(&known, 7, 3, hex);
  know(&known, 7, 2, number);
  know(&known, 7, 1, number); /* the lowest source is named */
  know(&known, 8, 0, number);
  bx_known_sort(&known);
  assert_int_equal(known.n, 3);
  s->recovery.known = &known;
  assert_int_equal(find(s, 7, FL_T_U32, &found), FL_OK);
  assert_ptr_equal(found->template, number->template);
  assert_int_equal(s->recovery.source, 1);
  assert_true(s->recovery.is_elsewhere);
  assert_int_equal(find(s, 7, FL_T_HEX32, &found), FL_OK);
  assert_ptr_equal(found->template, hex->template);
  assert_int_equal(find(s, 7, FL_T_FILETIME, &found), FL_E_CORRUPT); /* 4 bytes are no time */
  assert_int_equal(find(s, 7, FL_T_I32, &found), FL_E_CORRUPT);
  assert_true(s->recovery.is_missing);
  assert_int_equal(find(s, 9, FL_T_U32, &found), FL_E_CORRUPT);
  bx_known_free(&known);
}

static void two_templates_that_fit_are_none(void **state) {
  stage *s = *state;
  bx_known known = {0};
  const bx_definition *found = NULL;
  know(&known, 7, 1, make_template(s, FL_T_U32));
  know(&known, 7, 1, make_template(s, FL_T_HEX32));
  bx_known_sort(&known);
  s->recovery.known = &known;
  assert_int_equal(find(s, 7, FL_T_NULL, &found), FL_E_CORRUPT);
  assert_true(s->recovery.is_missing);
  bx_known_free(&known);
}

static void values_without_a_template_inside_of_system_keep_their_order(void **state) {
  stage *s = *state;
  const bx_definition *found = NULL;
  s->recovery.may_lose_names = true;
  assert_int_equal(find(s, 7, FL_T_U32, &found), FL_E_CORRUPT); /* System's own is needed */
  s->walk.depth = 1;
  assert_int_equal(find(s, 7, FL_T_U32, &found), FL_OK);
  assert_true(s->recovery.is_without_names);
  assert_int_equal(found->template->n_words, 5);
  free(s->b.compiled.words.items);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(names_of_system_follow_from_its_values),
      TEST(a_name_that_does_not_belong_there_is_put_right),
      TEST(system_in_another_order_is_refused),
      TEST(event_data_is_known_by_its_form),
      TEST(user_data_keeps_its_secret),
      TEST(a_name_of_a_field_has_to_look_like_one),
      TEST(the_value_table_decides_between_templates),
      TEST(two_templates_that_fit_are_none),
      TEST(values_without_a_template_inside_of_system_keep_their_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
