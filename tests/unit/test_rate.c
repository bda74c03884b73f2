/* server/rate.c: how many requests a second there may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "server/rate.h"

static const struct id ORG = { { 1, 2, 3 } };
static const struct id OTHER = { { 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 } };

static struct rate_verdict take(struct rate *r, struct str credential, struct id org, int64_t now)
{
	struct rate_verdict v = rate_take_key(r, credential, now);

	if (!v.refused)
		rate_take_org(r, credential, org, now, &v);
	return v;
}

static int taken(struct rate *r, struct str credential, struct id org, int64_t now, int tries)
{
	int n = 0;

	for (int i = 0; i < tries; i++)
		n += !take(r, credential, org, now).refused;
	return n;
}

static void a_bucket_holds_two_seconds_and_is_refilled(void **state)
{
	AUTO(rate) struct rate *r = rate_new(10, 0);
	int64_t now = 100 * CLOCK_S;

	(void)state;
	assert_int_equal(taken(r, S("key:a"), ORG, now, 100), 20);
	assert_int_equal(taken(r, S("key:a"), ORG, now + CLOCK_S / 2, 100), 5);
	assert_int_equal(taken(r, S("key:a"), ORG, now + 60 * CLOCK_S, 100), 20);
	assert_int_equal(taken(r, S("key:b"), ORG, now, 100), 20);
}

static void keys_of_an_organization_share_its_bucket(void **state)
{
	AUTO(rate) struct rate *r = rate_new(10, 15);
	int64_t now = 100 * CLOCK_S;

	(void)state;
	assert_int_equal(taken(r, S("key:a"), ORG, now, 100), 20);
	assert_int_equal(taken(r, S("key:b"), ORG, now, 100), 10);
	assert_int_equal(taken(r, S("key:c"), OTHER, now, 100), 20);
	/* What the organization refuses costs the key nothing: it has its half of a second still. */
	assert_int_equal(taken(r, S("key:b"), ORG, now + CLOCK_S, 100), 15);
}

static void a_refusal_says_when_and_how_much_is_left(void **state)
{
	AUTO(rate) struct rate *r = rate_new(1, 100);
	int64_t now = 100 * CLOCK_S;
	struct rate_verdict v = take(r, S("key:a"), ORG, now);

	(void)state;
	assert_string_equal(rate_policy(r), "\"key\";q=2;w=2, \"organization\";q=200;w=2");
	assert_string_equal(v.left, "\"key\";r=1;t=1, \"organization\";r=199;t=1");
	(void)take(r, S("key:a"), ORG, now);
	v = take(r, S("key:a"), ORG, now + CLOCK_S / 4);
	assert_true(v.refused);
	assert_int_equal(v.retry_after_s, 1);
	assert_string_equal(v.left, "\"key\";r=0;t=2");
}

static void zero_is_no_limit_and_says_nothing(void **state)
{
	AUTO(rate) struct rate *r = rate_new(0, 0);

	(void)state;
	assert_int_equal(taken(r, S("key:a"), ORG, 5 * CLOCK_S, 100000), 100000);
	assert_string_equal(take(r, S("key:a"), ORG, 0).left, "");
	assert_string_equal(rate_policy(r), "");
}

/* However many credentials are made up: who is held up stays so as long as his set has idle entries. */
static void the_table_forgets_the_idle_first(void **state)
{
	AUTO(rate) struct rate *r = rate_new(1, 0);
	int64_t now = 100 * CLOCK_S;
	char name[32];

	(void)state;
	assert_int_equal(taken(r, S("key:busy"), ORG, now, 10), 2);
	for (int i = 0; i < 200000; i++) {
		(void)snprintf(name, sizeof(name), "key:%d", i);
		(void)take(r, str_c(name), ORG, now);
		/* Two payments of the busy one are further in the future than one of anybody else. */
	}
	assert_int_equal(taken(r, S("key:busy"), ORG, now, 10), 0);
}

static void a_bucket_of_ones_own_is_nobody_elses(void **state)
{
	AUTO(rate) struct rate *r = rate_new(0, 0);
	int64_t now = 100 * CLOCK_S;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(rate_pay(r, ORG, CLOCK_S, 3, now));
	assert_false(rate_pay(r, ORG, CLOCK_S, 3, now));
	assert_true(rate_pay(r, OTHER, CLOCK_S, 3, now));
	rate_pay_back(r, ORG, CLOCK_S);
	assert_true(rate_pay(r, ORG, CLOCK_S, 3, now));
	assert_false(rate_pay(r, ORG, CLOCK_S, 3, now));
	assert_true(rate_pay(r, ORG, CLOCK_S, 3, now + CLOCK_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_holds_two_seconds_and_is_refilled),
		cmocka_unit_test(keys_of_an_organization_share_its_bucket),
		cmocka_unit_test(a_refusal_says_when_and_how_much_is_left),
		cmocka_unit_test(zero_is_no_limit_and_says_nothing),
		cmocka_unit_test(the_table_forgets_the_idle_first),
		cmocka_unit_test(a_bucket_of_ones_own_is_nobody_elses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
