/* Durations decide how often a customer's account is read: what is taken must mean one thing. */
#include "api/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct good {
	const char *text;
	int64_t seconds;
	const char *canonical;
};

static void fixed_lengths_are_read_and_written_shortest(void **state)
{
	static const struct good GOOD[] = {
		{ "PT6H", 21600, "PT6H" },
		{ "PT1M", 60, "PT1M" },
		{ "PT90S", 90, "PT1M30S" },
		{ "P1D", 86400, "P1D" },
		{ "P1DT12H", 129600, "P1DT12H" },
		{ "P2W", 1209600, "P14D" },
		{ "PT0S", 0, "PT0S" },
		{ "P0DT0H0M0S", 0, "PT0S" },
		{ "P1DT1H1M1S", 90061, "P1DT1H1M1S" },
		{ "PT0024H", 86400, "P1D" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
		char text[DURATION_TEXT_MAX];
		int64_t seconds = -1;

		assert_int_equal(duration_parse(str_c(GOOD[i].text), &seconds), RC_OK);
		assert_int_equal(seconds, GOOD[i].seconds);
		duration_text(seconds, text);
		assert_string_equal(text, GOOD[i].canonical);
	}
}

static void what_has_no_fixed_length_or_is_no_duration_is_refused(void **state)
{
	static const char *const BAD[] = {
		"",
		"P",
		"PT",
		"T1H",
		"1H",
		"P1Y",
		"P1M",
		"PT1.5H",
		"PT1,5H",
		"-PT1H",
		"P-1D",
		"PT1H ",
		" PT1H",
		"pt1h",
		"PT1HT1M",
		"P1DT",
		"PT1M1H",
		"PT1H1H",
		"P1W1D",
		"P1WT1H",
		"PTH",
		"PT1",
		"PT1X",
		"P1H",
		"PT1D",
		"P1S",
		"PT99999999999999999999H",
		"PT9999999999999S",
		"P1D1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		int64_t seconds = 77;

		assert_int_equal(duration_parse(str_c(BAD[i]), &seconds), RC_INVALID);
		assert_int_equal(seconds, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_lengths_are_read_and_written_shortest),
		cmocka_unit_test(what_has_no_fixed_length_or_is_no_duration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
