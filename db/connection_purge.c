/* The purge of a deleted connection. What another living connection of the organization covers as well is its now, and so is
 * what its edges end at: the rows name only who found them first. Never starts while another task of the connection holds a
 * lease: it could write behind the purge. */
#include "db/connection_purge.h"
#include "db/inventory.h"

static const struct stmt STATE = {
	"connection_purge_state",
	"SELECT c.deleted_at IS NOT NULL AS deleted, EXISTS (SELECT FROM task t WHERE t.org_id = $1"
	"  AND t.connection_id = $2 AND t.state = 'leased' AND t.task_id <> $3) AS busy"
	" FROM connection c WHERE c.org_id = $1 AND c.connection_id = $2",
	3
};

/* Each step looks at the first $2 rows, hands over, deletes or blanks every one of them, and says how many there were. */

/* heir: whose an account's rows are from now on. Declared is enough: it will read the account, or say why it cannot. */
#define HEIR                                                                                       \
	"heir AS MATERIALIZED (SELECT DISTINCT ON (a.account_id) a.account_id, a.connection_id"    \
	" FROM (SELECT v.account_id, v.connection_id FROM coverage v WHERE v.org_id = $1"          \
	"  UNION SELECT coalesce(nullif(c.pinned_account_id, ''), c.aws_account_id),"              \
	"  c.connection_id FROM connection c WHERE c.org_id = $1) a"                               \
	" JOIN connection c ON c.org_id = $1 AND c.connection_id = a.connection_id"                \
	" WHERE a.connection_id <> $3 AND c.deleted_at IS NULL"                                    \
	" ORDER BY a.account_id, a.connection_id)"

static const struct stmt EDGES = {
	"connection_purge_edges",
	"WITH " HEIR ", x AS MATERIALIZED (SELECT g.edge_id, h.connection_id AS heir_id FROM"
	" (SELECT edge_id, account_id FROM edge WHERE org_id = $1 AND connection_id = $3"
	"  ORDER BY edge_id LIMIT $2::bigint) g LEFT JOIN heir h USING (account_id)),"
	" u AS (UPDATE edge e SET connection_id = x.heir_id FROM x WHERE e.org_id = $1"
	"  AND e.edge_id = x.edge_id AND x.heir_id IS NOT NULL),"
	" d AS (DELETE FROM edge e USING x WHERE e.org_id = $1 AND e.edge_id = x.edge_id"
	"  AND x.heir_id IS NULL)"
	" SELECT count(*) AS n FROM x",
	3
};

/* What only edges of others keep becomes a stub of theirs: nothing of this account's data stays in it. What AWS manages is
 * nobody's data and stays whole. */
static const struct stmt ENTITIES = {
	"connection_purge_entities",
	"WITH " HEIR
	", x AS MATERIALIZED (SELECT e.entity_id, CASE WHEN h.connection_id IS NOT NULL"
	"   AND NOT e.stub THEN h.connection_id ELSE g.connection_id END AS heir_id,"
	"  h.connection_id IS NOT NULL OR e.account_id = 'aws' OR e.stub AS whole FROM"
	" (SELECT entity_id, account_id, stub FROM entity WHERE org_id = $1 AND connection_id = $3"
	"  ORDER BY entity_id LIMIT $2::bigint) e LEFT JOIN heir h USING (account_id)"
	" LEFT JOIN LATERAL (SELECT o.connection_id FROM"
	"  (SELECT s.connection_id FROM edge s WHERE s.org_id = $1 AND s.src_id = e.entity_id"
	"   UNION ALL SELECT t.connection_id FROM edge t WHERE t.org_id = $1"
	"   AND t.dst_id = e.entity_id) o WHERE o.connection_id <> $3 LIMIT 1) g ON true),"
	" w AS (UPDATE entity e SET connection_id = x.heir_id FROM x WHERE e.org_id = $1"
	"  AND e.entity_id = x.entity_id AND x.heir_id IS NOT NULL AND x.whole),"
	" s AS (UPDATE entity e SET connection_id = x.heir_id, stub = true, part = '', name = "
	"e.key,"
	"  attrs = '{}', attrs_hash = sha256(''), incarnation = '', changed_at = now(),"
	"  deleted_at = NULL FROM x WHERE e.org_id = $1 AND e.entity_id = x.entity_id"
	"  AND x.heir_id IS NOT NULL AND NOT x.whole),"
	" d AS (DELETE FROM entity e USING x WHERE e.org_id = $1 AND e.entity_id = x.entity_id"
	"  AND x.heir_id IS NULL)"
	" SELECT count(*) AS n FROM x",
	3
};

static const struct stmt CHANGES = {
	"connection_purge_changes",
	"WITH d AS (DELETE FROM change WHERE org_id = $1 AND (at, change_id) IN"
	"  (SELECT at, change_id FROM change WHERE org_id = $1 AND connection_id = $3"
	"   LIMIT $2::bigint) RETURNING 1)"
	" SELECT count(*) AS n FROM d",
	3
};

/* Stored answers that tell of it. Their keys stay taken: a change that is sent again must not make it anew. */
static const struct stmt ANSWERS = {
	"connection_purge_answers",
	"WITH d AS (UPDATE idempotency SET body = '', location = '', etag = '', purged = true"
	"  WHERE org_id = $1 AND key_hash IN (SELECT key_hash FROM idempotency WHERE org_id = $1"
	"   AND strpos(location || body, 'conn_' || replace($3::text, '-', '')) > 0"
	"   LIMIT $2::bigint) RETURNING 1)"
	" SELECT count(*) AS n FROM d",
	3
};

static const struct stmt DOCUMENTS = {
	"connection_purge_documents",
	"WITH used AS MATERIALIZED"
	" (SELECT attrs->>'document' AS sha FROM entity WHERE org_id = $1 AND attrs ? 'document'"
	"  UNION SELECT attrs->>'trust_document' FROM entity WHERE org_id = $1 AND attrs ? "
	"'trust_document'"
	"  UNION SELECT v->>'document' FROM entity, jsonb_array_elements(attrs->'versions') AS v"
	"   WHERE org_id = $1 AND jsonb_typeof(attrs->'versions') = 'array'),"
	" d AS (DELETE FROM document WHERE org_id = $1 AND sha256 IN (SELECT d.sha256 FROM document"
	"  d WHERE d.org_id = $1 AND NOT EXISTS (SELECT FROM used"
	"   WHERE used.sha = encode(d.sha256, 'hex')) LIMIT $2::bigint) RETURNING 1)"
	" SELECT count(*) AS n FROM d",
	2
};

/* Deliveries go by their foreign key. */
static const struct stmt EVENTS = {
	"connection_purge_events",
	"WITH d AS (DELETE FROM event WHERE org_id = $1 AND event_id IN"
	"  (SELECT event_id FROM event WHERE org_id = $1 AND connection_id = $3"
	"   LIMIT $2::bigint) RETURNING 1)"
	" SELECT count(*) AS n FROM d",
	3
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

static enum rc last_step(struct db *db, const struct step *s, struct err *err)
{
	const struct arg args[] = { arg_id(s->task->org_id), arg_id(s->task->connection_id) };
	/* Finishing first frees the slot; the row's cascade then finds no task of ours. */
	enum rc rc = tasks_finish(db, s->task, err);

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
	enum rc rc = inventory_own(db, s->task->org_id, err);

	if (rc == RC_OK)
		rc = tasks_fence(db, s->task, err);
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
	static const struct stmt *const STEPS[] = { &EDGES,  &ENTITIES, &CHANGES,
						    &EVENTS, &ANSWERS,  &DOCUMENTS };
	struct step *s = arg;
	const struct arg args[] = { arg_id(s->task->org_id), arg_i64(s->batch),
				    arg_id(s->task->connection_id) };
	enum rc rc = check(db, s, err);

	*s->left = true;
	for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		if (rc == RC_OK)
			rc = db_run(db, NULL, STEPS[i], args, &rows, err);
		if (rc != RC_OK || db_rows_i64(rows, 0, "n") == s->batch)
			return rc;
	}
	return last_step(db, s, err);
}

enum rc connection_purge_step(struct db *db, const struct task *task, int batch, bool *ret_left,
			      struct err *err)
{
	struct step s = { .task = task, .batch = batch, .left = ret_left };
	const struct db_who who = { .org_id = task->org_id };

	return db_tx(db, &who, step_body, &s, err);
}
