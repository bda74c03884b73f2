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

/* heir: whose the rows of g's accounts are from now on, if anybody's. Declared is enough: it will read the account, or say why
 * it cannot. */
#define HEIR                                                                                       \
	"heir AS MATERIALIZED (SELECT a.account_id, (SELECT c.connection_id FROM connection c"     \
	"  WHERE c.org_id = $1 AND c.connection_id <> $3 AND c.deleted_at IS NULL"                 \
	"  AND (coalesce(nullif(c.pinned_account_id, ''), c.aws_account_id) = a.account_id"        \
	"   OR EXISTS (SELECT FROM coverage v WHERE v.org_id = $1"                                 \
	"   AND v.connection_id = c.connection_id AND v.account_id = a.account_id))"               \
	"  ORDER BY c.connection_id LIMIT 1) AS connection_id"                                     \
	" FROM (SELECT DISTINCT account_id FROM g) a)"

static const struct stmt EDGES = {
	"connection_purge_edges",
	"WITH g AS MATERIALIZED (SELECT edge_id, account_id FROM edge WHERE org_id = $1"
	"  AND connection_id = $3 LIMIT $2::bigint), " HEIR
	", x AS MATERIALIZED (SELECT g.edge_id, h.connection_id AS heir_id FROM g"
	"  JOIN heir h USING (account_id)),"
	" u AS (UPDATE edge e SET connection_id = x.heir_id FROM x WHERE e.org_id = $1"
	"  AND e.edge_id = x.edge_id AND x.heir_id IS NOT NULL),"
	" d AS (DELETE FROM edge e USING x WHERE e.org_id = $1 AND e.edge_id = x.edge_id"
	"  AND x.heir_id IS NULL)"
	" SELECT count(*) AS n FROM x",
	3, .by_index = true
};

/* What only edges of others keep becomes a stub of theirs: nothing of this account's data stays in it. What AWS manages is
 * nobody's data and stays whole. */
static const struct stmt ENTITIES = {
	"connection_purge_entities",
	"WITH g AS MATERIALIZED (SELECT entity_id, account_id, stub FROM entity WHERE org_id = $1"
	"  AND connection_id = $3 LIMIT $2::bigint), " HEIR
	", x AS MATERIALIZED (SELECT e.entity_id, CASE WHEN h.connection_id IS NOT NULL"
	"   AND NOT e.stub THEN h.connection_id ELSE o.connection_id END AS heir_id,"
	"  h.connection_id IS NOT NULL OR e.account_id = 'aws' OR e.stub AS whole"
	"  FROM g e JOIN heir h USING (account_id)"
	" LEFT JOIN LATERAL (SELECT o.connection_id FROM"
	"  (SELECT s.connection_id FROM edge s WHERE s.org_id = $1 AND s.src_id = e.entity_id"
	"   UNION ALL SELECT t.connection_id FROM edge t WHERE t.org_id = $1"
	"   AND t.dst_id = e.entity_id) o WHERE o.connection_id <> $3 LIMIT 1) o ON true),"
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
	3, .by_index = true
};

static const struct stmt CHANGES = {
	"connection_purge_changes",
	"WITH x AS MATERIALIZED (SELECT at, change_id FROM change WHERE org_id = $1"
	"  AND connection_id = $3 LIMIT $2::bigint),"
	" d AS (DELETE FROM change c USING x WHERE c.org_id = $1 AND c.at = x.at"
	"  AND c.change_id = x.change_id)"
	" SELECT count(*) AS n FROM x",
	3, .by_index = true
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
	3, .by_index = true
};

/* What would go by foreign key with the connection, but could be too much for one transaction. None of it is written any more,
 * so the places of the rows hold. */
#define OWN_ROWS(table)                                                                            \
	"WITH d AS (DELETE FROM " table " WHERE org_id = $1 AND ctid = ANY(ARRAY("                 \
	"SELECT ctid FROM " table " WHERE org_id = $1 AND connection_id = $3 LIMIT $2::bigint))"   \
	" RETURNING 1) SELECT count(*) AS n FROM d"

static const struct stmt PERMISSIONS = { "connection_purge_permissions",
					 OWN_ROWS("connection_permission"), 3, .by_index = true };
static const struct stmt CHECKS = { "connection_purge_checks", OWN_ROWS("connection_check"), 3,
				    .by_index = true };
static const struct stmt COVERAGE = { "connection_purge_coverage", OWN_ROWS("coverage"), 3,
				      .by_index = true };
static const struct stmt SYNCS = { "connection_purge_syncs", OWN_ROWS("sync"), 3,
				   .by_index = true };

/* Tasks, schedules and what slipped in after its step go by their foreign keys. */
static const struct stmt ROW = { "connection_purge_row",
				 "DELETE FROM connection WHERE org_id = $1 AND connection_id = $2 "
				 "AND deleted_at IS NOT NULL",
				 2, .by_index = true };

/* A step that is about to be committed: the lease begins anew, and how often workers died before says nothing any more. Else a
 * purge would be given up that a machine which loses its workers again and again does bring to its end. */
static const struct stmt PROGRESS = {
	"connection_purge_progress",
	"UPDATE task SET lost = 0, leased_until = clock_timestamp() + make_interval(secs => $4)"
	" WHERE org_id = $1 AND task_id = $2 AND lease = $3",
	4, .by_index = true
};

/* What a step looks at is few rows of tables that may be large, which the planner cannot know: row by row, by index. */
static const struct stmt PLAN = {
	"connection_purge_plan",
	"SELECT set_config('enable_bitmapscan', $1, true), set_config('enable_hashjoin', $1, true),"
	" set_config('enable_mergejoin', $1, true)",
	1, .by_index = true
};

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

static enum rc progress(struct db *db, const struct task *task, struct err *err)
{
	const struct arg args[] = { arg_id(task->org_id), arg_id(task->task_id),
				    arg_i64(task->lease), arg_i64(task->lease_s) };

	return db_run(db, NULL, &PROGRESS, args, NULL, err);
}

/* Runs them up to the first that found as much as a step may take. */
static enum rc run(struct db *db, const struct step *s, bool whole_tables,
		   const struct stmt *const *stmts, size_t n, bool *ret_full, struct err *err)
{
	const struct arg args[] = { arg_id(s->task->org_id), arg_i64(s->batch),
				    arg_id(s->task->connection_id) };
	const struct arg plan[] = { arg_c(whole_tables ? "on" : "off") };
	enum rc rc = db_run(db, NULL, &PLAN, plan, NULL, err);

	for (size_t i = 0; i < n && rc == RC_OK && !*ret_full; i++) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		rc = db_run(db, NULL, stmts[i], args, &rows, err);
		*ret_full = rc == RC_OK && db_rows_i64(rows, 0, "n") == s->batch;
	}
	return rc;
}

static enum rc step_body(struct db *db, void *arg, struct err *err)
{
	static const struct stmt *const OWN[] = { &EDGES,       &ENTITIES, &CHANGES,  &EVENTS,
						  &PERMISSIONS, &CHECKS,   &COVERAGE, &SYNCS };
	/* These look at rows of others, so they come when the connection's own are gone. */
	static const struct stmt *const SHARED[] = { &ANSWERS, &DOCUMENTS };
	struct step *s = arg;
	bool full = false;
	enum rc rc = check(db, s, err);

	*s->left = true;
	if (rc == RC_OK)
		rc = run(db, s, false, OWN, COUNT_OF(OWN), &full, err);
	if (rc == RC_OK && !full)
		rc = run(db, s, true, SHARED, COUNT_OF(SHARED), &full, err);
	if (rc != RC_OK)
		return rc;
	return full ? progress(db, s->task, err) : last_step(db, s, err);
}

enum rc connection_purge_step(struct db *db, const struct task *task, int batch, bool *ret_left,
			      struct err *err)
{
	struct step s = { .task = task, .batch = batch, .left = ret_left };
	const struct db_who who = { .org_id = task->org_id };

	return db_tx(db, &who, step_body, &s, err);
}
