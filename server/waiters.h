/* Requests that wait for the end of what they started (http_reply.later). A waiter holds its HTTP thread and nothing else: a
 * database connection only for as long as it looks. Bounded in number, for all and for each organization; who finds no place is
 * answered at once, as if it had not asked to wait. */
#ifndef SERVER_WAITERS_H
#define SERVER_WAITERS_H

#include "api/http.h"
#include "server/dbpool.h"

enum {
	WAITERS_MAX = 64,
	WAITERS_PER_ORG = 8,
	WAITERS_WAIT_MAX_S = 25, /* below the deadline of a request */
};

struct waiters;
void waiters_free(struct waiters *w);
DEFINE_AUTO(waiters)
struct waiters *waiters_new(void) NEVER_NULL FREED_BY(waiters_free);
/* From now on nobody waits any more. */
void waiters_stop(struct waiters *w);

/* Takes reply. Returns it, or what later() said at last. */
struct http_reply waiters_follow(struct waiters *w, struct dbpool *pool, struct http_request *req,
				 struct http_reply reply);

#endif
