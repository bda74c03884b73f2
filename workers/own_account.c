/* Our own side of assuming roles. Learned when a worker starts or, if AWS was away then, by the first work that needs it:
 * until then no role is assumed, for it could be one of our own. Never says to a customer what only the operator may know. */
#include "workers/own_account.h"
#include "aws/sts.h"
#include "base/log.h"

#include <stdio.h>

static enum rc ask(const struct worker_env *env, struct aws_client *client, const char *region,
		   char ret_account[VENDOR_ACCOUNT_MAX], struct aws_fault *fault, struct err *err)
{
	AUTO_JSON json_t *reply = NULL;
	struct aws_tally tally = { 0 };
	const struct aws_target target = {
		.session = env->base, .account = "base", .region = region, .home_region = region
	};
	enum rc rc = aws_call(client, &target, &STS_GET_CALLER_IDENTITY, NULL, &reply, fault,
			      &tally, err);

	if (rc == RC_OK)
		snprintf(ret_account, VENDOR_ACCOUNT_MAX, "%.*s",
			 STR_FMT(json_str(reply, "Account")));
	return rc;
}

/* The database first: what is known here is then known to the server, too. */
enum rc own_account_learn(const struct worker_env *env, struct aws_client *client, struct db *db,
			  const char *region, char ret_account[VENDOR_ACCOUNT_MAX],
			  struct aws_fault *fault, struct err *err)
{
	enum rc rc = ask(env, client, region, ret_account, fault, err);

	if (rc == RC_OK)
		rc = vendor_store(db, ret_account, err);
	return rc == RC_OK ? aws_env_own_account(env->aws, str_c(ret_account), err) : rc;
}

bool own_account_is_refusal(const struct aws_fault *fault)
{
	return fault->http_status != 0 &&
	       (fault->class == AWS_CREDS_INVALID || fault->class == AWS_CREDS_EXPIRED);
}

static enum rc refused(struct err *err)
{
	return err_set(err, RC_DENIED, "base_identity_refused",
		       "AWS refuses connectord's own AWS identity; its operator must renew it or "
		       "set the clock of its host. Nothing was changed.");
}

static enum rc missing(struct err *err)
{
	return err_set(err, RC_DENIED, "base_identity_missing",
		       "connectord has no AWS identity of its own right now; its operator "
		       "must configure one. Nothing was changed.");
}

/* Why there are no credentials of our own to sign with. Whatever the operator has to mend is "missing" to a customer. */
static enum rc without(const struct aws_fault *fault, struct err *err)
{
	if (fault->class == AWS_CANCELED || fault->class == AWS_TRANSIENT ||
	    fault->class == AWS_THROTTLED)
		return err_set(err, RC_RETRY, "base_identity_unavailable",
			       "connectord's own AWS identity cannot be renewed at the moment, "
			       "and it signs nothing with one that has ended; it tries again by "
			       "itself. Nothing was changed.");
	return own_account_is_refusal(fault) || fault->class == AWS_DENIED ? refused(err)
									   : missing(err);
}

enum rc own_account_ready(const struct task_run *run, const char *region, struct err *err)
{
	const struct worker_env *env = run->env;
	struct aws_fault fault = { .class = AWS_OK };
	struct err own = { 0 };
	char account[VENDOR_ACCOUNT_MAX];

	if (!env->base)
		return missing(err);
	if (aws_session_warm(env->base, run->client, &fault, &own) != RC_OK)
		return without(&fault, err);
	if (aws_env_knows_own_account(env->aws) ||
	    own_account_learn(env, run->client, run->db, region, account, &fault, &own) == RC_OK)
		return RC_OK;
	log_error("vendor_account_unknown", &own);
	if (own_account_is_refusal(&fault))
		return refused(err);
	return err_set(err, RC_RETRY, "vendor_account_unknown",
		       "connectord does not know yet which AWS account is its own, and assumes no "
		       "role before it does; should this last, its operator must see why AWS STS "
		       "cannot be asked. Nothing was changed.");
}

/* Where AWS tells why, it names a policy. Of the role's own policies it tells a stranger nothing, or calls them
 * resource-based; every other one binds the caller, which is us. */
static bool is_by_our_policies(const struct aws_fault *fault)
{
	static const char *const OURS[] = { "implicit", "explicit", "scp",
					    "boundary", "session",  "vpc_endpoint" };

	for (size_t i = 0; i < COUNT_OF(OURS); i++)
		if (strcmp(fault->deny_cause, OURS[i]) == 0)
			return fault->class == AWS_DENIED;
	return false;
}

/* What AWS says of the session policy and the tags that go with a request, of which the customer gave none. */
static enum rc session_refused(const struct aws_fault *fault, struct err *err)
{
	if (strcmp(fault->code, "PackedPolicyTooLarge") == 0 ||
	    strcmp(fault->code, "PackedPolicyTooLargeException") == 0)
		return err_set(err, RC_DENIED, "session_policy_too_large",
			       "AWS finds the session policy and the session tags that connectord "
			       "brings along too large together; its operator must give "
			       "connectord's own AWS identity fewer or shorter session tags. "
			       "Nothing was changed.");
	if (strcmp(fault->code, "MalformedPolicyDocument") == 0 ||
	    strcmp(fault->code, "MalformedPolicyDocumentException") == 0)
		return err_set(err, RC_DENIED, "session_policy_malformed",
			       "AWS does not accept the session policy that connectord brings "
			       "along; its operator must install a version of connectord whose "
			       "policy it accepts. Nothing was changed.");
	return RC_OK;
}

enum rc own_account_blame(const struct aws_fault *fault, struct err *err)
{
	if (own_account_is_refusal(fault))
		return refused(err);
	if (fault->class == AWS_CREDS_INVALID)
		return missing(err);
	if (is_by_our_policies(fault))
		return err_set(err, RC_DENIED, "base_identity_denied",
			       "The policies on connectord's own AWS identity do not let it "
			       "assume the role; its operator must allow it sts:AssumeRole. "
			       "Nothing was changed.");
	return session_refused(fault, err);
}
