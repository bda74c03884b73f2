/* Pauses: within their bounds, growing, never in step, and never zero. */
#include "workers/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka.h needs the three above. */
#include <cmocka.h>

static const uint32_t RANDOMS[] = { 0, 1, 1u << 30, 1u << 31, UINT32_MAX - 1, UINT32_MAX };

static void next_stays_between_min_and_three_times_the_last(void **state)
{
	for (int64_t last = 0; last <= 400; last += 25) {
		int64_t high = last < 50 ? 150 : last * 3;

		for (size_t i = 0; i < sizeof(RANDOMS) / sizeof(RANDOMS[0]); i++) {
			int64_t n = backoff_next(last, 50, 1000, RANDOMS[i]);

			assert_in_range(n, 50, high > 1000 ? 1000 : high);
		}
	}
}

static void next_reaches_both_ends(void **state)
{
	assert_int_equal(backoff_next(100, 50, 1000, 0), 50);
	assert_int_equal(backoff_next(100, 50, 1000, UINT32_MAX), 300);
	assert_int_equal(backoff_next(900, 50, 1000, UINT32_MAX), 1000);
}

/* A pause near the largest number must not wrap into a negative one. */
static void next_does_not_overflow(void **state)
{
	assert_int_equal(backoff_next(INT64_MAX - 1, 50, 1000, UINT32_MAX), 1000);
}

static void min_equal_to_max_is_constant(void **state)
{
	assert_int_equal(backoff_next(7, 7, 7, UINT32_MAX), 7);
	assert_int_equal(backoff_next(0, 7, 7, 0), 7);
}

static void task_pauses_grow_with_attempts_up_to_the_cap(void **state)
{
	int last = 0;

	for (int attempts = 1; attempts <= 50; attempts++) {
		int longest = backoff_task_s(attempts, UINT32_MAX);

		assert_true(longest >= last);
		assert_int_equal(backoff_task_s(attempts, 0), BACKOFF_TASK_MIN_S);
		last = longest;
	}
	assert_int_equal(last, BACKOFF_TASK_MAX_S);
	assert_int_equal(backoff_task_s(1, UINT32_MAX), 3 * BACKOFF_TASK_MIN_S);
}

static void jitter_cuts_at_most_half(void **state)
{
	assert_int_equal(backoff_jitter(1000, 0), 500);
	assert_int_equal(backoff_jitter(1000, UINT32_MAX), 1000);
	assert_int_equal(backoff_jitter(1, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_stays_between_min_and_three_times_the_last),
		cmocka_unit_test(next_reaches_both_ends),
		cmocka_unit_test(next_does_not_overflow),
		cmocka_unit_test(min_equal_to_max_is_constant),
		cmocka_unit_test(task_pauses_grow_with_attempts_up_to_the_cap),
		cmocka_unit_test(jitter_cuts_at_most_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
