/* The check of a connection that decides whether it may be used: tries it out (probe.h) and writes the verdict, fenced by its
 * task. Never deletes anything, whatever it finds. */
#include "workers/verify.h"
#include "db/syncs.h"
#include "workers/probe.h"

enum {
	VERIFY_PATIENCE_S = 240, /* of one check, below its task's timeout: AWS does not answer */
};

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
static int again_in_s(const struct probe *p)
{
	int64_t left = p->run->env->new_role_grace_s - p->c->age_s;
	bool is_role = strcmp(p->c->auth_method, "assume_role") == 0;

	return p->rc == RC_OK && is_role && left > 0 ? (int)left + 1 : 0;
}

enum rc verify_verdict(struct probe *p, struct err *err)
{
	/* The probes' denials are the wanted answers; only a bad verdict quotes AWS. */
	AUTO_JSON json_t *aws = p->rc == RC_OK ? NULL : probe_aws(&p->fault);
	const struct db_who who = { .org_id = p->c->org_id };
	struct writing w = {
		.task = p->run->task, .c = p->c, .v = &p->v, .again_in_s = again_in_s(p)
	};
	enum rc rc;

	p->v.aws = aws;
	rc = db_tx(p->run->db, &who, write_body, &w, err);
	p->v.aws = NULL;
	return rc;
}

enum rc verify_connection(struct task_run *run, const struct connection_state *c,
			  struct session_identity *ret_identity, struct err *err)
{
	AUTO(probe) struct probe p = { .run = run };
	enum rc rc = probe_run(run, c, VERIFY_PATIENCE_S, &p, err);

	if (rc == RC_OK)
		rc = verify_verdict(&p, err);
	if (rc != RC_OK)
		return rc;
	*ret_identity = p.identity;
	return p.rc == RC_OK ? RC_OK : err_set(err, p.rc, p.code, "%s", p.text);
}

enum rc verify_first_sync(const struct task_run *run, const struct connection_state *c,
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

	if (c->synced)
		return RC_OK;
	rc = syncs_start(run->db, &sync, &id, &own);
	/* One that is under way will do; and what a person paused or deleted meanwhile starts none. */
	if (rc == RC_OK || rc == RC_CONFLICT || rc == RC_NOT_FOUND)
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
		return verify_first_sync(run, c, err);
	/* Refused is an answer: the connection carries it, and the task is done. */
	if (rc == RC_DENIED)
		return RC_OK;
	return err_set(err, own.rc, own.code, "%s", own.text);
}
