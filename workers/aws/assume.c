/* The one place that gets credentials of other accounts. */
#include "workers/aws/assume.h"
#include "aws/sts.h"
#include "base/awsname.h"
#include "base/mem.h"
#include "workers/aws/aws_env.h"
#include <stdio.h>

enum { DURATION_S = 3600 };

void assume_free(struct assume *a)
{
	if (a == NULL)
		return;
	mem_free(a->role_arn);
	mem_free(a->external_id);
	mem_free(a->session_name);
	mem_free(a->session_policy);
	mem_free(a->region);
	mem_free(a->account);
	mem_free(a);
}

static char *copy_or_null(const char *c)
{
	return c == NULL ? NULL : mem_copy(c);
}

struct assume *assume_new(const struct aws_role *role, const char *signing_account)
{
	struct assume *a = MEM_NEW(struct assume);

	a->role_arn = mem_copy(role->role_arn);
	a->external_id = copy_or_null(role->external_id);
	a->session_name = mem_copy(role->session_name);
	a->session_policy = copy_or_null(role->session_policy);
	a->region = mem_copy(role->region);
	a->account = mem_copy(signing_account);
	a->duration_s = role->duration_s > 0 ? role->duration_s : DURATION_S;
	return a;
}

static enum rc refuse(struct aws_fault *fault, enum aws_class class, const char *code,
		      const char *message, struct err *err)
{
	*fault = (struct aws_fault){ .class = class, .op = &STS_ASSUME_ROLE };
	snprintf(fault->code, sizeof(fault->code), "%s", code);
	snprintf(fault->message, sizeof(fault->message), "%s", message);
	return err_set(err, aws_class_rc(class), code, "AssumeRole: %s", message);
}

static json_t *params_of(const struct assume *a)
{
	json_t *p = json_object();

	json_object_set_new(p, "RoleArn", json_string(a->role_arn));
	json_object_set_new(p, "RoleSessionName", json_string(a->session_name));
	json_object_set_new(p, "DurationSeconds", json_integer(a->duration_s));
	if (a->external_id != NULL)
		json_object_set_new(p, "ExternalId", json_string(a->external_id));
	if (a->session_policy != NULL)
		json_object_set_new(p, "Policy", json_string(a->session_policy));
	return p;
}

enum rc assume_read(const char *role_arn, struct aws_env *env, const json_t *reply,
		    struct creds **ret, struct aws_fault *fault, struct err *err)
{
	const json_t *c = json_object_get(reply, "Credentials");
	struct str arn = json_str(json_object_get(reply, "AssumedRoleUser"), "Arn");
	struct awsname_arn asked, got;
	struct err why = { 0 };
	AUTO(creds) struct creds *creds = NULL;
	enum rc rc = creds_read(c, "SessionToken", aws_env_wall(env), &creds, &why);

	creds_wipe(c);
	if (rc != RC_OK)
		return refuse(fault, AWS_TRANSIENT, why.code, why.text, err);
	if (awsname_arn_parse(str_c(role_arn), &asked) != RC_OK ||
	    awsname_arn_parse(arn, &got) != RC_OK || !str_eq(asked.account, got.account) ||
	    !str_eq(asked.partition, got.partition))
		return refuse(fault, AWS_BAD_REQUEST, "other_account",
			      "the session is of another account than the role", err);
	*ret = TAKE(creds);
	return RC_OK;
}

enum rc assume_call(const struct assume *a, struct aws_env *env, struct aws_session *via,
		    struct aws_client *client, struct creds **ret, struct aws_fault *fault,
		    struct err *err)
{
	const struct aws_target target = { via, a->account, a->region, a->region };
	AUTO_JSON json_t *params = NULL;
	AUTO_JSON json_t *reply = NULL;
	struct awsname_arn arn;
	struct err why = { 0 };
	enum rc rc;

	if (awsname_role_check(str_c(a->role_arn), &arn, &why) != RC_OK)
		return refuse(fault, AWS_BAD_REQUEST, why.code, why.text, err);
	if (!a->ours && aws_env_is_own_account(env, arn.account))
		return refuse(fault, AWS_DENIED, "own_account_role",
			      "the role is in an account of the operator's own; such roles are "
			      "never assumed",
			      err);
	params = params_of(a);
	rc = aws_call(client, &target, &STS_ASSUME_ROLE, params, &reply, fault, NULL, err);
	if (rc != RC_OK)
		return rc;
	return assume_read(a->role_arn, env, reply, ret, fault, err);
}
