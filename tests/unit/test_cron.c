/* Cron expressions: what is taken, what is refused and why, and the days and changes of clocks that are easy to get wrong.
 * Random cases against other implementations are in tests/system/test_cron_oracles.py. */
#include "base/clock.h"
#include "base/cron.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int64_t seconds_of(const char *text)
{
	int64_t wall = 0;

	assert_int_equal(clock_parse_iso(str_c(text), &wall), RC_OK);
	return wall / CLOCK_S;
}

static void assert_next(const char *text, const char *zone, const char *after, const char *want)
{
	AUTO(zone) struct zone *z = NULL;
	struct err err = { 0 };
	struct cron c = { 0 };
	int64_t at = 0;

	assert_int_equal(cron_parse(str_c(text), &c, &err), RC_OK);
	assert_int_equal(zone_load(str_c(zone), &z, &err), RC_OK);
	assert_int_equal(cron_next(&c, z, seconds_of(after), &at), RC_OK);
	if (at != seconds_of(want))
		fail_msg("%s in %s after %s: %lld and not %s", text, zone, after, (long long)at,
			 want);
}

static const struct {
	const char *text, *zone, *after, *want;
} NEXT[] = {
	{ "* * * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z" },
	{ "* * * * *", "UTC", "2026-01-01T00:00:59Z", "2026-01-01T00:01:00Z" },
	{ "0 0 * * *", "UTC", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z" },
	{ "30 4 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-01T22:45:00Z" },
	{ "0 12 13 * 5", "UTC", "2026-02-13T12:00:00Z", "2026-02-20T12:00:00Z" },
	{ "0 12 13 * *", "UTC", "2026-02-13T12:00:00Z", "2026-03-13T12:00:00Z" },
	{ "0 12 * * 5", "UTC", "2026-02-13T12:00:00Z", "2026-02-20T12:00:00Z" },
	{ "0 0 * * 7", "UTC", "2026-02-13T12:00:00Z", "2026-02-15T00:00:00Z" },
	{ "0 0 * * sAt-sUN", "UTC", "2026-02-14T12:00:00Z", "2026-02-15T00:00:00Z" },
	{ "0 0 1 jan,JUL *", "UTC", "2026-02-14T12:00:00Z", "2026-07-01T00:00:00Z" },
	{ "5-59/15 * * * *", "UTC", "2026-02-14T12:21:00Z", "2026-02-14T12:35:00Z" },
	{ "0 0 29 2 *", "UTC", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z" },
	{ "0 0 31 * *", "UTC", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z" },
	{ "  0  0 1 1   * ", "UTC", "2026-01-31T00:00:00Z", "2027-01-01T00:00:00Z" },
	{ "@hourly", "UTC", "2026-01-31T00:00:00Z", "2026-01-31T01:00:00Z" },
	{ "@daily", "Europe/Berlin", "2026-07-31T00:00:00Z", "2026-07-31T22:00:00Z" },
	{ "@weekly", "UTC", "2026-02-13T00:00:00Z", "2026-02-15T00:00:00Z" },
	{ "@monthly", "UTC", "2026-02-13T00:00:00Z", "2026-03-01T00:00:00Z" },
	{ "@yearly", "UTC", "2026-02-13T00:00:00Z", "2027-01-01T00:00:00Z" },
	/* 02:00 becomes 03:00: a fixed time is read as if it had not, a wildcard hour goes on. */
	{ "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z" },
	{ "30 2 * * *", "Europe/Berlin", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z" },
	{ "0 2,3 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z" },
	{ "30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z" },
	/* 03:00 becomes 02:00: a fixed time comes the first time only, a wildcard hour comes in both. */
	{ "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z" },
	{ "30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z" },
	{ "30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z" },
	/* Half an hour, and beyond the table of the file by its rule. */
	{ "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-03T15:45:00Z" },
	{ "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z", "2026-04-04T14:45:00Z" },
	{ "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z" },
	{ "30 2 * * *", "Europe/Berlin", "2061-03-26T12:00:00Z", "2061-03-27T01:30:00Z" },
	{ "30 1 * * *", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z" },
	/* A day that was left out: Samoa went from 29 to 31 December. */
	{ "0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", "2011-12-30T22:00:00Z" },
};

static void the_next_time_is_the_right_one(void **state)
{
	for (size_t i = 0; i < COUNT_OF(NEXT); i++)
		assert_next(NEXT[i].text, NEXT[i].zone, NEXT[i].after, NEXT[i].want);
}

static const char *const BAD[] = {
	"",
	" ",
	"* * * *",
	"* * * * * *",
	"0 0 0 * * *",
	"@every",
	"@reboot",
	"@Daily",
	"60 * * * *",
	"* 24 * * *",
	"* * 0 * *",
	"* * 32 * *",
	"* * * 0 *",
	"* * * 13 *",
	"* * * * 8",
	"-1 * * * *",
	"1- * * * *",
	"-5 * * * *",
	"5-1 * * * *",
	"* 22-2 * * *",
	"* * * DEC-JAN *",
	"* * * * SAT-FRI",
	"1,,2 * * * *",
	",1 * * * *",
	"1, * * * *",
	"*/0 * * * *",
	"*/60 * * * *",
	"*/ * * * *",
	"*/-1 * * * *",
	"*/1/2 * * * *",
	"5/15 * * * *",
	"1-2-3 * * * *",
	"** * * * *",
	"*5 * * * *",
	"001 * * * *",
	"1.5 * * * *",
	"? * * * *",
	"* * ? * *",
	"* * L * *",
	"* * 15W * *",
	"* * * * 5#2",
	"* * * * 5L",
	"* * * JANUARY *",
	"* * * FOO *",
	"JAN * * * *",
	"* * * * MON#1",
	"0\t0 * * *",
	"0 0 30 2 *",
	"0 0 31 2,4,6,9,11 *",
	"0 0 30,31 FEB *",
	"99999999999999999999 * * * *",
	"*/99999999999999999999 * * * *",
	"+1 * * * *",
	"1 * * * *\n",
	"\xc3\xa9 * * * *",
};

static void what_is_no_expression_is_refused_with_a_reason(void **state)
{
	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		struct err err = { 0 };
		struct cron c = { 0 };

		if (cron_parse(str_c(BAD[i]), &c, &err) != RC_INVALID)
			fail_msg("taken: %s", BAD[i]);
		assert_string_equal(err.code, "invalid_cron");
		assert_true(err.text[0] != '\0');
	}
}

static void a_long_expression_is_refused(void **state)
{
	char text[CRON_TEXT_MAX + 2];
	struct err err = { 0 };
	struct cron c = { 0 };

	memset(text, ' ', sizeof(text));
	memcpy(text, "* * * * *", 9);
	assert_int_equal(cron_parse(str_n(text, CRON_TEXT_MAX), &c, &err), RC_OK);
	assert_int_equal(cron_parse(str_n(text, CRON_TEXT_MAX + 1), &c, &err), RC_INVALID);
	assert_int_equal(cron_parse(str_n("* * * * *\0", 10), &c, &err), RC_INVALID);
}

static void a_weekday_makes_an_impossible_date_possible(void **state)
{
	assert_next("0 0 30 2 1", "UTC", "2026-03-01T00:00:00Z", "2027-02-01T00:00:00Z");
}

/* What walks in real time: a wildcard hour has as many runs on the day of a change as hours passed. */
static int count_of_day(const char *text, const char *zone, const char *from, const char *to)
{
	AUTO(zone) struct zone *z = NULL;
	struct err err = { 0 };
	struct cron c = { 0 };
	int64_t at = seconds_of(from) - 1;
	int n = 0;

	assert_int_equal(cron_parse(str_c(text), &c, &err), RC_OK);
	assert_int_equal(zone_load(str_c(zone), &z, &err), RC_OK);
	while (cron_next(&c, z, at, &at) == RC_OK && at < seconds_of(to))
		n++;
	return n;
}

static void a_day_has_as_many_runs_as_its_length_says(void **state)
{
	const char *zone = "Europe/Berlin";

	assert_int_equal(
		count_of_day("*/30 * * * *", zone, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
		46);
	assert_int_equal(
		count_of_day("*/30 * * * *", zone, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
		50);
	assert_int_equal(
		count_of_day("*/30 2 * * *", zone, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
		2);
	assert_int_equal(
		count_of_day("*/30 2 * * *", zone, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
		2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_time_is_the_right_one),
		cmocka_unit_test(what_is_no_expression_is_refused_with_a_reason),
		cmocka_unit_test(a_long_expression_is_refused),
		cmocka_unit_test(a_weekday_makes_an_impossible_date_possible),
		cmocka_unit_test(a_day_has_as_many_runs_as_its_length_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
