/* Entities of a merge: what is new, different, back, made again or gone, each found by one statement over the stage.
 * Nothing is tombstoned but what a complete listing did not show, and mass vanishing waits for a second one.
 * Never reads AWS and never locks a row that it does not change. */
#include "db/inventory.h"
#include "base/buf.h"
#include "db/emit.h"
#include "db/inventory_edge.h"

enum { INVENTORY_LIST_MAX = 4096 };

/* Before anything is inserted, so that the guard measures what was there. A trust document that cannot be read says
 * nothing about who is trusted: its edges stay as they were. */
static const struct stmt FIND_GONE = { "inventory_find_gone",
				       "INSERT INTO stage_gone (subject, id, part)"
				       " SELECT 'entity', e.entity_id, e.part FROM entity e"
				       " WHERE e.org_id = $1 AND e.account_id = $2 AND e.region = "
				       "$3 AND e.scope = $4 AND e.part = ANY ($5::text[])"
				       " AND e.deleted_at IS NULL"
				       " AND NOT EXISTS (SELECT FROM stage_entity s WHERE "
				       "s.entity_id = e.entity_id AND s.rank = 0)"
				       " UNION ALL"
				       " SELECT 'edge', e.edge_id, e.part FROM edge e"
				       " WHERE e.org_id = $1 AND e.account_id = $2 AND e.region = "
				       "$3 AND e.scope = $4 AND e.part = ANY ($5::text[])"
				       " AND e.deleted_at IS NULL AND NOT EXISTS (SELECT FROM "
				       "stage_edge s WHERE s.edge_id = e.edge_id)"
				       " AND NOT (e.kind IN ('trusts', 'federates') AND EXISTS "
				       "(SELECT FROM stage_entity s"
				       "  WHERE s.entity_id = e.dst_id AND s.rank = 0"
				       "  AND s.attrs->>'trust_document_state' = 'malformed'))",
				       5 };

static const struct stmt COUNT_GONE = {
	"inventory_count_gone",
	"SELECT g.part, g.gone, g.gone_edges,"
	" (SELECT count(*) FROM entity e WHERE e.org_id = $1 AND e.account_id = $2 AND e.region = "
	"$3 AND e.scope = $4"
	"  AND e.part = g.part AND e.deleted_at IS NULL) AS live,"
	" (SELECT count(*) FROM edge e WHERE e.org_id = $1 AND e.account_id = $2 AND e.region = $3 "
	"AND e.scope = $4"
	"  AND e.part = g.part AND e.deleted_at IS NULL) AS live_edges,"
	" EXISTS (SELECT FROM coverage c WHERE c.org_id = $1 AND c.connection_id = $5 AND "
	"c.account_id = $2"
	"  AND c.region = $3 AND c.scope = $4 AND c.part = g.part AND c.held_sync_id <> $6) AS "
	"second"
	" FROM (SELECT part, count(*) FILTER (WHERE subject = 'entity') AS gone,"
	"  count(*) FILTER (WHERE subject = 'edge') AS gone_edges FROM stage_gone GROUP BY part) g",
	6
};

static const struct stmt DIFF = {
	"inventory_diff",
	"INSERT INTO stage_diff (entity_id, op, kind, key, name, account_id, region, part, "
	"incarnation, stub, attrs,"
	" attrs_hash, before)"
	" WITH one AS ("
	"  SELECT DISTINCT ON (entity_id) entity_id, kind, key, name, account_id, region, part, "
	"incarnation, born, rank"
	"  FROM stage_entity ORDER BY entity_id, rank, ord"
	" ), bag AS ("
	"  SELECT s.entity_id, jsonb_object_agg(j.k, j.v ORDER BY s.rank, s.ord) AS attrs"
	"  FROM stage_entity s JOIN one o USING (entity_id) CROSS JOIN LATERAL jsonb_each(s.attrs) "
	"AS j (k, v)"
	"  WHERE s.rank = o.rank OR (s.rank = 1 AND (o.born = '' OR s.born = '' OR s.born = "
	"o.born))"
	"  GROUP BY s.entity_id"
	" ), found AS ("
	"  SELECT o.entity_id, o.rank, coalesce(b.attrs, '{}') AS bag, e.entity_id IS NOT NULL AS "
	"known,"
	"   e.deleted_at IS NOT NULL AS dead, coalesce(e.stub, false) AS was_stub, e.name AS "
	"old_name, e.attrs AS old_attrs,"
	"   e.attrs_hash AS old_hash, e.part AS old_part,"
	"   o.incarnation <> '' AND e.incarnation <> '' AND o.incarnation <> e.incarnation AS "
	"remade,"
	"   CASE WHEN o.rank = 1 THEN e.kind ELSE o.kind END AS kind, CASE WHEN o.rank = 1 THEN "
	"e.key ELSE o.key END AS key,"
	"   CASE WHEN o.rank = 1 THEN e.name ELSE o.name END AS name,"
	"   CASE WHEN o.rank = 1 THEN e.account_id ELSE o.account_id END AS account_id,"
	"   CASE WHEN o.rank = 1 THEN e.region ELSE o.region END AS region,"
	"   CASE WHEN o.rank = 1 THEN e.part ELSE o.part END AS part,"
	"   CASE WHEN o.rank = 1 THEN e.incarnation ELSE o.incarnation END AS incarnation"
	"  FROM one o LEFT JOIN bag b USING (entity_id)"
	"  LEFT JOIN entity e ON e.org_id = $1 AND e.entity_id = o.entity_id"
	"  WHERE CASE o.rank WHEN 0 THEN true"
	"   WHEN 1 THEN e.entity_id IS NOT NULL AND e.deleted_at IS NULL AND NOT e.stub AND e.part "
	"<> ALL ($3::text[])"
	"   ELSE e.entity_id IS NULL END"
	" ), united AS ("
	"  SELECT f.*, CASE WHEN rank = 1 THEN old_attrs || bag"
	"   WHEN rank = 0 AND known AND NOT was_stub AND NOT remade AND $2::text[] <> '{}' THEN"
	"    coalesce((SELECT jsonb_object_agg(j.k, j.v) FROM jsonb_each(old_attrs) AS j (k, v)"
	"     WHERE f.kind || ':' || j.k = ANY ($2::text[])), '{}') || bag"
	"   ELSE bag END AS attrs FROM found f"
	" ), hashed AS ("
	"  SELECT u.*, sha256(convert_to(name || chr(10) || attrs::text, 'UTF8')) AS hash FROM "
	"united u"
	" )"
	" SELECT entity_id, CASE WHEN NOT known THEN 'created' WHEN remade THEN 'recreated' WHEN "
	"dead THEN 'restored'"
	"  ELSE 'changed' END, kind, key, name, account_id, region, part, incarnation, rank = 2, "
	"attrs, hash,"
	"  CASE WHEN known THEN jsonb_build_object('name', old_name, 'attrs', old_attrs)"
	"   || CASE WHEN was_stub THEN '{\"stub\": true}'::jsonb ELSE '{}' END END"
	" FROM hashed WHERE NOT known OR dead OR remade OR was_stub OR old_hash <> hash OR "
	"old_part <> part",
	3
};

static const struct stmt ADD = {
	"inventory_add",
	"WITH put AS ("
	"  INSERT INTO entity (org_id, entity_id, connection_id, account_id, region, scope, part, "
	"kind, key, name, attrs,"
	"   attrs_hash, incarnation, stub)"
	"  SELECT $1, d.entity_id, $2, d.account_id, d.region, $4, d.part, d.kind, d.key, d.name, "
	"d.attrs, d.attrs_hash,"
	"   d.incarnation, d.stub FROM stage_diff d WHERE d.op = 'created' ORDER BY d.entity_id"
	"  ON CONFLICT (org_id, entity_id) DO NOTHING RETURNING entity_id, kind, key, name, attrs)"
	" INSERT INTO change (org_id, connection_id, sync_id, subject, subject_id, kind, op, after)"
	" SELECT $1, $2, $3, 'entity', entity_id, kind, 'created',"
	"  jsonb_build_object('key', key, 'name', name, 'attrs', attrs) FROM put",
	4
};

static const struct stmt CHANGE = {
	"inventory_change",
	"WITH put AS ("
	"  UPDATE entity e SET name = d.name, account_id = d.account_id, region = d.region, scope "
	"= $4, part = d.part,"
	"   attrs = d.attrs, attrs_hash = d.attrs_hash, incarnation = d.incarnation, stub = "
	"d.stub, changed_at = now(),"
	"   deleted_at = NULL, connection_id = CASE WHEN e.stub THEN $2 ELSE e.connection_id END,"
	"   first_seen = CASE WHEN d.op = 'recreated' THEN now() ELSE e.first_seen END"
	"  FROM stage_diff d WHERE d.op <> 'created' AND e.org_id = $1 AND e.entity_id = "
	"d.entity_id"
	"  RETURNING e.entity_id, e.kind, e.key, e.name, e.attrs, d.op, d.before)"
	" INSERT INTO change (org_id, connection_id, sync_id, subject, subject_id, kind, op, "
	"before, after)"
	" SELECT $1, $2, $3, 'entity', entity_id, kind, op, before,"
	"  jsonb_build_object('key', key, 'name', name, 'attrs', attrs) FROM put",
	4
};

static const struct stmt REMOVE = {
	"inventory_remove",
	"WITH put AS ("
	"  UPDATE entity e SET deleted_at = now(), changed_at = now() FROM stage_gone g"
	"  WHERE g.subject = 'entity' AND g.part = ANY ($4::text[]) AND e.org_id = $1 AND "
	"e.entity_id = g.id"
	"  AND e.deleted_at IS NULL RETURNING e.entity_id, e.kind, e.key, e.name, e.attrs)"
	" INSERT INTO change (org_id, connection_id, sync_id, subject, subject_id, kind, op, "
	"before)"
	" SELECT $1, $2, $3, 'entity', entity_id, kind, 'deleted',"
	"  jsonb_build_object('key', key, 'name', name, 'attrs', attrs) FROM put",
	4
};

static const struct stmt TALLY = {
	"inventory_tally",
	"SELECT (SELECT count(DISTINCT entity_id) FROM stage_entity WHERE rank = 0) AS seen,"
	" count(*) FILTER (WHERE NOT stub AND (op <> 'changed' OR before ? 'stub')) AS added,"
	" count(*) FILTER (WHERE op = 'changed' AND NOT before ? 'stub') AS changed FROM "
	"stage_diff",
	0
};

#define LOCK_KEY "(hashtextextended('inventory ' || $1::uuid, 0))"
static const struct stmt SHARE = { "inventory_share",
				   "SELECT pg_advisory_xact_lock_shared" LOCK_KEY, 1 };
static const struct stmt OWN = { "inventory_own",
				 "SELECT pg_try_advisory_xact_lock" LOCK_KEY " AS got", 1 };

enum rc inventory_share(struct db *db, struct id org_id, struct err *err)
{
	return db_run(db, NULL, &SHARE, (const struct arg[]){ arg_id(org_id) }, NULL, err);
}

enum rc inventory_own(struct db *db, struct id org_id, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &OWN, (const struct arg[]){ arg_id(org_id) }, &rows, err);

	if (rc == RC_OK && !db_rows_bool(rows, 0, "got"))
		return err_set(err, RC_RETRY, "inventory_busy",
			       "the organization's inventory is being written; try again");
	return rc;
}

static enum rc list_put(struct buf *list, const char *name)
{
	enum rc rc = buf_putc(list, list->n == 0 ? '{' : ',');

	return rc == RC_OK ? buf_put(list, str_c(name)) : rc;
}

static enum rc list_close(struct buf *list)
{
	return list->n == 0 ? buf_put(list, S("{}")) : buf_putc(list, '}');
}

static enum rc complete_parts(const struct inventory_merge *m, struct buf *list)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < m->n; i++) {
		if (m->parts[i].complete)
			rc = list_put(list, m->parts[i].name);
	}
	return rc == RC_OK ? list_close(list) : rc;
}

static struct inventory_part *part_of(const struct inventory_merge *m, struct str name)
{
	for (size_t i = 0; i < m->n; i++) {
		if (str_eq(str_c(m->parts[i].name), name))
			return &m->parts[i];
	}
	return NULL;
}

static bool is_mass(int64_t gone, int64_t live)
{
	return gone > INVENTORY_GUARD_ROWS && gone * 100 > live * INVENTORY_GUARD_PERCENT;
}

/* Which parts may let their vanished rows go; the others are held. */
static enum rc judge_gone(struct db *db, const struct inventory_merge *m, struct buf *go,
			  struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = {
		arg_id(m->org_id), arg_c(m->account_id),     arg_c(m->region),
		arg_c(m->scope),   arg_id(m->connection_id), arg_id(m->sync_id)
	};
	enum rc rc = db_run(db, NULL, &COUNT_GONE, args, &rows, err);

	for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
		struct inventory_part *part = part_of(m, db_rows_text(rows, i, "part"));
		int64_t gone = db_rows_i64(rows, i, "gone");
		int64_t gone_edges = db_rows_i64(rows, i, "gone_edges");
		bool mass = is_mass(gone, db_rows_i64(rows, i, "live")) ||
			    is_mass(gone_edges, db_rows_i64(rows, i, "live_edges"));

		if (!part)
			continue;
		if (mass && !db_rows_bool(rows, i, "second"))
			part->held = gone > 0 ? gone : gone_edges;
		else
			rc = list_put(go, part->name);
	}
	return rc == RC_OK ? list_close(go) : rc;
}

static enum rc write_entities(struct db *db, const struct inventory_merge *m, struct str complete,
			      struct inventory_counts *ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg diff[] = { arg_id(m->org_id), arg_c(m->keep), arg_text(complete) };
	const struct arg args[] = { arg_id(m->org_id), arg_id(m->connection_id), arg_id(m->sync_id),
				    arg_c(m->scope) };
	enum rc rc = db_run(db, NULL, &DIFF, diff, NULL, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &ADD, args, NULL, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &CHANGE, args, NULL, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &TALLY, NULL, &rows, err);
	if (rc != RC_OK)
		return rc;
	ret->seen = db_rows_i64(rows, 0, "seen");
	ret->added = db_rows_i64(rows, 0, "added");
	ret->changed = db_rows_i64(rows, 0, "changed");
	return RC_OK;
}

static enum rc remove_gone(struct db *db, const struct inventory_merge *m, struct str parts,
			   struct inventory_counts *ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(m->org_id), arg_id(m->connection_id), arg_id(m->sync_id),
				    arg_text(parts) };
	enum rc rc;

	if (str_eq(parts, S("{}")))
		return RC_OK;
	rc = db_run(db, NULL, &REMOVE, args, &rows, err);
	if (rc != RC_OK)
		return rc;
	ret->removed = db_rows_affected(rows);
	return inventory_edge_remove(db, m, parts, err);
}

enum rc inventory_merge(struct db *db, const struct inventory_merge *m,
			struct inventory_counts *ret, struct err *err)
{
	AUTO(buf) struct buf complete = BUF_INIT(INVENTORY_LIST_MAX);
	AUTO(buf) struct buf go = BUF_INIT(INVENTORY_LIST_MAX);
	enum rc rc = complete_parts(m, &complete);
	const struct arg args[] = { arg_id(m->org_id), arg_c(m->account_id), arg_c(m->region),
				    arg_c(m->scope), arg_text(buf_str(&complete)) };

	*ret = (struct inventory_counts){ 0 };
	if (rc != RC_OK)
		return err_set(err, rc, "inventory_parts", "too many parts in one merge");
	rc = db_run(db, NULL, &FIND_GONE, args, NULL, err);
	if (rc == RC_OK)
		rc = judge_gone(db, m, &go, err);
	if (rc == RC_OK)
		rc = write_entities(db, m, buf_str(&complete), ret, err);
	if (rc == RC_OK)
		rc = inventory_edge_merge(db, m, err);
	if (rc == RC_OK)
		rc = remove_gone(db, m, buf_str(&go), ret, err);
	return rc == RC_OK ? emit_entity_changed(db, m, err) : rc;
}
