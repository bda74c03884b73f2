/* Edges of a merge; inventory.c decides what is gone. */
#ifndef DB_INVENTORY_EDGE_H
#define DB_INVENTORY_EDGE_H

#include "db/inventory.h"

MUST_CHECK enum rc inventory_edge_merge(struct db *db, const struct inventory_merge *m,
					struct err *err);
/* Tombstones the edges in stage_gone of the parts named in `parts` ("{users,roles}"). */
MUST_CHECK enum rc inventory_edge_remove(struct db *db, const struct inventory_merge *m,
					 struct str parts, struct err *err);

#endif
