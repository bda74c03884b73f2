/* Every code and message of the catalogue gets its class. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workers/aws/classify.h"

static const struct {
	int status;
	const char *code;
	const char *message;
	enum aws_class class;
} CASES[] = {
	{ 400, "PackedPolicyTooLarge", "", AWS_BAD_REQUEST },
	{ 500, "PackedPolicyTooLarge", "", AWS_BAD_REQUEST },
	{ 400, "MalformedPolicyDocument", "", AWS_BAD_REQUEST },
	{ 403, "AccessDenied", "", AWS_DENIED },
	{ 400, "AccessDeniedException", "", AWS_DENIED },
	{ 403, "UnauthorizedOperation", "", AWS_DENIED },
	{ 403, "AuthorizationError", "", AWS_DENIED },
	{ 405, "MethodNotAllowed", "", AWS_DENIED },
	{ 400, "KMSAccessDeniedException", "", AWS_DENIED },
	{ 403, "AllAccessDisabled", "", AWS_DENIED },
	{ 403, "", "", AWS_DENIED },
	{ 403, "InvalidClientTokenId", "", AWS_CREDS_INVALID },
	{ 400, "UnrecognizedClientException", "", AWS_CREDS_INVALID },
	{ 401, "AuthFailure", "", AWS_CREDS_INVALID },
	{ 403, "SignatureDoesNotMatch", "", AWS_CREDS_INVALID },
	{ 400, "InvalidToken", "", AWS_CREDS_INVALID },
	{ 403, "ExpiredToken", "", AWS_CREDS_EXPIRED },
	{ 400, "ExpiredTokenException", "", AWS_CREDS_EXPIRED },
	{ 403, "InvalidClientTokenId", "The security token included in the request is expired",
	  AWS_CREDS_EXPIRED },
	{ 403, "RegionDisabledException", "", AWS_REGION_DISABLED },
	{ 400, "IllegalLocationConstraintException", "", AWS_REGION_DISABLED },
	{ 400, "UnknownOperationException", "", AWS_UNSUPPORTED },
	{ 400, "ValidationException", "Unknown Operation ListCustomModels", AWS_UNSUPPORTED },
	{ 400, "InvalidAction", "", AWS_UNSUPPORTED },
	{ 400, "Weird", "The feature is not supported in this Region.", AWS_UNSUPPORTED },
	{ 404, "", "<html>", AWS_UNSUPPORTED },
	{ 400, "OptInRequired", "", AWS_NOT_ENABLED },
	{ 403, "SubscriptionRequiredException", "", AWS_NOT_ENABLED },
	{ 400, "AWSOrganizationsNotInUseException", "", AWS_NOT_ENABLED },
	{ 400, "AccessDeniedException", "Your organization must first enable trusted access",
	  AWS_NOT_ENABLED },
	{ 404, "NoSuchEntity", "", AWS_NOT_FOUND },
	{ 404, "NoSuchBucketPolicy", "", AWS_NOT_FOUND },
	{ 400, "ResourceNotFoundException", "", AWS_NOT_FOUND },
	{ 404, "DBInstanceNotFound", "", AWS_NOT_FOUND },
	{ 400, "InvalidInstanceID.NotFound", "", AWS_NOT_FOUND },
	{ 404, "ServerSideEncryptionConfigurationNotFoundError", "", AWS_NOT_FOUND },
	{ 410, "ReportNotPresent", "", AWS_NOT_FOUND },
	{ 400, "ValidationError", "Stack with id x does not exist", AWS_NOT_FOUND },
	{ 400, "Throttling", "Rate exceeded", AWS_THROTTLED },
	{ 400, "ThrottlingException", "", AWS_THROTTLED },
	{ 503, "RequestLimitExceeded", "", AWS_THROTTLED },
	{ 400, "TooManyRequestsException", "", AWS_THROTTLED },
	{ 503, "SlowDown", "", AWS_THROTTLED },
	{ 429, "", "", AWS_THROTTLED },
	{ 503, "ServiceUnavailable", "Please reduce your request rate.", AWS_THROTTLED },
	{ 403, "AccessDenied", "Rate exceeded", AWS_THROTTLED },
	{ 409, "LimitExceeded", "", AWS_THROTTLED },
	{ 400, "KMSThrottlingException", "", AWS_THROTTLED },
	{ 500, "InternalFailure", "", AWS_TRANSIENT },
	{ 500, "ServiceFailure", "", AWS_TRANSIENT },
	{ 503, "ServiceUnavailable", "", AWS_TRANSIENT },
	{ 502, "", "", AWS_TRANSIENT },
	{ 500, "Unheard", "", AWS_TRANSIENT },
	{ 400, "RequestTimeout", "", AWS_TRANSIENT },
	{ 400, "ValidationError", "1 validation error detected", AWS_BAD_REQUEST },
	{ 400, "InvalidParameterValue", "", AWS_BAD_REQUEST },
	{ 400, "InvalidInput", "", AWS_BAD_REQUEST },
	{ 400, "Unheard", "", AWS_BAD_REQUEST },
	{ 301, "PermanentRedirect", "", AWS_BAD_REQUEST },
};

static void every_code_of_the_catalogue_has_its_class(void **state)
{
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		enum aws_class got = classify(CASES[i].status, CASES[i].code, CASES[i].message);

		if (got != CASES[i].class)
			print_error("%d %s \"%s\": %s, not %s\n", CASES[i].status, CASES[i].code,
				    CASES[i].message, aws_class_name(got),
				    aws_class_name(CASES[i].class));
		assert_int_equal(got, CASES[i].class);
	}
}

static void a_denial_says_where_it_comes_from(void **state)
{
	static const struct {
		const char *message;
		const char *cause;
	} CAUSES[] = {
		{ "because no identity-based policy allows the iam:ListUsers action", "implicit" },
		{ "with an explicit deny in an identity-based policy", "explicit" },
		{ "with an explicit deny in a service control policy", "scp" },
		{ "because no service control policy allows the action", "scp" },
		{ "with an explicit deny in a resource control policy", "rcp" },
		{ "because no permissions boundary allows the action", "boundary" },
		{ "with an explicit deny in a permissions boundary", "boundary" },
		{ "because no session policy allows the action", "session" },
		{ "because no VPC endpoint policy allows the action", "vpc_endpoint" },
		{ "because no resource-based policy allows the action", "resource" },
		{ "with an explicit deny in a resource-based policy", "resource" },
		{ "User is not authorized", "" },
	};

	for (size_t i = 0; i < COUNT_OF(CAUSES); i++)
		assert_string_equal(classify_cause(CAUSES[i].message), CAUSES[i].cause);
}

static void a_wrong_clock_is_told_from_a_wrong_key(void **state)
{
	assert_true(classify_is_skew("RequestTimeTooSkewed", ""));
	assert_true(classify_is_skew("RequestExpired", ""));
	assert_true(classify_is_skew("SignatureDoesNotMatch",
				     "Signature expired: 20260101T000000Z is now earlier than"));
	assert_true(classify_is_skew("InvalidSignatureException", "Signature not yet current"));
	assert_false(classify_is_skew("SignatureDoesNotMatch", "The request signature we "));
	assert_false(classify_is_skew("ExpiredToken", "The security token is expired"));
}

static void every_class_has_a_name_and_a_result(void **state)
{
	for (int c = AWS_OK; c <= AWS_CANCELED; c++) {
		assert_non_null(aws_class_name((enum aws_class)c));
		assert_true((aws_class_rc((enum aws_class)c) == RC_OK) == (c == AWS_OK));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_of_the_catalogue_has_its_class),
		cmocka_unit_test(a_denial_says_where_it_comes_from),
		cmocka_unit_test(a_wrong_clock_is_told_from_a_wrong_key),
		cmocka_unit_test(every_class_has_a_name_and_a_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
