/* Schedules as rows: set by persons, backed off by failures, read by the API. */
#ifndef DB_SCHEDULE_ROWS_H
#define DB_SCHEDULE_ROWS_H

#include "db/db.h"
#include "db/schedule_plan.h"

/* The columns of a schedule (alias s) that the API shows and schedule_rows_values() reads. */
#define SCHEDULE_ROWS_COLUMNS                                                                      \
	" s.every_s, s.cron, s.time_zone, s.jitter_s, s.overlap, s.catch_up_window_s,"             \
	" s.due_at AS next_at, s.missed, s.failures,"                                              \
	" CASE WHEN s.backoff_until > now() THEN s.backoff_until END AS backoff_until"

/* Views into the row; paused is read where the row has it. */
struct schedule_values schedule_rows_values(const struct db_rows *rows, int row);

/* Sets or replaces one. With every_s the first tick is now + first_in_s and later ones keep the phase; cron knows its
 * ticks. The tick to come changes only when the interval, or cron, zone or jitter do. In a transaction. */
struct schedule_set {
	struct id org_id, connection_id;
	const char *kind; /* sync, verify */
	const struct schedule_values *values;
	int first_in_s;
};
MUST_CHECK enum rc schedule_rows_set(struct db *db, const struct schedule_set *in, struct err *err);
/* All schedules of a connection follow a person's pause and its end. What was due meanwhile did not exist. In a
 * transaction. */
MUST_CHECK enum rc schedule_rows_pause(struct db *db, struct id org_id, struct id connection_id,
				       bool paused, struct err *err);

/* After a sync ended, by connection.last_sync_state: failed counts one more failure in a row and backs off; complete and
 * partial end it. In the transaction that closed the sync. */
MUST_CHECK enum rc schedule_rows_settle(struct db *db, struct id org_id, struct id connection_id,
					struct err *err);
/* Ends the backing off, since a person acted. In a transaction. */
MUST_CHECK enum rc schedule_rows_forgive(struct db *db, struct id org_id, struct id connection_id,
					 struct err *err);

/* The schedules of a live connection by kind, or (kind not NULL) one: the columns above, kind (NULL: it has none), paused
 * and version of the connection, tick_us (the next tick) and due_us (that, or the end of the backing off). RC_NOT_FOUND. */
MUST_CHECK enum rc schedule_rows_list(struct db *db, const struct db_who *who,
				      struct id connection_id, const char *kind,
				      struct db_rows **ret, struct err *err);
/* A person's change of one, with the audit row and one version more of the connection. *ret: the row as that left it.
 * RC_CONFLICT version_changed: the connection is not at the version that was read. */
struct schedule_change {
	struct schedule_set set;
	int64_t version;
	const char *actor, *request_id;
	const json_t *detail; /* for the audit: names of changed fields */
};
MUST_CHECK enum rc schedule_rows_change(struct db *db, const struct schedule_change *in,
					struct db_rows **ret, struct err *err);

#endif
