/* A bounded set of database connections that the HTTP threads borrow. */
#ifndef SERVER_DBPOOL_H
#define SERVER_DBPOOL_H

#include "db/db.h"

enum { DBPOOL_MAX = 128 };

struct dbpool;
void dbpool_free(struct dbpool *p); /* all must have been given back */
DEFINE_AUTO(dbpool)
/* Opens nothing yet. size <= DBPOOL_MAX. conninfo is copied. */
struct dbpool *dbpool_new(const char *conninfo, const char *purpose, int size)
	NEVER_NULL FREED_BY(dbpool_free);
/* Waits up to wait_ms for a free one, which becomes the calling thread's. RC_RETRY pool_busy: none
 * became free. A database that is away is not an error here: the next statement says so. */
MUST_CHECK enum rc dbpool_take(struct dbpool *p, int wait_ms, struct db **ret, struct err *err);
void dbpool_give(struct dbpool *p, struct db *db);

#endif
