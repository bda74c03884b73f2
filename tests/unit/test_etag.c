/* One function reads If-Match, and one spelling of a version is understood. */
#include "api/etag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool asked(struct str if_match, int64_t *ret)
{
	const struct http_request req = { .if_match = if_match };

	return etag_asked(&req, ret);
}

static void what_is_written_is_what_is_understood(void **state)
{
	static const int64_t VERSIONS[] = { 1, 9, 10, 131, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(VERSIONS); i++) {
		struct http_reply reply = { 0 };
		int64_t got = 0;

		etag_write(&reply, VERSIONS[i]);
		assert_true(asked(str_c(reply.etag), &got));
		assert_true(got == VERSIONS[i]);
	}
}

static void absent_and_star_are_any_version(void **state)
{
	int64_t got = 7;

	(void)state;
	assert_true(asked(S(""), &got));
	assert_true(got == 0);
	got = 7;
	assert_true(asked(S("*"), &got));
	assert_true(got == 0);
}

/* 131 without quotes was once read as version 3. */
static void every_other_spelling_matches_nothing(void **state)
{
	static const char *const BAD[] = { "1",           "131",    "\"1",   "1\"",  "\"01\"",
					   "\"+1\"",      "\"-1\"", "\"0\"", "\"\"", "W/\"1\"",
					   "\"x\"",       "\"",     "'1'",   "(1)",  "\"1 \"",
					   "\"1\",\"2\"", "**" };
	int64_t got = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		if (asked(str_c(BAD[i]), &got))
			fail_msg("taken: %s", BAD[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_what_is_understood),
		cmocka_unit_test(absent_and_star_are_any_version),
		cmocka_unit_test(every_other_spelling_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
