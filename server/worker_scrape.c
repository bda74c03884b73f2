/* The worker's side of its metrics listener. Looks at the queue at most once in WORKER_SCRAPE_EVERY_S whoever asks, on a
 * connection of its own and with a bound on the statement; a database that is away leaves the last figures.
 * Never touches a task. */
#include "server/worker_scrape.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "db/queue.h"

enum { WORKER_SCRAPE_EVERY_S = 5, WORKER_SCRAPE_STATEMENT_MS = 2000 };

struct worker_scrape {
	const char *database_url;
	struct scrape *scrape;
	struct db *db; /* its who looks */
	struct lock lock;
	struct {
		const struct pool *pool;
		int64_t looked_at; /* mono; 0 = never */
		bool looking;
	} synced;
};

static bool is_due(struct worker_scrape *w)
{
	bool due = false;

	lock_take(&w->lock);
	due = !w->synced.looking &&
	      (w->synced.looked_at == 0 ||
	       clock_mono() - w->synced.looked_at >= WORKER_SCRAPE_EVERY_S * CLOCK_S);
	w->synced.looking |= due;
	lock_drop(&w->lock);
	return due;
}

static void settle(struct worker_scrape *w)
{
	lock_take(&w->lock);
	w->synced.looked_at = clock_mono();
	w->synced.looking = false;
	lock_drop(&w->lock);
}

static enum rc look(struct worker_scrape *w, struct queue_sum *ret)
{
	struct err ignored = { 0 }; /* the pool's threads say that the database is away */
	enum rc rc = RC_OK;

	if (w->db)
		db_adopt(w->db);
	else
		rc = db_open(w->database_url, "connectord worker metrics", &w->db, &ignored);
	if (rc == RC_OK)
		rc = db_limit(w->db, WORKER_SCRAPE_STATEMENT_MS, &ignored);
	return rc == RC_OK ? queue_look(w->db, ret, &ignored) : rc;
}

static void fill_queue(struct worker_scrape *w)
{
	struct queue_sum sum = { 0 };
	enum rc rc = look(w, &sum);

	metrics_set(METRICS_QUEUE_READABLE, METRICS_NONE, rc == RC_OK);
	if (rc != RC_OK)
		return;
	metrics_set(METRICS_QUEUE_TASKS, METRICS_LABELS("ready"), sum.ready);
	metrics_set(METRICS_QUEUE_TASKS, METRICS_LABELS("later"), sum.later);
	metrics_set(METRICS_QUEUE_TASKS, METRICS_LABELS("leased"), sum.leased);
	metrics_set(METRICS_QUEUE_AGE, METRICS_NONE, sum.oldest_ns);
	metrics_set(METRICS_INGEST_LAG, METRICS_NONE, sum.lag_ns);
}

/* Under the lock, for the pool is freed only after it was taken from here. */
static bool state_of(struct worker_scrape *w, struct pool_state *ret)
{
	bool running = false;

	lock_take(&w->lock);
	running = w->synced.pool != NULL;
	if (running)
		*ret = pool_state(w->synced.pool);
	lock_drop(&w->lock);
	return running;
}

static void fill(void *worker_scrape)
{
	struct worker_scrape *w = worker_scrape;
	struct pool_state state = { 0 };

	if (is_due(w)) {
		fill_queue(w);
		settle(w);
	}
	(void)state_of(w, &state);
	metrics_set(METRICS_WORKER_THREADS, METRICS_NONE, state.threads);
	metrics_set(METRICS_TASKS_RUNNING, METRICS_NONE, state.busy);
}

/* One that still waits for its database is alive. */
static bool alive(void *worker_scrape)
{
	struct pool_state state = { .alive = true };

	(void)state_of(worker_scrape, &state);
	return state.alive;
}

static enum rc ready(void *worker_scrape, struct err *err)
{
	struct pool_state state = { 0 };

	if (!state_of(worker_scrape, &state))
		return err_set(err, RC_RETRY, "starting",
			       "the worker waits for its database or looks for its identity");
	if (state.draining)
		return err_set(err, RC_RETRY, "draining", "the worker stops");
	if (!state.alive)
		return err_set(err, RC_RETRY, "hangs", "the worker's threads do not turn");
	if (state.away)
		return err_set(err, RC_RETRY, "database_away", "the database does not answer");
	return RC_OK;
}

enum rc worker_scrape_start(const struct config *c, struct worker_scrape **ret, struct err *err)
{
	struct worker_scrape *w = MEM_NEW(struct worker_scrape);
	const struct scrape_source source = {
		.fill = fill, .alive = alive, .ready = ready, .arg = w
	};
	enum rc rc = RC_OK;

	w->database_url = config_text(c, "database_url");
	lock_init(&w->lock);
	metrics_add(METRICS_TASK_CLAIMS, METRICS_NONE, 0);
	metrics_add(METRICS_TASK_LEASES_LOST, METRICS_NONE, 0);
	metrics_add(METRICS_TASK_LEASES_EXPIRED, METRICS_NONE, 0);
	rc = scrape_start(c, &source, &w->scrape, err);
	if (rc == RC_OK)
		*ret = w;
	else
		worker_scrape_free(w);
	return rc;
}

void worker_scrape_pool(struct worker_scrape *w, const struct pool *pool)
{
	lock_take(&w->lock);
	w->synced.pool = pool;
	lock_drop(&w->lock);
}

void worker_scrape_sweep(struct worker_scrape *w)
{
	scrape_sweep(w->scrape);
}

void worker_scrape_free(struct worker_scrape *w)
{
	if (!w)
		return;
	scrape_free(w->scrape);
	if (w->db)
		db_adopt(w->db);
	db_free(w->db);
	lock_destroy(&w->lock);
	mem_free(w);
}
