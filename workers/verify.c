/* The check of a connection. For a role: three probes (no external ID, a random one, ours), because a role that opens
 * without the right ID is open to every other tenant of ours; credentials that a failing probe yields are dropped unused.
 * Then GetCallerIdentity pins account and partition. Never deletes anything, whatever it finds. */
#include "workers/verify.h"
#include "base/awsname.h"
#include "base/json.h"
#include "db/syncs.h"
#include "workers/sync/session.h"

#include <stdio.h>

enum {
	VERIFY_RETRY_MIN_S = 2,
	VERIFY_RETRY_MAX_S = 60,
	VERIFY_BLOCKED_RETRY_S =
		30, /* a key or an identity of ours is missing: somebody has to act */
};

struct verdict {
	struct connection_verdict v;
	char text[ERR_TEXT_MAX];
	enum rc rc; /* what the task makes of it */
};

struct check {
	struct task_run *run;
	const struct connection_state *c;
	struct verdict *out;
	struct session_identity *identity;
	struct aws_fault fault;
	struct aws_tally tally;
};

static int backoff_s(const struct task_run *run)
{
	int shift = run->task->attempts < 6 ? run->task->attempts : 6;
	int s = VERIFY_RETRY_MIN_S << (shift > 0 ? shift - 1 : 0);

	return s < VERIFY_RETRY_MAX_S ? s : VERIFY_RETRY_MAX_S;
}

static void conclude(struct check *k, const char *state, const char *code, enum rc rc,
		     const char *text)
{
	k->out->v.state = state;
	k->out->v.code = code;
	k->out->rc = rc;
	snprintf(k->out->text, sizeof(k->out->text), "%s", text);
}

static const char *aws_said(const struct check *k)
{
	return k->fault.message[0] ? k->fault.message : k->fault.code;
}

/* No verdict: what was known about the connection stays, and the reason is noted beside it. */
static void unknown(struct check *k, const char *code, const char *what)
{
	char text[ERR_TEXT_MAX];

	snprintf(text, sizeof(text), "%s (%.200s). Nothing was changed; it is tried again.", what,
		 aws_said(k));
	conclude(k, NULL, code, RC_RETRY, text);
	k->run->retry_in_s = backoff_s(k->run);
}

static bool is_inconclusive(enum aws_class class)
{
	return class == AWS_TRANSIENT || class == AWS_THROTTLED || class == AWS_CANCELED ||
	       class == AWS_PAGER;
}

/* *ret_opens: the role can be assumed this way. */
static enum rc probe(struct check *k, const char *external_id, bool *ret_opens, struct err *err)
{
	AUTO(aws_session) struct aws_session *session = NULL;
	struct err own = { 0 };
	enum rc rc = session_probe(k->run, k->c, external_id, &session, err);

	if (rc != RC_OK)
		return rc;
	k->fault = (struct aws_fault){ .class = AWS_OK };
	*ret_opens = aws_session_warm(session, k->run->client, &k->fault, &own) == RC_OK;
	if (!*ret_opens && k->fault.class == AWS_OK)
		return err_set(err, own.rc, own.code, "%s", own.text);
	return RC_OK;
}

/* True when the probes settled it, one way or the other. */
static enum rc check_external_id(struct check *k, bool *ret_settled, struct err *err)
{
	struct id random = id_random();
	char wrong[ID_UUID_TEXT];
	const char *const tries[] = { NULL, wrong };
	bool opens = false;

	id_uuid(random, wrong);
	for (size_t i = 0; i < COUNT_OF(tries) && !opens; i++) {
		enum rc rc = probe(k, tries[i], &opens, err);

		if (rc != RC_OK)
			return rc;
		if (!opens && is_inconclusive(k->fault.class)) {
			unknown(k, "aws_unreachable", "AWS STS could not be asked about the role");
			*ret_settled = true;
			return RC_OK;
		}
	}
	k->out->v.external_id_enforced = opens ? 0 : 1;
	if (opens && k->run->env->external_id_enforce) {
		conclude(k, "refused", "external_id_not_enforced", RC_DENIED,
			 "The role can be assumed without its external ID or with a wrong one, so "
			 "other customers"
			 " could reach it through us. Add the condition StringEquals "
			 "sts:ExternalId = your"
			 " organization ID to the role's trust policy, then verify again.");
		*ret_settled = true;
	}
	return RC_OK;
}

static void not_assumable(struct check *k)
{
	char text[ERR_TEXT_MAX];
	bool young = k->c->age_s < k->run->env->new_role_grace_s;

	snprintf(text, sizeof(text), "AWS does not let us assume the role (%.160s). %s", aws_said(k),
		 young ? "A new role can take minutes to be known everywhere; it is tried again."
		       : "Check that the role exists, that it trusts our account, and that its "
			 "external ID is your"
			 " organization ID, then verify again.");
	if (young) {
		conclude(k, "pending", "role_not_assumable", RC_RETRY, text);
		k->run->retry_in_s = backoff_s(k->run);
	} else {
		conclude(k, "refused", "role_not_assumable", RC_DENIED, text);
	}
}

/* The account and partition that the connection's own fields promise; empty = any. */
static void promised(const struct connection_state *c, struct str *account, struct str *partition)
{
	struct awsname_arn arn = { 0 };

	*account = str_c(c->aws_account_id);
	*partition = S("");
	if (c->role_arn[0] && awsname_arn_parse(str_c(c->role_arn), &arn) == RC_OK) {
		*partition = arn.partition;
		if (account->n == 0)
			*account = arn.account;
	}
	if (c->pinned_account_id[0] && account->n == 0)
		*account = str_c(c->pinned_account_id);
	if (c->pinned_partition[0] && partition->n == 0)
		*partition = str_c(c->pinned_partition);
}

static bool differs(struct str want, const char *is)
{
	return want.n > 0 && !str_eq(want, str_c(is));
}

static void check_account(struct check *k)
{
	char text[ERR_TEXT_MAX];
	struct str account, partition;
	const struct session_identity *is = k->identity;

	promised(k->c, &account, &partition);
	if (differs(account, is->account) || differs(partition, is->partition) ||
	    differs(str_c(k->c->pinned_account_id), is->account)) {
		snprintf(text, sizeof(text),
			 "The credentials belong to account %s (partition %s), but the connection "
			 "is for account %.*s."
			 " Correct the account ID or the credentials; nothing was read.",
			 is->account, is->partition, STR_FMT(account));
		conclude(k, "refused", "account_mismatch", RC_DENIED, text);
		return;
	}
	k->out->v.account = is->account;
	k->out->v.partition = is->partition;
	if (k->out->v.external_id_enforced == 0)
		conclude(k, "verified", "external_id_not_enforced", RC_OK,
			 "Verified, but the role can be assumed without its external ID or with a "
			 "wrong one. Add the"
			 " condition StringEquals sts:ExternalId = your organization ID to its "
			 "trust policy.");
	else
		conclude(k, "verified", "", RC_OK, "");
}

static void identity_fault(struct check *k)
{
	char text[ERR_TEXT_MAX];

	if (is_inconclusive(k->fault.class)) {
		unknown(k, "aws_unreachable",
			"AWS STS could not be asked whose credentials these are");
		return;
	}
	if (strcmp(k->c->auth_method, "access_key") != 0) {
		not_assumable(k);
		return;
	}
	snprintf(text, sizeof(text),
		 "AWS refuses the access key (%.200s). Check that it is active and that its secret "
		 "is right, or replace it.",
		 aws_said(k));
	conclude(k, "refused", "access_key_refused", RC_DENIED, text);
}

static enum rc check_identity(struct check *k, struct err *err)
{
	AUTO(aws_session) struct aws_session *session = NULL;
	struct err own = { 0 };
	enum rc rc = session_open(k->run, k->c, &session, err);

	if (rc != RC_OK)
		return rc;
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

static bool is_own_account(const struct check *k)
{
	struct awsname_arn arn = { 0 };

	return k->c->role_arn[0] && awsname_arn_parse(str_c(k->c->role_arn), &arn) == RC_OK &&
	       str_eq(arn.account, str_c(k->run->env->vendor_account));
}

static enum rc check_all(struct check *k, struct err *err)
{
	bool settled = false;
	enum rc rc = RC_OK;

	if (is_own_account(k)) {
		conclude(k, "refused", "own_account", RC_DENIED,
			 "The role lies in the account that runs connectord; such a role is never "
			 "assumed.");
		return RC_OK;
	}
	if (strcmp(k->c->auth_method, "assume_role") == 0)
		rc = check_external_id(k, &settled, err);
	if (rc == RC_OK && !settled)
		rc = check_identity(k, err);
	return rc;
}

struct writing {
	const struct task *task;
	const struct connection_state *c;
	const struct connection_verdict *v;
};

static enum rc write_body(struct db *db, void *arg, struct err *err)
{
	const struct writing *w = arg;
	enum rc rc = tasks_fence(db, w->task, err);

	return rc == RC_OK ? connection_state_judge(db, w->c, w->v, err) : rc;
}

static json_t *aws_detail(const struct aws_fault *f)
{
	json_t *j = NULL;

	if (f->class == AWS_OK)
		return NULL;
	j = json_object();
	json_set_text(j, "code", str_c(f->code));
	json_set_text(j, "message", str_c(f->message));
	json_set_text(j, "request_id", str_c(f->request_id));
	json_set_text(j, "deny_cause", str_c(f->deny_cause));
	return j;
}

static enum rc write_verdict(struct check *k, struct err *err)
{
	AUTO_JSON json_t *aws = aws_detail(&k->fault);
	const struct db_who who = { .org_id = k->c->org_id };
	struct writing w = { .task = k->run->task, .c = k->c, .v = &k->out->v };
	enum rc rc;

	/* The probes' denials are the wanted answers; only a bad verdict quotes AWS. */
	k->out->v.aws = k->out->rc == RC_OK ? NULL : aws;
	k->out->v.text = k->out->text;
	rc = db_tx(k->run->db, &who, write_body, &w, err);
	if (rc != RC_OK)
		return rc;
	if (k->out->rc == RC_OK)
		return RC_OK;
	return err_set(err, k->out->rc, k->out->v.code, "%s", k->out->text);
}

/* Ours to fix: a missing key, identity or a damaged secret. The sentence goes to the connection, the data stays. */
static void blocked(struct check *k, const struct err *why)
{
	conclude(k, NULL, why->code, RC_RETRY, why->text);
	k->run->retry_in_s = VERIFY_BLOCKED_RETRY_S;
}

enum rc verify_connection(struct task_run *run, const struct connection_state *c,
			  struct session_identity *ret_identity, struct err *err)
{
	struct verdict out = { .v = { .external_id_enforced = -1, .code = "" }, .rc = RC_BROKEN };
	struct check k = { .run = run, .c = c, .out = &out, .identity = ret_identity };
	struct err own = { 0 };

	if (check_all(&k, &own) != RC_OK)
		blocked(&k, &own);
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
