/* The workers' side of webhooks: one task at a time, the holder of the lane, delivers for an
 * organization. So its endpoints, however slow, hold one of its worker slots and never two. */
#ifndef DB_DELIVERY_LANE_H
#define DB_DELIVERY_LANE_H

#include "db/tasks.h"

enum {
	DELIVERY_LANE_GIVE_UP = 5, /* deliveries in a row that ran out of attempts: disabled */
	DELIVERY_LANE_KEEP_S = 30 * 86400, /* events and their deliveries are kept so long */
	DELIVERY_LANE_BATCH = 500,         /* rows of one step of the clean-up */
	DELIVERY_LANE_WATCH_S =
		900 /* after this another task looks whether the holder's was lost */
};

/* Takes the lane for this task. *ret_ours false: another task holds it, which will see all that was
 * committed before this call; this task is finished already. */
MUST_CHECK enum rc delivery_lane_take(struct db *db, const struct task *task, bool *ret_ours,
				      struct err *err);

/* What is due now, at most each of every endpoint, without those whose ids flying (an array's text)
 * lists: delivery_id, webhook_id, event_id, attempts, url, type, at, data, sealed_secret,
 * sealed_previous (NULL when none signs along). */
MUST_CHECK enum rc delivery_lane_due(struct db *db, const struct task *task, int each,
				     struct str flying, struct db_rows **ret, struct err *err);

enum delivery_end { DELIVERY_DONE, DELIVERY_AGAIN, DELIVERY_EXHAUSTED, DELIVERY_GONE };
struct delivery_result {
	struct id delivery_id, webhook_id;
	enum delivery_end end;
	int64_t delay_ms;  /* AGAIN */
	int status;        /* 0 = no answer */
	const char *error; /* stable name; "" = none */
};
/* Writes how an attempt ended, with what follows for the endpoint. A delivery that is gone or over by
 * now is left alone. RC_CONFLICT: the lease was lost. */
MUST_CHECK enum rc delivery_lane_settle(struct db *db, const struct task *task,
					const struct delivery_result *result, struct err *err);

/* One step of removing what is too old or of deleted endpoints; *ret_left: there may be more. */
MUST_CHECK enum rc delivery_lane_clean(struct db *db, const struct task *task, bool *ret_left,
				       struct err *err);
/* Leaves the lane and finishes the task; whatever is due later gets a task of its own. */
MUST_CHECK enum rc delivery_lane_leave(struct db *db, const struct task *task, struct err *err);

#endif
