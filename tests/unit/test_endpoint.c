/* Hosts: the table in each partition, overrides, and names that must never become hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workers/aws/endpoint.h"

static void every_partition_has_its_hosts(void **state)
{
	static const struct {
		const char *service, *region, *host, *signing_region, *signing_name;
	} CASES[] = {
		{ "iam", "eu-west-1", "iam.amazonaws.com", "us-east-1", "iam" },
		{ "iam", "cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1", "iam" },
		{ "iam", "us-gov-east-1", "iam.us-gov.amazonaws.com", "us-gov-west-1", "iam" },
		{ "iam", "us-iso-west-1", "iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", "iam" },
		{ "iam", "us-isob-east-1", "iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1",
		  "iam" },
		{ "iam", "eusc-de-east-1", "iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1",
		  "iam" },
		{ "sts", "eu-south-1", "sts.eu-south-1.amazonaws.com", "eu-south-1", "sts" },
		{ "sts", "cn-north-1", "sts.cn-north-1.amazonaws.com.cn", "cn-north-1", "sts" },
		{ "organizations", "eu-west-1", "organizations.us-east-1.amazonaws.com",
		  "us-east-1", "organizations" },
		{ "organizations", "cn-north-1", "organizations.cn-northwest-1.amazonaws.com.cn",
		  "cn-northwest-1", "organizations" },
		{ "organizations", "us-gov-east-1", "organizations.us-gov-west-1.amazonaws.com",
		  "us-gov-west-1", "organizations" },
		{ "account", "ap-south-1", "account.us-east-1.amazonaws.com", "us-east-1",
		  "account" },
		{ "sso-admin", "eu-west-1", "sso.eu-west-1.amazonaws.com", "eu-west-1", "sso" },
		{ "dynamodbstreams", "us-west-2", "streams.dynamodb.us-west-2.amazonaws.com",
		  "us-west-2", "dynamodb" },
		{ "bedrock-agent", "us-west-2", "bedrock-agent.us-west-2.amazonaws.com",
		  "us-west-2", "bedrock" },
		{ "s3control", "us-west-2", "111122223333.s3-control.us-west-2.amazonaws.com",
		  "us-west-2", "s3" },
		{ "ec2", "il-central-1", "ec2.il-central-1.amazonaws.com", "il-central-1", "ec2" },
	};

	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct endpoint e;
		struct err err = { 0 };

		if (endpoint_find(NULL, CASES[i].service, str_c(CASES[i].region), S("111122223333"),
				  &e, &err) != RC_OK)
			fail_msg("%s %s: %s", CASES[i].service, CASES[i].region, err.text);
		assert_string_equal(e.host, CASES[i].host);
		assert_string_equal(e.region, CASES[i].signing_region);
		assert_string_equal(e.signing_name, CASES[i].signing_name);
		assert_false(e.overridden);
		assert_true(str_starts(str_c(e.base), S("https://")));
		assert_string_equal(e.base + 8, e.host);
	}
}

static void every_service_in_every_region_stays_under_its_suffix(void **state)
{
	size_t pairs = 0;

	for (size_t i = 0; endpoint_service_at(i) != NULL; i++) {
		const struct awsname_region *r;

		for (size_t j = 0; (r = awsname_region_at(j)) != NULL; j++, pairs++) {
			struct endpoint e;

			assert_int_equal(endpoint_find(NULL, endpoint_service_at(i)->id,
						       str_c(r->name), S("111122223333"), &e, NULL),
					 RC_OK);
			assert_true(str_ends(str_c(e.host), str_c(r->partition->dns_suffix)));
		}
	}
	assert_true(pairs > 25 * 34);
}

/* The region is the one part of a host that a customer chooses. */
static void hostile_regions_never_become_hosts(void **state)
{
	static const char *const BAD[] = {
		"x@attacker.com:443/#",
		"us-east-1.attacker.com",
		"us-east-1/",
		"us-east-1#",
		"",
		"US-EAST-1",
		"us-east-1\n",
		" us-east-1",
		"us-east-99",
		"../us-east-1",
		"localhost",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		struct endpoint e;
		struct err err = { 0 };

		assert_int_equal(endpoint_find(NULL, "ec2", str_c(BAD[i]), S(""), &e, &err),
				 RC_INVALID);
		assert_string_equal(err.code, "unknown_region");
	}
}

static void an_account_host_needs_an_account(void **state)
{
	struct endpoint e;
	struct err err = { 0 };

	assert_int_equal(endpoint_find(NULL, "s3control", S("us-east-1"), S("evil.com/"), &e, &err),
			 RC_INVALID);
}

static const char *some(const char *name)
{
	if (strcmp(name, "AWS_ENDPOINT_URL") == 0)
		return "http://127.0.0.1:4566/";
	if (strcmp(name, "AWS_ENDPOINT_URL_DYNAMODB_STREAMS") == 0)
		return "https://vpce-1.example:8443";
	return NULL;
}

static void the_operators_overrides_win_by_service(void **state)
{
	AUTO(endpoint_overrides) struct endpoint_overrides *o = NULL;
	struct endpoint e;

	assert_int_equal(endpoint_overrides_new(some, &o, NULL), RC_OK);
	assert_int_equal(endpoint_find(o, "iam", S("eu-west-1"), S(""), &e, NULL), RC_OK);
	assert_string_equal(e.base, "http://127.0.0.1:4566");
	assert_string_equal(e.host, "127.0.0.1:4566");
	assert_string_equal(e.region, "us-east-1");
	assert_true(e.overridden);
	assert_int_equal(endpoint_find(o, "dynamodbstreams", S("eu-west-1"), S(""), &e, NULL),
			 RC_OK);
	assert_string_equal(e.base, "https://vpce-1.example:8443");
	/* An override moves the address, not the rules of names. */
	assert_int_equal(endpoint_find(o, "iam", S("nowhere"), S(""), &e, NULL), RC_INVALID);
}

static const char *ignored(const char *name)
{
	return strcmp(name, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == 0 ? "TRUE" : some(name);
}

static void overrides_can_be_ignored_as_in_the_sdks(void **state)
{
	AUTO(endpoint_overrides) struct endpoint_overrides *o = NULL;
	struct endpoint e;

	assert_int_equal(endpoint_overrides_new(ignored, &o, NULL), RC_OK);
	assert_int_equal(endpoint_find(o, "iam", S("eu-west-1"), S(""), &e, NULL), RC_OK);
	assert_string_equal(e.host, "iam.amazonaws.com");
}

static const char *odd_url;
static const char *odd(const char *name)
{
	return strcmp(name, "AWS_ENDPOINT_URL_IAM") == 0 ? odd_url : NULL;
}

static void an_override_is_an_origin_and_nothing_else(void **state)
{
	static const char *const BAD[] = {
		"ftp://x",       "file:///etc/passwd",   "http://",     "http://u@x",
		"http://x/path", "https://x?y",          "https://x#y", "127.0.0.1:4566",
		"http://x y",    "https://x\r\nHost: y",
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		AUTO(endpoint_overrides) struct endpoint_overrides *o = NULL;
		struct err err = { 0 };

		odd_url = BAD[i];
		assert_int_equal(endpoint_overrides_new(odd, &o, &err), RC_INVALID);
		assert_non_null(strstr(err.text, "AWS_ENDPOINT_URL_IAM"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_partition_has_its_hosts),
		cmocka_unit_test(every_service_in_every_region_stays_under_its_suffix),
		cmocka_unit_test(hostile_regions_never_become_hosts),
		cmocka_unit_test(an_account_host_needs_an_account),
		cmocka_unit_test(the_operators_overrides_win_by_service),
		cmocka_unit_test(overrides_can_be_ignored_as_in_the_sdks),
		cmocka_unit_test(an_override_is_an_origin_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
