/* What the pool's threads share. Private to pool.c, runner.c, beats.c and scheduler.c. */
#ifndef WORKERS_POOL_INSIDE_H
#define WORKERS_POOL_INSIDE_H

#include "base/lock.h"
#include "workers/pool.h"

enum { POOL_THREADS_MAX = 128, POOL_TURN_MS = 200 };

/* The threads that must keep turning for the process to be alive. */
enum pool_helper { POOL_LISTENER, POOL_BEATS, POOL_KEEPER, POOL_HELPERS };

/* A lease that this process holds. */
struct pool_slot {
	bool busy;
	bool cancel, lost; /* learnt by the heartbeat */
	int64_t deadline;  /* mono: the kind's timeout */
	const struct task *task;
};

struct pool {
	struct pool_settings set; /* immutable after pool_start(), like all down to lock */
	char *database_url;
	const struct task_kind *kinds;
	const struct worker_env *env;
	struct id worker_id;
	int n_threads;
	pthread_t threads[POOL_THREADS_MAX];
	pthread_t helpers[POOL_HELPERS];
	struct lock lock;
	struct cond cond; /* tickets, drain, the end of a task */
	struct {
		int tickets;   /* claims worth trying */
		bool draining; /* claim nothing more */
		bool stop_now; /* running tasks should leave */
		bool closing;  /* helpers end */
		bool away;     /* the database was away when last asked */
		int busy, living;
		int64_t turned[POOL_HELPERS]; /* mono: last turn of each helper */
		struct pool_slot slots[POOL_THREADS_MAX];
	} synced;
};

/* Waits up to ms or until the pool closes; false = it closes. A helper calls it every turn. */
bool pool_pause(struct pool *p, int64_t ms);
/* Marks a turn of a helper; false = the pool closes. */
bool pool_turn(struct pool *p, enum pool_helper helper);
/* After each database call of a loop: logs that the database is away or back, once each, and any other failure. */
void pool_heard(struct pool *p, const char *event, const struct err *err);
/* One more claim is worth trying. */
void pool_ticket(struct pool *p);

#endif
