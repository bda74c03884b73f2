/* Reads the depth and the age of the queue. What a look costs is bounded: a probe per organization, as a claim makes
 * them, and QUEUE_COUNT_MAX entries of an index per figure. Writes nothing. */
#include "db/queue.h"
#include "base/clock.h"

/* The ready tasks of an organization lie in the order in which they are due, so each probe reads what it counts and no more. */
static const struct stmt LOOK = {
	"queue_look",
	"SELECT"
	" (SELECT count(*) FROM (SELECT FROM org_queue q CROSS JOIN LATERAL (SELECT FROM task t"
	"  WHERE t.org_id = q.org_id AND t.state = 'ready' AND t.run_at <= now() LIMIT $1) x"
	"  LIMIT $1) ready) AS ready,"
	" (SELECT count(*) FROM (SELECT FROM org_queue q CROSS JOIN LATERAL (SELECT FROM task t"
	"  WHERE t.org_id = q.org_id AND t.state = 'ready' AND t.run_at > now() LIMIT $1) x"
	"  LIMIT $1) later) AS later,"
	" (SELECT count(*) FROM (SELECT FROM task WHERE state = 'leased' LIMIT $1) leased)"
	"  AS leased,"
	" COALESCE((SELECT (extract(epoch FROM now() - min(x.run_at)) * 1000000)::bigint"
	"  FROM org_queue q CROSS JOIN LATERAL (SELECT t.run_at FROM task t"
	"  WHERE t.org_id = q.org_id AND t.state = 'ready' AND t.run_at <= now()"
	"  ORDER BY t.run_at, t.task_id LIMIT 1) x), 0) AS oldest_us,"
	" COALESCE((SELECT (extract(epoch FROM now() - min(x.since)) * 1000000)::bigint FROM ("
	"  (SELECT due_at AS since FROM schedule WHERE NOT paused AND due_at <= now()"
	"   AND kind = 'sync' ORDER BY due_at LIMIT 1) UNION ALL"
	"  (SELECT coalesce(tick, created_at) FROM sync WHERE state IN ('queued', 'running')"
	"   LIMIT $1)) x), 0) AS lag_us",
	1, .by_index = true
};

enum rc queue_look(struct db *db, struct queue_sum *ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &LOOK, (const struct arg[]){ arg_i64(QUEUE_COUNT_MAX) },
			    &rows, err);

	if (rc != RC_OK)
		return rc;
	*ret = (struct queue_sum){ .ready = db_rows_i64(rows, 0, "ready"),
				   .later = db_rows_i64(rows, 0, "later"),
				   .leased = db_rows_i64(rows, 0, "leased"),
				   .oldest_ns = db_rows_i64(rows, 0, "oldest_us") * 1000,
				   .lag_ns = db_rows_i64(rows, 0, "lag_us") * 1000 };
	return RC_OK;
}
