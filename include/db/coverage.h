/* Coverage, read side: what was looked at, when, and what was not. */
#ifndef DB_COVERAGE_H
#define DB_COVERAGE_H

#include "db/db.h"

struct coverage_filter { /* "" and zero = any */
	struct id connection_id;
	struct str state;
	/* Where to go on: the key of the last row seen; a zero connection = from the start. */
	struct id after_connection;
	struct str after_account, after_region, after_scope, after_part;
	int limit;
};
/* Rows of live connections in order of connection, account, region, scope, part; every column. */
MUST_CHECK enum rc coverage_list(struct db *db, const struct db_who *who,
				 const struct coverage_filter *filter, struct db_rows **ret,
				 struct err *err);

#endif
