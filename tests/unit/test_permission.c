/* The catalogue's own rules, and policy documents of it: what is written here is what customers grant. */
#include "base/mem.h"
#include "base/permission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct permission_places PLACES = {
	.partition = { "aws-cn", 6 },
	.prefix = { "acme", 4 },
	.bucket = { "logs", 4 },
	.trail_prefix = { "AWSLogs", 7 },
	.key_arn = { "arn:k", 5 },
};

/* Data stays the customer's: no tier that is read can be widened to it by an edit of the catalogue. */
static void tiers_that_read_never_ask_for_data(void **state)
{
	static const char *const NEVER[] = {
		"s3:GetObject",          "secretsmanager:GetSecretValue",
		"kms:Decrypt",           "dynamodb:GetItem",
		"dynamodb:Query",        "dynamodb:Scan",
		"dynamodb:BatchGetItem", "dynamodb:GetRecords",
		"bedrock:InvokeModel",   "lambda:GetFunction",
		"lambda:InvokeFunction", "ssm:GetParameter",
		"sts:GetSessionToken"
	};

	(void)state;
	for (size_t i = 0; i < PERMISSION_ACTIONS_N; i++) {
		const struct permission_action *row = &PERMISSION_ACTIONS[i];

		for (size_t k = 0; row->capability->tier < 4 && k < COUNT_OF(NEVER); k++)
			if (strcmp(row->action, NEVER[k]) == 0)
				fail_msg("%s asks for %s", row->capability->name, row->action);
	}
}

/* A write or a read of data in tier 4 is never granted on everything, but for what AWS cannot bound. */
static void what_changes_or_reads_data_names_its_resource(void **state)
{
	static const char *const BOUND[] = { "s3:",     "kms:",       "iam:",
					     "events:", "sts:Assume", "secretsmanager:" };

	(void)state;
	for (size_t i = 0; i < PERMISSION_ACTIONS_N; i++) {
		const struct permission_action *row = &PERMISSION_ACTIONS[i];

		for (size_t k = 0; row->capability->tier == 4 && k < COUNT_OF(BOUND); k++)
			if (str_starts(str_c(row->action), str_c(BOUND[k])) &&
			    strcmp(row->resource, "*") == 0)
				fail_msg("%s is granted on everything", row->action);
	}
}

static char *policy(const char *const *actions, size_t n)
{
	AUTO_JSON json_t *document = NULL;
	struct err err = { 0 };

	assert_int_equal(permission_policy(actions, n, &PLACES, &document, &err), RC_OK);
	return json_text(document);
}

static void actions_are_sorted_once_and_share_a_statement(void **state)
{
	static const char *const ASKED[] = { "iam:ListUsers", "ec2:DescribeRegions",
					     "iam:ListUsers" };
	AUTO_TEXT char *text = policy(ASKED, COUNT_OF(ASKED));

	(void)state;
	assert_string_equal(
		text, "{\"Statement\":[{\"Action\":[\"ec2:DescribeRegions\",\"iam:ListUsers\"],"
		      "\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}");
}

static void holes_are_filled_and_resources_kept_apart(void **state)
{
	static const char *const ASKED[] = { "sts:AssumeRole", "s3:GetObject", "kms:Decrypt",
					     "iam:CreateServiceLinkedRole" };
	AUTO_TEXT char *text = policy(ASKED, COUNT_OF(ASKED));

	(void)state;
	assert_string_equal(
		text, "{\"Statement\":[{\"Action\":[\"sts:AssumeRole\"],\"Effect\":\"Allow\","
		      "\"Resource\":\"arn:aws-cn:iam::*:role/acme-member-*\"},"
		      "{\"Action\":[\"iam:CreateServiceLinkedRole\"],\"Effect\":\"Allow\","
		      "\"Resource\":[\"arn:aws-cn:iam::*:role/aws-service-role/"
		      "*stacksets.cloudformation.amazonaws.com/*\",\"arn:aws-cn:iam::*:role/"
		      "aws-service-role/apidestinations.events.amazonaws.com/*\"]},"
		      "{\"Action\":[\"s3:GetObject\"],\"Effect\":\"Allow\","
		      "\"Resource\":\"arn:aws-cn:s3:::logs/AWSLogs/*\"},"
		      "{\"Action\":[\"kms:Decrypt\"],\"Effect\":\"Allow\",\"Resource\":\"arn:k\"}],"
		      "\"Version\":\"2012-10-17\"}");
}

/* iam:GetRole is in tier 1 on everything and in tier 4 on our roles: a patch means the first. */
static void an_action_of_two_tiers_counts_as_in_the_lower(void **state)
{
	static const char *const ASKED[] = { "iam:GetRole" };
	AUTO_TEXT char *text = policy(ASKED, 1);

	(void)state;
	assert_non_null(strstr(text, "\"Resource\":\"*\""));
	assert_int_equal(permission_find(S("iam:GetRole"))->capability->tier, 1);
}

static void nothing_is_granted_without_its_place(void **state)
{
	static const char *const ASKED[] = { "s3:GetObject" };
	struct permission_places places = PLACES;
	AUTO_JSON json_t *document = NULL;
	struct err err = { 0 };

	(void)state;
	places.bucket = S("");
	assert_string_equal(permission_hole("arn:PARTITION:s3:::BUCKET/TRAIL_PREFIX/*", &places),
			    "BUCKET");
	assert_null(permission_hole("arn:PARTITION:s3:::BUCKET/TRAIL_PREFIX/*", &PLACES));
	assert_int_equal(permission_policy(ASKED, 1, &places, &document, &err), RC_INVALID);
	assert_string_equal(err.code, "unfilled_hole");
	assert_null(document);
}

static void what_is_not_in_the_catalogue_is_not_granted(void **state)
{
	static const char *const ASKED[] = { "iam:ListUsers", "iam:*" };
	AUTO_JSON json_t *document = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(permission_policy(ASKED, 2, &PLACES, &document, &err), RC_INVALID);
	assert_string_equal(err.code, "unknown_action");
	assert_null(permission_find(S("iam:*")));
	assert_null(permission_capability_find(S("nothing")));
}

static void a_prefix_can_hold_nothing_but_a_name(void **state)
{
	static const char *const GOOD[] = { "a", "connectord", "Acme-1",
					    "x234567890123456789012345678901b" };
	static const char *const BAD[] = { "",
					   "-a",
					   "a-",
					   "a--b",
					   "1a",
					   "a b",
					   "a*",
					   "a'b",
					   "a/b",
					   "a$b",
					   "a\"",
					   "\xc3\xa9",
					   "x2345678901234567890123456789012x" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(GOOD); i++)
		if (!permission_is_prefix(str_c(GOOD[i])))
			fail_msg("refused: %s", GOOD[i]);
	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		if (permission_is_prefix(str_c(BAD[i])))
			fail_msg("taken: %s", BAD[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiers_that_read_never_ask_for_data),
		cmocka_unit_test(what_changes_or_reads_data_names_its_resource),
		cmocka_unit_test(actions_are_sorted_once_and_share_a_statement),
		cmocka_unit_test(holes_are_filled_and_resources_kept_apart),
		cmocka_unit_test(an_action_of_two_tiers_counts_as_in_the_lower),
		cmocka_unit_test(nothing_is_granted_without_its_place),
		cmocka_unit_test(what_is_not_in_the_catalogue_is_not_granted),
		cmocka_unit_test(a_prefix_can_hold_nothing_but_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
