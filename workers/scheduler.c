/* Schedule passes and sweeps of one worker process; every process may run both at any time, nobody leads. The database's
 * clock and locks decide, never this process's. */
#include "workers/scheduler.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "db/checks.h"
#include "db/idempotency.h"
#include "db/schedules.h"
#include "workers/backoff.h"
#include <sodium.h>

/* Answers whose keys are free again; those of busy organizations go with the next answer. */
static void prune(struct pool *p, struct db *db)
{
	struct err err = { 0 };
	int64_t n = 0;

	if (idempotency_prune(db, SCHEDULER_PRUNE, &n, &err) == RC_OK && n > 0)
		log_event(LOG_DEBUG, "answers_pruned", LOG_I64("rows", n), LOG_END);
	pool_heard(p, "prune_failed", &err);
}

static void prune_drafts(struct pool *p, struct db *db)
{
	struct err err = { 0 };

	(void)!checks_prune_drafts(db, &err);
	pool_heard(p, "prune_failed", &err);
}

static void sweep(struct pool *p, struct db *db)
{
	struct err err = { 0 };
	int64_t n = 0;
	enum rc rc = tasks_sweep(db, p->set.attempts_max, &n, &err);

	pool_heard(p, "sweep_failed", &err);
	if (rc != RC_OK || n == 0)
		return;
	metrics_add(METRICS_TASK_LEASES_EXPIRED, METRICS_NONE, n);
	log_event(LOG_WARN, "leases_expired", LOG_I64("tasks", n), LOG_END);
	pool_ticket(p);
}

static void pass(struct pool *p, struct db *db)
{
	int64_t started = SCHEDULER_BATCH;
	struct err err = { 0 };

	/* A full batch means that more is due: a burst is worked off without pauses. */
	while (started >= SCHEDULER_BATCH && pool_turn(p, POOL_KEEPER)) {
		if (schedules_pass(db, SCHEDULER_BATCH, &started, &err) != RC_OK)
			break;
		if (started > 0)
			log_event(LOG_INFO, "schedules_started", LOG_I64("runs", started), LOG_END);
	}
	pool_heard(p, "schedule_failed", &err);
}

void *scheduler_thread(void *pool)
{
	struct pool *p = pool;
	AUTO(db) struct db *db = NULL;
	struct err err = { 0 };
	int64_t sweep_at = 0, pass_at = 0;
	int64_t sweep_ns =
		(p->set.lease_s < 2 * SCHEDULER_SWEEP_S ? CLOCK_S : SCHEDULER_SWEEP_S * CLOCK_S);

	if (db_open(p->database_url, "connectord worker scheduler", &db, &err) != RC_OK)
		pool_heard(p, "schedule_failed", &err);
	while (pool_turn(p, POOL_KEEPER)) {
		int64_t now = clock_mono();

		if (now >= sweep_at) {
			sweep(p, db);
			prune(p, db);
			prune_drafts(p, db);
			sweep_at = now + backoff_jitter(sweep_ns, randombytes_random());
		}
		if (p->set.scheduler && now >= pass_at) {
			pass(p, db);
			pass_at = now + backoff_jitter(SCHEDULER_PASS_MS * CLOCK_MS,
						       randombytes_random());
		}
		pool_pause(p, POOL_TURN_MS);
	}
	return NULL;
}
