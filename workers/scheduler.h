/* The keeper thread: starts what is due, and takes tasks back from dead workers. */
#ifndef WORKERS_SCHEDULER_H
#define WORKERS_SCHEDULER_H

#include "workers/pool_inside.h"

enum {
	SCHEDULER_PASS_MS = 1000,
	SCHEDULER_BATCH = 200,
	SCHEDULER_SWEEP_S = 5,
	SCHEDULER_PRUNE = 1000
};

void *scheduler_thread(void *pool);

#endif
