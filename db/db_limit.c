/* A statement_timeout of a connection's own, tighter than db.c's: a server answers or gives up.
 * Set once per physical connection: that it was prepared there says that it was set there. */
#include "db/inside.h"
#include <stdio.h>

static const struct stmt SET_TIMEOUT = { "db_limit",
					 "SELECT set_config('statement_timeout', $1, false)", 1 };

static bool is_set(const struct db *db)
{
	for (size_t i = 0; i < db->prepared_n; i++)
		if (db->prepared[i] == &SET_TIMEOUT)
			return true;
	return false;
}

enum rc db_limit(struct db *db, int statement_ms, struct err *err)
{
	const struct arg args[] = { arg_i64(statement_ms) };
	enum rc rc = db_ready(db, err);

	if (rc != RC_OK || is_set(db))
		return rc;
	return db_run(db, NULL, &SET_TIMEOUT, args, NULL, err);
}
