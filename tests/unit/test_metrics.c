/* The registry and its text. It is the process's own, so each test uses families that no other does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/metrics.h"
#include <pthread.h>
#include <stdio.h>

static char *text(void)
{
	struct buf out = BUF_INIT(METRICS_TEXT_MAX);

	assert_int_equal(metrics_write(&out), RC_OK);
	return buf_take(&out);
}

static void assert_says(const char *line)
{
	AUTO_TEXT char *all = text();

	if (!strstr(all, line))
		fail_msg("%s is not in:\n%s", line, all);
}

static int times(const char *all, const char *what)
{
	int n = 0;

	for (const char *at = strstr(all, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

static void a_counter_is_told_with_type_help_and_total(void **state)
{
	metrics_add(METRICS_AWS_CALLS, METRICS_LABELS("iam"), 2);
	metrics_add(METRICS_AWS_CALLS, METRICS_LABELS("iam"), 3);
	assert_says("# TYPE connectord_aws_calls counter\n"
		    "# HELP connectord_aws_calls Requests sent to AWS, retries included.\n"
		    "connectord_aws_calls_total{service=\"iam\"} 5\n");
}

static void the_text_ends_in_eof_and_in_nothing_else(void **state)
{
	AUTO_TEXT char *all = text();

	assert_int_equal(times(all, "# EOF"), 1);
	assert_string_equal(all + strlen(all) - 6, "# EOF\n");
}

static void a_family_without_series_is_not_told(void **state)
{
	AUTO_TEXT char *all = text();

	assert_int_equal(times(all, "connectord_webhook_attempts"), 0);
}

static void seconds_are_written_with_their_unit_and_sign(void **state)
{
	metrics_set(METRICS_QUEUE_AGE, METRICS_NONE, -1500 * CLOCK_MS);
	assert_says("# UNIT connectord_queue_oldest_ready_seconds seconds\n");
	assert_says("\nconnectord_queue_oldest_ready_seconds -1.500000000\n");
	metrics_set(METRICS_QUEUE_AGE, METRICS_NONE, 61 * CLOCK_S + 1);
	assert_says("\nconnectord_queue_oldest_ready_seconds 61.000000001\n");
}

static void an_info_is_one_with_its_suffix(void **state)
{
	metrics_set(METRICS_BUILD, METRICS_LABELS("1.2.3"), 1);
	assert_says("# TYPE connectord_build info\n");
	assert_says("connectord_build_info{version=\"1.2.3\"} 1\n");
}

/* A bound belongs to its bucket (le), buckets add up, and the last one holds everything. */
static void buckets_are_cumulative(void **state)
{
	metrics_observe(METRICS_POOL_WAIT, METRICS_NONE, CLOCK_MS);
	metrics_observe(METRICS_POOL_WAIT, METRICS_NONE, CLOCK_MS + 1);
	metrics_observe(METRICS_POOL_WAIT, METRICS_NONE, 3600 * CLOCK_S);
	assert_says("connectord_db_pool_wait_seconds_bucket{le=\"0.001\"} 1\n");
	assert_says("connectord_db_pool_wait_seconds_bucket{le=\"0.0025\"} 2\n");
	assert_says("connectord_db_pool_wait_seconds_bucket{le=\"10.0\"} 2\n");
	assert_says("connectord_db_pool_wait_seconds_bucket{le=\"+Inf\"} 3\n");
	assert_says("connectord_db_pool_wait_seconds_count 3\n");
	assert_says("connectord_db_pool_wait_seconds_sum 3600.002000001\n");
}

static void a_hostile_value_cannot_forge_a_line(void **state)
{
	metrics_add(METRICS_POOL_REFUSED, METRICS_LABELS("a\"} 1\nb\\"), 1);
	assert_says("{code=\"a\\\"} 1\\nb\\\\\"} 1\n");
}

static void a_long_value_is_cut_and_stays_one_series(void **state)
{
	char longer[METRICS_VALUE_MAX + 40];
	AUTO_TEXT char *all = NULL;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	metrics_add(METRICS_AWS_RETRIES, METRICS_LABELS(longer), 1);
	metrics_add(METRICS_AWS_RETRIES, METRICS_LABELS(longer), 1);
	all = text();
	assert_int_equal(times(all, "connectord_aws_retries_total"), 1);
	assert_non_null(strstr(all, "xxx\"} 2\n"));
}

static void a_flood_of_values_ends_in_one_series(void **state)
{
	enum { FLOOD = 3 * METRICS_FAMILY_MAX };
	AUTO_TEXT char *all = NULL;
	char kind[32], expected[96];

	for (int i = 0; i < FLOOD; i++) {
		snprintf(kind, sizeof(kind), "kind_%d", i);
		metrics_add(METRICS_TASKS, METRICS_LABELS(kind, "done"), 1);
	}
	all = text();
	assert_int_equal(times(all, "connectord_tasks_total{"), METRICS_FAMILY_MAX + 1);
	snprintf(expected, sizeof(expected),
		 "connectord_tasks_total{kind=\"overflow\",outcome=\"overflow\"} %d\n",
		 FLOOD - METRICS_FAMILY_MAX);
	assert_non_null(strstr(all, expected));
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *count(void *unused)
{
	static const char *const ROUTES[] = { "/a", "/b", "/c", "/d", "/e", "/f", "/g" };

	for (size_t i = 0; i < ROUNDS; i++)
		metrics_add(METRICS_HTTP_REQUESTS,
			    METRICS_LABELS(ROUTES[i % COUNT_OF(ROUTES)], "GET", "2xx"), 1);
	return unused;
}

/* All begin with no series there, so they race for making them, too. */
static void threads_lose_no_count_and_make_no_twins(void **state)
{
	pthread_t threads[THREADS];
	AUTO_TEXT char *all = NULL;
	long long sum = 0, one = 0;
	int series = 0;

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	all = text();
	for (const char *at = strstr(all, "_requests_total{"); at;
	     at = strstr(at + 1, "_requests_total{")) {
		assert_int_equal(sscanf(strstr(at, "} ") + 2, "%lld", &one), 1);
		sum += one;
		series++;
	}
	assert_int_equal(series, 7);
	assert_int_equal(sum, (long long)THREADS * ROUNDS);
}

static void a_buffer_that_is_too_small_is_a_limit(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(64);

	metrics_set(METRICS_WORKER_THREADS, METRICS_NONE, 8);
	assert_int_equal(metrics_write(&out), RC_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_is_told_with_type_help_and_total),
		cmocka_unit_test(the_text_ends_in_eof_and_in_nothing_else),
		cmocka_unit_test(a_family_without_series_is_not_told),
		cmocka_unit_test(seconds_are_written_with_their_unit_and_sign),
		cmocka_unit_test(an_info_is_one_with_its_suffix),
		cmocka_unit_test(buckets_are_cumulative),
		cmocka_unit_test(a_hostile_value_cannot_forge_a_line),
		cmocka_unit_test(a_long_value_is_cut_and_stays_one_series),
		cmocka_unit_test(a_flood_of_values_ends_in_one_series),
		cmocka_unit_test(threads_lose_no_count_and_make_no_twins),
		cmocka_unit_test(a_buffer_that_is_too_small_is_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
