/* Words and sums that every caller of the client needs. */
#include "aws/aws.h"
#include "workers/aws/classify.h"
#include <assert.h>
#include <curl/curl.h>
#include <signal.h>

static const struct {
	const char *name;
	enum rc rc;
} CLASSES[] = {
	[AWS_OK] = { "ok", RC_OK },
	[AWS_DENIED] = { "denied", RC_DENIED },
	[AWS_CREDS_INVALID] = { "creds_invalid", RC_DENIED },
	[AWS_CREDS_EXPIRED] = { "creds_expired", RC_DENIED },
	[AWS_REGION_DISABLED] = { "region_disabled", RC_NOT_FOUND },
	[AWS_UNSUPPORTED] = { "unsupported", RC_NOT_FOUND },
	[AWS_NOT_ENABLED] = { "not_enabled", RC_NOT_FOUND },
	[AWS_NOT_FOUND] = { "not_found", RC_NOT_FOUND },
	[AWS_THROTTLED] = { "throttled", RC_RETRY },
	[AWS_TRANSIENT] = { "transient", RC_RETRY },
	[AWS_BAD_REQUEST] = { "bad_request", RC_INVALID },
	[AWS_PAGER] = { "pager", RC_LIMIT },
	[AWS_CANCELED] = { "canceled", RC_RETRY },
};

const char *aws_class_name(enum aws_class c)
{
	assert((size_t)c < COUNT_OF(CLASSES));
	return CLASSES[c].name;
}

enum rc aws_class_rc(enum aws_class c)
{
	assert((size_t)c < COUNT_OF(CLASSES));
	return CLASSES[c].rc;
}

void aws_tally_add(struct aws_tally *sum, const struct aws_tally *part)
{
	sum->calls += part->calls;
	sum->pages += part->pages;
	sum->throttles += part->throttles;
	sum->retries += part->retries;
}

bool aws_fault_is_skew(const struct aws_fault *fault)
{
	return classify_is_skew(fault->code, fault->message);
}

enum rc aws_fault_err(const struct aws_fault *fault, struct err *err)
{
	return err_set(err, aws_class_rc(fault->class), aws_class_name(fault->class),
		       "%s: %s%s%.250s%s%s%s", fault->op == NULL ? "AWS" : fault->op->action,
		       fault->code, fault->message[0] == '\0' ? "" : ": ", fault->message,
		       fault->request_id[0] == '\0' ? "" : " (request ", fault->request_id,
		       fault->request_id[0] == '\0' ? "" : ")");
}

void aws_setup(void)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

	assert(code == CURLE_OK);
	/* libcurl and OpenSSL may write to a closed connection; NOSIGNAL covers curl alone. */
	signal(SIGPIPE, SIG_IGN);
}
