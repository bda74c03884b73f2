/* Error classes as data. First the message rules that beat any code, then exact codes, then
 * patterns, then the status. Facts: AWS service models and the errors pages of the services. */
#include "workers/aws/classify.h"
#include <string.h>

static const struct {
	const char *code;
	enum aws_class class;
} CODES[] = {
	{ "AccessDenied", AWS_DENIED },
	{ "AccessDeniedException", AWS_DENIED },
	{ "UnauthorizedOperation", AWS_DENIED },
	{ "UnauthorizedAccess", AWS_DENIED },
	{ "AuthorizationError", AWS_DENIED },
	{ "AuthorizationErrorException", AWS_DENIED },
	{ "NotAuthorized", AWS_DENIED },
	{ "ForbiddenException", AWS_DENIED },
	{ "MethodNotAllowed", AWS_DENIED },
	{ "AllAccessDisabled", AWS_DENIED },
	{ "InvalidClientTokenId", AWS_CREDS_INVALID },
	{ "UnrecognizedClientException", AWS_CREDS_INVALID },
	{ "InvalidAccessKeyId", AWS_CREDS_INVALID },
	{ "SignatureDoesNotMatch", AWS_CREDS_INVALID },
	{ "InvalidSignatureException", AWS_CREDS_INVALID },
	{ "AuthFailure", AWS_CREDS_INVALID },
	{ "InvalidToken", AWS_CREDS_INVALID },
	{ "IncompleteSignature", AWS_CREDS_INVALID },
	{ "IncompleteSignatureException", AWS_CREDS_INVALID },
	{ "MissingAuthenticationToken", AWS_CREDS_INVALID },
	{ "MissingAuthenticationTokenException", AWS_CREDS_INVALID },
	{ "NotSignedUp", AWS_NOT_ENABLED },
	{ "ExpiredToken", AWS_CREDS_EXPIRED },
	{ "ExpiredTokenException", AWS_CREDS_EXPIRED },
	{ "RequestExpired", AWS_CREDS_EXPIRED },
	{ "RequestTimeTooSkewed", AWS_CREDS_INVALID },
	{ "RequestInTheFuture", AWS_CREDS_INVALID },
	{ "RegionDisabledException", AWS_REGION_DISABLED },
	{ "IllegalLocationConstraintException", AWS_REGION_DISABLED },
	{ "UnknownOperationException", AWS_UNSUPPORTED },
	{ "InvalidAction", AWS_UNSUPPORTED },
	{ "UnsupportedOperation", AWS_UNSUPPORTED },
	{ "UnsupportedOperationException", AWS_UNSUPPORTED },
	{ "OptInRequired", AWS_NOT_ENABLED },
	{ "SubscriptionRequiredException", AWS_NOT_ENABLED },
	{ "AWSOrganizationsNotInUseException", AWS_NOT_ENABLED },
	{ "FeatureDisabled", AWS_NOT_FOUND },
	{ "ReportNotPresent", AWS_NOT_FOUND },
	{ "ReportExpired", AWS_NOT_FOUND },
	{ "ReportInProgress", AWS_NOT_FOUND },
	{ "NoSuchEntity", AWS_NOT_FOUND },
	{ "NotFound", AWS_NOT_FOUND },
	{ "QueueDoesNotExist", AWS_NOT_FOUND },
	{ "AWS.SimpleQueueService.NonExistentQueue", AWS_NOT_FOUND },
	{ "Throttling", AWS_THROTTLED },
	{ "Throttled", AWS_THROTTLED },
	{ "ThrottlingException", AWS_THROTTLED },
	{ "ThrottledException", AWS_THROTTLED },
	{ "RequestThrottled", AWS_THROTTLED },
	{ "RequestThrottledException", AWS_THROTTLED },
	{ "RequestLimitExceeded", AWS_THROTTLED },
	{ "EC2ThrottledException", AWS_THROTTLED },
	{ "TooManyRequestsException", AWS_THROTTLED },
	{ "ProvisionedThroughputExceededException", AWS_THROTTLED },
	{ "BandwidthLimitExceeded", AWS_THROTTLED },
	{ "SlowDown", AWS_THROTTLED },
	{ "PriorRequestNotComplete", AWS_THROTTLED },
	{ "TransactionInProgressException", AWS_THROTTLED },
	{ "LimitExceededException", AWS_THROTTLED },
	{ "LimitExceeded", AWS_THROTTLED },
	{ "OverLimit", AWS_THROTTLED },
	{ "InternalError", AWS_TRANSIENT },
	{ "InternalErrorException", AWS_TRANSIENT },
	{ "InternalFailure", AWS_TRANSIENT },
	{ "InternalServerError", AWS_TRANSIENT },
	{ "InternalServerException", AWS_TRANSIENT },
	{ "InternalServerErrorException", AWS_TRANSIENT },
	{ "InternalServiceError", AWS_TRANSIENT },
	{ "ServiceUnavailable", AWS_TRANSIENT },
	{ "ServiceUnavailableException", AWS_TRANSIENT },
	{ "Unavailable", AWS_TRANSIENT },
	{ "ServiceFailure", AWS_TRANSIENT },
	{ "ServiceException", AWS_TRANSIENT },
	{ "ServerException", AWS_TRANSIENT },
	{ "KMSInternalException", AWS_TRANSIENT },
	{ "DependencyTimeoutException", AWS_TRANSIENT },
	{ "RequestTimeout", AWS_TRANSIENT },
	{ "RequestTimeoutException", AWS_TRANSIENT },
	{ "ConcurrentModificationException", AWS_TRANSIENT },
	{ "ValidationError", AWS_BAD_REQUEST },
	{ "ValidationException", AWS_BAD_REQUEST },
	{ "PackedPolicyTooLarge", AWS_BAD_REQUEST },
	{ "PackedPolicyTooLargeException", AWS_BAD_REQUEST },
	{ "MalformedPolicyDocument", AWS_BAD_REQUEST },
	{ "MalformedPolicyDocumentException", AWS_BAD_REQUEST },
};

/* Families of codes, in order. */
static const struct {
	const char *starts;
	const char *has;
	enum aws_class class;
} FAMILIES[] = {
	{ "KMSThrottling", "", AWS_THROTTLED },
	{ "KmsThrottled", "", AWS_THROTTLED },
	{ "KMSAccessDenied", "", AWS_DENIED },
	{ "KmsAccessDenied", "", AWS_DENIED },
	{ "NoSuch", "", AWS_NOT_FOUND },
	{ "", "NotFound", AWS_NOT_FOUND },
	{ "InvalidParameter", "", AWS_BAD_REQUEST },
	{ "InvalidInput", "", AWS_BAD_REQUEST },
};

/* What a message says beats the code: AWS reuses codes. code "" = any. */
static const struct {
	const char *code;
	const char *says;
	enum aws_class class;
} MESSAGES[] = {
	{ "", "Rate exceeded", AWS_THROTTLED },
	{ "", "Reduce your request rate", AWS_THROTTLED },
	{ "", "not supported in this region", AWS_UNSUPPORTED },
	{ "ValidationException", "Unknown Operation", AWS_UNSUPPORTED },
	{ "ValidationException", "UnknownOperation", AWS_UNSUPPORTED },
	{ "", "organization must first enable", AWS_NOT_ENABLED },
	{ "", "security token included in the request is expired", AWS_CREDS_EXPIRED },
	{ "ValidationError", "does not exist", AWS_NOT_FOUND },
};

/* Most telling noun first: an explicit deny names the policy it stands in. */
static const struct {
	const char *says;
	const char *cause;
} CAUSES[] = {
	{ "service control policy", "scp" },
	{ "resource control policy", "rcp" },
	{ "permissions boundary", "boundary" },
	{ "session policy", "session" },
	{ "VPC endpoint policy", "vpc_endpoint" },
	{ "no resource-based policy allows", "resource" },
	{ "explicit deny in a resource-based policy", "resource" },
	{ "explicit deny", "explicit" },
	{ "no identity-based policy allows", "implicit" },
};

static bool has_nocase(const char *text, const char *needle)
{
	return strcasestr(text, needle) != NULL;
}

static enum aws_class by_status(int status)
{
	if (status == 429)
		return AWS_THROTTLED;
	if (status == 408 || status >= 500)
		return AWS_TRANSIENT;
	if (status == 401 || status == 403 || status == 405)
		return AWS_DENIED;
	if (status >= 200 && status < 300)
		return AWS_TRANSIENT;
	return AWS_BAD_REQUEST;
}

static bool by_code(const char *code, enum aws_class *ret)
{
	for (size_t i = 0; i < COUNT_OF(CODES); i++) {
		if (strcmp(CODES[i].code, code) != 0)
			continue;
		*ret = CODES[i].class;
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(FAMILIES); i++) {
		struct str c = str_c(code);

		if (!str_starts(c, str_c(FAMILIES[i].starts)) ||
		    !str_has(c, str_c(FAMILIES[i].has)))
			continue;
		*ret = FAMILIES[i].class;
		return true;
	}
	return false;
}

enum aws_class classify(int status, const char *code, const char *message)
{
	enum aws_class class;

	for (size_t i = 0; i < COUNT_OF(MESSAGES); i++) {
		if (*MESSAGES[i].code != '\0' && strcmp(MESSAGES[i].code, code) != 0)
			continue;
		if (has_nocase(message, MESSAGES[i].says))
			return MESSAGES[i].class;
	}
	if (by_code(code, &class))
		return class;
	/* A page that is not an API's: nothing answers to this service here. */
	if (status == 404)
		return *code == '\0' ? AWS_UNSUPPORTED : AWS_NOT_FOUND;
	return by_status(status);
}

const char *classify_cause(const char *message)
{
	for (size_t i = 0; i < COUNT_OF(CAUSES); i++)
		if (has_nocase(message, CAUSES[i].says))
			return CAUSES[i].cause;
	return "";
}

bool classify_is_skew(const char *code, const char *message)
{
	return strcmp(code, "RequestTimeTooSkewed") == 0 || strcmp(code, "RequestExpired") == 0 ||
	       strcmp(code, "RequestInTheFuture") == 0 ||
	       has_nocase(message, "Signature expired") ||
	       has_nocase(message, "Signature not yet current");
}
