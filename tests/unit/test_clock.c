/* Time: every spelling that is one, every spelling that is not, and the test offset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include <time.h>
#include <unistd.h>

#define T0 INT64_C(1795505547) /* 2026-11-24T07:32:27Z */

static const struct {
	const char *text;
	int64_t seconds, ns;
} GOOD_ISO[] = {
	{ "2026-11-24T07:32:27Z", T0, 0 },
	{ "2026-11-24T07:32:27.123456Z", T0, 123456000 },
	{ "2026-11-24T07:32:27.1Z", T0, 100000000 },
	{ "2026-11-24T07:32:27.123456789Z", T0, 123456789 },
	{ "2026-11-24T07:32:27.000+0000", T0, 0 },
	{ "2026-11-24T07:32:27+00:00", T0, 0 },
	{ "2026-11-24T07:32:27-00:00", T0, 0 },
	{ "2026-11-24T09:02:27+01:30", T0, 0 },
	{ "2026-11-23T23:32:27-0800", T0, 0 },
	{ "1970-01-01T00:00:00Z", 0, 0 },
	{ "1969-12-31T23:59:59.5Z", -1, 500000000 },
	{ "2000-02-29T00:00:00Z", 951782400, 0 },
	{ "2024-02-29T23:59:59Z", 1709251199, 0 },
	{ "2016-12-31T23:59:60Z", 1483228800, 0 },
	{ "2261-12-31T23:59:59Z", 9214646399, 0 },
};

static const char *const BAD_ISO[] = {
	"",
	"2026-11-24",
	"2026-11-24T07:32:27",
	"2026-11-24 07:32:27Z",
	"2026-11-24t07:32:27Z",
	"2026-11-24T07:32:27z",
	"2026-11-24T07:32Z",
	"20261124T073227Z",
	"2026-11-24T07:32:27Z ",
	" 2026-11-24T07:32:27Z",
	"2026-11-24T07:32:27Z\n",
	"2026-11-24T07:32:27ZZ",
	"2026-11-24T07:32:27.Z",
	"2026-11-24T07:32:27,5Z",
	"2026-11-24T07:32:27.1234567890Z",
	"2026-11-24T07:32:27.12 Z",
	"2026-11-24T07:32:27+",
	"2026-11-24T07:32:27+0",
	"2026-11-24T07:32:27+000",
	"2026-11-24T07:32:27+2400",
	"2026-11-24T07:32:27+00:60",
	"2026-11-24T07:32:27+00:00Z",
	"2026-13-24T07:32:27Z",
	"2026-00-24T07:32:27Z",
	"2026-11-31T07:32:27Z",
	"2026-11-00T07:32:27Z",
	"2026-02-29T07:32:27Z",
	"1900-02-29T07:32:27Z",
	"2026-11-24T24:00:00Z",
	"2026-11-24T07:60:27Z",
	"2026-11-24T07:32:61Z",
	"-026-11-24T07:32:27Z",
	"+026-11-24T07:32:27Z",
	"0001-01-01T00:00:00Z",
	"1677-12-31T23:59:59Z",
	"2262-01-01T00:00:00Z",
	"9999-12-31T23:59:59Z",
	"12026-11-24T07:32:27Z",
	"2026-1-24T07:32:27Z",
	"2026-11-24T7:32:27Z",
	"2026-11-24T07:32: 7Z",
};

static void iso_times_are_read_to_the_nanosecond(void **state)
{
	for (size_t i = 0; i < COUNT_OF(GOOD_ISO); i++) {
		int64_t wall = 0;

		assert_int_equal(clock_parse_iso(str_c(GOOD_ISO[i].text), &wall), RC_OK);
		assert_true(wall == GOOD_ISO[i].seconds * CLOCK_S + GOOD_ISO[i].ns);
	}
}

static void iso_look_alikes_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT_OF(BAD_ISO); i++) {
		int64_t wall = 42;

		assert_int_equal(clock_parse_iso(str_c(BAD_ISO[i]), &wall), RC_INVALID);
		assert_true(wall == 42);
	}
}

/* A cut answer must not become another time. */
static void iso_cut_anywhere_is_refused(void **state)
{
	const struct str whole = S("2026-11-24T07:32:27.123456Z");
	int64_t wall = 0;

	for (size_t n = 0; n < whole.n; n++)
		assert_int_equal(clock_parse_iso(str_sub(whole, 0, n), &wall), RC_INVALID);
}

static void http_date_is_read(void **state)
{
	int64_t wall = 0;

	assert_int_equal(clock_parse_http(S("Tue, 24 Nov 2026 07:32:27 GMT"), &wall), RC_OK);
	assert_true(wall == T0 * CLOCK_S);
}

static const char *const BAD_HTTP[] = {
	"",
	"Tue, 24 Nov 2026 07:32:27",
	"Tue, 24 Nov 2026 07:32:27 UTC",
	"Tue, 24 Nov 2026 07:32:27 GMT ",
	"Tue, 24 Nov 2026 07:32:27 GMT\r\n",
	"tue, 24 Nov 2026 07:32:27 GMT",
	"Tue 24 Nov 2026 07:32:27 GMT",
	"Tuesday, 24-Nov-26 07:32:27 GMT",
	"Tue Nov 24 07:32:27 2026",
	"Tue, 4 Nov 2026 07:32:27 GMT",
	"Tue, 31 Nov 2026 07:32:27 GMT",
	"Tue, 24 Nop 2026 07:32:27 GMT",
	"Tue, 24 Nov 26 07:32:27 GMT",
	"Tue, 24 Nov 2026 25:32:27 GMT",
	"Tue, 24 Nov 2026 07:32:27 -0800",
	"ueW, 24 Nov 2026 07:32:27 GMT",
	"Tue, 24 anF 2026 07:32:27 GMT",
};

static void http_look_alikes_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT_OF(BAD_HTTP); i++) {
		int64_t wall = 42;

		assert_int_equal(clock_parse_http(str_c(BAD_HTTP[i]), &wall), RC_INVALID);
		assert_true(wall == 42);
	}
}

static void spellings_are_utc_and_fixed(void **state)
{
	char out[CLOCK_TEXT_MAX];

	clock_rfc3339(T0 * CLOCK_S + 123456789, out);
	assert_string_equal(out, "2026-11-24T07:32:27.123456Z");
	clock_rfc3339(-1, out);
	assert_string_equal(out, "1969-12-31T23:59:59.999999Z");
	clock_rfc3339(INT64_MIN, out);
	assert_string_equal(out, "1677-09-21T00:12:43.145224Z");
	clock_rfc3339(INT64_MAX, out);
	assert_string_equal(out, "2262-04-11T23:47:16.854775Z");
	clock_amz(T0 * CLOCK_S, out);
	assert_string_equal(out, "20261124T073227Z");
	clock_amz_date(T0 * CLOCK_S, out);
	assert_string_equal(out, "20261124");
}

static void written_times_are_read_back(void **state)
{
	for (int64_t wall = -9000000000; wall < 9000000000; wall += 86399977) {
		char out[CLOCK_TEXT_MAX];
		int64_t again = 0;

		clock_rfc3339(wall * CLOCK_S + 250000, out);
		assert_int_equal(clock_parse_iso(str_c(out), &again), RC_OK);
		assert_true(again == wall * CLOCK_S + 250000);
	}
}

/* main() put the offset into the environment before the first look at the clock. */
static void wall_time_is_shifted_by_the_offset(void **state)
{
	int64_t drift = clock_wall() / CLOCK_S - (int64_t)time(NULL) - 86400;

	assert_in_range(drift + 5, 0, 10);
}

static void monotonic_time_is_not_shifted_and_sleep_waits(void **state)
{
	struct timespec t = { 0 };
	int64_t before = clock_mono();

	clock_sleep(2 * CLOCK_MS);
	assert_true(clock_mono() - before >= 2 * CLOCK_MS);
	clock_gettime(CLOCK_MONOTONIC, &t);
	assert_in_range(t.tv_sec - clock_mono() / CLOCK_S + 5, 0, 10);
	clock_sleep(0);
	clock_sleep(-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iso_times_are_read_to_the_nanosecond),
		cmocka_unit_test(iso_look_alikes_are_refused),
		cmocka_unit_test(iso_cut_anywhere_is_refused),
		cmocka_unit_test(http_date_is_read),
		cmocka_unit_test(http_look_alikes_are_refused),
		cmocka_unit_test(spellings_are_utc_and_fixed),
		cmocka_unit_test(written_times_are_read_back),
		cmocka_unit_test(wall_time_is_shifted_by_the_offset),
		cmocka_unit_test(monotonic_time_is_not_shifted_and_sleep_waits),
	};
	/* static: libraries still look at the environment when main() has returned */
	static char offset[] = "CONNECTORD_CLOCK_OFFSET_S=86400";
	static char *environment[] = { offset, NULL };

	environ = environment;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
