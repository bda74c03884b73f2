/* The answers of a check and the report made of them: a surer way to know wins, and a patch grants what is denied and no more. */
#include "base/mem.h"
#include "workers/check/findings.h"
#include "workers/check/simulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct answer *find(const struct answers *a, const char *capability,
				 const char *action)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->all[i].rows->capability->name, capability) == 0 &&
		    strcmp(a->all[i].rows->action, action) == 0)
			return &a->all[i];
	fail_msg("%s of %s is not asked about", action, capability);
	return NULL;
}

static struct answers begin(const char *wanted, const char *bucket, bool organization)
{
	AUTO_JSON json_t *tree = NULL;
	struct err err = { 0 };
	struct answers a;

	assert_int_equal(json_parse(str_c(wanted), JSON_DEPTH_MAX, &tree, &err), RC_OK);
	answers_init(&a, &(struct answers_scope){ .wanted = tree,
						  .organization = organization,
						  .partition = "aws",
						  .name_prefix = "connectord",
						  .bucket = bucket,
						  .trail_prefix = *bucket ? "AWSLogs" : "" });
	return a;
}

static struct aws_fault fault_of(enum aws_class class, const char *cause)
{
	struct aws_fault f = { .class = class, .http_status = 403 };

	(void)snprintf(f.deny_cause, sizeof(f.deny_cause), "%s", cause);
	(void)snprintf(f.request_id, sizeof(f.request_id), "req-1");
	return f;
}

static struct answers_decision decision(const char *action, const char *resource, bool allowed)
{
	return (struct answers_decision){ .action = action,
					  .resource = resource,
					  .request_id = "",
					  .allowed = allowed,
					  .organizations = -1,
					  .boundary = -1 };
}

static void what_is_wanted_is_asked_about(void **state)
{
	AUTO(answers) struct answers one = begin("{\"tiers\":[1]}", "", false);
	AUTO(answers) struct answers s3 = begin("{\"capabilities\":[\"s3\"]}", "", false);
	AUTO(answers)
	struct answers named =
		begin("{\"tiers\":[2],\"capabilities\":[\"preflight_simulation\"]}", "", false);

	for (size_t i = 0; i < one.n; i++) {
		assert_int_equal(one.all[i].rows->capability->tier, 1);
		assert_false(one.all[i].rows->capability->by_name);
	}
	assert_int_equal(find(&one, "org_tree", "organizations:ListRoots")->state,
			 ANSWERS_NOT_APPLICABLE);
	assert_int_equal(find(&one, "iam_identities", "iam:ListUsers")->state, ANSWERS_UNKNOWN);
	for (size_t i = 0; i < s3.n; i++)
		assert_string_equal(s3.all[i].rows->capability->name, "s3");
	assert_non_null(find(&named, "preflight_simulation", "iam:SimulatePrincipalPolicy"));
}

static void an_organization_needs_its_tree(void **state)
{
	AUTO(answers) struct answers a = begin("{\"tiers\":[1]}", "", true);

	assert_true(find(&a, "org_tree", "organizations:ListRoots")->required);
	assert_int_equal(find(&a, "org_tree", "organizations:ListRoots")->state, ANSWERS_UNKNOWN);
}

static void without_a_bucket_its_history_does_not_apply(void **state)
{
	AUTO(answers) struct answers none = begin("{\"tiers\":[4]}", "", false);
	AUTO(answers) struct answers some = begin("{\"tiers\":[4]}", "trail-logs", false);

	assert_int_equal(find(&none, "activity_history", "s3:GetObject")->state,
			 ANSWERS_NOT_APPLICABLE);
	assert_int_equal(find(&some, "activity_history", "s3:GetObject")->state, ANSWERS_UNKNOWN);
}

static void a_call_beats_a_simulation_whichever_comes_first(void **state)
{
	AUTO(answers) struct answers a = begin("{\"tiers\":[1]}", "", false);
	struct answers_decision yes = decision("iam:ListUsers", "*", true);
	struct answers_decision no = decision("iam:ListRoles", "*", false);
	struct aws_fault denied = fault_of(AWS_DENIED, "scp"), fine = fault_of(AWS_OK, "");
	const struct answer *users = find(&a, "iam_identities", "iam:ListUsers");
	const struct answer *roles = find(&a, "iam_identities", "iam:ListRoles");

	answers_decide(&a, &yes);
	answers_decide(&a, &no);
	assert_int_equal(users->state, ANSWERS_GRANTED);
	assert_int_equal(roles->state, ANSWERS_DENIED);
	assert_string_equal(roles->cause, "implicit");
	answers_fault(&a, "iam:ListUsers", &denied);
	answers_fault(&a, "iam:ListRoles", &fine);
	assert_int_equal(users->state, ANSWERS_DENIED);
	assert_string_equal(users->cause, "scp");
	assert_string_equal(users->request_id, "req-1");
	assert_int_equal(roles->state, ANSWERS_GRANTED);
	answers_decide(&a, &yes);
	assert_int_equal(users->state, ANSWERS_DENIED);
}

static void no_such_thing_is_the_answer_of_who_may_ask(void **state)
{
	AUTO(answers) struct answers a = begin("{\"tiers\":[1]}", "", false);
	struct aws_fault missing = fault_of(AWS_NOT_FOUND, "");
	struct aws_fault away = fault_of(AWS_TRANSIENT, "");

	answers_fault(&a, "iam:GetUser", &missing);
	answers_fault(&a, "iam:GetRole", &away);
	answers_close(&a, "not asked");
	assert_int_equal(find(&a, "iam_identities", "iam:GetUser")->state, ANSWERS_GRANTED);
	assert_int_equal(find(&a, "iam_identities", "iam:GetRole")->state, ANSWERS_UNKNOWN);
	assert_string_equal(find(&a, "iam_identities", "iam:ListMFADevices")->text, "not asked");
}

static void all_resources_must_be_allowed_and_one_denial_is_enough(void **state)
{
	static const char ACTION[] = "iam:CreateServiceLinkedRole";
	AUTO(answers) struct answers a = begin("{\"capabilities\":[\"setup_roles\"]}", "", false);
	const struct answer *one = find(&a, "setup_roles", ACTION);

	assert_int_equal(one->n, 2);

	struct answers_decision first = decision(ACTION, one->rows[0].resource, true);
	struct answers_decision last = decision(ACTION, one->rows[1].resource, false);

	answers_decide(&a, &first);
	assert_int_equal(one->state, ANSWERS_UNKNOWN);
	answers_decide(&a, &last);
	assert_int_equal(one->state, ANSWERS_DENIED);
}

static void a_call_on_everything_says_nothing_about_a_role_of_ours(void **state)
{
	AUTO(answers) struct answers a = begin("{\"tiers\":[1,4]}", "", false);
	struct aws_fault denied = fault_of(AWS_DENIED, "implicit");

	answers_fault(&a, "iam:GetRole", &denied);
	assert_int_equal(find(&a, "iam_identities", "iam:GetRole")->state, ANSWERS_DENIED);
	assert_int_equal(find(&a, "setup_roles", "iam:GetRole")->state, ANSWERS_UNKNOWN);
}

static void what_stands_in_is_needed_when_it_has_to(void **state)
{
	AUTO(answers) struct answers with = begin("{\"tiers\":[1]}", "", false);
	AUTO(answers) struct answers without = begin("{\"tiers\":[1]}", "", false);
	struct aws_fault fine = fault_of(AWS_OK, "");

	answers_fault(&with, "iam:GetAccountAuthorizationDetails", &fine);
	answers_close(&with, "");
	answers_close(&without, "");
	assert_false(find(&with, "iam_identities", "iam:ListGroupPolicies")->required);
	assert_true(find(&with, "iam_identities", "iam:ListUsers")->required);
	assert_true(find(&without, "iam_identities", "iam:ListGroupPolicies")->required);
}

static void the_patch_grants_what_is_denied_and_no_more(void **state)
{
	AUTO(answers) struct answers a = begin("{\"tiers\":[1]}", "", false);
	AUTO_JSON json_t *none = findings_patch(&a);
	AUTO_JSON json_t *patch = NULL;
	AUTO_TEXT char *policy = NULL;
	AUTO_TEXT char *boundary = NULL;
	static const char *const CAUSES[][2] = { { "iam:ListUsers", "implicit" },
						 { "iam:ListMFADevices", "" },
						 { "iam:ListRoles", "explicit" },
						 { "iam:ListGroups", "boundary" } };

	assert_null(none);
	for (size_t i = 0; i < COUNT_OF(CAUSES); i++) {
		struct aws_fault f = fault_of(AWS_DENIED, CAUSES[i][1]);

		answers_fault(&a, CAUSES[i][0], &f);
	}
	patch = findings_patch(&a);
	policy = json_text(json_object_get(patch, "policy"));
	boundary = json_text(json_object_get(patch, "boundary"));
	assert_string_equal(
		policy, "{\"Statement\":[{\"Action\":[\"iam:ListMFADevices\",\"iam:ListUsers\"],"
			"\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}");
	assert_string_equal(
		boundary, "{\"Statement\":[{\"Action\":[\"iam:ListGroups\"],"
			  "\"Effect\":\"Allow\",\"Resource\":\"*\"}],\"Version\":\"2012-10-17\"}");
	assert_int_equal(json_array_size(json_object_get(patch, "by_hand")), 2);
}

static void the_rows_say_how_it_is_known(void **state)
{
	AUTO(answers) struct answers a = begin("{\"capabilities\":[\"regions\"]}", "", false);
	struct aws_fault denied = fault_of(AWS_DENIED, "explicit"),
			 quiet = fault_of(AWS_DENIED, "");
	AUTO_JSON json_t *rows = NULL;

	answers_fault(&a, "ec2:DescribeRegions", &denied);
	answers_fault(&a, "account:ListRegions", &quiet);
	rows = findings_rows(&a);
	assert_int_equal(json_array_size(rows), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *row = json_array_get(rows, i);
		bool ec2 = str_eq(json_str(row, "action"), S("ec2:DescribeRegions"));

		assert_true(
			str_eq(json_str(row, "known_by"), ec2 ? S("error_text") : S("live_call")));
		assert_true(str_eq(json_str(row, "aws_request_id"), S("req-1")));
	}
}

static void stars_become_things(void **state)
{
	static const char *const CASES[][2] = {
		{ "arn:aws:iam::*:role/connectord-*",
		  "arn:aws:iam::111122223333:role/connectord-check" },
		{ "arn:aws:events:*:*:rule/connectord-*",
		  "arn:aws:events:eu-west-1:111122223333:rule/connectord-check" },
		{ "arn:aws:s3:::bucket/AWSLogs/*", "arn:aws:s3:::bucket/AWSLogs/check" },
		{ "arn:aws:s3:::bucket", "arn:aws:s3:::bucket" },
		{ "arn:aws:cloudformation:*:*:stackset/connectord-*:*",
		  "arn:aws:cloudformation:eu-west-1:111122223333:stackset/connectord-check:check" },
	};

	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		char out[ANSWERS_PLACE_MAX];

		simulate_resource(CASES[i][0], "111122223333", "eu-west-1", out);
		assert_string_equal(out, CASES[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wanted_is_asked_about),
		cmocka_unit_test(an_organization_needs_its_tree),
		cmocka_unit_test(without_a_bucket_its_history_does_not_apply),
		cmocka_unit_test(a_call_beats_a_simulation_whichever_comes_first),
		cmocka_unit_test(no_such_thing_is_the_answer_of_who_may_ask),
		cmocka_unit_test(all_resources_must_be_allowed_and_one_denial_is_enough),
		cmocka_unit_test(a_call_on_everything_says_nothing_about_a_role_of_ours),
		cmocka_unit_test(what_stands_in_is_needed_when_it_has_to),
		cmocka_unit_test(the_patch_grants_what_is_denied_and_no_more),
		cmocka_unit_test(the_rows_say_how_it_is_known),
		cmocka_unit_test(stars_become_things),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
