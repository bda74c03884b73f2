/* Retry figures, as the SDKs publish them for 2026. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workers/aws/retry.h"

static void delays_follow_the_published_vectors(void **state)
{
	static const struct {
		int n;
		bool throttle;
		double chance;
		int64_t hint_ms;
		int64_t expected_ms;
	} CASES[] = {
		{ 1, false, 1, -1, 50 },          { 1, false, 1, 0, 50 },
		{ 1, false, 1, -100, 50 },        { 1, false, 1, 1500, 1500 },
		{ 1, false, 1, 10000, 5050 },     { 2, false, 1, -1, 100 },
		{ 4, false, 0.5, -1, 200 },       { 1, true, 1, -1, 1000 },
		{ 3, true, 1, -1, 4000 },         { 5, true, 1, -1, 16000 },
		{ 6, true, 1, -1, 20000 },        { 60, true, 1, -1, 20000 },
		{ 60, false, 1, -1, 20000 },      { 1, false, 0, -1, 0 },
		{ 1, false, 0, INT64_MAX, 5000 },
	};

	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
		assert_int_equal(retry_delay(CASES[i].n, CASES[i].throttle, CASES[i].chance,
					     CASES[i].hint_ms),
				 CASES[i].expected_ms * CLOCK_MS);
}

static void a_retry_costs_14_and_a_success_gives_it_back(void **state)
{
	struct retry_quota q = RETRY_QUOTA_FULL;
	int taken = 0;

	assert_true(retry_take(&q, false, &taken));
	assert_int_equal(q.tokens, 486);
	retry_refund(&q, taken);
	assert_int_equal(q.tokens, 500);
	retry_refund(&q, 0);
	assert_int_equal(q.tokens, 500);
	taken = 0;
	assert_true(retry_take(&q, true, &taken));
	assert_int_equal(taken, 5);
	retry_refund(&q, 0);
	assert_int_equal(q.tokens, 496);
}

/* One outage may add 35 retries to a lane and no more. */
static void an_outage_adds_at_most_35_retries(void **state)
{
	struct retry_quota q = RETRY_QUOTA_FULL;
	int taken = 0;
	int n = 0;

	while (retry_take(&q, false, &taken))
		n++;
	assert_int_equal(n, 35);
	assert_true(q.tokens >= 0);
	assert_true(retry_take(&q, true, &taken));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_follow_the_published_vectors),
		cmocka_unit_test(a_retry_costs_14_and_a_success_gives_it_back),
		cmocka_unit_test(an_outage_adds_at_most_35_retries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
