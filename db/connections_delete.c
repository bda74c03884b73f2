/* Deletion of a connection: what must be true at once (secret gone, nothing runs any more), and the
 * purge task that removes the rest.
 * Never deletes inventory itself: that takes long, and a request does not wait for it. */
#include "db/audit.h"
#include "db/connections.h"
#include "db/tasks.h"

enum { DELETE_TRIES = 4 };

struct deletion {
	const struct connection_delete *in;
	bool again, overtaken; /* overtaken: it changed between our look and our mark */
};

/* lost: it is deleted, and no purge is queued for what is left of it. */
static const struct stmt LOOK = { "connections_delete_look",
				  "SELECT version, deleted_at IS NOT NULL AS again,"
				  " deleted_at IS NOT NULL AND NOT EXISTS (SELECT FROM task t"
				  "  WHERE t.org_id = $1 AND t.connection_id = $2"
				  "  AND t.kind = 'purge') AS lost FROM connection"
				  " WHERE org_id = $1 AND connection_id = $2",
				  2 };
static const struct stmt MARK = {
	"connections_delete_mark",
	"UPDATE connection SET deleted_at = now(), updated_at = now(), version = version + 1,"
	" sealed_secret_access_key = NULL"
	" WHERE org_id = $1 AND connection_id = $2 AND deleted_at IS NULL AND version = $3",
	3
};
static const struct stmt UNSCHEDULE = {
	"connections_delete_unschedule",
	"DELETE FROM schedule WHERE org_id = $1 AND connection_id = $2", 2
};
static const struct stmt DROP_READY = {
	"connections_delete_drop_ready",
	"DELETE FROM task WHERE org_id = $1 AND connection_id = $2 AND state = 'ready'", 2
};
static const struct stmt CANCEL_LEASED = {
	"connections_delete_cancel_leased",
	"WITH u AS (UPDATE task SET cancel = true WHERE org_id = $1 AND connection_id = $2"
	" RETURNING task_id) SELECT pg_notify('task_cancel', '') WHERE EXISTS (SELECT FROM u)",
	2
};
/* A sync none of whose tasks is leased any more has ended; one with leased tasks ends with them. */
static const struct stmt END_SYNCS = {
	"connections_delete_end_syncs",
	"UPDATE sync s SET cancel = true, tasks_left = l.n,"
	" state = CASE WHEN l.n = 0 THEN 'canceled' ELSE s.state END,"
	" finished_at = CASE WHEN l.n = 0 THEN now() END,"
	" reason_code = 'connection_deleted', reason = 'The connection was deleted.'"
	" FROM (SELECT y.sync_id, (SELECT count(*)::integer FROM task t WHERE t.org_id = y.org_id"
	"   AND t.sync_id = y.sync_id) AS n FROM sync y"
	"  WHERE y.org_id = $1 AND y.connection_id = $2 AND y.state IN ('queued', 'running')) l"
	" WHERE s.org_id = $1 AND s.sync_id = l.sync_id",
	2
};

/* Tasks, syncs, then the connection: the order in which the queue locks. A sync that slips in between
 * finds its connection deleted, and the purge waits for it. */
static const struct stmt *const STEPS[] = { &DROP_READY, &CANCEL_LEASED, &END_SYNCS, &UNSCHEDULE };

static enum rc queue_purge(struct db *db, const struct connection_delete *in, struct err *err)
{
	const struct new_task purge = { .org_id = in->org_id,
					.connection_id = in->connection_id,
					.kind = "purge" };

	return tasks_insert(db, &purge, NULL, err);
}

static enum rc follow_up(struct db *db, const struct connection_delete *in, struct err *err)
{
	char text[ID_TEXT_MAX];
	const struct audit_entry entry = { .org_id = in->org_id,
					   .actor = in->actor,
					   .action = "connection.deleted",
					   .target_kind = "connection",
					   .target_id = text,
					   .request_id = in->request_id };
	enum rc rc = queue_purge(db, in, err);

	id_text(in->connection_id, "conn_", text);
	return rc == RC_OK ? audit_insert(db, NULL, &entry, err) : rc;
}

static enum rc version_changed(struct err *err)
{
	return err_set(err, RC_CONFLICT, "version_changed",
		       "The connection was changed by somebody else; read it again.");
}

static enum rc mark(struct db *db, struct deletion *d, int64_t version, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(d->in->org_id), arg_id(d->in->connection_id),
				    arg_i64(version) };
	enum rc rc = db_run(db, NULL, &MARK, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	/* The look took no lock, so the mark names what was seen: else two deletions would both be the
	 * first one, and a change that nobody looked at would be deleted with it. */
	d->overtaken = db_rows_affected(rows) == 0;
	return d->overtaken ? version_changed(err) : RC_OK;
}

static enum rc delete_body(struct db *db, void *arg, struct err *err)
{
	struct deletion *d = arg;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(d->in->org_id), arg_id(d->in->connection_id) };
	enum rc rc = db_run(db, NULL, &LOOK, args, &rows, err);

	d->overtaken = false;
	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such connection");
	d->again = db_rows_bool(rows, 0, "again");
	if (d->again)
		return db_rows_bool(rows, 0, "lost") ? queue_purge(db, d->in, err) : RC_OK;
	if (d->in->version && d->in->version != db_rows_i64(rows, 0, "version"))
		return version_changed(err);
	for (size_t i = 0; i < COUNT_OF(STEPS) && rc == RC_OK; i++)
		rc = db_run(db, NULL, STEPS[i], args, NULL, err);
	if (rc == RC_OK)
		rc = mark(db, d, db_rows_i64(rows, 0, "version"), err);
	return rc == RC_OK ? follow_up(db, d->in, err) : rc;
}

enum rc connections_delete(struct db *db, const struct connection_delete *in, bool *ret_again,
			   struct err *err)
{
	struct deletion d = { .in = in };
	const struct db_who who = { .org_id = in->org_id };

	for (int tries = 1;; tries++) {
		struct err own = { 0 };
		enum rc rc = db_tx(db, &who, delete_body, &d, &own);

		*ret_again = d.again;
		if (rc == RC_OK)
			return rc;
		if (!d.overtaken || tries == DELETE_TRIES)
			return err_set(err, rc, own.code, "%s", own.text);
	}
}
