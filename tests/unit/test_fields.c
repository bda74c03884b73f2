/* Bodies become structs by descriptor: absent, null and set are three things, and every fault is told. */
#include "api/value.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct target {
	struct fields_text name, choice, checked;
	struct fields_number count, flag, every, when;
	struct inner {
		enum fields_state state;
		struct fields_text deep;
	} inner;
	struct fields_tree tags, items, any;
};

static enum rc check_x(struct str s, struct err *err)
{
	return str_eq(s, S("x")) ? RC_OK : err_set(err, RC_INVALID, "not_x", "It is not x.");
}

static const struct field INNER[] = {
	{ .kind = FIELD_TEXT,
	  .name = "deep",
	  .at = offsetof(struct inner, deep),
	  .required = true,
	  .min = 1,
	  .max = 3 },
	{ .kind = FIELD_END },
};
static const struct field TAG[] = { { .kind = FIELD_CHOICE, .choices = "a|b|c|d" } };
static const struct field TABLE[] = {
	{ .kind = FIELD_TEXT,
	  .name = "name",
	  .at = offsetof(struct target, name),
	  .required = true,
	  .min = 1,
	  .max = 5 },
	{ .kind = FIELD_CHOICE,
	  .name = "choice",
	  .at = offsetof(struct target, choice),
	  .choices = "a|bc" },
	{ .kind = FIELD_CHECKED,
	  .name = "checked",
	  .at = offsetof(struct target, checked),
	  .check = check_x },
	{ .kind = FIELD_INT,
	  .name = "count",
	  .at = offsetof(struct target, count),
	  .nullable = true,
	  .min = 1,
	  .max = 9 },
	{ .kind = FIELD_BOOL,
	  .name = "flag",
	  .at = offsetof(struct target, flag),
	  .nullable = true },
	{ .kind = FIELD_DURATION,
	  .name = "every",
	  .at = offsetof(struct target, every),
	  .min = 60,
	  .max = 3600 },
	{ .kind = FIELD_TIME, .name = "when", .at = offsetof(struct target, when) },
	{ .kind = FIELD_FIXED, .name = "id" },
	{ .kind = FIELD_OBJECT,
	  .name = "inner",
	  .at = offsetof(struct target, inner),
	  .nullable = true,
	  .inner = INNER },
	{ .kind = FIELD_LIST,
	  .name = "tags",
	  .at = offsetof(struct target, tags),
	  .inner = TAG,
	  .min = 1,
	  .max = 3,
	  .unique = true },
	{ .kind = FIELD_OBJECTS,
	  .name = "items",
	  .at = offsetof(struct target, items),
	  .inner = INNER,
	  .size = sizeof(struct inner),
	  .max = 2 },
	{ .kind = FIELD_TREE, .name = "any", .at = offsetof(struct target, any), .max = 20 },
	{ .kind = FIELD_END },
};

static int read_body(const char *body, enum fields_mode mode, struct target *into, size_t *errors)
{
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	int status = 0;

	*into = (struct target){ 0 };
	(void)!fields_read(str_c(body), mode, TABLE, into, &tree, &p);
	status = p.status;
	if (errors)
		*errors = json_array_size(p.errors);
	/* The views die with the tree; what the tests look at is states and numbers. */
	return status;
}

static void a_good_body_fills_the_struct(void **state)
{
	struct target t;

	(void)state;
	assert_int_equal(
		read_body("{\"name\":\"n\",\"choice\":\"bc\",\"checked\":\"x\",\"count\":9,"
			  "\"flag\":null,\"every\":\"PT5M\",\"when\":\"1970-01-01T00:00:01Z\","
			  "\"inner\":{\"deep\":\"abc\"}}",
			  FIELDS_CREATE, &t, NULL),
		0);
	assert_int_equal(t.name.state, FIELDS_SET);
	assert_int_equal(t.count.n, 9);
	assert_int_equal(t.flag.state, FIELDS_NULL);
	assert_int_equal(t.every.n, 300);
	assert_int_equal(t.when.n, 1000000000);
	assert_int_equal(t.inner.state, FIELDS_SET);
	assert_int_equal(t.inner.deep.state, FIELDS_SET);
}

static void absent_null_and_set_differ_in_a_patch(void **state)
{
	struct target t;

	(void)state;
	assert_int_equal(read_body("{\"count\":null,\"flag\":true}", FIELDS_PATCH, &t, NULL), 0);
	assert_int_equal(t.name.state, FIELDS_ABSENT);
	assert_int_equal(t.count.state, FIELDS_NULL);
	assert_int_equal(t.flag.state, FIELDS_SET);
	assert_int_equal(read_body("{\"inner\":null}", FIELDS_PATCH, &t, NULL), 0);
	assert_int_equal(t.inner.state, FIELDS_NULL);
	assert_int_equal(read_body("{\"name\":null}", FIELDS_PATCH, &t, NULL), 422);
	assert_int_equal(read_body("{\"every\":null}", FIELDS_PATCH, &t, NULL), 422);
	assert_int_equal(read_body("{\"id\":\"x\"}", FIELDS_PATCH, &t, NULL), 422);
}

static void lists_and_trees_are_kept_as_they_were_sent(void **state)
{
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	struct target t = { 0 };
	struct inner item = { 0 };

	(void)state;
	assert_int_equal(fields_count(&t.tags), 0);
	assert_true(
		fields_read(S("{\"name\":\"n\",\"tags\":[\"b\",\"a\"],\"items\":[{\"deep\":\"x\"}],"
			      "\"any\":{\"k\":[1]}}"),
			    FIELDS_CREATE, TABLE, &t, &tree, &p));
	assert_int_equal(fields_count(&t.tags), 2);
	assert_true(str_eq(fields_item(&t.tags, 0), S("b")));
	assert_int_equal(fields_count(&t.items), 1);
	assert_true(fields_read_tree(json_array_get(t.items.tree, 0), "/items/0", FIELDS_CREATE,
				     INNER, &item, &p));
	assert_true(str_eq(item.deep.s, S("x")));
	assert_int_equal(json_i64(t.any.tree, "k", 7), 7);
	assert_true(json_is_array(json_object_get(t.any.tree, "k")));
}

static void a_fault_in_a_list_says_where(void **state)
{
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	struct target t = { 0 };

	(void)state;
	assert_false(fields_read(S("{\"name\":\"n\",\"items\":[{\"deep\":\"x\"},{\"deep\":\"\"}]}"),
				 FIELDS_CREATE, TABLE, &t, &tree, &p));
	assert_true(str_eq(json_str(json_array_get(p.errors, 0), "pointer"), S("/items/1/deep")));
}

struct bad {
	const char *body;
	int status;
	size_t errors;
};

static void every_fault_is_counted_and_unknown_members_weigh_most(void **state)
{
	static const struct bad BAD[] = {
		{ "{}", 422, 1 },
		{ "{\"name\":\"123456\"}", 422, 1 },
		{ "{\"name\":1,\"choice\":\"b\",\"checked\":\"y\",\"count\":0,\"flag\":1,"
		  "\"every\":\"PT59S\",\"when\":\"now\",\"inner\":{}}",
		  422, 8 },
		{ "{\"name\":\"n\",\"count\":10}", 422, 1 },
		{ "{\"name\":\"n\",\"count\":1.0}", 422, 1 },
		{ "{\"name\":\"n\",\"inner\":[]}", 422, 1 },
		{ "{\"name\":\"n\",\"Count\":1}", 400, 1 },
		{ "{\"name\":\"\",\"more\":1,\"inner\":{\"deep\":\"a\",\"x\":1}}", 400, 3 },
		{ "{\"name\":\"n\",\"tags\":[]}", 422, 1 },
		{ "{\"name\":\"n\",\"tags\":[\"a\",\"b\",\"c\",\"d\"]}", 422, 1 },
		{ "{\"name\":\"n\",\"tags\":[\"x\",1,null]}", 422, 3 },
		{ "{\"name\":\"n\",\"tags\":[\"a\",\"b\",\"a\"]}", 422, 1 },
		{ "{\"name\":\"n\",\"tags\":\"a\"}", 422, 1 },
		{ "{\"name\":\"n\",\"tags\":{}}", 422, 1 },
		{ "{\"name\":\"n\",\"tags\":null}", 422, 1 },
		{ "{\"name\":\"n\",\"items\":[{},{\"deep\":\"abcd\"}]}", 422, 2 },
		{ "{\"name\":\"n\",\"items\":[{\"deep\":\"a\",\"x\":1}]}", 400, 1 },
		{ "{\"name\":\"n\",\"items\":[[],1]}", 422, 2 },
		{ "{\"name\":\"n\",\"any\":{\"k\":\"123456789012345\"}}", 422, 1 },
		{ "{\"name\":\"n\",\"any\":[]}", 422, 1 },
		{ "{\"name\":\"n\",\"name\":\"m\"}", 400, 0 },
		{ "[]", 400, 0 },
		{ "{", 400, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		struct target t;
		size_t errors = 0;

		assert_int_equal(read_body(BAD[i].body, FIELDS_CREATE, &t, &errors), BAD[i].status);
		assert_int_equal(errors, BAD[i].errors);
	}
}

/* Two names that look alike, or a line that reads backwards, deceive the person who looks at them. */
static void printable_text_has_no_invisible_characters(void **state)
{
	static const char *const BAD[] = {
		"a\tb",         "a\x7f",        "a\xc2\x85",    "\xc2\xad",     "\xe2\x80\x8b",
		"\xe2\x80\xae", "\xe2\x81\xa6", "\xef\xbb\xbf", "\xe2\x80\xa8", "\xf3\xa0\x81\x81",
		"\xff",         "\xed\xa0\x80", "   ",          "\xc2\xa0",     "",
	};
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		err_clear(&err);
		assert_int_equal(value_printable(str_c(BAD[i]), 1, 80, &err), RC_INVALID);
	}
	assert_int_equal(value_printable(S("caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac"), 1, 7, &err),
			 RC_OK);
	assert_int_equal(value_printable(S("caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac"), 1, 6, &err),
			 RC_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_body_fills_the_struct),
		cmocka_unit_test(absent_null_and_set_differ_in_a_patch),
		cmocka_unit_test(lists_and_trees_are_kept_as_they_were_sent),
		cmocka_unit_test(a_fault_in_a_list_says_where),
		cmocka_unit_test(every_fault_is_counted_and_unknown_members_weigh_most),
		cmocka_unit_test(printable_text_has_no_invisible_characters),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
