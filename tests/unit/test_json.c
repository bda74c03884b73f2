/* JSON behind limits: hostile documents are refused by position, and nothing of them is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"

/* A literal with its length, in a table. */
#define L(literal)                                                                                 \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}

static const struct {
	struct str text;
	const char *where; /* part of the message */
} BAD[] = {
	{ L(""), "line 1, column 1" },
	{ L(" "), "line 1" },
	{ L("1"), "line 1, column" },
	{ L("\"a\""), "line 1" },
	{ L("null"), "line 1" },
	{ L("{} x"), "something follows" },
	{ L("{}{}"), "something follows" },
	{ L("[1"), "middle of a value" },
	{ L("{\"a\":"), "middle of a value" },
	{ L("[1,]"), "line 1" },
	{ L("{\n \"a\": 1,\n \"b\": x\n}"), "line 3, column" },
	{ L("{\"a\":1,\"a\":2}"), "twice" },
	{ L("{\"a\":{\"b\":1,\"b\":2}}"), "twice" },
	{ L("{\"a\":\"\\u0000\"}"), "NUL" },
	{ L("{\"\\u0000\":1}"), "NUL" },
	{ L("[\"a\0b\"]"), "line 1" },
	{ L("[9223372036854775808]"), "too large" },
	{ L("[1e400]"), "too large" },
	{ L("[\"\xff\"]"), "UTF-8" },
	{ L("[\"\xc0\x80\"]"), "UTF-8" },
	{ L("[\"\xed\xa0\x80\"]"), "UTF-8" },
	{ L("[\"\\ud800\"]"), "line 1" },
	{ L("\xef\xbb\xbf{}"), "line 1" },
	{ L("{\0}\0"), "line 1" },
	{ L("{'a':1}"), "line 1" },
	{ L("[01]"), "line 1" },
	{ L("[NaN]"), "line 1" },
	{ L("[1] // c"), "something follows" },
	{ L("]"), "line 1" },
	{ L("}{"), "line 1" },
	{ L("[\"\\"), "line 1" },
};

static void bad_documents_are_refused_by_position(void **state)
{
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		json_t *j = NULL;
		struct err err = { 0 };

		assert_int_equal(json_parse(BAD[i].text, JSON_DEPTH_MAX, &j, &err), RC_INVALID);
		assert_null(j);
		assert_string_equal(err.code, "invalid_json");
		assert_non_null(strstr(err.text, BAD[i].where));
	}
}

/* jansson's own messages quote the text near the error: a key or a password. */
static void message_never_quotes_the_document(void **state)
{
	static const char *const SECRETS[] = {
		"{\"secret_access_key\": \"hunter2\" \"x\"}",
		"{\"a\": hunter2}",
		"{\"hunter2\":1,\"hunter2\":2}",
		"[\"hunter2]",
	};

	for (size_t i = 0; i < COUNT_OF(SECRETS); i++) {
		json_t *j = NULL;
		struct err err = { 0 };

		assert_int_equal(json_parse(str_c(SECRETS[i]), 8, &j, &err), RC_INVALID);
		assert_null(strstr(err.text, "hunter2"));
	}
}

static void good_documents_are_read(void **state)
{
	static const char *const GOOD[] = {
		"{}",
		" [ ] \n",
		"{\"\":0}",
		"[1.5e3,-0,9223372036854775807,-9223372036854775808]",
		"{\"__proto__\":{\"a\":\"\\ud83d\\ude00\"}}",
		"[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\",\"\\\\\",{\"}\":\"]\"}]",
	};

	for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
		AUTO_JSON json_t *j = NULL;

		assert_int_equal(json_parse(str_c(GOOD[i]), 4, &j, NULL), RC_OK);
		assert_non_null(j);
	}
}

/* "[[...": depth opening brackets and their closing ones. */
static char *nested(size_t depth, const char *open, const char *close)
{
	struct buf b = BUF_INIT(1 << 20);

	for (size_t i = 0; i < depth; i++)
		assert_int_equal(buf_put(&b, str_c(open)), RC_OK);
	for (size_t i = 0; i < depth; i++)
		assert_int_equal(buf_put(&b, str_c(close)), RC_OK);
	return buf_take(&b);
}

static void depth_is_limited_to_the_bracket(void **state)
{
	for (int depth = 1; depth < 40; depth++) {
		AUTO_TEXT char *good = nested((size_t)depth, "[", "]");
		AUTO_TEXT char *deep = nested((size_t)depth + 1, "[", "]");
		AUTO_JSON json_t *j = NULL;
		json_t *none = NULL;
		struct err err = { 0 };

		assert_int_equal(json_parse(str_c(good), depth, &j, NULL), RC_OK);
		assert_int_equal(json_parse(str_c(deep), depth, &none, &err), RC_LIMIT);
		assert_string_equal(err.code, "json_too_deep");
		assert_null(none);
	}
}

static void very_deep_documents_cost_no_stack(void **state)
{
	AUTO_TEXT char *brackets = mem_alloc((1 << 20) + 1);
	AUTO_TEXT char *objects = nested(100000, "{\"a\":", "}");
	AUTO_TEXT char *limit = nested(2048, "[", "]");
	AUTO_JSON json_t *j = NULL;
	json_t *none = NULL;

	memset(brackets, '[', 1 << 20);
	assert_int_equal(json_parse(str_c(brackets), JSON_DEPTH_MAX, &none, NULL), RC_LIMIT);
	assert_int_equal(json_parse(str_c(objects), JSON_DEPTH_MAX, &none, NULL), RC_LIMIT);
	assert_int_equal(json_parse(str_c(limit), 2048, &j, NULL), RC_OK);
	assert_null(none);
}

static void values_are_counted_without_a_tree(void **state)
{
	static const struct {
		const char *text;
		size_t least; /* values and keys that jansson would make */
	} CASES[] = {
		{ "", 0 },           { "{}", 1 },
		{ "[1,2,3]", 4 },    { "{\"a\":1,\"b\":{\"c\":[]}}", 7 },
		{ "[[[[[]]]]]", 5 }, { "[{},{},{}]", 4 },
	};

	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		assert_true(json_values(str_c(CASES[i].text)) >= CASES[i].least);
	/* What stands in a text is none. */
	assert_int_equal(json_values(S("[\"{,:[,\\\",[\"]")), 2);
}

static void cut_anywhere_a_document_is_refused(void **state)
{
	const struct str whole = S("{\"a\":[1,2,{\"b\":\"\\u00e9\\n\"}],\"c\":true,\"d\":null}");
	AUTO_JSON json_t *j = NULL;

	assert_int_equal(json_parse(whole, 8, &j, NULL), RC_OK);
	for (size_t n = 0; n < whole.n; n++) {
		AUTO_TEXT char *cut = mem_alloc(n);
		json_t *none = NULL;

		memcpy(cut, whole.p, n);
		assert_int_equal(json_parse(str_n(cut, n), 8, &none, NULL), RC_INVALID);
		assert_null(none);
	}
}

/* Hashes and ETags are taken of this form. */
static void text_is_compact_with_sorted_keys(void **state)
{
	AUTO_JSON json_t *j = NULL;
	AUTO_JSON json_t *bare = json_string("x");
	AUTO_TEXT char *text = NULL, *bare_text = NULL;

	assert_int_equal(json_parse(S("{ \"b\": [1, {\"z\":0,\"a\":1}],\n\"a\" : \"\\u00e9\" }"), 8,
				    &j, NULL),
			 RC_OK);
	text = json_text(j);
	assert_string_equal(text, "{\"a\":\"\xc3\xa9\",\"b\":[1,{\"a\":1,\"z\":0}]}");
	bare_text = json_text(bare);
	assert_string_equal(bare_text, "\"x\"");
}

static void put_that_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(8);
	AUTO_JSON json_t *j = NULL;

	assert_int_equal(json_parse(S("{\"abc\":[1,2,3]}"), 8, &j, NULL), RC_OK);
	assert_int_equal(buf_put(&out, S("x")), RC_OK);
	assert_int_equal(json_put(&out, j), RC_LIMIT);
	assert_string_equal(buf_c(&out), "x");
}

static void members_of_the_wrong_type_read_as_absent(void **state)
{
	AUTO_JSON json_t *j = NULL;

	assert_int_equal(json_parse(S("{\"s\":\"x\",\"i\":7,\"r\":7.5,\"t\":true,\"n\":null,"
				      "\"o\":{\"p\":{\"q\":1}}}"),
				    8, &j, NULL),
			 RC_OK);
	assert_true(str_eq(json_str(j, "s"), S("x")));
	assert_true(str_eq(json_str(j, "i"), S("")));
	assert_true(str_eq(json_str(j, "missing"), S("")));
	assert_true(str_eq(json_str(NULL, "s"), S("")));
	assert_int_equal(json_i64(j, "i", -1), 7);
	assert_int_equal(json_i64(j, "r", -1), -1);
	assert_int_equal(json_i64(j, "s", -1), -1);
	assert_int_equal(json_i64(NULL, "i", -1), -1);
	assert_true(json_bool(j, "t"));
	assert_false(json_bool(j, "i"));
	assert_false(json_bool(j, "n"));
	assert_int_equal(json_integer_value(json_at(j, "o/p/q")), 1);
	assert_ptr_equal(json_at(j, "o"), json_object_get(j, "o"));
	assert_null(json_at(j, "o/x/q"));
	assert_null(json_at(j, "s/p"));
	assert_null(json_at(j, "o/p/q/r"));
	assert_null(json_at(NULL, "o"));
}

static void strings_are_cleaned_on_the_way_in(void **state)
{
	AUTO_JSON json_t *j = json_object();
	AUTO_JSON json_t *empty = json_text_value((struct str){ NULL, 0 });

	json_set_text(j, "a", S("x\0\xff"));
	json_set_text(j, "b", S(""));
	assert_true(str_eq(json_str(j, "a"), S("x\xef\xbf\xbd")));
	assert_null(json_object_get(j, "b"));
	assert_int_equal(json_string_length(empty), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_documents_are_refused_by_position),
		cmocka_unit_test(message_never_quotes_the_document),
		cmocka_unit_test(good_documents_are_read),
		cmocka_unit_test(depth_is_limited_to_the_bracket),
		cmocka_unit_test(very_deep_documents_cost_no_stack),
		cmocka_unit_test(values_are_counted_without_a_tree),
		cmocka_unit_test(cut_anywhere_a_document_is_refused),
		cmocka_unit_test(text_is_compact_with_sorted_keys),
		cmocka_unit_test(put_that_does_not_fit_leaves_the_buffer_as_it_was),
		cmocka_unit_test(members_of_the_wrong_type_read_as_absent),
		cmocka_unit_test(strings_are_cleaned_on_the_way_in),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
