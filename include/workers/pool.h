/* The worker process's threads: claim, run, finish, with one heartbeat and one sweeper beside them. */
#ifndef WORKERS_POOL_H
#define WORKERS_POOL_H

#include "workers/kinds.h"

struct pool_settings {
	const char *database_url;
	int threads, lease_s, heartbeat_s, poll_ms, drain_s, attempts_max;
	bool scheduler; /* also run the schedule pass */
};

struct pool;
void pool_free(struct pool *p); /* after pool_drain */
DEFINE_AUTO(pool)
MUST_CHECK enum rc pool_start(const struct pool_settings *settings, const struct task_kind *kinds,
			      const struct worker_env *env, struct pool **ret, struct err *err);
/* Stops claiming at once, gives running tasks drain_s, tells them to leave in its last seconds, and releases the rest without
 * charging an attempt. False: threads of such tasks still run and use *env: the process must end without freeing either. */
bool pool_drain(struct pool *p);
/* Names this process in task.worker_id. */
struct id pool_worker_id(const struct pool *p);
/* False when nothing was claimed, beaten or polled for so long that the process should die loudly (watchdog). */
bool pool_alive(const struct pool *p);
/* As it is at this moment. */
struct pool_state {
	int threads, busy;
	bool alive, draining;
	bool away; /* the database was away when last asked */
};
struct pool_state pool_state(const struct pool *p);

#endif
