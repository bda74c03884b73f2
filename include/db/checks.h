/* Checks of connections: asked for here, done by a worker (task kind "check"), their last answers kept per action. */
#ifndef DB_CHECKS_H
#define DB_CHECKS_H

#include "db/tasks.h"

enum {
	CHECKS_KEPT = 20,        /* of each connection */
	CHECKS_DRAFT_HOURS = 24, /* what a draft's check is kept */
	CHECKS_DRAFTS_MAX = 20   /* of an organization under way at once */
};

struct new_check {
	struct id org_id, check_id;
	struct id connection_id; /* zero: a draft */
	const json_t *wanted;    /* {"tiers": [..], "capabilities": [..]} */
	const json_t *draft;     /* what connection_state_draft() reads; NULL unless it is one */
	struct str sealed;       /* the draft's secret, sealed to check_id; "" = none */
	const char *actor, *request_id;
};
/* The check, its task and the audit row in one transaction; *ret is the row as checks_get() has it. RC_NOT_FOUND: no such
 * connection. RC_CONFLICT check_active: one is under way (its id is in *ret_active), too_many_checks. */
MUST_CHECK enum rc checks_start(struct db *db, const struct new_check *in, struct id *ret_active,
				struct db_rows **ret, struct err *err);
/* In the caller's transaction, for a worker that has a reason to look again: as checks_start, but one that is under way will do. */
MUST_CHECK enum rc checks_again(struct db *db, struct id org_id, struct id connection_id,
				struct err *err);

/* One row: check_id, connection_id, state, wanted, report, reason_code, reason, requested_by, created_at, started_at,
 * finished_at. RC_NOT_FOUND: none, or its connection is gone. */
MUST_CHECK enum rc checks_get(struct db *db, const struct db_who *who, struct id check_id,
			      struct db_rows **ret, struct err *err);

/* For the worker. load: wanted, draft (NULL unless it is one), sealed; marks it running. RC_NOT_FOUND: over or gone. */
struct check_order {
	json_t *wanted, *draft;
	char *sealed;
	size_t sealed_n;
};
void check_order_free(struct check_order *o);
DEFINE_AUTO(check_order)
MUST_CHECK enum rc checks_load(struct db *db, struct id org_id, struct id check_id,
			       struct check_order **ret, struct err *err);

/* Ends it, in one transaction that is fenced by its task and ends that as well: the report, the answers per action (rows:
 * [{capability, action, tier, state, cause, known_by, required, text, aws_request_id}]; NULL = none), the connection's status.
 * account "" = not known, no answers are kept; nor are they when the connection is not of that version any more, for they may be
 * about other credentials. What was known of an action outlives an answer that says nothing ("unknown"). */
struct check_result {
	const struct task *task;
	struct id check_id;
	int64_t version; /* of the connection that was checked */
	const char *account;
	const json_t *report, *rows;
};
MUST_CHECK enum rc checks_finish(struct db *db, const struct check_result *result, struct err *err);

/* Drops old drafts of all organizations; a worker's. */
MUST_CHECK enum rc checks_prune_drafts(struct db *db, struct err *err);

#endif
