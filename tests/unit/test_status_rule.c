/* The rule of a connection's status: order, sentences that stay within bounds, remedies by cause. */
#include "db/status_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct status_rule judged;

static void judge(const struct status_facts *facts)
{
	status_rule_judge(facts, &judged);
}

static void a_new_connection_waits_unless_a_person_paused_it(void **state)
{
	status_rule_first(false, &judged);
	assert_string_equal(judged.state, "pending");
	assert_string_equal(judged.code, "not_verified");
	status_rule_first(true, &judged);
	assert_string_equal(judged.state, "paused");
}

static void a_pause_outweighs_everything(void **state)
{
	judge(&(struct status_facts){
		.paused = true, .sync_active = true, .verify_state = S("refused") });
	assert_string_equal(judged.state, "paused");
}

static void refused_without_words_still_says_something(void **state)
{
	judge(&(struct status_facts){ .verify_state = S("refused") });
	assert_string_equal(judged.state, "action_required");
	assert_string_equal(judged.code, "refused");
	assert_true(judged.text[0] != '\0');
}

static void what_keeps_us_from_looking_outweighs_an_older_verdict(void **state)
{
	static const char *const BLOCKS[] = {
		"base_identity_missing", "base_identity_unavailable", "vendor_account_unknown",
		"clock_wrong",           "session_policy_too_large",  "session_policy_malformed"
	};

	for (size_t i = 0; i < COUNT_OF(BLOCKS); i++) {
		judge(&(struct status_facts){ .verify_state = S("verified"),
					      .verify_code = str_c(BLOCKS[i]),
					      .complete_once = true });
		assert_string_equal(judged.state, "action_required");
		assert_string_equal(judged.code, BLOCKS[i]);
		assert_non_null(strstr(judged.remedy, "operator"));
		assert_true(status_rule_blocks(str_c(BLOCKS[i])));
	}
	assert_false(status_rule_blocks(S("check_inconclusive")));
	assert_false(status_rule_blocks(S("role_not_assumable")));
}

static void what_else_opens_the_role_degrades_what_works(void **state)
{
	static const char *const LOOSE[] = { "external_id_not_enforced", "external_id_shared",
					     "external_id_inexact" };

	for (size_t i = 0; i < COUNT_OF(LOOSE); i++) {
		judge(&(struct status_facts){ .verify_state = S("verified"),
					      .verify_code = str_c(LOOSE[i]),
					      .verify_text = S("so it is"),
					      .complete_once = true });
		assert_string_equal(judged.state, "degraded");
		assert_string_equal(judged.code, LOOSE[i]);
		assert_string_equal(judged.text, "so it is");
		assert_non_null(strstr(judged.remedy, "StringEquals"));
		assert_false(status_rule_blocks(str_c(LOOSE[i])));
	}
}

static void an_unknown_action_is_skipped_and_not_missed(void **state)
{
	const struct status_denial one = { .action = S("new:Thing"), .what = S("new/thing") };

	judge(&(struct status_facts){
		.verify_state = S("verified"), .complete_once = true, .denials = &one, .n = 1 });
	assert_string_equal(judged.state, "degraded");
	assert_non_null(strstr(judged.text, "new:Thing"));
	assert_non_null(strstr(judged.text, "new/thing"));
}

static void many_denials_fit(void **state)
{
	struct status_denial all[200];
	char names[200][64];

	for (size_t i = 0; i < COUNT_OF(all); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "iam:SomeRatherLongActionName%03zu", i);
		all[i] = (struct status_denial){ .action = str_c(names[i]),
						 .cause = i % 2 ? S("scp") : S("explicit"),
						 .what = str_c(names[i]),
						 .needed = true };
	}
	judge(&(struct status_facts){
		.verify_state = S("verified"), .denials = all, .n = COUNT_OF(all) });
	assert_string_equal(judged.state, "action_required");
	assert_non_null(strstr(judged.text, "and 194 more"));
	assert_non_null(strstr(judged.remedy, "service control policies"));
	assert_non_null(strstr(judged.remedy, "explicit Deny"));
	assert_true(strlen(judged.text) < sizeof(judged.text));
}

static void tier_2_has_a_code_of_its_own(void **state)
{
	const struct status_denial one = { .action = S("sso:ListPermissionSets"),
					   .cause = S("implicit"),
					   .what = S("identity_center"),
					   .needed = true };

	judge(&(struct status_facts){ .verify_state = S("verified"), .denials = &one, .n = 1 });
	assert_string_equal(judged.code, "identity_center_permission_missing");
	assert_non_null(strstr(judged.remedy, "\"sso:ListPermissionSets\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_connection_waits_unless_a_person_paused_it),
		cmocka_unit_test(a_pause_outweighs_everything),
		cmocka_unit_test(refused_without_words_still_says_something),
		cmocka_unit_test(what_keeps_us_from_looking_outweighs_an_older_verdict),
		cmocka_unit_test(what_else_opens_the_role_degrades_what_works),
		cmocka_unit_test(an_unknown_action_is_skipped_and_not_missed),
		cmocka_unit_test(many_denials_fit),
		cmocka_unit_test(tier_2_has_a_code_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
