/* Sessions of a connection. A stored secret is opened here, for as long as it takes to hand it to the AWS client's guarded
 * memory, and nowhere else. Never calls AWS but for GetCallerIdentity. */
#include "workers/sync/session.h"
#include "aws/sts.h"
#include "base/awsname.h"
#include "base/mem.h"
#include "workers/own_account.h"

#include <stdio.h>

/* NotAction in the Deny says "every write" in one line; the data-plane reads are named so that widening the reads above
 * them cannot let one in. */
#define SESSION_POLICY_TEXT                                                                        \
	"{\"Version\":\"2012-10-17\",\"Statement\":["                                              \
	"{\"Sid\":\"Read\",\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":["                   \
	"\"iam:Get*\",\"iam:List*\",\"iam:GenerateCredentialReport\",\"ec2:DescribeRegions\","     \
	"\"account:ListRegions\",\"sts:GetCallerIdentity\"]},"                                     \
	"{\"Sid\":\"NothingElse\",\"Effect\":\"Deny\",\"Resource\":\"*\",\"NotAction\":["          \
	"\"iam:Get*\",\"iam:List*\",\"iam:GenerateCredentialReport\",\"ec2:DescribeRegions\","     \
	"\"account:ListRegions\",\"sts:GetCallerIdentity\"]},"                                     \
	"{\"Sid\":\"NoData\",\"Effect\":\"Deny\",\"Resource\":\"*\",\"Action\":["                  \
	"\"secretsmanager:GetSecretValue\",\"secretsmanager:BatchGetSecretValue\",\"s3:GetObject*" \
	"\","                                                                                      \
	"\"dynamodb:GetItem\",\"dynamodb:BatchGetItem\",\"dynamodb:Query\",\"dynamodb:Scan\","     \
	"\"dynamodb:PartiQL*\",\"dynamodb:GetRecords\",\"ssm:GetParameter*\",\"lambda:"            \
	"GetFunction\","                                                                           \
	"\"lambda:Invoke*\",\"kms:Decrypt\",\"sqs:ReceiveMessage\",\"kinesis:GetRecords\","        \
	"\"sts:AssumeRole*\",\"sts:GetSessionToken\",\"sts:GetFederationToken\"]}]}"

_Static_assert(sizeof(SESSION_POLICY_TEXT) <= SESSION_POLICY_MAX + 1,
	       "STS takes at most 2048 characters");
const char *const SESSION_POLICY = SESSION_POLICY_TEXT;

#define SESSION_CHECK_ACTIONS                                                                      \
	"[\"iam:Get*\",\"iam:List*\",\"iam:GenerateCredentialReport\","                            \
	"\"iam:SimulatePrincipalPolicy\",\"ec2:DescribeRegions\",\"account:ListRegions\","         \
	"\"sso:ListInstances\",\"sso:ListPermissionSets\",\"sts:GetCallerIdentity\"]"
#define SESSION_CHECK_TEXT                                                                         \
	"{\"Version\":\"2012-10-17\",\"Statement\":["                                              \
	"{\"Sid\":\"Read\",\"Effect\":\"Allow\",\"Resource\":\"*\","                               \
	"\"Action\":" SESSION_CHECK_ACTIONS "},"                                                   \
	"{\"Sid\":\"NothingElse\",\"Effect\":\"Deny\",\"Resource\":\"*\","                         \
	"\"NotAction\":" SESSION_CHECK_ACTIONS "}]}"

_Static_assert(sizeof(SESSION_CHECK_TEXT) <= SESSION_POLICY_MAX + 1,
	       "STS takes at most 2048 characters");
const char *const SESSION_CHECK_POLICY = SESSION_CHECK_TEXT;

/* GetCallerIdentity is answered all the same: AWS lets nobody deny it. */
static const char PROBE_POLICY[] = "{\"Version\":\"2012-10-17\",\"Statement\":["
				   "{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}]}";

/* The last 8 digits: of a UUIDv7 the first ones are the time and hardly differ. */
static void short_id(struct id id, char out[9])
{
	char text[ID_UUID_TEXT];

	id_uuid(id, text);
	memcpy(out, text + ID_UUID_TEXT - 9, 9);
}

void session_name(struct id connection_id, struct id second, char out[SESSION_NAME_MAX])
{
	char first[9], last[9];

	short_id(connection_id, first);
	short_id(second, last);
	if (id_eq(second, (struct id){ { 0 } }))
		snprintf(out, SESSION_NAME_MAX, "connectord-%s", first);
	else
		snprintf(out, SESSION_NAME_MAX, "connectord-%s-%s", first, last);
}

bool session_is_own_account(const struct task_run *run, const struct connection_state *c)
{
	struct awsname_arn arn = { 0 };

	return awsname_arn_parse(str_c(c->role_arn), &arn) == RC_OK &&
	       aws_env_is_own_account(run->env->aws, arn.account);
}

/* The one door to other accounts' roles. */
static enum rc role_session(const struct task_run *run, const struct connection_state *c,
			    const char *external_id, const char *policy, int duration_s,
			    struct aws_session **ret, struct err *err)
{
	char name[SESSION_NAME_MAX];
	enum rc rc = own_account_ready(run, c->region, err);

	if (rc != RC_OK)
		return rc;
	if (session_is_own_account(run, c))
		return err_set(err, RC_DENIED, "own_account",
			       "The role lies in the account that runs connectord; such a role is "
			       "never assumed.");
	session_name(c->connection_id, run->task->sync_id, name);
	*ret = aws_session_role(run->env->aws, run->env->base,
				&(struct aws_role){ .role_arn = c->role_arn,
						    .external_id = external_id,
						    .session_name = name,
						    .session_policy = policy,
						    .region = c->region,
						    .duration_s = duration_s });
	return RC_OK;
}

/* seal_open's codes in words for the person who owns the connection. */
static enum rc seal_problem(enum rc rc, const struct err *own, struct err *err)
{
	if (rc == RC_NOT_FOUND)
		return err_set(err, RC_DENIED, "sealing_key_unknown",
			       "The secret access key was sealed to a key that this worker does "
			       "not have; give the worker"
			       " the seal.key that belongs to the server's seal.pub. The stored "
			       "secret is kept.");
	return err_set(err, RC_DENIED, "secret_damaged",
		       "The stored secret access key cannot be opened (%s); store the secret "
		       "access key again. Nothing"
		       " else of the connection is lost.",
		       own->text);
}

static enum rc key_session(const struct task_run *run, const struct connection_state *c,
			   struct aws_session **ret, struct err *err)
{
	AUTO(secret) struct secret *secret = NULL;
	struct err own = { 0 };
	char org[ID_UUID_TEXT] = "", connection[ID_UUID_TEXT] = "";
	const struct seal_place place = { .org_id = str_n(org, ID_UUID_TEXT - 1),
					  .connection_id = str_n(connection, ID_UUID_TEXT - 1),
					  .field = S("secret_access_key") };
	enum rc rc;

	if (!run->env->keyring)
		return err_set(
			err, RC_DENIED, "sealing_key_missing",
			"The worker has no sealing key, so it cannot open the stored secret access "
			"key; set"
			" CONNECTORD_SEAL_KEY_FILE for the worker. The stored secret is kept.");
	id_uuid(c->org_id, org);
	id_uuid(c->connection_id, connection);
	rc = sealfile_open(run->env->keyring, &place,
			   str_n(c->sealed ? c->sealed : "", c->sealed_n), &secret, &own);
	if (rc != RC_OK)
		return seal_problem(rc, &own, err);
	*ret = aws_session_keys(run->env->aws, str_c(c->access_key_id), secret_str(secret));
	return RC_OK;
}

static enum rc open_with(const struct task_run *run, const struct connection_state *c,
			 const char *policy, struct aws_session **ret, struct err *err)
{
	char org[ID_UUID_TEXT];

	if (strcmp(c->auth_method, "access_key") == 0)
		return key_session(run, c, ret, err);
	id_uuid(c->org_id, org);
	return role_session(run, c, org, policy, SESSION_DURATION_S, ret, err);
}

enum rc session_open(const struct task_run *run, const struct connection_state *c,
		     struct aws_session **ret, struct err *err)
{
	return open_with(run, c, SESSION_POLICY, ret, err);
}

enum rc session_open_check(const struct task_run *run, const struct connection_state *c,
			   struct aws_session **ret, struct err *err)
{
	return open_with(run, c, SESSION_CHECK_POLICY, ret, err);
}

enum rc session_probe(const struct task_run *run, const struct connection_state *c,
		      const char *external_id, struct aws_session **ret, struct err *err)
{
	return role_session(run, c, external_id, PROBE_POLICY, SESSION_PROBE_S, ret, err);
}

enum rc session_look(const struct task_run *run, const struct connection_state *c,
		     struct aws_session **ret, struct err *err)
{
	AUTO_JSON json_t *policy =
		json_pack("{s:s, s:[{s:s, s:s, s:s}]}", "Version", "2012-10-17", "Statement",
			  "Effect", "Allow", "Action", "iam:GetRole", "Resource", c->role_arn);
	AUTO_TEXT char *text = json_text(policy);
	char org[ID_UUID_TEXT];

	id_uuid(c->org_id, org);
	return role_session(run, c, org, text, SESSION_PROBE_S, ret, err);
}

enum rc session_identify(const struct task_run *run, const struct connection_state *c,
			 struct aws_session *session, struct session_identity *ret,
			 struct aws_fault *fault, struct aws_tally *tally, struct err *err)
{
	AUTO_JSON json_t *reply = NULL;
	struct awsname_arn arn = { 0 };
	struct str account;
	const struct aws_target target = { .session = session,
					   .account = c->pinned_account_id[0] ? c->pinned_account_id
									      : c->aws_account_id,
					   .region = c->region,
					   .home_region = c->region };
	enum rc rc = aws_call(run->client, &target, &STS_GET_CALLER_IDENTITY, NULL, &reply, fault,
			      tally, err);

	if (rc != RC_OK)
		return rc;
	account = json_str(reply, "Account");
	if (!awsname_is_account(account) ||
	    awsname_arn_parse(json_str(reply, "Arn"), &arn) != RC_OK)
		return err_set(
			err, RC_RETRY, "identity_unreadable",
			"AWS STS answered GetCallerIdentity without a usable account and ARN");
	if (json_str(reply, "Arn").n < sizeof(ret->arn))
		snprintf(ret->arn, sizeof(ret->arn), "%.*s", STR_FMT(json_str(reply, "Arn")));
	snprintf(ret->account, sizeof(ret->account), "%.*s", STR_FMT(account));
	snprintf(ret->partition, sizeof(ret->partition), "%.*s", STR_FMT(arn.partition));
	return RC_OK;
}
