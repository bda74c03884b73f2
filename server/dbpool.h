/* A bounded set of database connections that the HTTP threads borrow. Here is where organizations meet,
 * so here no one may take all: a few connections are always left to the others. */
#ifndef SERVER_DBPOOL_H
#define SERVER_DBPOOL_H

#include "db/db.h"

enum {
	DBPOOL_MAX = 128,
	DBPOOL_WAITING_MAX = 64, /* requests of one organization that wait at once */
};

struct dbpool_settings {
	const char *conninfo, *purpose; /* copied */
	int size;                       /* connections; <= DBPOOL_MAX */
	int per_org;                    /* of them for one organization at once */
	int statement_ms;               /* a statement may run */
};

struct dbpool;
void dbpool_free(struct dbpool *p); /* all must have been given back */
DEFINE_AUTO(dbpool)
/* Opens nothing yet. */
struct dbpool *dbpool_new(const struct dbpool_settings *settings) NEVER_NULL FREED_BY(dbpool_free);

/* Waits up to wait_ms for a connection, which becomes the calling thread's. org_id: for whom; zero =
 * for nobody in particular, without a share. RC_RETRY pool_busy: none became free. RC_LIMIT
 * too_many_requests: the organization has its share already. RC_RETRY database_away: at once while it
 * is known to be away; one caller a second finds out whether it still is. */
MUST_CHECK enum rc dbpool_take(struct dbpool *p, struct id org_id, int wait_ms, struct db **ret,
			       struct err *err);
void dbpool_give(struct dbpool *p, struct id org_id, struct db *db);
/* As it is at this moment. */
struct dbpool_state {
	int size, open, in_use, waiting;
};
struct dbpool_state dbpool_state(struct dbpool *p);

#endif
