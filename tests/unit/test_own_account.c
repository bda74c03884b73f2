/* Whose fault it is that a role could not be assumed. */
#include "workers/own_account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void each_refusal_has_its_culprit(void **state)
{
	static const struct {
		enum aws_class class;
		const char *aws_code, *cause;
		const char *code; /* "" = the role's or nobody's */
		const char *remedy;
	} ROWS[] = {
		{ AWS_DENIED, "AccessDenied", "", "", "" },
		{ AWS_DENIED, "AccessDenied", "resource", "", "" },
		{ AWS_DENIED, "AccessDenied", "implicit", "base_identity_denied",
		  "sts:AssumeRole" },
		{ AWS_CREDS_INVALID, "InvalidClientTokenId", "", "base_identity_refused", "renew" },
		{ AWS_BAD_REQUEST, "ValidationError", "", "", "" },
		{ AWS_BAD_REQUEST, "PackedPolicyTooLarge", "", "session_policy_too_large",
		  "session tags" },
		{ AWS_BAD_REQUEST, "PackedPolicyTooLargeException", "", "session_policy_too_large",
		  "session tags" },
		{ AWS_BAD_REQUEST, "MalformedPolicyDocument", "", "session_policy_malformed",
		  "version" },
		{ AWS_BAD_REQUEST, "MalformedPolicyDocumentException", "",
		  "session_policy_malformed", "version" },
	};

	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		struct aws_fault fault = { .class = ROWS[i].class, .http_status = 400 };
		struct err err = { 0 };
		bool ours = ROWS[i].code[0] != '\0';

		(void)snprintf(fault.code, sizeof(fault.code), "%s", ROWS[i].aws_code);
		(void)snprintf(fault.deny_cause, sizeof(fault.deny_cause), "%s", ROWS[i].cause);
		assert_int_equal(own_account_blame(&fault, &err), ours ? RC_DENIED : RC_OK);
		assert_string_equal(err.code, ROWS[i].code);
		assert_true(!ours || strstr(err.text, "operator"));
		assert_non_null(strstr(err.text, ROWS[i].remedy));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_refusal_has_its_culprit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
