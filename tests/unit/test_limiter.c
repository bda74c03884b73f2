/* The limiter on an injected clock: how fast, how it learns, and who shares a lane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "workers/aws/lane.h"
#include "workers/aws/limiter.h"

/* A service whose published-nowhere quota is a token bucket, as AWS's are. */
struct quota {
	double tokens, burst, rate;
	int64_t at;
};

static bool quota_allows(struct quota *q, int64_t now)
{
	q->tokens += (double)(now - q->at) / (double)CLOCK_S * q->rate;
	q->at = now;
	if (q->tokens > q->burst)
		q->tokens = q->burst;
	if (q->tokens < 1)
		return false;
	q->tokens -= 1;
	return true;
}

struct outcome {
	int64_t sent, throttled;
	double rate;
};

/* Asks as fast as the lane lets it for some time. */
static struct outcome drive(struct lane_state *s, struct quota *q, int64_t from, int64_t to)
{
	struct outcome o = { 0, 0, 0 };

	for (int64_t now = from; now < to;) {
		int64_t wait = lane_take(s, now);

		if (wait > 0) {
			now += wait;
			continue;
		}
		o.sent++;
		if (quota_allows(q, now)) {
			lane_clean(s, now);
		} else {
			o.throttled++;
			lane_throttled(s, now);
		}
	}
	o.rate = (double)o.sent / ((double)(to - from) / (double)CLOCK_S);
	return o;
}

static void an_unpublished_quota_is_found_and_used(void **state)
{
	struct lane_state s;
	struct quota q = { 20, 20, 10, 0 };
	struct outcome o;

	lane_start(&s, (struct lane_limits){ 5, 0 }, 0);
	o = drive(&s, &q, 0, 1800 * CLOCK_S);
	print_message("sent %lld in 1800 s at a quota of 10/s, throttled %lld\n", (long long)o.sent,
		      (long long)o.throttled);
	assert_true(o.rate >= 7.0);
	assert_true(o.throttled * 100 < o.sent);
	/* And soon: the first five minutes count as well. */
	lane_start(&s, (struct lane_limits){ 5, 0 }, 0);
	q = (struct quota){ 20, 20, 10, 0 };
	o = drive(&s, &q, 0, 300 * CLOCK_S);
	assert_true(o.rate >= 7.0);
}

static void a_published_quota_is_never_used_beyond_half(void **state)
{
	struct lane_state s;
	struct quota q = { 1e6, 1e6, 1e6, 0 };
	struct outcome o;

	lane_start(&s, (struct lane_limits){ 20, 50 }, 0);
	o = drive(&s, &q, 0, 1800 * CLOCK_S);
	assert_true(s.rate <= 50);
	assert_true(o.rate <= 50);
	assert_true(o.rate >= 40);
}

/* The quota's burst is for the customer's own tools: ours is a fifth of a second. */
static void an_idle_lane_saves_up_no_burst(void **state)
{
	struct lane_state s;
	int n = 0;

	lane_start(&s, (struct lane_limits){ 10, 0 }, 0);
	while (lane_take(&s, 3600 * CLOCK_S) == 0)
		n++;
	assert_true(n <= 2);
}

static void a_throttle_halves_at_most_once_a_second(void **state)
{
	struct lane_state s;

	lane_start(&s, (struct lane_limits){ 16, 0 }, 0);
	lane_throttled(&s, 10 * CLOCK_S);
	assert_true(s.rate > 7.99 && s.rate < 8.01);
	for (int i = 0; i < 32; i++)
		lane_throttled(&s, 10 * CLOCK_S + 500 * CLOCK_MS);
	assert_true(s.rate > 7.99 && s.rate < 8.01);
	lane_throttled(&s, 11 * CLOCK_S);
	assert_true(s.rate > 3.99 && s.rate < 4.01);
	for (int i = 0; i < 100; i++)
		lane_throttled(&s, (12 + i) * CLOCK_S);
	assert_true(s.rate > 0.1);
}

static void a_remembered_ceiling_is_not_crossed_for_five_minutes(void **state)
{
	struct lane_state s;

	lane_start(&s, (struct lane_limits){ 10, 0 }, 0);
	lane_throttled(&s, CLOCK_S);
	for (int64_t t = 2; t < 300; t++)
		lane_clean(&s, t * CLOCK_S);
	assert_true(s.rate > 8 && s.rate < 9);
	for (int64_t t = 300; t < 2000; t++)
		lane_clean(&s, t * CLOCK_S);
	assert_true(s.rate > 9);
}

static void waiting_as_told_is_enough(void **state)
{
	struct lane_state s;
	int64_t now = 0;

	lane_start(&s, (struct lane_limits){ 3, 0 }, 0);
	for (int i = 0; i < 1000; i++) {
		int64_t wait = lane_take(&s, now);

		if (wait == 0)
			continue;
		assert_true(wait <= CLOCK_S);
		now += wait;
		assert_int_equal(lane_take(&s, now), 0);
	}
}

static double start_rate(struct limiter *l, const char *service, const char *group)
{
	struct lane *lane = limiter_lane(l, "1", "r", service, group, 0);
	double rate = limiter_rate(l, lane);

	limiter_return(l, lane);
	return rate;
}

static void rates_come_from_the_table_or_the_operator(void **state)
{
	AUTO(limiter) struct limiter *table = NULL;
	AUTO(limiter) struct limiter *mine = NULL;

	assert_int_equal(limiter_new("", &table, NULL), RC_OK);
	assert_true(start_rate(table, "iam", NULL) == 5);
	assert_true(start_rate(table, "cloudtrail", "lookup") == 1);
	assert_true(start_rate(table, "ec2", "DescribeRegions") == 10);
	assert_int_equal(limiter_new(" iam=100000, *=0.5 ,", &mine, NULL), RC_OK);
	assert_true(start_rate(mine, "iam", NULL) == 100000);
	assert_true(start_rate(mine, "sts", NULL) == 0.5);
}

static void rates_that_cannot_be_read_are_refused(void **state)
{
	static const char *const BAD[] = { "iam",       "iam=",    "=5",      "iam=0",
					   "iam=-1",    "iam=1e3", "iam=x",   "iam=5=6",
					   "iam=1.2.3", "iam=nan", "iam=0x10" };

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		struct limiter *l = NULL;
		struct err err = { 0 };

		if (limiter_new(BAD[i], &l, &err) != RC_INVALID)
			fail_msg("taken: %s", BAD[i]);
		assert_string_equal(err.code, "invalid_rate");
	}
}

static void lanes_are_by_account_region_service_and_group(void **state)
{
	AUTO(limiter) struct limiter *l = NULL;
	struct lane *a, *b, *c, *d, *sso, *store, *g1, *g2;

	assert_int_equal(limiter_new(NULL, &l, NULL), RC_OK);
	a = limiter_lane(l, "1", "r", "iam", NULL, 0);
	b = limiter_lane(l, "1", "r", "iam", NULL, 0);
	c = limiter_lane(l, "2", "r", "iam", NULL, 0);
	d = limiter_lane(l, "1", "q", "iam", NULL, 0);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_ptr_not_equal(a, d);
	/* These two share one quota, so one lane. */
	sso = limiter_lane(l, "1", "r", "sso-admin", NULL, 0);
	store = limiter_lane(l, "1", "r", "identitystore", NULL, 0);
	assert_ptr_equal(sso, store);
	g1 = limiter_lane(l, "1", "r", "ec2", "DescribeRegions", 0);
	g2 = limiter_lane(l, "1", "r", "ec2", "DescribeVpcs", 0);
	assert_ptr_not_equal(g1, g2);
	/* One account's throttles are nobody else's. */
	limiter_throttled(l, a, CLOCK_S);
	assert_true(limiter_rate(l, a) < limiter_rate(l, c));
}

static void lanes_nobody_holds_make_room(void **state)
{
	AUTO(limiter) struct limiter *l = NULL;
	struct lane *held;

	assert_int_equal(limiter_new(NULL, &l, NULL), RC_OK);
	held = limiter_lane(l, "held", "r", "iam", NULL, 0);
	limiter_throttled(l, held, CLOCK_S);
	for (int i = 0; i < 2 * LIMITER_LANES_MAX; i++) {
		AUTO_TEXT char *account = mem_text("%d", i);

		limiter_return(l, limiter_lane(l, account, "r", "iam", NULL, i * CLOCK_S));
	}
	assert_true(limiter_rate(l, held) < 5);
	assert_ptr_equal(held, limiter_lane(l, "held", "r", "iam", NULL, 0));
}

/* Services that do not exist in a partition may answer throttled for ever. */
static void only_throttles_for_five_minutes_is_dead(void **state)
{
	AUTO(limiter) struct limiter *l = NULL;
	struct lane *lane;

	assert_int_equal(limiter_new(NULL, &l, NULL), RC_OK);
	lane = limiter_lane(l, "1", "r", "kms", NULL, 0);
	limiter_throttled(l, lane, 1 * CLOCK_S);
	limiter_throttled(l, lane, 200 * CLOCK_S);
	assert_false(limiter_is_dead(l, lane, 300 * CLOCK_S));
	assert_true(limiter_is_dead(l, lane, 301 * CLOCK_S));
	limiter_clean(l, lane, 302 * CLOCK_S, true, 0);
	limiter_throttled(l, lane, 303 * CLOCK_S);
	assert_false(limiter_is_dead(l, lane, 900 * CLOCK_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unpublished_quota_is_found_and_used),
		cmocka_unit_test(a_published_quota_is_never_used_beyond_half),
		cmocka_unit_test(an_idle_lane_saves_up_no_burst),
		cmocka_unit_test(a_throttle_halves_at_most_once_a_second),
		cmocka_unit_test(a_remembered_ceiling_is_not_crossed_for_five_minutes),
		cmocka_unit_test(waiting_as_told_is_enough),
		cmocka_unit_test(rates_come_from_the_table_or_the_operator),
		cmocka_unit_test(rates_that_cannot_be_read_are_refused),
		cmocka_unit_test(lanes_are_by_account_region_service_and_group),
		cmocka_unit_test(lanes_nobody_holds_make_room),
		cmocka_unit_test(only_throttles_for_five_minutes_is_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
