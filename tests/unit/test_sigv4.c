/* The signer's stages against the worked example in AWS's public documentation, and its own rules.
 * Ten thousand random requests are compared with botocore in tests/system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "workers/aws/sigv4.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define EMPTY  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* 2015-08-30 12:36:00 UTC */
static const int64_t WALL = INT64_C(1440938160) * CLOCK_S;

static const struct sigv4_pair LIST_QUERY[] = {
	{ { "Version", 7 }, { "2010-05-08", 10 } },
	{ { "Action", 6 }, { "ListUsers", 9 } },
};
static const struct sigv4_pair LIST_HEADERS[] = {
	{ { "x-amz-date", 10 }, { "20150830T123600Z", 16 } },
	{ { "host", 4 }, { "iam.amazonaws.com", 17 } },
	{ { "content-type", 12 }, { "application/x-www-form-urlencoded; charset=utf-8", 48 } },
};

static struct sigv4_request list_users(void)
{
	return (struct sigv4_request){
		.method = "GET",
		.path = S("/"),
		.query = LIST_QUERY,
		.query_n = 2,
		.headers = LIST_HEADERS,
		.headers_n = 3,
		.payload_hash = S(EMPTY),
	};
}

static void canonical_request_of_the_documented_example(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT(SIGV4_TEXT_MAX);
	struct sigv4_request r = list_users();

	assert_int_equal(sigv4_canonical(&r, &out, NULL), RC_OK);
	assert_string_equal(buf_c(&out),
			    "GET\n/\nAction=ListUsers&Version=2010-05-08\n"
			    "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
			    "host:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
			    "content-type;host;x-amz-date\n" EMPTY);
}

static void signature_of_the_documented_example(void **state)
{
	AUTO(sigv4) struct sigv4 *signer = sigv4_new();
	const struct sigv4_scope scope = { WALL, S("us-east-1"), S("iam") };
	const struct sigv4_keys keys = { S("AKIDEXAMPLE"), S(SECRET), 7 };
	struct sigv4_request r = list_users();

	/* Twice: the second signature comes from the cached key. */
	for (int i = 0; i < 2; i++) {
		AUTO(buf) struct buf out = BUF_INIT(SIGV4_TEXT_MAX);

		assert_int_equal(sigv4_authorize(signer, &r, &scope, &keys, &out, NULL), RC_OK);
		assert_string_equal(
			buf_c(&out),
			"AWS4-HMAC-SHA256 "
			"Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
			"SignedHeaders=content-type;host;x-amz-date, "
			"Signature="
			"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
	}
}

/* A cache that forgot one of the four things would sign one account's call with another's key. */
static void cached_keys_differ_by_secret_day_region_and_service(void **state)
{
	AUTO(sigv4) struct sigv4 *signer = sigv4_new();
	struct sigv4_request r = list_users();
	const struct {
		struct sigv4_scope scope;
		struct sigv4_keys keys;
	} cases[] = {
		{ { WALL, S("us-east-1"), S("iam") }, { S("A"), S("one"), 1 } },
		{ { WALL, S("us-east-1"), S("iam") }, { S("A"), S("two"), 2 } },
		{ { WALL + 86400 * CLOCK_S, S("us-east-1"), S("iam") }, { S("A"), S("one"), 1 } },
		{ { WALL, S("us-east-2"), S("iam") }, { S("A"), S("one"), 1 } },
		{ { WALL, S("us-east-1"), S("sts") }, { S("A"), S("one"), 1 } },
	};

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			AUTO(sigv4) struct sigv4 *fresh = sigv4_new();
			AUTO(buf) struct buf cached = BUF_INIT(4096);
			AUTO(buf) struct buf derived = BUF_INIT(4096);

			assert_int_equal(sigv4_authorize(signer, &r, &cases[i].scope,
							 &cases[i].keys, &cached, NULL),
					 RC_OK);
			assert_int_equal(sigv4_authorize(fresh, &r, &cases[i].scope, &cases[i].keys,
							 &derived, NULL),
					 RC_OK);
			assert_string_equal(buf_c(&cached), buf_c(&derived));
		}
	}
}

static void paths_are_normalized_and_encoded_again_except_for_s3(void **state)
{
	static const struct {
		const char *path;
		bool as_is;
		const char *expected;
	} CASES[] = {
		{ "/clusters/a/access-entries/arn%3Aaws%3Aiam%3A%3A1%3Arole%2FR", false,
		  "/clusters/a/access-entries/arn%253Aaws%253Aiam%253A%253A1%253Arole%252FR" },
		{ "/agents/", false, "/agents/" },
		{ "/a/./b/../c", false, "/a/c" },
		{ "//a//b/", false, "/a/b/" },
		{ "/..", false, "/" },
		{ "/bucket/a/../b//c%20d", true, "/bucket/a/../b//c%20d" },
	};

	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		AUTO(buf) struct buf out = BUF_INIT(SIGV4_TEXT_MAX);
		struct sigv4_request r = { .method = "GET",
					   .path = str_c(CASES[i].path),
					   .path_as_is = CASES[i].as_is,
					   .payload_hash = S(EMPTY) };
		struct str rest;

		assert_int_equal(sigv4_canonical(&r, &out, NULL), RC_OK);
		rest = buf_str(&out);
		(void)str_cut(&rest, '\n');
		assert_true(str_eq(str_cut(&rest, '\n'), str_c(CASES[i].expected)));
	}
}

static void a_parameter_without_value_gets_an_equals_sign(void **state)
{
	static const struct sigv4_pair query[] = { { { "policy", 6 }, { "", 0 } } };
	AUTO(buf) struct buf out = BUF_INIT(SIGV4_TEXT_MAX);
	struct sigv4_request r = {
		.method = "GET",
		.path = S("/b"),
		.path_as_is = true,
		.query = query,
		.query_n = 1,
	};

	assert_int_equal(sigv4_canonical(&r, &out, NULL), RC_OK);
	assert_true(str_starts(buf_str(&out), S("GET\n/b\npolicy=\n")));
}

static void more_parameters_than_the_limit_are_refused(void **state)
{
	struct sigv4_pair query[SIGV4_PAIRS_MAX + 1];
	AUTO(buf) struct buf out = BUF_INIT(SIGV4_TEXT_MAX);
	struct sigv4_request r = { .method = "GET", .path = S("/"), .query = query };
	struct err err = { 0 };

	for (size_t i = 0; i < COUNT_OF(query); i++)
		query[i] = (struct sigv4_pair){ S("a"), S("b") };
	r.query_n = SIGV4_PAIRS_MAX;
	assert_int_equal(sigv4_canonical(&r, &out, &err), RC_OK);
	r.query_n++;
	assert_int_equal(sigv4_canonical(&r, &out, &err), RC_LIMIT);
	assert_string_equal(err.code, "request_too_long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_request_of_the_documented_example),
		cmocka_unit_test(signature_of_the_documented_example),
		cmocka_unit_test(cached_keys_differ_by_secret_day_region_and_service),
		cmocka_unit_test(paths_are_normalized_and_encoded_again_except_for_s3),
		cmocka_unit_test(a_parameter_without_value_gets_an_equals_sign),
		cmocka_unit_test(more_parameters_than_the_limit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
