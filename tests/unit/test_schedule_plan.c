/* Ticks of schedules: phases that stay, absences that are counted and bounded, jitter that is the same for ever, and how long
 * failures hold up what is scheduled. */
#include "base/clock.h"
#include "db/schedule_plan.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct id ONE = { { 1 } }, TWO = { { 2 } };

static int64_t us_of(const char *text)
{
	int64_t wall = 0;

	assert_int_equal(clock_parse_iso(str_c(text), &wall), RC_OK);
	return wall / 1000;
}

static struct schedule_plan *plan_of(int64_t every_s, const char *cron, const char *zone,
				     int64_t jitter_s, struct id id)
{
	struct schedule_plan *p = NULL;
	struct schedule_values v = schedule_plan_defaults();
	struct err err = { 0 };

	v.every_s = every_s;
	v.cron = str_c(cron);
	v.time_zone = str_c(zone);
	v.jitter_s = jitter_s;
	assert_int_equal(schedule_plan_new(&v, id, &p, &err), RC_OK);
	return p;
}

static void an_interval_keeps_its_phase_however_late_it_is(void **state)
{
	AUTO(schedule_plan) struct schedule_plan *p = plan_of(60, "", "UTC", 0, ONE);
	int64_t next = us_of("2026-01-01T00:00:07.250000Z");
	struct schedule_due due = { 0 };

	assert_int_equal(schedule_plan_due(p, next, next, &due), RC_OK);
	assert_int_equal(due.tick_us, next);
	assert_int_equal(due.behind, 0);
	assert_int_equal(due.next_us, next + 60 * SCHEDULE_PLAN_S);
	assert_int_equal(schedule_plan_due(p, next, next + 599 * SCHEDULE_PLAN_S, &due), RC_OK);
	assert_int_equal(due.behind, 9);
	assert_int_equal(due.tick_us, next + 540 * SCHEDULE_PLAN_S);
	assert_int_equal(due.next_us, next + 600 * SCHEDULE_PLAN_S);
	/* Ten years by the second of the least interval: arithmetic, no loop. */
	assert_int_equal(
		schedule_plan_due(p, next, next + INT64_C(315360000) * SCHEDULE_PLAN_S, &due),
		RC_OK);
	assert_int_equal(due.behind, 5256000);
}

static void cron_counts_the_ticks_of_an_absence(void **state)
{
	AUTO(schedule_plan)
	struct schedule_plan *p = plan_of(0, "30 2 * * *", "Europe/Berlin", 0, ONE);
	struct schedule_due due = { 0 };

	assert_int_equal(schedule_plan_due(p, us_of("2026-03-27T01:30:00Z"),
					   us_of("2026-03-30T00:30:00Z"), &due),
			 RC_OK);
	assert_int_equal(due.behind, 3);
	assert_int_equal(due.tick_us, us_of("2026-03-30T00:30:00Z"));
	assert_int_equal(due.next_us, us_of("2026-03-31T00:30:00Z"));
}

static void a_very_long_absence_is_counted_to_a_limit_and_still_ends_in_the_future(void **state)
{
	AUTO(schedule_plan) struct schedule_plan *p = plan_of(0, "* * * * *", "UTC", 0, ONE);
	struct schedule_due due = { 0 };
	int64_t now = us_of("2026-06-01T00:00:30Z");

	assert_int_equal(schedule_plan_due(p, us_of("2016-06-01T00:00:00Z"), now, &due), RC_OK);
	assert_int_equal(due.behind, SCHEDULE_PLAN_TICKS_MAX);
	assert_int_equal(due.next_us, us_of("2026-06-01T00:01:00Z"));
	assert_true(due.tick_us <= now);
}

static void jitter_is_one_part_of_its_span_per_connection(void **state)
{
	AUTO(schedule_plan) struct schedule_plan *one = plan_of(0, "0 4 * * *", "UTC", 3600, ONE);
	AUTO(schedule_plan) struct schedule_plan *again = plan_of(0, "0 4 * * *", "UTC", 3600, ONE);
	AUTO(schedule_plan) struct schedule_plan *two = plan_of(0, "0 4 * * *", "UTC", 3600, TWO);
	int64_t from = us_of("2026-01-01T00:00:00Z"), a = 0, b = 0, c = 0, next = 0;
	const int64_t four = us_of("2026-01-01T04:00:00Z");

	assert_int_equal(schedule_plan_next(one, from, &a), RC_OK);
	assert_int_equal(schedule_plan_next(again, from, &b), RC_OK);
	assert_int_equal(schedule_plan_next(two, from, &c), RC_OK);
	assert_int_equal(a, b);
	assert_int_not_equal(a, c);
	assert_true(a >= four && a < four + 3600 * SCHEDULE_PLAN_S);
	assert_int_equal(schedule_plan_next(one, a, &next), RC_OK);
	assert_int_equal(next - a, 86400 * SCHEDULE_PLAN_S);
	assert_int_equal(schedule_plan_next(one, a - 1, &next), RC_OK);
	assert_int_equal(next, a);
}

static void an_interval_begins_within_itself(void **state)
{
	for (unsigned char i = 0; i < 255; i++) {
		int first = schedule_plan_first_in_s((struct id){ { i } }, 60);

		assert_true(first >= 1 && first <= 60);
	}
	assert_int_equal(schedule_plan_first_in_s(ONE, 0), 1);
}

static void failures_double_the_wait_up_to_a_day(void **state)
{
	static const int64_t HOURS[] = { 0, 1, 2, 4, 8, 16, 24, 24 };
	AUTO(schedule_plan) struct schedule_plan *p = plan_of(3600, "", "UTC", 0, ONE);
	AUTO(schedule_plan) struct schedule_plan *week = plan_of(604800, "", "UTC", 0, ONE);
	AUTO(schedule_plan) struct schedule_plan *cron = plan_of(0, "0 */3 * * *", "UTC", 0, ONE);
	int64_t now = us_of("2026-01-01T00:10:00Z");

	for (size_t i = 0; i < COUNT_OF(HOURS); i++)
		assert_int_equal(schedule_plan_backoff_s(p, now, (int64_t)i), HOURS[i] * 3600);
	assert_int_equal(schedule_plan_backoff_s(p, now, 1000000), 86400);
	assert_int_equal(schedule_plan_backoff_s(week, now, 1), 86400);
	assert_int_equal(schedule_plan_backoff_s(week, now, 1000000), 86400);
	assert_int_equal(schedule_plan_backoff_s(cron, now, 2), 6 * 3600);
}

static void what_cannot_be_planned_says_why(void **state)
{
	static const struct {
		const char *cron, *zone, *code;
	} BAD[] = { { "", "UTC", "invalid_cron" },
		    { "@daily", "Europe/Atlantis", "unknown_time_zone" },
		    { "@daily", "../UTC", "unknown_time_zone" } };

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		AUTO(schedule_plan) struct schedule_plan *p = NULL;
		struct schedule_values v = schedule_plan_defaults();
		struct err err = { 0 };

		v.cron = str_c(BAD[i].cron);
		v.time_zone = str_c(BAD[i].zone);
		assert_int_equal(schedule_plan_new(&v, ONE, &p, &err), RC_INVALID);
		assert_string_equal(err.code, BAD[i].code);
		assert_null(p);
	}
}

static void a_change_of_any_field_is_a_change(void **state)
{
	struct schedule_values a = schedule_plan_defaults(), b = a;

	assert_true(schedule_plan_same(&a, &b));
	b.every_s = 60;
	assert_false(schedule_plan_same(&a, &b));
	b = a;
	b.cron = S("@daily");
	assert_false(schedule_plan_same(&a, &b));
	b = a;
	b.time_zone = S("GB");
	assert_false(schedule_plan_same(&a, &b));
	b = a;
	b.jitter_s = 1;
	assert_false(schedule_plan_same(&a, &b));
	b = a;
	b.overlap = S("buffer_one");
	assert_false(schedule_plan_same(&a, &b));
	b = a;
	b.catch_up_window_s = 60;
	assert_false(schedule_plan_same(&a, &b));
	b = a;
	b.paused = true;
	assert_false(schedule_plan_same(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interval_keeps_its_phase_however_late_it_is),
		cmocka_unit_test(cron_counts_the_ticks_of_an_absence),
		cmocka_unit_test(
			a_very_long_absence_is_counted_to_a_limit_and_still_ends_in_the_future),
		cmocka_unit_test(jitter_is_one_part_of_its_span_per_connection),
		cmocka_unit_test(an_interval_begins_within_itself),
		cmocka_unit_test(failures_double_the_wait_up_to_a_day),
		cmocka_unit_test(what_cannot_be_planned_says_why),
		cmocka_unit_test(a_change_of_any_field_is_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
