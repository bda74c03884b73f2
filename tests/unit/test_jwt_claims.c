/* What a verified payload grants, claim by claim; a system test does the same over HTTP. */
#include "api/scope.h"
#include "base/clock.h"
#include "server/jwt_claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ORG "3f0f5a52-5a0c-4b8e-9a43-3a0a4e4f9d11"
static const double NOW = 1790000000;

static const struct jwt_settings BY_SCOPE = { .issuer = "https://i/",
					      .audience = "us",
					      .org_claim = "org_id",
					      .scope_claim = "scope",
					      .role_claim = "",
					      .leeway_s = 60 };

/* A good payload with one member replaced; value NULL: without it. */
static json_t *payload(const char *name, const char *value)
{
	json_t *all = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "iss", "https://i/", "aud",
				"us", "sub", "me", "org_id", ORG, "exp", 1790000100, "iat",
				1789999900, "scope", "connections:read");

	if (name && value)
		(void)json_object_set_new(all, name, json_loads(value, JSON_DECODE_ANY, NULL));
	else if (name)
		(void)json_object_del(all, name);
	return all;
}

static enum rc read(const struct jwt_settings *s, const char *name, const char *value,
		    struct jwt_claims *ret)
{
	AUTO_JSON json_t *all = payload(name, value);
	struct err err = { 0 };

	return jwt_claims_read(s, all, NOW, ret, &err);
}

static void a_good_payload_says_who_where_and_what(void **state)
{
	struct jwt_claims claims = { .scopes = 0 };
	char org[ID_UUID_TEXT];

	(void)state;
	assert_int_equal(read(&BY_SCOPE, NULL, NULL, &claims), RC_OK);
	id_uuid(claims.org_id, org);
	assert_string_equal(org, ORG);
	assert_string_equal(claims.actor, "jwt:me");
	assert_int_equal(claims.scopes, SCOPE_CONNECTIONS_READ);
	assert_true(claims.expires_at == INT64_C(1790000100) * CLOCK_S);
}

static void what_is_not_exactly_so_is_refused(void **state)
{
	static const struct {
		const char *name, *value;
	} BAD[] = {
		{ "iss", NULL },
		{ "iss", "\"https://i\"" },
		{ "iss", "[\"https://i/\"]" },
		{ "aud", NULL },
		{ "aud", "\"US\"" },
		{ "aud", "[]" },
		{ "aud", "[\"us\", 1]" },
		{ "aud", "{\"us\": \"us\"}" },
		{ "sub", NULL },
		{ "sub", "\"\"" },
		{ "sub", "7" },
		{ "exp", NULL },
		{ "exp", "1789999940" },
		{ "exp", "\"1790000100\"" },
		{ "exp", "null" },
		{ "exp", "-1" },
		{ "exp", "1e18" },
		{ "nbf", "1790000061" },
		{ "nbf", "true" },
		{ "iat", "1790000061" },
		{ "iat", "1790000101" },
		{ "org_id", NULL },
		{ "org_id", "\"\"" },
		{ "org_id", "\"3F0F5A52-5A0C-4B8E-9A43-3A0A4E4F9D11\"" },
		{ "org_id", "\"00000000-0000-0000-0000-000000000000\"" },
		{ "org_id", "[\"" ORG "\"]" },
	};
	struct jwt_claims claims = { .scopes = 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		if (read(&BY_SCOPE, BAD[i].name, BAD[i].value, &claims) != RC_DENIED)
			fail_msg("%s %s", BAD[i].name, BAD[i].value ? BAD[i].value : "absent");
}

static void the_leeway_is_for_both_sides_of_now(void **state)
{
	static const struct {
		const char *name, *value;
	} GOOD[] = { { "exp", "1789999941" },      { "nbf", "1790000060" },
		     { "iat", "1790000060" },      { "exp", "1790000000.5" },
		     { "aud", "[\"x\", \"us\"]" }, { "iat", NULL } };
	struct jwt_claims claims = { .scopes = 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(GOOD); i++)
		if (read(&BY_SCOPE, GOOD[i].name, GOOD[i].value, &claims) != RC_OK)
			fail_msg("%s %s", GOOD[i].name, GOOD[i].value ? GOOD[i].value : "absent");
}

static void an_end_that_means_never_is_far_away_and_no_other(void **state)
{
	static const char *const ENDS[] = { "9223372037", "9999999999", "253402300799" };
	struct jwt_claims claims = { .scopes = 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ENDS); i++) {
		assert_int_equal(read(&BY_SCOPE, "exp", ENDS[i], &claims), RC_OK);
		assert_true(claims.expires_at == INT64_C(9000000000) * CLOCK_S);
	}
}

static void scopes_are_a_text_a_list_or_a_role(void **state)
{
	struct jwt_settings by_role = BY_SCOPE;
	struct jwt_claims claims = { .scopes = 0 };

	(void)state;
	assert_int_equal(read(&BY_SCOPE, "scope", "\"openid  syncs:read syncs:\"", &claims), RC_OK);
	assert_int_equal(claims.scopes, SCOPE_SYNCS_READ);
	assert_int_equal(read(&BY_SCOPE, "scope", "[\"keys:read\", \"a b\", 1]", &claims), RC_OK);
	assert_int_equal(claims.scopes, SCOPE_KEYS_READ);
	assert_int_equal(read(&BY_SCOPE, "scope", NULL, &claims), RC_OK);
	assert_int_equal(claims.scopes, 0);
	by_role.role_claim = "role";
	assert_int_equal(read(&by_role, "role", "\"viewer\"", &claims), RC_OK);
	assert_int_equal(claims.scopes, scope_of_role(S("viewer")));
	assert_int_equal(read(&by_role, NULL, NULL, &claims), RC_OK);
	assert_int_equal(claims.scopes, 0);
}

static void two_subjects_are_never_one_actor(void **state)
{
	static const char *const SUBJECTS[] = {
		"\"a\"",
		"\"a b\"",
		"\"a  b\"",
		"\"sha256:x\"",
		"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1\"",
		"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx2\"",
	};
	struct jwt_claims claims[COUNT_OF(SUBJECTS)] = { { .scopes = 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(SUBJECTS); i++) {
		assert_int_equal(read(&BY_SCOPE, "sub", SUBJECTS[i], &claims[i]), RC_OK);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(claims[i].actor, claims[k].actor);
			assert_false(id_eq(claims[i].subject, claims[k].subject));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_payload_says_who_where_and_what),
		cmocka_unit_test(what_is_not_exactly_so_is_refused),
		cmocka_unit_test(the_leeway_is_for_both_sides_of_now),
		cmocka_unit_test(an_end_that_means_never_is_far_away_and_no_other),
		cmocka_unit_test(scopes_are_a_text_a_list_or_a_role),
		cmocka_unit_test(two_subjects_are_never_one_actor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
