/* Task kind "sync_account": one account's identities from the first call to the last transaction. Two merges: identities
 * first, so that they are visible early, then what is listed user by user. Never deletes anything because a call failed. */
#include "workers/sync/sync.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/mem.h"
#include "db/stage_read.h"
#include "workers/own_account.h"
#include "workers/sync/collect.h"
#include "workers/sync/merge.h"
#include "workers/verify.h"

#include <stdio.h>

enum {
	SYNC_TELL_S = 1,
	SYNC_RETRY_S = 5,
	SYNC_WHAT_MAX = 280, /* leaves room for what is therefore unknown */
	HTTP_ERROR = 400     /* below it a message is not AWS's but ours, and may name hosts */
};

static enum rc tell_progress(struct sync *s, struct err *err)
{
	struct sync_progress delta = { .calls = s->total.calls - s->told.calls,
				       .throttles = s->total.throttles - s->told.throttles };
	enum rc rc;

	if (clock_mono() - s->told_at < SYNC_TELL_S * CLOCK_S)
		return RC_OK;
	rc = syncs_progress(s->run->db, s->run->task->org_id, s->run->task->sync_id, &delta, err);
	if (rc != RC_OK)
		return rc;
	s->told = s->total;
	s->told_at = clock_mono();
	return RC_OK;
}

enum rc sync_after(struct sync *s, enum part_id part, enum rc rc, const struct aws_tally *tally,
		   const struct aws_fault *fault, struct err *own, struct err *err)
{
	aws_tally_add(&s->parts[part].tally, tally);
	aws_tally_add(&s->total, tally);
	if (rc != RC_OK && fault->class == AWS_OK) /* the page's own failure: database, limit */
		return err_set(err, rc, own->code, "%s", own->text);
	if (fault->class == AWS_CANCELED || s->run->stop(s->run->stop_arg))
		return err_set(err, RC_RETRY, "stopped", "the sync was stopped between two pages");
	if (fault->class == AWS_CREDS_INVALID || fault->class == AWS_CREDS_EXPIRED) {
		s->dead = true;
		s->dead_fault = *fault;
	}
	return tell_progress(s, err);
}

/* True: the session is dead, and the part says so. */
static bool is_dead(struct sync *s, enum part_id part, struct aws_fault *ret_fault)
{
	if (!s->dead)
		return false;
	part_fault(sync_part(s, part), part, &s->dead_fault);
	if (ret_fault)
		*ret_fault = s->dead_fault;
	return true;
}

enum rc sync_call(struct sync *s, enum part_id part, const struct aws_op *op, const json_t *params,
		  json_t **ret_reply, struct aws_fault *ret_fault, struct err *err)
{
	struct aws_fault fault = { .class = AWS_OK };
	struct aws_tally tally = { 0 };
	struct err own = { 0 };
	enum rc rc;

	*ret_reply = NULL;
	if (is_dead(s, part, ret_fault))
		return RC_OK;
	rc = aws_call(s->run->client, &s->target, op, params, ret_reply, &fault, &tally, &own);
	rc = sync_after(s, part, rc, &tally, &fault, &own, err);
	if (ret_fault)
		*ret_fault = fault;
	if (rc == RC_OK && fault.class != AWS_OK && !(ret_fault && fault.class == AWS_NOT_FOUND))
		part_fault(sync_part(s, part), part, &fault);
	return rc;
}

enum rc sync_pages(struct sync *s, enum part_id part, const struct aws_op *op, const json_t *params,
		   aws_page_fn *page, struct aws_fault *ret_fault, struct err *err)
{
	struct aws_fault fault = { .class = AWS_OK };
	struct aws_tally tally = { 0 };
	struct err own = { 0 };
	enum rc rc;

	if (is_dead(s, part, ret_fault))
		return RC_OK;
	rc = aws_pages(s->run->client, &s->target, op, params, page, s, &fault, &tally, &own);
	rc = sync_after(s, part, rc, &tally, &fault, &own, err);
	if (ret_fault)
		*ret_fault = fault;
	if (rc == RC_OK && fault.class != AWS_OK)
		part_fault(sync_part(s, part), part, &fault);
	return rc;
}

/* The account whose coverage a run without a session writes. */
static const char *expected_account(const struct connection_state *c)
{
	return c->pinned_account_id[0] ? c->pinned_account_id : c->aws_account_id;
}

static enum rc nothing_read(struct sync *s, const struct err *why, struct err *err)
{
	const char *account = expected_account(s->conn);
	enum part_state state = s->dead_fault.class == AWS_DENIED ? PART_DENIED : PART_ERROR;
	struct str text = str_c(why->text);
	char what[SYNC_WHAT_MAX];
	enum rc rc = RC_OK;

	if (str_ends(text, S(".")))
		text.n--;
	snprintf(what, sizeof(what), "The account could not be entered: %.*s", STR_FMT(text));
	for (int i = 0; i < PART_COUNT; i++) {
		struct part *p = &s->parts[i];

		if (s->dead_fault.class != AWS_OK)
			p->fault = s->dead_fault;
		part_say(p, (enum part_id)i, state, why->code, what);
	}
	if (account[0])
		rc = merge_nothing(s, account, err);
	return rc == RC_OK ? err_set(err, why->rc, why->code, "%s", why->text) : rc;
}

static enum rc session_failed(struct sync *s, const struct err *own, struct err *err)
{
	const struct aws_fault *fault = &s->dead_fault;
	bool is_role = strcmp(s->conn->auth_method, "assume_role") == 0;
	/* What is neither an answer about the role nor about the key may be another one next time. */
	bool retry = fault->class != AWS_DENIED && fault->class != AWS_CREDS_INVALID &&
		     fault->class != AWS_CREDS_EXPIRED;

	if (fault->class == AWS_OK)
		return err_set(err, own->rc, own->code, "%s", own->text);
	if (is_role && fault->op != &STS_GET_CALLER_IDENTITY &&
	    own_account_blame(fault, err) != RC_OK) {
		s->dead_fault.class = AWS_OK; /* it was us whom AWS refused, not the account */
		return RC_DENIED;
	}
	return err_set(err, retry ? RC_RETRY : RC_DENIED,
		       retry ? "aws_unreachable" : "credentials_refused",
		       "AWS did not let us into the account: %.60s %.160s", fault->code,
		       fault->http_status >= HTTP_ERROR ? fault->message : "");
}

static enum rc enter(struct sync *s, struct err *err)
{
	struct err own = { 0 };
	struct aws_tally tally = { 0 };
	enum rc rc = session_identify(s->run, s->conn, s->session, &s->who, &s->dead_fault, &tally,
				      &own);

	aws_tally_add(&s->total, &tally);
	if (rc != RC_OK)
		return session_failed(s, &own, err);
	if (s->conn->pinned_account_id[0] &&
	    (strcmp(s->conn->pinned_account_id, s->who.account) != 0 ||
	     strcmp(s->conn->pinned_partition, s->who.partition) != 0))
		return err_set(err, RC_DENIED, "account_mismatch",
			       "The credentials now belong to account %s, but the connection is "
			       "for account %s; nothing"
			       " was read.",
			       s->who.account, s->conn->pinned_account_id);
	return RC_OK;
}

typedef enum rc collector(struct sync *s, struct err *err);

static enum rc run_all(struct sync *s, collector *const *steps, size_t n, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = steps[i](s, err);
	return rc;
}

/* The users' names outlive the first merge; the rest of the stage makes room for the second. */
static enum rc turn_over(struct sync *s, struct err *err)
{
	enum rc rc = stage_read_keep_users(s->run->db, err);

	memset(s->emit.seen, 0, sizeof(s->emit.seen));
	return rc == RC_OK ? stage_read_clear(s->run->db, err) : rc;
}

static enum rc collect(struct sync *s, struct err *err)
{
	static collector *const FIRST[] = { report_ask,      regions_collect,   details_collect,
					    managed_collect, providers_collect, account_collect,
					    report_collect };
	static collector *const LATE[] = { keys_collect, mfa_collect };
	enum rc rc = stage_reset(s->stage, err);

	if (rc == RC_OK)
		rc = run_all(s, FIRST, COUNT_OF(FIRST), err);
	if (rc == RC_OK)
		rc = merge_parts(s, 0, PART_FIRST_LATE, false, err);
	if (rc == RC_OK)
		rc = turn_over(s, err);
	if (rc == RC_OK)
		rc = run_all(s, LATE, COUNT_OF(LATE), err);
	return rc == RC_OK ? merge_parts(s, PART_FIRST_LATE, PART_COUNT, true, err) : rc;
}

/* What was not verified, or was refused, is checked first: a sync is a good moment to see that the customer fixed it. */
static enum rc need_verified(struct sync *s, struct err *err)
{
	struct session_identity identity = { .account = "" };

	if (strcmp(s->conn->verify_state, "verified") == 0)
		return RC_OK;
	return verify_connection(s->run, s->conn, &identity, err);
}

static enum rc run_sync(struct sync *s, struct err *err)
{
	struct err own = { 0 };
	enum rc rc = syncs_announce(s->run->db, s->run->task->org_id, s->run->task->sync_id, 1,
				    PART_COUNT, err);

	if (rc != RC_OK)
		return rc;
	/* A verify task waits for whoever can mend this; a sync ends and says why. */
	rc = session_open(s->run, s->conn, &s->session, &own);
	if (rc == RC_OK)
		rc = need_verified(s, &own);
	if (rc == RC_OK)
		rc = enter(s, &own);
	/* Cut short, so nothing is known. */
	if (rc != RC_OK && (s->dead_fault.class == AWS_CANCELED || s->run->stop(s->run->stop_arg)))
		return err_set(err, RC_RETRY, "stopped", "the sync was stopped before it began");
	if (rc == RC_RETRY && s->run->retry_in_s == 0)
		s->run->retry_in_s = SYNC_RETRY_S;
	if (rc != RC_OK)
		return nothing_read(s, &own, err);
	s->target = (struct aws_target){ .session = s->session,
					 .account = s->who.account,
					 .region = s->conn->region,
					 .home_region = s->conn->region };
	s->dead_fault = (struct aws_fault){ .class = AWS_OK };
	emit_init(&s->emit, s->stage, s->run->task->org_id, s->who.account, s->who.partition);
	return collect(s, err);
}

enum rc sync_account_run(struct task_run *run, struct err *err)
{
	AUTO(connection_state) struct connection_state *conn = NULL;
	AUTO(stage) struct stage *stage = stage_new(run->db);
	AUTO_TEXT char *memory = mem_alloc(sizeof(struct sync));
	struct sync *s = (struct sync *)(void *)memory;
	enum rc rc = connection_state_load(run->db, run->task->org_id, run->task->connection_id,
					   &conn, err);

	if (rc != RC_OK || conn->deleted)
		return rc == RC_NOT_FOUND ? RC_OK : rc;
	s->run = run;
	s->conn = conn;
	s->stage = stage;
	s->told_at = clock_mono();
	s->mfa_in_use = -1;
	aws_client_stop_when(run->client, run->stop, run->stop_arg);
	rc = run_sync(s, err);
	aws_session_free(s->session);
	return rc;
}
