/* Renews every lease of the process by one statement on a connection of its own, so that no long task or merge delays it, and
 * turns lost leases and cancellations into stop flags. Never ends a task itself. */
#include "workers/beats.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "workers/backoff.h"
#include <assert.h>
#include <sodium.h>

enum { BEATS_RETRY_MS = 500 };

void beats_add(struct pool *p, int slot, const struct task *task, int timeout_s)
{
	lock_take(&p->lock);
	p->synced.slots[slot] = (struct pool_slot){
		.busy = true,
		.task = task,
		.deadline = timeout_s > 0 ? clock_mono() + timeout_s * CLOCK_S : INT64_MAX,
	};
	p->synced.busy++;
	lock_drop(&p->lock);
}

bool beats_peek(struct pool *p, int slot, bool *ret_lost, bool *ret_cancel)
{
	bool busy = false;

	lock_take(&p->lock);
	busy = p->synced.slots[slot].busy;
	*ret_lost = p->synced.slots[slot].lost;
	*ret_cancel = p->synced.slots[slot].cancel;
	lock_drop(&p->lock);
	return busy;
}

void beats_remove(struct pool *p, int slot)
{
	lock_take(&p->lock);
	if (p->synced.slots[slot].busy)
		p->synced.busy--;
	p->synced.slots[slot] = (struct pool_slot){ .busy = false };
	lock_cond_wake_all(&p->cond);
	lock_drop(&p->lock);
}

bool beats_stop(struct pool *p, int slot)
{
	const struct pool_slot *s = &p->synced.slots[slot];
	bool stop = false;

	lock_take(&p->lock);
	stop = !s->busy || s->cancel || s->lost || p->synced.stop_now || clock_mono() > s->deadline;
	lock_drop(&p->lock);
	return stop;
}

static size_t gather(struct pool *p, struct task_beat *beats)
{
	size_t n = 0;

	lock_take(&p->lock);
	for (int i = 0; i < p->n_threads; i++) {
		const struct pool_slot *s = &p->synced.slots[i];

		if (s->busy && !s->lost)
			beats[n++] = (struct task_beat){ .org_id = s->task->org_id,
							 .task_id = s->task->task_id,
							 .lease = s->task->lease };
	}
	lock_drop(&p->lock);
	return n;
}

/* The task in a slot may be another one by now: flags go by task and lease. */
static void spread(struct pool *p, const struct task_beat *beats, size_t n)
{
	lock_take(&p->lock);
	for (size_t b = 0; b < n; b++) {
		for (int i = 0; i < p->n_threads; i++) {
			struct pool_slot *s = &p->synced.slots[i];

			if (!s->busy || s->task->lease != beats[b].lease ||
			    !id_eq(s->task->task_id, beats[b].task_id))
				continue;
			if (beats[b].lost && !s->lost)
				metrics_add(METRICS_TASK_LEASES_LOST, METRICS_NONE, 1);
			s->lost = s->lost || beats[b].lost;
			s->cancel = s->cancel || beats[b].cancel;
		}
	}
	lock_drop(&p->lock);
}

static enum rc beat(struct pool *p, struct db *db, struct err *err)
{
	struct task_beat beats[POOL_THREADS_MAX];
	size_t n = gather(p, beats);
	enum rc rc = tasks_heartbeat(db, p->worker_id, p->set.lease_s, beats, n, err);

	if (rc == RC_OK)
		spread(p, beats, n);
	return rc;
}

/* Until the next beat is due, the pool closes, or somebody cancelled something. */
static enum rc wait_for_beat(struct pool *p, struct db *db, int64_t until, struct err *err)
{
	while (pool_turn(p, POOL_BEATS)) {
		int64_t left = (until - clock_mono()) / CLOCK_MS;
		bool woken = false;
		enum rc rc = RC_OK;

		if (left <= 0)
			break;
		rc = db_wait(db, (int)(left < POOL_TURN_MS ? left : POOL_TURN_MS), &woken, err);
		if (rc != RC_OK || woken)
			return rc;
	}
	return RC_OK;
}

void *beats_thread(void *pool)
{
	struct pool *p = pool;
	AUTO(db) struct db *db = NULL;
	struct err err = { 0 };
	int64_t pause = 0;
	enum rc rc = db_open(p->database_url, "connectord worker heartbeat", &db, &err);

	/* The connection listens once it is there; without it the wait is an ordinary one. */
	if (rc == RC_OK || rc == RC_RETRY)
		rc = db_listen(db, DB_TASK_CANCEL, &err);
	while (pool_turn(p, POOL_BEATS)) {
		err_clear(&err);
		rc = beat(p, db, &err);
		if (rc == RC_OK)
			rc = wait_for_beat(p, db,
					   clock_mono() +
						   backoff_jitter(p->set.heartbeat_s * CLOCK_S,
								  randombytes_random()),
					   &err);
		pool_heard(p, "heartbeat_failed", &err);
		pause = rc == RC_OK ? 0
				    : backoff_next(pause, BEATS_RETRY_MS / 5, BEATS_RETRY_MS,
						   randombytes_random());
		if (rc != RC_OK)
			pool_pause(p, pause);
	}
	return NULL;
}
