/* Inventory, read side: entities and their history. */
#ifndef DB_ENTITIES_H
#define DB_ENTITIES_H

#include "db/db.h"

struct entity_filter { /* "" and zero = any */
	struct str kind, account_id, name_prefix;
	struct id connection_id;
	bool deleted; /* the tombstones instead of what is there */
	struct id after;
	int limit;
};
/* In order of entity_id. Columns: entity_id, connection_id, account_id, region, scope, kind, key,
 * name, attrs, stub, first_seen, changed_at, deleted_at. */
MUST_CHECK enum rc entities_list(struct db *db, const struct db_who *who,
				 const struct entity_filter *filter, struct db_rows **ret,
				 struct err *err);
/* RC_NOT_FOUND. */
MUST_CHECK enum rc entities_get(struct db *db, const struct db_who *who, struct id entity_id,
				struct db_rows **ret, struct err *err);
/* Newest first, from before (at in microseconds, change_id); 0 = from the newest. Columns: change_id,
 * at, at_us, op, kind, connection_id, sync_id, before, after. */
MUST_CHECK enum rc entities_history(struct db *db, const struct db_who *who, struct id entity_id,
				    int64_t before_us, int64_t before_id, int limit,
				    struct db_rows **ret, struct err *err);

#endif
