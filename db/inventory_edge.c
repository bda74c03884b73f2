/* Edges of a merge. An edge of an entity that was made again ends with the old one, whatever listing showed it.
 * Never decides what is gone: inventory.c does, for entities and edges of a part alike. */
#include "db/inventory_edge.h"

static const struct stmt DIFF = {
	"inventory_edge_diff",
	"INSERT INTO stage_edge_diff (edge_id, op, part, kind, src_id, dst_id, qualifier, attrs, "
	"attrs_hash, before)"
	" SELECT s.edge_id, CASE WHEN e.edge_id IS NULL THEN 'created' WHEN e.deleted_at IS NOT "
	"NULL THEN 'restored'"
	"  WHEN s.remade THEN 'recreated' ELSE 'changed' END, s.part, s.kind, s.src_id, s.dst_id, "
	"s.qualifier, s.attrs, s.hash,"
	"  CASE WHEN e.edge_id IS NOT NULL THEN"
	"   jsonb_build_object('src', e.src_id, 'dst', e.dst_id, 'qualifier', e.qualifier, "
	"'attrs', e.attrs) END"
	" FROM (SELECT DISTINCT ON (edge_id) edge_id, part, kind, src_id, dst_id, qualifier, attrs,"
	"   sha256(convert_to(attrs::text, 'UTF8')) AS hash,"
	"   (SELECT bool_or(d.op = 'recreated') FROM stage_diff d WHERE d.entity_id IN (src_id, "
	"dst_id)) IS TRUE AS remade"
	"  FROM stage_edge ORDER BY edge_id) s"
	" LEFT JOIN edge e ON e.org_id = $1 AND e.edge_id = s.edge_id"
	" WHERE e.edge_id IS NULL OR e.deleted_at IS NOT NULL OR s.remade OR e.attrs_hash <> "
	"s.hash OR e.part <> s.part",
	1
};

static const struct stmt ADD = {
	"inventory_edge_add",
	"WITH put AS ("
	"  INSERT INTO edge (org_id, edge_id, connection_id, account_id, region, scope, part, "
	"kind, src_id, dst_id, qualifier,"
	"   attrs, attrs_hash)"
	"  SELECT $1, d.edge_id, $2, $5, $6, $4, d.part, d.kind, d.src_id, d.dst_id, d.qualifier, "
	"d.attrs, d.attrs_hash"
	"  FROM stage_edge_diff d WHERE d.op = 'created' ORDER BY d.edge_id"
	"  ON CONFLICT (org_id, edge_id) DO NOTHING RETURNING edge_id, kind, src_id, dst_id, "
	"qualifier, attrs)"
	" INSERT INTO change (org_id, connection_id, sync_id, subject, subject_id, kind, op, after)"
	" SELECT $1, $2, $3, 'edge', edge_id, kind, 'created',"
	"  jsonb_build_object('src', src_id, 'dst', dst_id, 'qualifier', qualifier, 'attrs', "
	"attrs) FROM put",
	6
};

static const struct stmt CHANGE = {
	"inventory_edge_change",
	"WITH put AS ("
	"  UPDATE edge e SET attrs = d.attrs, attrs_hash = d.attrs_hash, part = d.part, account_id "
	"= $5, region = $6,"
	"   changed_at = now(), deleted_at = NULL,"
	"   first_seen = CASE WHEN d.op = 'recreated' THEN now() ELSE e.first_seen END"
	"  FROM stage_edge_diff d WHERE d.op <> 'created' AND e.org_id = $1 AND e.edge_id = "
	"d.edge_id AND e.scope = $4"
	"  RETURNING e.edge_id, e.kind, e.src_id, e.dst_id, e.qualifier, e.attrs, d.op, d.before)"
	" INSERT INTO change (org_id, connection_id, sync_id, subject, subject_id, kind, op, "
	"before, after)"
	" SELECT $1, $2, $3, 'edge', edge_id, kind, op, before,"
	"  jsonb_build_object('src', src_id, 'dst', dst_id, 'qualifier', qualifier, 'attrs', "
	"attrs) FROM put",
	6
};

#define TOMBSTONE(condition)                                                                       \
	"WITH put AS ("                                                                            \
	"  UPDATE edge e SET deleted_at = now(), changed_at = now() WHERE e.org_id = $1 AND "      \
	"e.deleted_at IS NULL"                                                                     \
	"  AND " condition                                                                         \
	"  RETURNING e.edge_id, e.kind, e.src_id, e.dst_id, e.qualifier, e.attrs)"                 \
	" INSERT INTO change (org_id, connection_id, sync_id, subject, subject_id, kind, op, "     \
	"before)"                                                                                  \
	" SELECT $1, $2, $3, 'edge', edge_id, kind, 'deleted',"                                    \
	"  jsonb_build_object('src', src_id, 'dst', dst_id, 'qualifier', qualifier, 'attrs', "     \
	"attrs) FROM put"

static const struct stmt END_OLD = {
	"inventory_edge_end_old",
	TOMBSTONE("e.edge_id IN (SELECT o.edge_id FROM stage_diff d JOIN edge o ON o.org_id = $1 "
		  "AND o.src_id = d.entity_id"
		  "   WHERE d.op = 'recreated'"
		  "  UNION SELECT o.edge_id FROM stage_diff d JOIN edge o ON o.org_id = $1 AND "
		  "o.dst_id = d.entity_id"
		  "   WHERE d.op = 'recreated')"
		  " AND NOT EXISTS (SELECT FROM stage_edge s WHERE s.edge_id = e.edge_id)"),
	3
};

static const struct stmt REMOVE = { "inventory_edge_remove",
				    TOMBSTONE("e.edge_id IN (SELECT g.id FROM stage_gone g WHERE "
					      "g.subject = 'edge' AND g.part = ANY ($4::text[]))"),
				    4 };

enum rc inventory_edge_merge(struct db *db, const struct inventory_merge *m, struct err *err)
{
	const struct arg args[] = { arg_id(m->org_id), arg_id(m->connection_id), arg_id(m->sync_id),
				    arg_c(m->scope),   arg_c(m->account_id),     arg_c(m->region) };
	enum rc rc = db_run(db, NULL, &DIFF, args, NULL, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &ADD, args, NULL, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &CHANGE, args, NULL, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &END_OLD, args, NULL, err);
	return rc;
}

enum rc inventory_edge_remove(struct db *db, const struct inventory_merge *m, struct str parts,
			      struct err *err)
{
	const struct arg args[] = { arg_id(m->org_id), arg_id(m->connection_id), arg_id(m->sync_id),
				    arg_text(parts) };

	return db_run(db, NULL, &REMOVE, args, NULL, err);
}
