/* The check of a connection. For a role: three probes (our external ID, none, a random one), because a role that opens
 * without the right ID is open to every other tenant of ours; nothing is done with what a probe yields before all have
 * ended. Then GetCallerIdentity pins account and partition. Never deletes anything, whatever it finds, and never takes for
 * an answer about the connection what is our own fault. */
#include "workers/verify.h"
#include "base/awsname.h"
#include "base/clock.h"
#include "base/json.h"
#include "db/syncs.h"
#include "workers/own_account.h"
#include "workers/sync/session.h"

#include <stdio.h>

enum {
	VERIFY_RETRY_MIN_S = 2,
	VERIFY_RETRY_MAX_S = 60,
	VERIFY_BLOCKED_RETRY_S =
		30,              /* a key or an identity of ours is missing: somebody has to act */
	VERIFY_PATIENCE_S = 240, /* of one check, below its task's timeout: AWS does not answer */
	VERIFY_HTTP_ERROR = 400, /* from here on a status is AWS's own no */
};

struct verdict {
	struct connection_verdict v;
	char code[ERR_CODE_MAX], text[ERR_TEXT_MAX];
	enum rc rc; /* what the task makes of it */
};

struct check {
	struct task_run *run;
	const struct connection_state *c;
	struct verdict *out;
	struct session_identity *identity;
	struct aws_fault fault;
	struct aws_tally tally;
	int64_t until; /* monotonic */
};

static int backoff_s(const struct task_run *run)
{
	int shift = run->task->attempts < 6 ? run->task->attempts : 6;
	int s = VERIFY_RETRY_MIN_S << (shift > 0 ? shift - 1 : 0);

	return s < VERIFY_RETRY_MAX_S ? s : VERIFY_RETRY_MAX_S;
}

static bool is_stopped(const struct task_run *run)
{
	return run->stop(run->stop_arg);
}

static bool is_over(void *check)
{
	const struct check *k = check;

	return is_stopped(k->run) || clock_mono() > k->until;
}

static bool is_role(const struct check *k)
{
	return strcmp(k->c->auth_method, "assume_role") == 0;
}

/* AWS may not know a new role everywhere: what it says about one is not the last word. */
static bool is_young(const struct check *k)
{
	return k->c->age_s < k->run->env->new_role_grace_s;
}

static void conclude(struct check *k, const char *state, const char *code, enum rc rc,
		     const char *text)
{
	k->out->v.state = state;
	k->out->rc = rc;
	snprintf(k->out->code, sizeof(k->out->code), "%s", code);
	snprintf(k->out->text, sizeof(k->out->text), "%s", text);
}

/* Messages about the way to AWS are ours and name hosts; the customer gets the code alone. */
static const char *aws_said(const struct check *k)
{
	return k->fault.http_status >= VERIFY_HTTP_ERROR && k->fault.message[0] ? k->fault.message
										: k->fault.code;
}

/* No verdict: what was known about the connection stays, and the reason is noted beside it. */
static void unknown(struct check *k, const char *what)
{
	char text[ERR_TEXT_MAX];
	bool away = k->fault.class == AWS_TRANSIENT || k->fault.class == AWS_THROTTLED ||
		    k->fault.class == AWS_CANCELED;

	snprintf(text, sizeof(text), "%s (%.200s). Nothing was changed; it is tried again.", what,
		 aws_said(k));
	conclude(k, NULL, away ? "aws_unreachable" : "check_inconclusive", RC_RETRY, text);
	k->run->retry_in_s = backoff_s(k->run);
}

/* Ours to fix: a missing key, identity or a damaged secret. The sentence goes to the connection, the data stays. What AWS
 * said about us is not the customer's. */
static void blocked(struct check *k, const char *code, const char *text)
{
	k->fault = (struct aws_fault){ .class = AWS_OK };
	conclude(k, NULL, code, RC_RETRY, text);
	k->run->retry_in_s = VERIFY_BLOCKED_RETRY_S;
}

static void not_assumable(struct check *k)
{
	char text[ERR_TEXT_MAX];
	bool young = is_young(k);

	snprintf(text, sizeof(text), "AWS does not let us assume the role (%.160s). %s",
		 aws_said(k),
		 young ? "A new role can take minutes to be known everywhere; it is tried again."
		       : "Check that the role exists, that it trusts our account, and that its "
			 "external ID is your"
			 " organization ID, then start a sync.");
	if (young) {
		conclude(k, "pending", "role_not_assumable", RC_RETRY, text);
		k->run->retry_in_s = backoff_s(k->run);
	} else {
		conclude(k, "refused", "role_not_assumable", RC_DENIED, text);
	}
}

/* NO_ANSWER: it was not about the role, and the check is concluded. */
enum answer { OPENS, DENIED, NO_ANSWER };

static enum answer read_probe(struct check *k)
{
	struct err why = { 0 };

	if (k->fault.class == AWS_OK)
		return OPENS;
	if (own_account_blame(&k->fault, &why) != RC_OK)
		blocked(k, why.code, why.text);
	else if (k->fault.class == AWS_DENIED)
		return DENIED;
	else
		unknown(k, "AWS STS gave no answer about the role");
	return NO_ANSWER;
}

/* Assumes the role this way and does nothing with it. */
static enum rc probe(struct check *k, const char *external_id, struct aws_session **ret,
		     enum answer *ret_answer, struct err *err)
{
	struct err own = { 0 };
	enum rc rc = session_probe(k->run, k->c, external_id, ret, err);

	if (rc != RC_OK)
		return rc;
	k->fault = (struct aws_fault){ .class = AWS_OK };
	rc = aws_session_warm(*ret, k->run->client, &k->fault, &own);
	if (rc != RC_OK && k->fault.class == AWS_OK)
		return err_set(err, own.rc, own.code, "%s", own.text);
	*ret_answer = read_probe(k);
	return RC_OK;
}

/* Whether the role opens to others than us: *ret_answer. Their credentials go unused. */
static enum rc probe_others(struct check *k, enum answer *ret_answer, struct err *err)
{
	struct id random = id_random();
	char wrong[ID_UUID_TEXT];
	const char *const tries[] = { NULL, wrong };

	*ret_answer = DENIED;
	id_uuid(random, wrong);
	for (size_t i = 0; i < COUNT_OF(tries) && *ret_answer == DENIED; i++) {
		AUTO(aws_session) struct aws_session *session = NULL;
		enum rc rc = probe(k, tries[i], &session, ret_answer, err);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* Ours comes first: a denial of the others is evidence only of a role that AWS knows and that trusts us. *ret_ours: the role,
 * opened; NULL: the check is concluded. */
static enum rc check_external_id(struct check *k, struct aws_session **ret_ours, struct err *err)
{
	AUTO(aws_session) struct aws_session *ours = NULL;
	char org[ID_UUID_TEXT];
	enum answer answer = NO_ANSWER;
	enum rc rc;

	id_uuid(k->c->org_id, org);
	rc = probe(k, org, &ours, &answer, err);
	if (rc == RC_OK && answer == DENIED)
		not_assumable(k);
	if (rc != RC_OK || answer != OPENS)
		return rc;
	rc = probe_others(k, &answer, err);
	if (rc != RC_OK || answer == NO_ANSWER)
		return rc;
	k->out->v.external_id_enforced = answer == DENIED ? 1 : 0;
	if (answer == OPENS && k->run->env->external_id_enforce)
		conclude(k, "refused", "external_id_not_enforced", RC_DENIED,
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
static bool keeps_promises(struct check *k)
{
	const struct connection_state *c = k->c;
	const struct session_identity *is = k->identity;
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
		const struct promise *p = &promises[i];

		if (p->want.n == 0 || str_eq(p->want, str_c(p->is)))
			continue;
		snprintf(text, sizeof(text),
			 "The credentials belong to account %s (partition %s), but the connection "
			 "%s %.*s. Give it credentials of that one, or make another connection; "
			 "nothing was read.",
			 is->account, is->partition, p->whose, STR_FMT(p->want));
		conclude(k, "refused", "account_mismatch", RC_DENIED, text);
		return false;
	}
	return true;
}

static void check_account(struct check *k)
{
	if (!keeps_promises(k))
		return;
	k->out->v.account = k->identity->account;
	k->out->v.partition = k->identity->partition;
	if (k->out->v.external_id_enforced == 0)
		conclude(k, "verified", "external_id_not_enforced", RC_OK,
			 "Verified, but the role can be assumed without its external ID or with a "
			 "wrong one. Add the"
			 " condition StringEquals sts:ExternalId = your organization ID to its "
			 "trust policy.");
	else
		conclude(k, "verified", "", RC_OK, "");
}

/* A role that has just been opened is nobody's to refuse; an access key may be. */
static void identity_fault(struct check *k)
{
	char text[ERR_TEXT_MAX];
	bool is_answer = k->fault.class == AWS_DENIED || k->fault.class == AWS_CREDS_INVALID ||
			 k->fault.class == AWS_CREDS_EXPIRED;

	if (is_role(k) || !is_answer) {
		unknown(k, "AWS STS did not say whose credentials these are");
		return;
	}
	if (aws_fault_is_skew(&k->fault)) {
		blocked(k, "clock_wrong",
			"The clock of connectord's host is wrong, so AWS refuses what it signs; "
			"its "
			"operator must set it. Nothing was changed.");
		return;
	}
	snprintf(text, sizeof(text),
		 "AWS refuses the access key (%.200s). Check that it is active and that its secret "
		 "is right, or replace it.",
		 aws_said(k));
	conclude(k, "refused", "access_key_refused", RC_DENIED, text);
}

static enum rc check_identity(struct check *k, struct aws_session *session, struct err *err)
{
	struct err own = { 0 };
	enum rc rc;

	k->fault = (struct aws_fault){ .class = AWS_OK };
	rc = session_identify(k->run, k->c, session, k->identity, &k->fault, &k->tally, &own);
	if (rc != RC_OK && k->fault.class == AWS_OK)
		return err_set(err, own.rc, own.code, "%s", own.text);
	if (rc != RC_OK)
		identity_fault(k);
	else
		check_account(k);
	return RC_OK;
}

/* RC_OK: concluded. Else it could not even be tried, and err says who has to do what. */
static enum rc check_all(struct check *k, struct err *err)
{
	AUTO(aws_session) struct aws_session *session = NULL;
	bool own = is_role(k) && session_is_own_account(k->run, k->c);
	enum rc rc = RC_OK;

	if (is_role(k) && !own) {
		rc = own_account_ready(k->run, k->c->region, err);
		own = rc == RC_OK && session_is_own_account(k->run, k->c);
	}
	if (own) {
		conclude(k, "refused", "own_account", RC_DENIED,
			 "The role lies in the account that runs connectord; such a role is never "
			 "assumed.");
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = is_role(k) ? check_external_id(k, &session, err)
				: session_open(k->run, k->c, &session, err);
	return rc == RC_OK && session ? check_identity(k, session, err) : rc;
}

struct writing {
	const struct task *task;
	const struct connection_state *c;
	const struct connection_verdict *v;
	int again_in_s; /* 0 = the daily check is enough */
};

/* Once: a second look that is queued already will do, and after the grace there is none. */
static enum rc look_again(struct db *db, const struct writing *w, struct err *err)
{
	const struct new_task task = { .org_id = w->c->org_id,
				       .connection_id = w->c->connection_id,
				       .kind = "verify",
				       .delay_s = w->again_in_s };
	bool queued = false;
	enum rc rc = connection_state_verify_queued(db, w->c, w->task->task_id, &queued, err);

	return rc == RC_OK && !queued ? tasks_insert(db, &task, NULL, err) : rc;
}

static enum rc write_body(struct db *db, void *arg, struct err *err)
{
	const struct writing *w = arg;
	enum rc rc = tasks_fence(db, w->task, err);

	if (rc == RC_OK)
		rc = connection_state_judge(db, w->c, w->v, err);
	return rc == RC_OK && w->again_in_s > 0 ? look_again(db, w, err) : rc;
}

/* While AWS spreads a role, one of its places may have denied what another would have let in. */
static int again_in_s(const struct check *k)
{
	if (k->out->rc != RC_OK || !is_role(k) || !is_young(k))
		return 0;
	return k->run->env->new_role_grace_s - (int)k->c->age_s + 1;
}

static json_t *aws_detail(const struct aws_fault *f)
{
	bool by_aws = f->http_status >= VERIFY_HTTP_ERROR;
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

static enum rc write_verdict(struct check *k, struct err *err)
{
	AUTO_JSON json_t *aws = aws_detail(&k->fault);
	const struct db_who who = { .org_id = k->c->org_id };
	struct writing w = {
		.task = k->run->task, .c = k->c, .v = &k->out->v, .again_in_s = again_in_s(k)
	};
	enum rc rc;

	/* The probes' denials are the wanted answers; only a bad verdict quotes AWS. */
	k->out->v.aws = k->out->rc == RC_OK ? NULL : aws;
	k->out->v.code = k->out->code;
	k->out->v.text = k->out->text;
	rc = db_tx(k->run->db, &who, write_body, &w, err);
	if (rc != RC_OK)
		return rc;
	if (k->out->rc == RC_OK)
		return RC_OK;
	return err_set(err, k->out->rc, k->out->code, "%s", k->out->text);
}

enum rc verify_connection(struct task_run *run, const struct connection_state *c,
			  struct session_identity *ret_identity, struct err *err)
{
	struct verdict out = { .v = { .external_id_enforced = -1 }, .rc = RC_BROKEN };
	struct check k = { .run = run,
			   .c = c,
			   .out = &out,
			   .identity = ret_identity,
			   .until = clock_mono() + VERIFY_PATIENCE_S * CLOCK_S };
	struct err own = { 0 };
	enum rc rc;

	aws_client_stop_when(run->client, is_over, &k);
	rc = check_all(&k, &own);
	aws_client_stop_when(run->client, run->stop, run->stop_arg);
	/* Cut short by a drain or a cancellation, it has found nothing. */
	if ((rc != RC_OK || k.fault.class == AWS_CANCELED) && is_stopped(run))
		return err_set(err, RC_RETRY, "stopped", "the check was stopped");
	if (rc != RC_OK)
		blocked(&k, own.code, own.text);
	return write_verdict(&k, err);
}

static enum rc first_sync(const struct task_run *run, const struct connection_state *c,
			  struct err *err)
{
	struct err own = { 0 };
	struct id id;
	const struct new_sync sync = { .org_id = c->org_id,
				       .connection_id = c->connection_id,
				       .cause = "create",
				       .requested_by = "worker",
				       .request_id = "" };
	enum rc rc;

	if (c->synced || c->paused)
		return RC_OK;
	rc = syncs_start(run->db, &sync, &id, &own);
	if (rc == RC_OK || rc == RC_CONFLICT)
		return RC_OK;
	return err_set(err, own.rc, own.code, "%s", own.text);
}

enum rc verify_run(struct task_run *run, struct err *err)
{
	AUTO(connection_state) struct connection_state *c = NULL;
	struct session_identity identity = { .account = "" };
	struct err own = { 0 };
	enum rc rc = connection_state_load(run->db, run->task->org_id, run->task->connection_id, &c,
					   err);

	if (rc != RC_OK || c->deleted)
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	rc = verify_connection(run, c, &identity, &own);
	if (rc == RC_OK)
		return first_sync(run, c, err);
	/* Refused is an answer: the connection carries it, and the task is done. */
	if (rc == RC_DENIED)
		return RC_OK;
	return err_set(err, own.rc, own.code, "%s", own.text);
}
