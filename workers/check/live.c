/* The cheapest call of each action that the client can make: a listing of one item, or a question about something that cannot
 * exist, where "no such thing" is the answer of somebody who may ask. Never reads more than that, and never writes. */
#include "workers/check/live.h"
#include "aws/account.h"
#include "aws/ec2.h"
#include "aws/iam.h"
#include "aws/sso.h"
#include "base/clock.h"

#include <stdio.h>

#define NOBODY "no.such.name.connectord.check"

struct param {
	const char *name, *value;
	const char *arn; /* value is the resource of an ARN of this service in the account */
};

static const struct call {
	const struct aws_op *op;
	struct param params[2];
	bool vague; /* its refusal may be about the thing that does not exist */
} CALLS[] = {
	{ &IAM_GET_ACCOUNT_AUTHORIZATION_DETAILS, { { "MaxItems", "1" } } },
	{ &IAM_GET_ACCOUNT_SUMMARY, { { NULL } } },
	{ &IAM_GET_ACCOUNT_PASSWORD_POLICY, { { NULL } } },
	{ &IAM_LIST_ACCOUNT_ALIASES, { { "MaxItems", "1" } } },
	{ &IAM_LIST_USERS, { { "MaxItems", "1" } } },
	{ &IAM_GET_USER, { { "UserName", NOBODY } } },
	{ &IAM_LIST_GROUPS, { { "MaxItems", "1" } } },
	{ &IAM_GET_GROUP, { { "GroupName", NOBODY } } },
	{ &IAM_LIST_ROLES, { { "MaxItems", "1" } } },
	{ &IAM_GET_ROLE, { { "RoleName", NOBODY } } },
	{ &IAM_LIST_POLICIES, { { "MaxItems", "1" } } },
	{ &IAM_GET_POLICY_VERSION,
	  { { "PolicyArn", "policy/" NOBODY, "iam" }, { "VersionId", "v1" } } },
	{ &IAM_LIST_POLICY_VERSIONS, { { "PolicyArn", "policy/" NOBODY, "iam" } } },
	{ &IAM_LIST_USER_POLICIES, { { "UserName", NOBODY } } },
	{ &IAM_GET_USER_POLICY, { { "UserName", NOBODY }, { "PolicyName", NOBODY } } },
	{ &IAM_LIST_ATTACHED_USER_POLICIES, { { "UserName", NOBODY } } },
	{ &IAM_LIST_GROUP_POLICIES, { { "GroupName", NOBODY } } },
	{ &IAM_GET_GROUP_POLICY, { { "GroupName", NOBODY }, { "PolicyName", NOBODY } } },
	{ &IAM_LIST_ATTACHED_GROUP_POLICIES, { { "GroupName", NOBODY } } },
	{ &IAM_LIST_ROLE_POLICIES, { { "RoleName", NOBODY } } },
	{ &IAM_GET_ROLE_POLICY, { { "RoleName", NOBODY }, { "PolicyName", NOBODY } } },
	{ &IAM_LIST_ATTACHED_ROLE_POLICIES, { { "RoleName", NOBODY } } },
	{ &IAM_LIST_ACCESS_KEYS, { { "UserName", NOBODY } } },
	{ &IAM_GET_ACCESS_KEY_LAST_USED, { { "AccessKeyId", "AKIACONNECTORDCHECK0" } }, true },
	{ &IAM_LIST_MFA_DEVICES, { { "UserName", NOBODY } } },
	{ &IAM_LIST_VIRTUAL_MFA_DEVICES, { { "MaxItems", "1" } } },
	{ &IAM_LIST_INSTANCE_PROFILES, { { "MaxItems", "1" } } },
	{ &IAM_LIST_SAML_PROVIDERS, { { NULL } } },
	{ &IAM_GET_SAML_PROVIDER, { { "SAMLProviderArn", "saml-provider/" NOBODY, "iam" } } },
	{ &IAM_LIST_OIDC_PROVIDERS, { { NULL } } },
	{ &IAM_GET_OIDC_PROVIDER,
	  { { "OpenIDConnectProviderArn", "oidc-provider/" NOBODY, "iam" } } },
	{ &IAM_GENERATE_CREDENTIAL_REPORT, { { NULL } } },
	{ &IAM_GET_CREDENTIAL_REPORT, { { NULL } } },
	{ &EC2_DESCRIBE_REGIONS, { { NULL } } },
	{ &ACCOUNT_LIST_REGIONS, { { NULL } } },
};

static const char CENTER[] = "identity_center";

struct live {
	const struct live_target *t;
	struct answers *a;
	bool over; /* nothing that follows would be answered */
};

static json_t *params_of(const struct live *l, const struct call *call)
{
	json_t *params = json_object();

	for (size_t i = 0; i < COUNT_OF(call->params) && call->params[i].name; i++) {
		const struct param *p = &call->params[i];
		json_t *value = p->arn ? json_sprintf("arn:%s:%s::%s:%s", l->t->partition, p->arn,
						      l->t->account, p->value)
				       : json_string(p->value);

		json_object_set_new(params, p->name, value);
	}
	return params;
}

/* *ret: the reply, or NULL. RC_OK unless we failed ourselves. */
static enum rc call_once(struct live *l, const struct aws_op *op, const json_t *params,
			 json_t **ret, struct aws_fault *fault, struct err *err)
{
	struct err own = { 0 };
	enum rc rc;

	*fault = (struct aws_fault){ .class = AWS_OK };
	rc = aws_call(l->t->client, l->t->aws, op, params, ret, fault, l->t->tally, &own);
	if (rc != RC_OK && fault->class == AWS_OK)
		return err_set(err, own.rc, own.code, "%s", own.text);
	l->over = fault->class == AWS_CANCELED || fault->class == AWS_CREDS_INVALID ||
		  fault->class == AWS_CREDS_EXPIRED || clock_mono() > l->t->until;
	return RC_OK;
}

static enum rc try_call(struct live *l, const struct call *call, struct err *err)
{
	AUTO_JSON json_t *params = params_of(l, call);
	AUTO_JSON json_t *reply = NULL;
	struct aws_fault fault;
	enum rc rc = call_once(l, call->op, params, &reply, &fault, err);

	if (rc == RC_OK && !(call->vague && fault.class == AWS_DENIED))
		answers_fault(l->a, call->op->iam_action, &fault);
	return rc;
}

/* Only who owns the instance, or administers it for the owner, may read it. */
static enum rc whose_instance(struct live *l, const json_t *instance, struct err *err)
{
	AUTO_JSON json_t *params = json_object();
	AUTO_JSON json_t *reply = NULL;
	struct str owner = json_str(instance, "OwnerAccountId");
	bool ours = str_eq(owner, str_c(l->t->account));
	struct aws_fault fault;
	char text[ANSWERS_TEXT_MAX];
	enum rc rc;

	json_set_text(params, "InstanceArn", json_str(instance, "InstanceArn"));
	json_object_set_new(params, "MaxResults", json_integer(1));
	rc = call_once(l, &SSO_LIST_PERMISSION_SETS, params, &reply, &fault, err);
	if (rc != RC_OK)
		return rc;
	if (!ours && fault.class == AWS_DENIED) {
		(void)snprintf(text, sizeof(text),
			       "IAM Identity Center is read through account %.12s, which owns the "
			       "instance, or through its delegated administrator; this account is "
			       "neither, or may not list permission sets.",
			       owner.n > 0 ? owner.p : "");
		answers_drop(l->a, CENTER, text);
		return RC_OK;
	}
	if (ours || fault.class == AWS_OK)
		answers_require(l->a, CENTER);
	answers_fault(l->a, SSO_LIST_PERMISSION_SETS.iam_action, &fault);
	return RC_OK;
}

static enum rc identity_center(struct live *l, struct err *err)
{
	AUTO_JSON json_t *reply = NULL;
	const char *action = SSO_LIST_INSTANCES.iam_action;
	struct aws_fault fault;
	const json_t *instance;
	char text[ANSWERS_TEXT_MAX];
	enum rc rc;

	if (!answers_want(l->a, action) || l->over)
		return RC_OK;
	rc = call_once(l, &SSO_LIST_INSTANCES, NULL, &reply, &fault, err);
	if (rc != RC_OK)
		return rc;
	answers_fault(l->a, action, &fault);
	instance = json_array_get(json_object_get(reply, "Instances"), 0);
	if (instance)
		return whose_instance(l, instance, err);
	if (fault.class == AWS_OK || fault.class == AWS_UNSUPPORTED) {
		(void)snprintf(text, sizeof(text),
			       "No instance of IAM Identity Center is visible in %s.",
			       l->t->aws->region);
		answers_drop(l->a, CENTER, text);
	}
	return RC_OK;
}

enum rc live_all(const struct live_target *t, struct answers *a, struct err *err)
{
	struct live l = { .t = t, .a = a };
	enum rc rc = identity_center(&l, err);

	for (size_t i = 0; rc == RC_OK && !l.over && i < COUNT_OF(CALLS); i++)
		if (answers_want(a, CALLS[i].op->iam_action))
			rc = try_call(&l, &CALLS[i], err);
	return rc;
}
