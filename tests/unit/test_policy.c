/* Policy documents: tolerant where IAM is, kept as text where nothing can be read. */
#include "workers/sync/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void documents_are_objects_and_everything_else_is_malformed(void **state)
{
	static const struct {
		const char *text;
		bool malformed;
	} ROWS[] = {
		{ "{}", false },
		{ "{\"Version\":\"2012-10-17\",\"Statement\":[]}", false },
		{ " {\"Statement\":{\"Effect\":\"Allow\"}} \n", false },
		{ "", true },
		{ "[]", true },
		{ "\"text\"", true },
		{ "{", true },
		{ "{\"Statement\":[}", true },
		{ "{\"a\":1,\"a\":2}", true }, /* which of them would IAM read? */
		{ "{'Statement':[]}", true },
	};

	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		AUTO(policy) struct policy p = { .json = NULL };

		policy_parse(str_c(ROWS[i].text), &p);
		assert_int_equal(p.malformed, ROWS[i].malformed);
		assert_int_equal(p.json == NULL, ROWS[i].malformed);
	}
}

static void a_document_too_deep_is_malformed_and_not_a_crash(void **state)
{
	AUTO(buf) struct buf text = BUF_INIT(100000);
	AUTO(policy) struct policy p = { .json = NULL };

	for (int i = 0; i < 10000; i++)
		assert_int_equal(buf_put(&text, S("{\"a\":")), RC_OK);
	policy_parse(buf_str(&text), &p);
	assert_true(p.malformed);
}

static void members_are_found_in_odd_casing_but_exact_ones_first(void **state)
{
	AUTO_JSON json_t *j =
		json_loads("{\"effect\":\"Deny\",\"Effect\":\"Allow\",\"ACTION\":\"a\"}", 0, NULL);

	assert_string_equal(json_string_value(policy_member(j, "Effect")), "Allow");
	assert_string_equal(json_string_value(policy_member(j, "Action")), "a");
	assert_null(policy_member(j, "Resource"));
	assert_null(policy_member(NULL, "Effect"));
}

static void one_statement_or_many_are_walked_alike(void **state)
{
	AUTO_JSON json_t *one = json_loads("{\"Statement\":{\"Sid\":\"x\"}}", 0, NULL);
	AUTO_JSON json_t *two =
		json_loads("{\"Statement\":[{\"Sid\":\"a\"},{\"Sid\":\"b\"}]}", 0, NULL);
	AUTO_JSON json_t *none = json_loads("{\"Statement\":\"x\"}", 0, NULL);

	assert_non_null(policy_statement(one, 0));
	assert_null(policy_statement(one, 1));
	assert_non_null(policy_statement(two, 1));
	assert_null(policy_statement(two, 2));
	assert_null(policy_statement(none, 0));
	assert_null(policy_statement(NULL, 0));
}

static void scalars_and_lists_become_lists_of_text(void **state)
{
	static const struct {
		const char *in, *out;
	} ROWS[] = {
		{ "[\"a\"]", "[\"a\"]" }, { "[\"a\",true,7,null,{}]", "[\"a\",\"true\",\"7\"]" },
		{ "\"a\"", "[\"a\"]" },   { "false", "[\"false\"]" },
		{ "{}", "[]" },
	};

	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		AUTO_JSON json_t *in = json_loads(ROWS[i].in, JSON_DECODE_ANY, NULL);
		AUTO_JSON json_t *want = json_loads(ROWS[i].out, 0, NULL);
		AUTO_JSON json_t *out = policy_strings(in);

		assert_true(json_equal(out, want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_objects_and_everything_else_is_malformed),
		cmocka_unit_test(a_document_too_deep_is_malformed_and_not_a_crash),
		cmocka_unit_test(members_are_found_in_odd_casing_but_exact_ones_first),
		cmocka_unit_test(one_statement_or_many_are_walked_alike),
		cmocka_unit_test(scalars_and_lists_become_lists_of_text),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
