/* Inventory, read side: the edges of one entity. */
#ifndef DB_EDGES_H
#define DB_EDGES_H

#include "db/db.h"

/* Live edges that leave (out) or reach an entity, with the entity at their other end. In order of
 * kind and edge_id. Columns: edge_id, kind, qualifier, attrs, first_seen, changed_at, other_id,
 * other_kind, other_key, other_name, other_deleted. */
MUST_CHECK enum rc edges_of(struct db *db, const struct db_who *who, struct id entity_id, bool out,
			    int limit, struct db_rows **ret, struct err *err);

#endif
