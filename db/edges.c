/* Reads of the edges of one entity.
 * Never walks further than one step. */
#include "db/edges.h"

#define EDGES(here, there)                                                                         \
	"SELECT e.edge_id, e.kind, e.qualifier, e.attrs, e.first_seen, e.changed_at,"              \
	" o.entity_id AS other_id, o.kind AS other_kind, o.key AS other_key, o.name AS "           \
	"other_name,"                                                                              \
	" o.deleted_at IS NOT NULL AS other_deleted FROM edge e"                                   \
	" JOIN entity o ON o.org_id = e.org_id AND o.entity_id = e." there                         \
	" WHERE e.org_id = $1 AND e." here " = $2 AND e.deleted_at IS NULL"                        \
	" ORDER BY e.kind, e.edge_id LIMIT $3"

static const struct stmt OUT = { "edges_of_out", EDGES("src_id", "dst_id"), 3 };
static const struct stmt IN = { "edges_of_in", EDGES("dst_id", "src_id"), 3 };

enum rc edges_of(struct db *db, const struct db_who *who, struct id entity_id, bool out, int limit,
		 struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id), arg_id(entity_id), arg_i64(limit) };

	return db_run(db, who, out ? &OUT : &IN, args, ret, err);
}
