/* Reads the trust policy of the role that we assume, by iam:GetRole on the role itself in a session that may do nothing else. Never
 * refuses anybody: what it finds is a warning, and what it cannot read is not known. */
#include "workers/look.h"
#include "aws/iam.h"
#include "base/awsname.h"
#include "base/clock.h"
#include "base/text.h"
#include "workers/probe.h"
#include "workers/sync/policy.h"

#include <stdio.h>

enum { LOOK_PATIENCE_S = 20 }; /* there is a verdict without it as well */

static const struct finding {
	enum sharing_kind kind;
	const char *code, *text;
} FINDINGS[] = {
	{ SHARING_OTHERS, "external_id_shared",
	  "Verified, but the role's trust policy lets our account in with other external IDs, too, "
	  "so whoever has one of those reaches the role through us. Let it demand your "
	  "organization "
	  "ID alone." },
	{ SHARING_INEXACT, "external_id_inexact",
	  "Verified, but the role's trust policy also takes external IDs that only resemble yours, "
	  "by a pattern or in another case. Let it demand exactly your organization ID, by "
	  "StringEquals." },
};

static bool is_our_account(void *probe, struct str account)
{
	const struct probe *p = probe;

	return aws_env_is_own_account(p->run->env->aws, account);
}

/* False: it is no policy, or none that can be read. */
static bool judge_document(struct probe *p, struct str encoded)
{
	AUTO(buf) struct buf text = BUF_INIT(POLICY_BYTES_MAX);
	AUTO(policy) struct policy document = { .malformed = true };
	char org[ID_UUID_TEXT];

	id_uuid(p->c->org_id, org);
	if (text_percent_decode(&text, encoded) == RC_OK)
		policy_parse(buf_str(&text), &document);
	if (document.malformed)
		return false;
	sharing_judge(
		document.json,
		&(struct sharing_caller){ .external_id = org, .is_ours = is_our_account, .arg = p },
		&p->sharing);
	return true;
}

static enum rc get_role(struct probe *p, json_t **ret, struct aws_fault *fault, struct err *err)
{
	AUTO(aws_session) struct aws_session *session = NULL;
	AUTO_JSON json_t *params = json_object();
	struct awsname_arn arn = { 0 };
	enum rc rc = awsname_role_check(str_c(p->c->role_arn), &arn, err);
	struct str name = arn.resource;

	while (str_has(name, S("/")))
		(void)str_cut(&name, '/');
	json_set_text(params, "RoleName", name);
	if (rc == RC_OK)
		rc = session_look(p->run, p->c, &session, err);
	if (rc != RC_OK)
		return rc;

	const struct aws_target target = { .session = session,
					   .account = p->identity.account,
					   .region = p->c->region,
					   .home_region = p->c->region };

	return aws_call(p->run->client, &target, &IAM_GET_ROLE, params, ret, fault, &p->tally, err);
}

static void find(struct probe *p, const struct finding *finding)
{
	snprintf(p->code, sizeof(p->code), "%s", finding->code);
	snprintf(p->text, sizeof(p->text), "%s", finding->text);
}

/* What an earlier look found stands until one finds otherwise. */
static bool is_known(const struct connection_state *c, const struct finding *finding)
{
	return strcmp(c->verify_state, "verified") == 0 &&
	       strcmp(c->verify_code, finding->code) == 0;
}

static void conclude(struct probe *p)
{
	for (size_t i = 0; i < COUNT_OF(FINDINGS); i++)
		if (p->looked ? p->sharing.kind == FINDINGS[i].kind : is_known(p->c, &FINDINGS[i]))
			find(p, &FINDINGS[i]);
}

/* No probe can find an ID that somebody else was given: only the policy tells. That it cannot be read refuses nobody. */
void look_at_trust(struct probe *p)
{
	AUTO_JSON json_t *reply = NULL;
	struct aws_fault fault = { .class = AWS_OK };
	struct err own = { 0 };
	int64_t until = clock_mono() + LOOK_PATIENCE_S * CLOCK_S;
	enum rc rc;

	if (until < p->until)
		p->until = until;
	rc = get_role(p, &reply, &fault, &own);
	p->looked = rc == RC_OK && judge_document(p, json_str(json_object_get(reply, "Role"),
							      "AssumeRolePolicyDocument"));
	conclude(p);
	if (p->looked)
		snprintf(p->sharing_text, sizeof(p->sharing_text), "%s",
			 p->code[0] ? p->text
				    : "The role's trust policy lets our account in with your "
				      "organization ID alone.");
	else if (fault.class == AWS_DENIED)
		snprintf(p->sharing_text, sizeof(p->sharing_text),
			 "Whether the role's trust policy takes other external IDs, too, is not "
			 "known, because AWS denies iam:GetRole on it. Allow it to find out.");
	else
		snprintf(p->sharing_text, sizeof(p->sharing_text),
			 "Whether the role's trust policy takes other external IDs, too, is not "
			 "known: AWS gave no answer about it (%.80s).",
			 fault.class != AWS_OK ? fault.code
			 : rc != RC_OK         ? own.code
					       : "unreadable");
}
