/* Who a trust policy names, and whether it demands an external ID. */
#include "workers/sync/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_form_of_principal_has_one_meaning(void **state)
{
	static const struct {
		const char *type, *element;
		enum trust_kind kind;
		const char *account, *role;
	} ROWS[] = {
		{ "AWS", "*", TRUST_PUBLIC, "", "" },
		{ "AWS", "111122223333", TRUST_ACCOUNT, "111122223333", "" },
		{ "AWS", "arn:aws:iam::111122223333:root", TRUST_ACCOUNT, "111122223333", "" },
		{ "AWS", "arn:aws-us-gov:iam::111122223333:root", TRUST_ACCOUNT, "111122223333",
		  "" },
		{ "aws", "arn:aws:iam::111122223333:root", TRUST_ACCOUNT, "111122223333", "" },
		{ "AWS", "arn:aws:iam::111122223333:user/root", TRUST_IAM, "111122223333", "" },
		{ "AWS", "arn:aws:iam::111122223333:role/my-root", TRUST_IAM, "111122223333", "" },
		{ "AWS", "arn:aws:iam::111122223333:user/a/b/c", TRUST_IAM, "111122223333", "" },
		{ "AWS", "arn:aws:sts::111122223333:assumed-role/R/me@x", TRUST_SESSION,
		  "111122223333", "R" },
		{ "AWS", "arn:aws:sts::111122223333:federated-user/bob", TRUST_UNRESOLVED,
		  "111122223333", "" },
		{ "AWS", "arn:aws:iam::111122223333:group/g", TRUST_UNRESOLVED, "111122223333",
		  "" },
		{ "AWS", "AROAEXAMPLEEXAMPLE00", TRUST_UNRESOLVED, "", "" },
		{ "AWS", "AIDAEXAMPLEEXAMPLE00", TRUST_UNRESOLVED, "", "" },
		{ "AWS", "11112222333", TRUST_UNRESOLVED, "", "" },
		{ "AWS", "arn:nowhere:iam::111122223333:root", TRUST_UNRESOLVED, "", "" },
		{ "Service", "ec2.amazonaws.com", TRUST_SERVICE, "", "" },
		{ "Service", "ec2.amazonaws.com.cn", TRUST_SERVICE, "", "" },
		{ "Federated", "arn:aws:iam::111122223333:saml-provider/Okta", TRUST_PROVIDER,
		  "111122223333", "" },
		{ "Federated", "arn:aws:iam::111122223333:oidc-provider/a.b/id/X", TRUST_PROVIDER,
		  "111122223333", "" },
		{ "Federated", "cognito-identity.amazonaws.com", TRUST_SERVICE, "", "" },
		{ "Federated", "arn:aws:iam::111122223333:role/R", TRUST_UNRESOLVED, "111122223333",
		  "" },
		{ "CanonicalUser",
		  "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be",
		  TRUST_UNRESOLVED, "", "" },
		{ "Novel", "x", TRUST_UNRESOLVED, "", "" },
	};

	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		struct trust_principal p =
			trust_classify(str_c(ROWS[i].type), str_c(ROWS[i].element));

		assert_int_equal(p.kind, ROWS[i].kind);
		assert_true(str_eq(p.account, str_c(ROWS[i].account)));
		assert_true(str_eq(p.role_name, str_c(ROWS[i].role)));
	}
}

static void only_a_condition_that_binds_counts_as_external_id(void **state)
{
	static const struct {
		const char *condition;
		bool needed;
	} ROWS[] = {
		{ "{\"StringEquals\":{\"sts:ExternalId\":\"x\"}}", true },
		{ "{\"StringEquals\":{\"STS:externalid\":[\"x\",\"y\"]}}", true },
		{ "{\"StringEqualsIgnoreCase\":{\"sts:ExternalId\":\"x\"}}", true },
		{ "{\"StringLike\":{\"sts:ExternalId\":\"tenant-*\"}}", true },
		{ "{\"StringLike\":{\"sts:ExternalId\":\"*\"}}", false },
		{ "{\"StringLike\":{\"sts:ExternalId\":[\"x\",\"**\"]}}", false },
		{ "{\"StringEqualsIfExists\":{\"sts:ExternalId\":\"x\"}}", false },
		{ "{\"Null\":{\"sts:ExternalId\":\"false\"}}", false },
		{ "{\"StringNotEquals\":{\"sts:ExternalId\":\"x\"}}", false },
		{ "{\"StringEquals\":{\"sts:ExternalId\":[]}}", false },
		{ "{\"StringEquals\":{\"aws:SourceAccount\":\"x\"}}", false },
		{ "{}", false },
		{ "\"odd\"", false },
	};

	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		AUTO_JSON json_t *statement = json_object();

		json_object_set_new(statement, "Condition",
				    json_loads(ROWS[i].condition, JSON_DECODE_ANY, NULL));
		assert_int_equal(trust_needs_external_id(statement), ROWS[i].needed);
	}
}

static void an_edge_carries_effect_actions_place_and_the_keys_that_change_its_meaning(void **state)
{
	AUTO_JSON json_t *statement =
		json_loads("{\"Sid\":\"s\",\"Effect\":\"Deny\",\"Action\":\"sts:"
			   "AssumeRoleWithWebIdentity\",\"Condition\":{"
			   "\"StringLike\":{\"token.actions.githubusercontent.com:sub\":\"repo:a/"
			   "b:*\",\"aws:RequestedRegion\":\"x\"},"
			   "\"StringEquals\":{\"aws:PrincipalOrgID\":[\"o-1\",\"o-2\"]},\"Bool\":{"
			   "\"aws:MultiFactorAuthPresent\":true}}}",
			   0, NULL);
	AUTO_JSON json_t *attrs = trust_attrs(statement, 3, "abc");
	AUTO_JSON json_t *keys = json_loads("{\"token.actions.githubusercontent.com:sub\":[\"repo:"
					    "a/b:*\"],\"aws:PrincipalOrgID\":[\"o-1\",\"o-2\"],"
					    "\"aws:MultiFactorAuthPresent\":[\"true\"]}",
					    0, NULL);

	assert_true(str_eq(json_str(attrs, "effect"), S("Deny")));
	assert_true(str_eq(json_str(attrs, "document"), S("abc")));
	assert_true(str_eq(json_str(attrs, "sid"), S("s")));
	assert_int_equal(json_i64(attrs, "statement", -1), 3);
	assert_int_equal(json_array_size(json_object_get(attrs, "actions")), 1);
	assert_false(json_bool(attrs, "external_id_required"));
	assert_true(json_equal(json_object_get(attrs, "condition_keys"), keys));
	assert_true(json_equal(json_object_get(attrs, "conditions"),
			       json_object_get(statement, "Condition")));
}

static void a_statement_without_an_effect_says_neither_allow_nor_deny(void **state)
{
	AUTO_JSON json_t *statement = json_loads("{\"Effect\":[\"Allow\"],\"Action\":7}", 0, NULL);
	AUTO_JSON json_t *attrs = trust_attrs(statement, 0, "");

	assert_true(str_eq(json_str(attrs, "effect"), S("")));
	assert_null(json_object_get(attrs, "conditions"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_principal_has_one_meaning),
		cmocka_unit_test(only_a_condition_that_binds_counts_as_external_id),
		cmocka_unit_test(
			an_edge_carries_effect_actions_place_and_the_keys_that_change_its_meaning),
		cmocka_unit_test(a_statement_without_an_effect_says_neither_allow_nor_deny),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
