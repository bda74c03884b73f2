/* The threads of a worker process: n that claim and run, and three helpers (listener, heartbeat, keeper), each with a
 * connection of its own. A claim is tried when a ticket says so: a notification, the poll, or another claim's success; so an
 * idle process asks once per poll_ms however many threads it has. */
#include "workers/pool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "workers/backoff.h"
#include "workers/beats.h"
#include "workers/runner.h"
#include "workers/scheduler.h"
#include <assert.h>
#include <sodium.h>

enum {
	POOL_RETRY_MIN_MS = 50,
	POOL_RETRY_MAX_MS = 1000,
	POOL_DEAD_S = 120, /* a helper that has not turned for so long hangs */
	POOL_LEAVE_S = 5,  /* of drain_s: for tasks that were told to leave */
};

bool pool_pause(struct pool *p, int64_t ms)
{
	int64_t until = clock_mono() + ms * CLOCK_MS;
	bool open = true;

	lock_take(&p->lock);
	while (!p->synced.closing && lock_cond_wait(&p->cond, &p->lock, until)) {
	}
	open = !p->synced.closing;
	lock_drop(&p->lock);
	return open;
}

bool pool_turn(struct pool *p, enum pool_helper helper)
{
	bool open = true;

	lock_take(&p->lock);
	p->synced.turned[helper] = clock_mono();
	open = !p->synced.closing;
	lock_drop(&p->lock);
	return open;
}

void pool_heard(struct pool *p, const char *event, const struct err *err)
{
	bool away = err->rc == RC_RETRY, changed = false;

	if (err->rc != RC_OK && !away) {
		log_error(event, err);
		return;
	}
	/* Lost against another transaction, or told nothing new: another thread may be connected by now. */
	if (away &&
	    (strcmp(err->code, "database_busy") == 0 || strcmp(err->code, "database_pause") == 0))
		return;
	lock_take(&p->lock);
	changed = p->synced.away != away;
	p->synced.away = away;
	lock_drop(&p->lock);
	if (changed && away)
		log_event(LOG_WARN, "database_away", LOG_STR("code", err->code),
			  LOG_STR("text", err->text), LOG_END);
	else if (changed)
		log_event(LOG_INFO, "database_back", LOG_END);
}

void pool_ticket(struct pool *p)
{
	lock_take(&p->lock);
	if (p->synced.tickets < p->n_threads)
		p->synced.tickets++;
	lock_cond_wake_all(&p->cond);
	lock_drop(&p->lock);
}

/* False: the pool drains. */
static bool take_ticket(struct pool *p)
{
	bool got = false;

	lock_take(&p->lock);
	while (!p->synced.draining && p->synced.tickets == 0)
		lock_cond_wait(&p->cond, &p->lock, clock_mono() + CLOCK_S);
	got = !p->synced.draining;
	if (got)
		p->synced.tickets--;
	lock_drop(&p->lock);
	return got;
}

static bool draining(struct pool *p)
{
	bool yes = false;

	lock_take(&p->lock);
	yes = p->synced.draining;
	lock_drop(&p->lock);
	return yes;
}

/* A pause that a drain ends. */
static void pause_claims(struct pool *p, int64_t ms)
{
	int64_t until = clock_mono() + ms * CLOCK_MS;

	lock_take(&p->lock);
	while (!p->synced.draining && lock_cond_wait(&p->cond, &p->lock, until)) {
	}
	lock_drop(&p->lock);
}

/* Claims and runs until there is nothing to claim. */
static void work(struct runner *r)
{
	struct pool *p = r->pool;
	int64_t pause = 0;

	while (!draining(p)) {
		AUTO(task) struct task *task = NULL;
		struct err err = { 0 };
		enum rc rc = tasks_claim(r->db, p->worker_id, p->set.lease_s, &task, &err);

		if (rc == RC_NOT_FOUND)
			err_clear(&err);
		pool_heard(p, "claim_failed", &err);
		if (rc == RC_NOT_FOUND)
			return;
		if (rc != RC_OK) {
			pause = backoff_next(pause, POOL_RETRY_MIN_MS, POOL_RETRY_MAX_MS,
					     randombytes_random());
			pause_claims(p, pause);
			continue;
		}
		pause = 0;
		metrics_add(METRICS_TASK_CLAIMS, METRICS_NONE, 1);
		if (draining(p)) {
			runner_release(r, task);
			return;
		}
		pool_ticket(p); /* where one task was there may be a second */
		runner_run(r, task);
	}
}

struct start {
	struct pool *pool;
	int slot;
};

static void *worker_thread(void *start)
{
	struct start *s = start;
	struct pool *p = s->pool;
	AUTO(db) struct db *db = NULL;
	AUTO(aws_client)
	struct aws_client *client = p->env->aws ? aws_client_new(p->env->aws) : NULL;
	struct runner r = { .pool = p, .slot = s->slot, .client = client };
	struct err err = { 0 };

	mem_free(s);
	if (db_open(p->database_url, "connectord worker", &db, &err) != RC_OK)
		pool_heard(p, "claim_failed", &err);
	r.db = db;
	while (take_ticket(p))
		work(&r);
	lock_take(&p->lock);
	p->synced.living--;
	lock_cond_wake_all(&p->cond);
	lock_drop(&p->lock);
	return NULL;
}

/* Notifications are a hint; a ticket comes after poll_ms at the latest, also when the database cannot be listened to. */
static void *listener_thread(void *pool)
{
	struct pool *p = pool;
	AUTO(db) struct db *db = NULL;
	struct err err = { 0 };
	enum rc rc = db_open(p->database_url, "connectord worker listener", &db, &err);

	if (rc == RC_OK || rc == RC_RETRY)
		rc = db_listen(db, DB_TASK, &err);
	while (pool_turn(p, POOL_LISTENER)) {
		int64_t until = clock_mono() +
				backoff_jitter(p->set.poll_ms * CLOCK_MS, randombytes_random());
		bool woken = false;

		pool_ticket(p);
		while (!woken && clock_mono() < until && pool_turn(p, POOL_LISTENER)) {
			int64_t left = (until - clock_mono()) / CLOCK_MS + 1;

			if (left > POOL_TURN_MS)
				left = POOL_TURN_MS;
			err_clear(&err);
			rc = db_wait(db, (int)left, &woken, &err);
			pool_heard(p, "listen_failed", &err);
			if (rc != RC_OK)
				pool_pause(p, left);
		}
	}
	return NULL;
}

/* One in n seconds: RC_LIMIT when the system gives no more threads. */
static enum rc spawn(pthread_t *thread, void *(*fn)(void *), void *arg, struct err *err)
{
	if (pthread_create(thread, NULL, fn, arg) != 0)
		return err_set(err, RC_LIMIT, "no_threads",
			       "the system refuses another thread; lower worker_threads");
	return RC_OK;
}

static enum rc start_threads(struct pool *p, struct err *err)
{
	static void *(*const HELPERS[POOL_HELPERS])(void *) = {
		[POOL_LISTENER] = listener_thread,
		[POOL_BEATS] = beats_thread,
		[POOL_KEEPER] = scheduler_thread,
	};

	for (int i = 0; i < POOL_HELPERS; i++) {
		if (spawn(&p->helpers[i], HELPERS[i], p, err) != RC_OK)
			return RC_LIMIT;
	}
	for (int i = 0; i < p->n_threads; i++) {
		struct start *start = MEM_NEW(struct start);

		*start = (struct start){ p, i };
		lock_take(&p->lock);
		p->synced.living++;
		lock_drop(&p->lock);
		if (spawn(&p->threads[i], worker_thread, start, err) != RC_OK)
			return RC_LIMIT;
	}
	return RC_OK;
}

enum rc pool_start(const struct pool_settings *settings, const struct task_kind *kinds,
		   const struct worker_env *env, struct pool **ret, struct err *err)
{
	struct pool *p = MEM_NEW(struct pool);

	assert(settings->threads > 0 && settings->threads <= POOL_THREADS_MAX);
	p->set = *settings;
	p->database_url = mem_copy(settings->database_url);
	p->set.database_url = p->database_url;
	p->kinds = kinds;
	p->env = env;
	p->worker_id = id_new();
	p->n_threads = settings->threads;
	lock_init(&p->lock);
	lock_cond_init(&p->cond);
	for (int i = 0; i < POOL_HELPERS; i++)
		p->synced.turned[i] = clock_mono();
	/* A system without threads to give is no place to go on: the process ends and with it what was started. */
	*ret = p;
	return start_threads(p, err);
}

/* Waits until no task runs or the deadline; true: none runs. */
static bool wait_idle(struct pool *p, int64_t deadline)
{
	bool idle = false;

	lock_take(&p->lock);
	while (p->synced.busy > 0 && lock_cond_wait(&p->cond, &p->lock, deadline)) {
	}
	idle = p->synced.busy == 0;
	lock_drop(&p->lock);
	return idle;
}

/* What did not leave when told to is given back over its head; whatever it writes later is refused by the fence. */
static int64_t give_up(struct pool *p)
{
	AUTO(db) struct db *db = NULL;
	struct err err = { 0 };
	int64_t n = 0;

	if (db_open(p->database_url, "connectord worker drain", &db, &err) != RC_OK)
		log_error("release_failed", &err); /* then the leases run out by themselves */
	for (int i = 0; i < p->n_threads; i++) {
		char kind[] = "abandoned"; /* the task's own text is its thread's to free */
		struct task held = { .lease = 0 };

		lock_take(&p->lock);
		if (p->synced.slots[i].busy) {
			held = *p->synced.slots[i].task;
			held.kind = kind;
			p->synced.slots[i].busy = false;
			p->synced.busy--;
			n++;
		}
		lock_drop(&p->lock);
		err_clear(&err);
		if (held.lease != 0 && tasks_release(db, &held, &err) != RC_OK)
			log_error("release_failed", &err);
	}
	return n;
}

static bool all_ended(struct pool *p)
{
	bool ended = false;

	lock_take(&p->lock);
	ended = p->synced.living == 0;
	lock_drop(&p->lock);
	return ended;
}

static void announce(struct pool *p, bool *flag)
{
	lock_take(&p->lock);
	*flag = true;
	lock_cond_wake_all(&p->cond);
	lock_drop(&p->lock);
}

bool pool_drain(struct pool *p)
{
	int64_t now = clock_mono();
	int64_t leave_s = p->set.drain_s > 4 * POOL_LEAVE_S ? POOL_LEAVE_S : p->set.drain_s / 4;
	int64_t given_up = 0;
	bool idle = false;

	announce(p, &p->synced.draining);
	idle = wait_idle(p, now + (p->set.drain_s - leave_s) * CLOCK_S);
	announce(p, &p->synced.stop_now);
	if (!idle)
		idle = wait_idle(p, now + p->set.drain_s * CLOCK_S);
	if (!idle)
		given_up = give_up(p);
	announce(p, &p->synced.closing);
	for (int i = 0; i < POOL_HELPERS; i++)
		pthread_join(p->helpers[i], NULL);
	for (int i = 0; i < p->n_threads; i++) {
		if (given_up == 0)
			pthread_join(p->threads[i], NULL);
		else
			pthread_detach(p->threads[i]); /* the end of the process ends it */
	}
	log_event(LOG_INFO, "drained", LOG_I64("given_up", given_up),
		  LOG_I64("ms", (clock_mono() - now) / CLOCK_MS), LOG_END);
	return given_up == 0;
}

/* A thread that was given up still uses the pool: it is left to the end of the process. */
void pool_free(struct pool *p)
{
	if (!p || !all_ended(p))
		return;
	lock_cond_destroy(&p->cond);
	lock_destroy(&p->lock);
	mem_free(p->database_url);
	mem_free(p);
}

struct id pool_worker_id(const struct pool *p)
{
	return p->worker_id;
}

bool pool_alive(const struct pool *pool)
{
	struct pool *p = (struct pool *)(uintptr_t)pool; /* to read takes the lock */
	int64_t oldest = INT64_MAX;

	lock_take(&p->lock);
	for (int i = 0; i < POOL_HELPERS; i++) {
		if (p->synced.turned[i] < oldest)
			oldest = p->synced.turned[i];
	}
	lock_drop(&p->lock);
	return clock_mono() - oldest < POOL_DEAD_S * CLOCK_S;
}

struct pool_state pool_state(const struct pool *pool)
{
	struct pool *p = (struct pool *)(uintptr_t)pool; /* to read takes the lock */
	struct pool_state state = { .threads = p->n_threads, .alive = pool_alive(pool) };

	lock_take(&p->lock);
	state.busy = p->synced.busy;
	state.away = p->synced.away;
	state.draining = p->synced.draining;
	lock_drop(&p->lock);
	return state;
}
