/* Queues the check of a connection: at most one waits, however often a person changes credentials.
 * Never judges: the worker does, and only about the version that it read. */
#include "db/verify_task.h"
#include "db/tasks.h"

/* The caller holds the connection's row: a worker that claims the waiting task before we commit reads
 * the old version, and its verdict then finds another one and is not written. */
static const struct stmt BRING_FORWARD = {
	"verify_task_bring_forward",
	"UPDATE task SET run_at = least(run_at, now()) WHERE org_id = $1 AND connection_id = $2"
	" AND kind = 'verify' AND state = 'ready' RETURNING " TASKS_HINT,
	2, .by_index = true
};

enum rc verify_task_first(struct db *db, struct id org_id, struct id connection_id, struct err *err)
{
	const struct new_task task = { .org_id = org_id,
				       .connection_id = connection_id,
				       .kind = "verify" };

	return tasks_insert(db, &task, NULL, err);
}

enum rc verify_task_queue(struct db *db, struct id org_id, struct id connection_id, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(org_id), arg_id(connection_id) };
	enum rc rc = db_run(db, NULL, &BRING_FORWARD, args, &rows, err);

	if (rc != RC_OK || db_rows_count(rows) > 0)
		return rc;
	return verify_task_first(db, org_id, connection_id, err);
}
