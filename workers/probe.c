/* Tries a connection out. For a role: three probes, because a role that opens without the right external ID is open to every other
 * tenant of ours; nothing is done with what a probe yields before all have ended. Then GetCallerIdentity pins account and
 * partition, and the role's trust policy, where it may be read, says what else opens it. Never writes anything, and never takes
 * for an answer about the connection what is our own fault. */
#include "workers/probe.h"
#include "base/awsname.h"
#include "base/clock.h"
#include "base/json.h"
#include "workers/look.h"
#include "workers/own_account.h"

#include <stdio.h>

enum {
	PROBE_RETRY_MIN_S = 2,
	PROBE_RETRY_MAX_S = 60,
	PROBE_BLOCKED_RETRY_S =
		30,             /* a key or an identity of ours is missing: somebody has to act */
	PROBE_HTTP_ERROR = 400, /* from here on a status is AWS's own no */
};

static int backoff_s(const struct task_run *run)
{
	int shift = run->task->attempts < 6 ? run->task->attempts : 6;
	int s = PROBE_RETRY_MIN_S << (shift > 0 ? shift - 1 : 0);

	return s < PROBE_RETRY_MAX_S ? s : PROBE_RETRY_MAX_S;
}

static bool is_stopped(const struct task_run *run)
{
	return run->stop(run->stop_arg);
}

static bool is_over(void *probe)
{
	const struct probe *p = probe;

	return is_stopped(p->run) || clock_mono() > p->until;
}

static bool is_role(const struct probe *p)
{
	return strcmp(p->c->auth_method, "assume_role") == 0;
}

/* AWS may not know a new role everywhere: what it says about one is not the last word. */
static bool is_young(const struct probe *p)
{
	return p->c->age_s < p->run->env->new_role_grace_s;
}

static void conclude(struct probe *p, const char *state, const char *code, enum rc rc,
		     const char *text)
{
	p->v.state = state;
	p->rc = rc;
	snprintf(p->code, sizeof(p->code), "%s", code);
	snprintf(p->text, sizeof(p->text), "%s", text);
}

const char *probe_said(const struct aws_fault *fault)
{
	return fault->http_status >= PROBE_HTTP_ERROR && fault->message[0] ? fault->message
									   : fault->code;
}

/* No verdict: what was known about the connection stays, and the reason is noted beside it. */
static void unknown(struct probe *p, const char *what)
{
	char text[ERR_TEXT_MAX];
	bool away = p->fault.class == AWS_TRANSIENT || p->fault.class == AWS_THROTTLED ||
		    p->fault.class == AWS_CANCELED;

	snprintf(text, sizeof(text), "%s (%.200s). Nothing was changed; it is tried again.", what,
		 probe_said(&p->fault));
	conclude(p, NULL, away ? "aws_unreachable" : "check_inconclusive", RC_RETRY, text);
	p->run->retry_in_s = backoff_s(p->run);
}

/* Ours to fix: a missing key, identity or a damaged secret. The sentence goes to the connection, the data stays. What AWS
 * said about us is not the customer's. */
static void blocked(struct probe *p, const char *code, const char *text)
{
	p->fault = (struct aws_fault){ .class = AWS_OK };
	conclude(p, NULL, code, RC_RETRY, text);
	p->run->retry_in_s = PROBE_BLOCKED_RETRY_S;
}

static void not_assumable(struct probe *p)
{
	char text[ERR_TEXT_MAX];
	bool young = is_young(p);
	bool controlled = strcmp(p->fault.deny_cause, "rcp") == 0;

	snprintf(text, sizeof(text), "AWS does not let us assume the role (%.160s). %s",
		 probe_said(&p->fault),
		 controlled
			 ? "A resource control policy of its AWS Organization denies it; have it "
			   "except our account, then start a sync."
		 : young ? "A new role can take minutes to be known everywhere; it is tried again."
			 : "Check that the role exists, that it trusts our account, and that its "
			   "external ID is your"
			   " organization ID, then start a sync.");
	if (young) {
		conclude(p, "pending", "role_not_assumable", RC_RETRY, text);
		p->run->retry_in_s = backoff_s(p->run);
	} else {
		conclude(p, "refused", "role_not_assumable", RC_DENIED, text);
	}
}

/* NO_ANSWER: it was not about the role, and the check is concluded. */
enum answer { OPENS, DENIED, NO_ANSWER };

/* A status alone is anybody's, such as a gateway's on the way; AWS names its error. */
static bool is_denied_by_aws(const struct aws_fault *fault)
{
	return fault->class == AWS_DENIED && str_starts(str_c(fault->code), S("AccessDenied"));
}

static enum answer read_probe(struct probe *p)
{
	struct err why = { 0 };

	if (p->fault.class == AWS_OK)
		return OPENS;
	if (own_account_blame(&p->fault, &why) != RC_OK)
		blocked(p, why.code, why.text);
	else if (is_denied_by_aws(&p->fault))
		return DENIED;
	else
		unknown(p, "AWS STS gave no answer about the role");
	return NO_ANSWER;
}

/* Assumes the role this way and does nothing with it. */
static enum rc try_role(struct probe *p, enum probe_step step, const char *external_id,
			struct aws_session **ret, enum answer *ret_answer, struct err *err)
{
	struct err own = { 0 };
	enum rc rc = session_probe(p->run, p->c, external_id, ret, err);

	if (rc != RC_OK)
		return rc;
	p->fault = (struct aws_fault){ .class = AWS_OK };
	rc = aws_session_warm(*ret, p->run->client, &p->fault, &own);
	if (rc != RC_OK && p->fault.class == AWS_OK)
		return err_set(err, own.rc, own.code, "%s", own.text);
	p->tries[step] = (struct probe_try){ .tried = true, .fault = p->fault };
	*ret_answer = read_probe(p);
	return RC_OK;
}

/* Whether the role opens to others than us: *ret_answer. Their credentials go unused. */
static enum rc probe_others(struct probe *p, enum answer *ret_answer, struct err *err)
{
	struct id random = id_random();
	char wrong[ID_UUID_TEXT];
	const struct {
		enum probe_step step;
		const char *external_id;
	} tries[] = { { PROBE_NONE, NULL }, { PROBE_RANDOM, wrong } };

	*ret_answer = DENIED;
	id_uuid(random, wrong);
	for (size_t i = 0; i < COUNT_OF(tries) && *ret_answer == DENIED; i++) {
		AUTO(aws_session) struct aws_session *session = NULL;
		enum rc rc =
			try_role(p, tries[i].step, tries[i].external_id, &session, ret_answer, err);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* Ours comes first: a denial of the others is evidence only of a role that AWS knows and that trusts us. *ret_ours: the role,
 * opened; NULL: the check is concluded. */
static enum rc check_external_id(struct probe *p, struct aws_session **ret_ours, struct err *err)
{
	AUTO(aws_session) struct aws_session *ours = NULL;
	char org[ID_UUID_TEXT];
	enum answer answer = NO_ANSWER;
	enum rc rc;

	id_uuid(p->c->org_id, org);
	rc = try_role(p, PROBE_OURS, org, &ours, &answer, err);
	if (rc == RC_OK && answer == DENIED)
		not_assumable(p);
	if (rc != RC_OK || answer != OPENS)
		return rc;
	rc = probe_others(p, &answer, err);
	if (rc != RC_OK || answer == NO_ANSWER)
		return rc;
	p->v.external_id_enforced = answer == DENIED ? 1 : 0;
	if (answer == OPENS && p->run->env->external_id_enforce)
		conclude(p, "refused", "external_id_not_enforced", RC_DENIED,
			 "The role can be assumed without its external ID or with a wrong one, so "
			 "other customers"
			 " could reach it through us. Add the condition StringEquals "
			 "sts:ExternalId = your"
			 " organization ID to the role's trust policy, then start a sync.");
	else
		*ret_ours = TAKE(ours);
	return RC_OK;
}

struct promise {
	struct str want; /* empty = any */
	const char *is;
	const char *whose;
};

/* What the connection's own fields and its first check say, against whose credentials these are. True: all of it holds. */
static bool keeps_promises(struct probe *p)
{
	const struct connection_state *c = p->c;
	const struct session_identity *is = &p->identity;
	struct awsname_arn arn = { 0 };
	bool parsed = c->role_arn[0] && awsname_arn_parse(str_c(c->role_arn), &arn) == RC_OK;
	const struct promise promises[] = {
		{ str_c(c->aws_account_id), is->account, "is for account" },
		{ parsed ? arn.account : S(""), is->account, "has a role of account" },
		{ parsed ? arn.partition : S(""), is->partition, "has a role of partition" },
		{ str_c(c->pinned_account_id), is->account, "was verified with account" },
		{ str_c(c->pinned_partition), is->partition, "was verified in partition" },
	};
	char text[ERR_TEXT_MAX];

	for (size_t i = 0; i < COUNT_OF(promises); i++) {
		const struct promise *promise = &promises[i];

		if (promise->want.n == 0 || str_eq(promise->want, str_c(promise->is)))
			continue;
		snprintf(text, sizeof(text),
			 "The credentials belong to account %s (partition %s), but the connection "
			 "%s %.*s. Give it credentials of that one, or make another connection; "
			 "nothing was read.",
			 is->account, is->partition, promise->whose, STR_FMT(promise->want));
		conclude(p, "refused", "account_mismatch", RC_DENIED, text);
		return false;
	}
	return true;
}

static void check_account(struct probe *p)
{
	if (!keeps_promises(p))
		return;
	p->v.account = p->identity.account;
	p->v.partition = p->identity.partition;
	if (p->v.external_id_enforced == 0)
		conclude(p, "verified", "external_id_not_enforced", RC_OK,
			 "Verified, but the role can be assumed without its external ID or with a "
			 "wrong one. Add the"
			 " condition StringEquals sts:ExternalId = your organization ID to its "
			 "trust policy.");
	else
		conclude(p, "verified", "", RC_OK, "");
}

/* A role that has just been opened is nobody's to refuse; an access key may be. A denial is not about the key, which needs no
 * permission to be asked whose it is: something on the way denied, such as the policy of a VPC endpoint of ours. */
static void identity_fault(struct probe *p)
{
	char text[ERR_TEXT_MAX];
	bool is_answer = p->fault.class == AWS_CREDS_INVALID || p->fault.class == AWS_CREDS_EXPIRED;

	if (is_role(p) || !is_answer) {
		unknown(p, "AWS STS did not say whose credentials these are");
		return;
	}
	if (aws_fault_is_skew(&p->fault)) {
		blocked(p, "clock_wrong",
			"The clock of connectord's host is wrong, so AWS refuses what it signs; "
			"its "
			"operator must set it. Nothing was changed.");
		return;
	}
	snprintf(text, sizeof(text),
		 "AWS refuses the access key (%.200s). Check that it is active and that its secret "
		 "is right, or replace it.",
		 probe_said(&p->fault));
	conclude(p, "refused", "access_key_refused", RC_DENIED, text);
}

static enum rc check_identity(struct probe *p, struct aws_session *session, struct err *err)
{
	struct err own = { 0 };
	enum rc rc;

	p->fault = (struct aws_fault){ .class = AWS_OK };
	rc = session_identify(p->run, p->c, session, &p->identity, &p->fault, &p->tally, &own);
	if (rc != RC_OK && p->fault.class == AWS_OK)
		return err_set(err, own.rc, own.code, "%s", own.text);
	p->tries[PROBE_IDENTITY] = (struct probe_try){ .tried = true, .fault = p->fault };
	if (rc != RC_OK)
		identity_fault(p);
	else
		check_account(p);
	return RC_OK;
}

/* RC_OK: concluded. Else it could not even be tried, and err says who has to do what. */
static enum rc check_all(struct probe *p, struct err *err)
{
	AUTO(aws_session) struct aws_session *session = NULL;
	bool own = is_role(p) && session_is_own_account(p->run, p->c);
	enum rc rc = RC_OK;

	if (is_role(p) && !own) {
		rc = own_account_ready(p->run, p->c->region, err);
		own = rc == RC_OK && session_is_own_account(p->run, p->c);
	}
	if (own) {
		conclude(p, "refused", "own_account", RC_DENIED,
			 "The role lies in the account that runs connectord; such a role is never "
			 "assumed.");
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = is_role(p) ? check_external_id(p, &session, err)
				: session_open(p->run, p->c, &session, err);
	if (rc == RC_OK && session)
		rc = check_identity(p, session, err);
	if (rc == RC_OK && p->rc == RC_OK && p->v.external_id_enforced == 1)
		look_at_trust(p);
	return rc;
}

void probe_done(struct probe *p)
{
	sharing_done(&p->sharing);
}

json_t *probe_aws(const struct aws_fault *f)
{
	bool by_aws = f->http_status >= PROBE_HTTP_ERROR;
	json_t *j = NULL;

	if (f->class == AWS_OK)
		return NULL;
	j = json_object();
	json_set_text(j, "code", str_c(f->code));
	json_set_text(j, "message", by_aws ? str_c(f->message) : S(""));
	json_set_text(j, "request_id", str_c(f->request_id));
	json_set_text(j, "deny_cause", str_c(f->deny_cause));
	return j;
}

enum rc probe_run(struct task_run *run, const struct connection_state *c, int patience_s,
		  struct probe *p, struct err *err)
{
	struct err own = { 0 };
	enum rc rc;

	*p = (struct probe){ .run = run,
			     .c = c,
			     .v = { .external_id_enforced = -1 },
			     .rc = RC_BROKEN,
			     .until = clock_mono() + patience_s * CLOCK_S };
	aws_client_stop_when(run->client, is_over, p);
	rc = check_all(p, &own);
	aws_client_stop_when(run->client, run->stop, run->stop_arg);
	/* Cut short by a drain or a cancellation, it has found nothing. */
	if ((rc != RC_OK || p->fault.class == AWS_CANCELED) && is_stopped(run))
		return err_set(err, RC_RETRY, "stopped", "the check was stopped");
	if (rc != RC_OK)
		blocked(p, own.code, own.text);
	p->v.code = p->code;
	p->v.text = p->text;
	return RC_OK;
}
