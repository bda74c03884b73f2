/* The purge of a deleted connection. Inventory that another connection still points to is handed over, so that no edge
 * loses an end. Never starts while another task of the connection holds a lease: it could write behind the purge. */
#include "db/connection_purge.h"

static const struct stmt STATE = {
	"connection_purge_state",
	"SELECT c.deleted_at IS NOT NULL AS deleted, EXISTS (SELECT FROM task t WHERE t.org_id = $1"
	"  AND t.connection_id = $2 AND t.state = 'leased' AND t.task_id <> $3) AS busy"
	" FROM connection c WHERE c.org_id = $1 AND c.connection_id = $2",
	3
};

static const struct stmt EDGES = { "connection_purge_edges",
				   "DELETE FROM edge WHERE org_id = $1 AND edge_id IN"
				   " (SELECT edge_id FROM edge WHERE org_id = $1 AND connection_id "
				   "= $2 ORDER BY edge_id LIMIT $3::bigint)",
				   3 };

/* What others' edges end at becomes a stub of theirs: nothing of this account's data stays in it. */
static const struct stmt HAND_OVER = {
	"connection_purge_hand_over",
	"UPDATE entity e SET connection_id = o.connection_id, stub = true, part = '', name = CASE "
	"WHEN e.stub THEN e.name"
	"  ELSE e.key END, attrs = '{}', attrs_hash = sha256(''), incarnation = '', changed_at = "
	"now(), deleted_at = NULL"
	" FROM (SELECT x.entity_id, (SELECT g.connection_id FROM edge g WHERE g.org_id = $1 AND "
	"g.connection_id <> $2"
	"   AND (g.src_id = x.entity_id OR g.dst_id = x.entity_id) LIMIT 1) AS connection_id"
	"  FROM entity x WHERE x.org_id = $1 AND x.connection_id = $2 ORDER BY x.entity_id) o"
	" WHERE o.connection_id IS NOT NULL AND e.org_id = $1 AND e.entity_id = o.entity_id",
	2
};

static const struct stmt ENTITIES = { "connection_purge_entities",
				      "DELETE FROM entity WHERE org_id = $1 AND entity_id IN"
				      " (SELECT entity_id FROM entity WHERE org_id = $1 AND "
				      "connection_id = $2 ORDER BY entity_id LIMIT $3::bigint)",
				      3 };

static const struct stmt CHANGES = { "connection_purge_changes",
				     "DELETE FROM change WHERE org_id = $1 AND (at, change_id) IN"
				     " (SELECT at, change_id FROM change WHERE org_id = $1 AND "
				     "connection_id = $2 LIMIT $3::bigint)",
				     3 };

static const struct stmt DOCUMENTS = {
	"connection_purge_documents",
	"DELETE FROM document d WHERE d.org_id = $1 AND NOT EXISTS (SELECT FROM"
	" (SELECT attrs->>'document' AS sha FROM entity WHERE org_id = $1 AND attrs ? 'document'"
	"  UNION SELECT attrs->>'trust_document' FROM entity WHERE org_id = $1 AND attrs ? "
	"'trust_document'"
	"  UNION SELECT v->>'document' FROM entity, jsonb_array_elements(attrs->'versions') AS v"
	"   WHERE org_id = $1 AND jsonb_typeof(attrs->'versions') = 'array') used WHERE used.sha = "
	"encode(d.sha256, 'hex'))",
	1
};

/* Coverage, syncs, tasks and schedules go by their foreign keys. */
static const struct stmt ROW = { "connection_purge_row",
				 "DELETE FROM connection WHERE org_id = $1 AND connection_id = $2 "
				 "AND deleted_at IS NOT NULL",
				 2 };

struct step {
	const struct task *task;
	int batch;
	bool *left;
};

static enum rc bounded(struct db *db, const struct step *s, const struct stmt *stmt, bool *ret_done,
		       struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(s->task->org_id), arg_id(s->task->connection_id),
				    arg_i64(s->batch) };
	enum rc rc = db_run(db, NULL, stmt, args, &rows, err);

	if (rc == RC_OK)
		*ret_done = db_rows_affected(rows) < s->batch;
	return rc;
}

static enum rc last_step(struct db *db, const struct step *s, struct err *err)
{
	const struct arg args[] = { arg_id(s->task->org_id), arg_id(s->task->connection_id) };
	enum rc rc = db_run(db, NULL, &DOCUMENTS, args, NULL, err);

	/* Finishing first frees the slot; the row's cascade then finds no task of ours. */
	if (rc == RC_OK)
		rc = tasks_finish(db, s->task, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &ROW, args, NULL, err);
	if (rc == RC_OK)
		*s->left = false;
	return rc;
}

static enum rc check(struct db *db, const struct step *s, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(s->task->org_id), arg_id(s->task->connection_id),
				    arg_id(s->task->task_id) };
	enum rc rc = tasks_fence(db, s->task, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &STATE, args, &rows, err);
	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_CONFLICT, "connection_gone",
			       "the connection is purged already");
	if (!db_rows_bool(rows, 0, "deleted"))
		return err_set(err, RC_DENIED, "connection_alive",
			       "the connection was not deleted; nothing is purged");
	if (db_rows_bool(rows, 0, "busy"))
		return err_set(err, RC_RETRY, "connection_busy",
			       "another task of the deleted connection is still stopping");
	return RC_OK;
}

static enum rc step_body(struct db *db, void *arg, struct err *err)
{
	static const struct stmt *const STEPS[] = { &EDGES, &ENTITIES, &CHANGES };
	struct step *s = arg;
	const struct arg args[] = { arg_id(s->task->org_id), arg_id(s->task->connection_id) };
	bool done = true;
	enum rc rc = check(db, s, err);

	*s->left = true;
	for (size_t i = 0; rc == RC_OK && done && i < COUNT_OF(STEPS); i++) {
		if (STEPS[i] == &ENTITIES)
			rc = db_run(db, NULL, &HAND_OVER, args, NULL, err);
		if (rc == RC_OK)
			rc = bounded(db, s, STEPS[i], &done, err);
	}
	return rc == RC_OK && done ? last_step(db, s, err) : rc;
}

enum rc connection_purge_step(struct db *db, const struct task *task, int batch, bool *ret_left,
			      struct err *err)
{
	struct step s = { .task = task, .batch = batch, .left = ret_left };
	const struct db_who who = { .org_id = task->org_id };

	return db_tx(db, &who, step_body, &s, err);
}
