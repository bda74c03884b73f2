/* The task queue: claim, heartbeat, finish, all fenced by the lease. */
#ifndef DB_TASKS_H
#define DB_TASKS_H

#include "db/db.h"

/* Tells the workers that something is due, which they would find within a second. Commits that notify wait for each other in
 * PostgreSQL, so one of those that are under way at a moment does, for all of them. */
#define TASKS_HINT                                                                                 \
	"CASE WHEN pg_try_advisory_xact_lock(hashtextextended('task hint', 0))"                    \
	" THEN pg_notify('task', '') END"

struct task {
	struct id org_id, task_id, connection_id, sync_id; /* zero = none */
	int64_t lease; /* fencing token: every later write names it */
	int lease_s;
	int attempts; /* this one included */
	bool cancel;  /* its sync was cancelled before it was claimed: end it by tasks_cancel */
	char *kind;
	char *account_id;
	json_t *payload; /* request_id: of the request that asked for it, for the log */
};
void task_free(struct task *t);
DEFINE_AUTO(task)

/* Claims the oldest ready task of the organization with the lowest running/slots (ties: who waited longest) that has a
 * free slot. RC_NOT_FOUND: nothing claimable now. */
MUST_CHECK enum rc tasks_claim(struct db *db, struct id worker_id, int lease_s, struct task **ret,
			       struct err *err);

/* Inserts a task (state ready, run_at = now + delay_s) and counts it in its sync. Joins the caller's transaction; outside of
 * one it is its own (as the organization). ret_id may be NULL. RC_CONFLICT sync_finished: its sync is over. Without a sync it
 * is never refused, and travels as db_later. */
struct new_task {
	struct id org_id, connection_id, sync_id; /* zero = none */
	const char *kind;
	const char *account_id; /* NULL = "" */
	const json_t *payload;  /* NULL = {} */
	int delay_s;
};
MUST_CHECK enum rc tasks_insert(struct db *db, const struct new_task *task, struct id *ret_id,
				struct err *err);

/* Extends every lease that worker_id holds; fills the ids of those that were cancelled or lost. */
struct task_beat {
	struct id org_id, task_id;
	int64_t lease;
	bool cancel, lost; /* set by tasks_heartbeat */
};
MUST_CHECK enum rc tasks_heartbeat(struct db *db, struct id worker_id, int lease_s,
				   struct task_beat *beats, size_t n, struct err *err);

/* Inside a transaction: locks the task row and proves that the lease is still ours. RC_CONFLICT: lost. */
MUST_CHECK enum rc tasks_fence(struct db *db, const struct task *task, struct err *err);
/* Inside a fenced transaction that does not end the task, last: it kept the heartbeats away, so the lease begins anew. */
MUST_CHECK enum rc tasks_extend(struct db *db, const struct task *task, struct err *err);
/* Inside a transaction, last: removes the task, frees the slot, counts down its sync and closes it at 0.
 * RC_CONFLICT: lease lost, roll back. */
MUST_CHECK enum rc tasks_finish(struct db *db, const struct task *task, struct err *err);
/* The same as a transaction of its own, for a task whose effects are in the database already. */
MUST_CHECK enum rc tasks_done(struct db *db, const struct task *task, struct err *err);
/* Own transactions. retry: again after delay_s, attempt counted. release: again at once, attempt not counted (drain).
 * fail: ends it for good; its sync ends failed with the reason. cancel: ends it; its sync ends canceled. */
MUST_CHECK enum rc tasks_retry(struct db *db, const struct task *task, int delay_s,
			       const struct err *why, struct err *err);
MUST_CHECK enum rc tasks_release(struct db *db, const struct task *task, struct err *err);
MUST_CHECK enum rc tasks_fail(struct db *db, const struct task *task, const struct err *why,
			      struct err *err);
MUST_CHECK enum rc tasks_cancel(struct db *db, const struct task *task, struct err *err);
/* Expired leases become ready again (or fail when that many in a row ran out: poison), and a slot count that does not agree with the leases (a purge
 * took leased tasks along) is set right. *ret_n counts tasks. Any worker may call it any time. */
MUST_CHECK enum rc tasks_sweep(struct db *db, int lost_max, int64_t *ret_n, struct err *err);

#endif
