/* What callers are told of a failure, and what they are not. */
#include "api/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct http_request REQ = { .path = S("/v1/things"), .request_id = "req_1" };

struct told {
	int status, retry_after_s;
	char code[ERR_CODE_MAX];
	bool quotes, has_cause;
};

/* The answer to a failure whose text is "the words". */
static struct told answer(enum rc rc, const char *code, const char *field)
{
	struct err err = { 0 };
	AUTO_JSON json_t *body = NULL;
	struct told told = { 0 };

	if (field)
		(void)err_field(&err, field, code, "the words");
	else
		(void)err_set(&err, rc, code, "the words");

	struct http_reply reply = problem_err(&REQ, &err);

	body = json_loads(reply.body, 0, NULL);
	assert_non_null(body);
	told.status = reply.status;
	told.retry_after_s = reply.retry_after_s;
	(void)snprintf(told.code, sizeof(told.code), "%.*s", STR_FMT(json_str(body, "code")));
	told.quotes = strstr(reply.body, "the words") != NULL;
	told.has_cause = strcmp(reply.cause.text, "the words") == 0;
	http_reply_done(&reply);
	return told;
}

static void announced_refusals_are_told(void **state)
{
	struct told t = answer(RC_CONFLICT, "sync_active", NULL);

	(void)state;
	assert_int_equal(t.status, 409);
	assert_string_equal(t.code, "sync_active");
	assert_true(t.quotes && !t.has_cause);
	t = answer(RC_INVALID, "invalid_cursor", "?cursor");
	assert_int_equal(t.status, 400);
	t = answer(RC_INVALID, "invalid_role_arn", "/auth/role_arn");
	assert_int_equal(t.status, 422);
	assert_true(t.quotes);
}

/* db/ names the statement and the constraint: ours to see, and ours to mend. */
static void other_refusals_of_the_database_are_our_fault(void **state)
{
	static const struct {
		enum rc rc;
		const char *code;
	} CASES[] = {
		{ RC_INVALID, "connection_auth" }, { RC_INVALID, "invalid_value" },
		{ RC_INVALID, "invalid_text" },    { RC_CONFLICT, "connection_pkey" },
		{ RC_CONFLICT, "conflict" },       { RC_LIMIT, "value_too_large" },
		{ RC_BROKEN, "database_error" },   { RC_DENIED, "something" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		struct told t = answer(CASES[i].rc, CASES[i].code, NULL);

		assert_int_equal(t.status, 500);
		assert_string_equal(t.code, "internal");
		assert_true(!t.quotes && t.has_cause);
	}
}

static void what_may_work_later_says_when(void **state)
{
	struct told t = answer(RC_RETRY, "database_away", NULL);

	(void)state;
	assert_int_equal(t.status, 503);
	assert_string_equal(t.code, "unavailable");
	assert_true(t.retry_after_s > 0 && !t.quotes && t.has_cause);
	t = answer(RC_RETRY, "commit_unknown", NULL);
	assert_int_equal(t.status, 503);
	assert_string_equal(t.code, "outcome_unknown");
	t = answer(RC_RETRY, "sealing_key_withdrawn", NULL);
	assert_int_equal(t.status, 503);
	assert_string_equal(t.code, "sealing_key_withdrawn");
	assert_true(t.retry_after_s > 0 && t.quotes);
	t = answer(RC_LIMIT, "too_many_requests", NULL);
	assert_int_equal(t.status, 429);
	assert_string_equal(t.code, "too_many_requests");
	assert_true(t.retry_after_s > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(announced_refusals_are_told),
		cmocka_unit_test(other_refusals_of_the_database_are_our_fault),
		cmocka_unit_test(what_may_work_later_says_when),
	};

	json_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
