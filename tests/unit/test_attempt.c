/* What an answer to a webhook means, and when it is tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cdefs.h"
#include "workers/notify/attempt.h"

enum { MIDDLE = 1000 }; /* the random number that moves nothing */

static struct delivery_result judge(struct attempt a)
{
	struct delivery_result r = { .delay_ms = -1 };

	if (!a.fault)
		a.fault = "";
	if (a.scale_ppm == 0)
		a.scale_ppm = ATTEMPT_SCALE_ONE;
	attempt_judge(&a, &r);
	return r;
}

static void only_2xx_is_success(void **state)
{
	for (int status = 100; status < 600; status++) {
		struct delivery_result r = judge((struct attempt){ .status = status });
		enum delivery_end want = status / 100 == 2 ? DELIVERY_DONE
					 : status == 410   ? DELIVERY_GONE
							   : DELIVERY_AGAIN;

		assert_int_equal(r.end, want);
		assert_int_equal(*r.error == '\0', status / 100 == 2);
	}
	assert_string_equal(judge((struct attempt){ .status = 302 }).error, "redirect_refused");
	assert_string_equal(judge((struct attempt){ .fault = "timeout" }).error, "timeout");
}

static void the_pauses_are_those_of_standard_webhooks(void **state)
{
	static const int64_t WANT_S[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };

	for (int i = 0; i < (int)COUNT_OF(WANT_S); i++) {
		struct attempt a = { .before = i, .status = 500, .random = MIDDLE };
		struct delivery_result r = judge(a);

		assert_int_equal(r.end, DELIVERY_AGAIN);
		assert_int_equal(r.delay_ms, WANT_S[i] * 1000);
		a.random = 0;
		assert_int_equal(judge(a).delay_ms, WANT_S[i] * 900);
		a.random = 2 * MIDDLE;
		assert_int_equal(judge(a).delay_ms, WANT_S[i] * 1100);
	}
	assert_int_equal(judge((struct attempt){ .before = 9, .status = 500 }).end,
			 DELIVERY_EXHAUSTED);
	assert_int_equal(judge((struct attempt){ .before = 9, .status = 204 }).end, DELIVERY_DONE);
}

static void a_receiver_may_ask_for_more_time_but_not_for_ever(void **state)
{
	static const struct {
		const char *header;
		int64_t want_s;
	} CASES[] = {
		{ "", 5 },
		{ "3", 5 },
		{ "120", 120 },
		{ " 120 ", 120 },
		{ "86400", 86400 },
		{ "999999999", 86400 },
		{ "-5", 5 },
		{ "soon", 5 },
		{ "99999999999999999999999", 5 },
		{ "Thu, 01 Jan 1970 00:10:00 GMT", 600 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 5 },
	};

	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct delivery_result r = judge((struct attempt){
			.status = 503, .random = MIDDLE, .retry_after = str_c(CASES[i].header) });

		if (r.delay_ms != CASES[i].want_s * 1000)
			fail_msg("%s: %lld ms", CASES[i].header, (long long)r.delay_ms);
	}
}

static void tests_shorten_the_pauses_and_nothing_else(void **state)
{
	struct attempt a = { .before = 8, .status = 500, .random = MIDDLE, .scale_ppm = 10 };

	assert_int_equal(judge(a).delay_ms, 864);
	a.retry_after = S("7");
	assert_int_equal(judge(a).delay_ms, 7000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_2xx_is_success),
		cmocka_unit_test(the_pauses_are_those_of_standard_webhooks),
		cmocka_unit_test(a_receiver_may_ask_for_more_time_but_not_for_ever),
		cmocka_unit_test(tests_shorten_the_pauses_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
