/* One worker thread's life with one task: run its kind, then write how it ended. */
#ifndef WORKERS_RUNNER_H
#define WORKERS_RUNNER_H

#include "workers/pool_inside.h"

struct runner {
	struct pool *pool;
	int slot;
	struct db *db;             /* this thread's */
	struct aws_client *client; /* this thread's; NULL when the process has no AWS side */
};

/* Runs it and settles it, whatever happens. */
void runner_run(struct runner *r, struct task *task);
/* Claimed, but the pool drains: back into the queue, attempt not counted. */
void runner_release(struct runner *r, const struct task *task);

#endif
