/* One run over one account's identities: what its collectors share, and how they call AWS.
 *
 * A collector returns RC_OK unless the run itself must end (stopped, database away, our bug). What AWS refuses is noted in
 * the part it belongs to, and the run goes on. */
#ifndef WORKERS_SYNC_SYNC_H
#define WORKERS_SYNC_SYNC_H

#include "db/connection_state.h"
#include "db/syncs.h"
#include "workers/sync/emit.h"
#include "workers/sync/part.h"
#include "workers/sync/session.h"

struct sync {
	struct task_run *run;
	struct connection_state *conn;
	struct aws_session *session;
	struct aws_target target;
	struct session_identity who;
	struct stage *stage;
	struct emit emit;
	struct part parts[PART_COUNT];
	bool dead; /* the credentials stopped working: no further calls, every part says so */
	struct aws_fault dead_fault;
	int64_t mfa_in_use;           /* AWS's count of MFA devices; -1 = not known */
	struct aws_tally total, told; /* told: what the sync row knows already */
	int64_t told_at;
	int64_t seen; /* entities of the first merge: told with the last, so that a run that begins anew tells them once */
};

MUST_CHECK enum rc sync_account_run(struct task_run *run, struct err *err);

/* One call for a part. *ret_reply NULL: AWS said no and the part says why (ret_fault, when given, too). */
MUST_CHECK enum rc sync_call(struct sync *s, enum part_id part, const struct aws_op *op,
			     const json_t *params, json_t **ret_reply, struct aws_fault *ret_fault,
			     struct err *err);
/* A whole listing for a part; arg is the sync. */
MUST_CHECK enum rc sync_pages(struct sync *s, enum part_id part, const struct aws_op *op,
			      const json_t *params, aws_page_fn *page, struct aws_fault *ret_fault,
			      struct err *err);
/* For collectors that make calls of their own kind: adds the tally, and turns a fault into rc or a dead session.
 * RC_OK: the run goes on. */
MUST_CHECK enum rc sync_after(struct sync *s, enum part_id part, enum rc rc,
			      const struct aws_tally *tally, const struct aws_fault *fault,
			      struct err *own, struct err *err);

static inline struct part *sync_part(struct sync *s, enum part_id id)
{
	return &s->parts[id];
}

#endif
