/* What a worker's metrics listener asks: the queue, the pool, and whether this worker can work. */
#ifndef SERVER_WORKER_SCRAPE_H
#define SERVER_WORKER_SCRAPE_H

#include "server/scrape.h"
#include "workers/pool.h"

struct worker_scrape;
void worker_scrape_free(struct worker_scrape *w);
DEFINE_AUTO(worker_scrape)
/* Listens at once, also while the database is waited for. c is borrowed. *ret is never NULL when it is RC_OK. */
MUST_CHECK enum rc worker_scrape_start(const struct config *c, struct worker_scrape **ret,
				       struct err *err);
/* The pool runs from now on (borrowed), or, with NULL, is about to be freed. */
void worker_scrape_pool(struct worker_scrape *w, const struct pool *pool);
/* Call about once a second. */
void worker_scrape_sweep(struct worker_scrape *w);

#endif
