/* The pool: connections are opened on demand, lent to one thread at a time, and kept. Who waits stands in a
 * queue and is handed what becomes free: a crowd that is woken for one connection costs more than the
 * requests themselves. Says once when the database goes away, and once when it is back.
 * Never opens a connection under its lock: that may take seconds. */
#include "server/dbpool.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"

#include <assert.h>

/* ORGS_MAX bounds the organizations that are served or wait at one moment. CONNECTING_MAX bounds the connects that run at one
 * moment: each makes the database start a process, and a crowd of them started at once would all be late. PROBE is longer
 * than a connect may take. */
enum { ORGS_MAX = 1024, CONNECTING_MAX = 4 };
#define AWAY_PAUSE CLOCK_S
#define PROBE      (10 * CLOCK_S)

struct share {
	struct id org_id;
	int running, waiting;
};

/* A bell is lent to one waiter at a time and lives as long as the pool: so it may be rung after the lock
 * was dropped, when the waiter may be gone already. Rung under the lock, it would wake a thread only to
 * block it there. */
struct bell {
	struct bell *next;
	struct cond cond;
};

/* On the stack of the thread that waits. */
struct waiter {
	struct waiter *next;
	struct id org_id;
	struct bell *bell;
	bool placed; /* counted as running; db is its connection, NULL = make one */
	struct db *db;
};

struct dbpool {
	char *conninfo, *purpose; /* immutable, like the three below */
	int size, per_org, statement_ms;
	struct lock lock;
	struct {
		struct db *idle[DBPOOL_MAX];
		int idle_n, made;
		int connecting;                /* of those made: their first connect runs */
		struct share shares[ORGS_MAX]; /* of organizations with requests now */
		int shares_n;
		struct waiter *first; /* longest waiting first */
		struct waiter **end;  /* where the next one is linked in */
		struct bell *bells;   /* not lent */
		bool away;
		int64_t look_at; /* mono; while away: nobody tries before */
	} synced;
};

static const struct id NOBODY = { { 0 } };

struct dbpool *dbpool_new(const struct dbpool_settings *s)
{
	struct dbpool *p = MEM_NEW(struct dbpool);

	assert(s->size > 0 && s->size <= DBPOOL_MAX && s->per_org > 0);
	p->conninfo = mem_copy(s->conninfo);
	p->purpose = mem_copy(s->purpose);
	p->size = s->size;
	p->per_org = s->per_org;
	p->statement_ms = s->statement_ms;
	lock_init(&p->lock);
	p->synced.end = &p->synced.first;
	return p;
}

void dbpool_free(struct dbpool *p)
{
	if (!p)
		return;
	assert(p->synced.idle_n == p->synced.made);
	for (int i = 0; i < p->synced.idle_n; i++) {
		db_adopt(p->synced.idle[i]);
		db_free(p->synced.idle[i]);
	}
	while (p->synced.bells) {
		struct bell *bell = p->synced.bells;

		p->synced.bells = bell->next;
		lock_cond_destroy(&bell->cond);
		mem_free(bell);
	}
	lock_destroy(&p->lock);
	mem_free(p->conninfo);
	mem_free(p->purpose);
	mem_free(p);
}

static struct share *share_synced(struct dbpool *p, struct id org_id) REQUIRES(p->lock);
static struct share *share_synced(struct dbpool *p, struct id org_id)
{
	lock_assert_held(&p->lock);
	for (int i = 0; i < p->synced.shares_n; i++)
		if (id_eq(p->synced.shares[i].org_id, org_id))
			return &p->synced.shares[i];
	return NULL;
}

/* Adds to both counts; a share without any leaves the list. False: the list is full. */
static bool count_synced(struct dbpool *p, struct id org_id, int running, int waiting)
	REQUIRES(p->lock);
static bool count_synced(struct dbpool *p, struct id org_id, int running, int waiting)
{
	struct share *s = share_synced(p, org_id);

	if (!s && p->synced.shares_n == ORGS_MAX)
		return false;
	if (!s) {
		s = &p->synced.shares[p->synced.shares_n++];
		*s = (struct share){ .org_id = org_id };
	}
	s->running += running;
	s->waiting += waiting;
	if (s->running == 0 && s->waiting == 0)
		*s = p->synced.shares[--p->synced.shares_n];
	return true;
}

static bool has_share_synced(struct dbpool *p, struct id org_id) REQUIRES(p->lock);
static bool has_share_synced(struct dbpool *p, struct id org_id)
{
	const struct share *s = share_synced(p, org_id);

	return id_eq(org_id, NOBODY) || !s || s->running < p->per_org;
}

static bool is_free_synced(struct dbpool *p) REQUIRES(p->lock);
static bool is_free_synced(struct dbpool *p)
{
	lock_assert_held(&p->lock);
	return p->synced.idle_n > 0 ||
	       (p->synced.made < p->size && p->synced.connecting < CONNECTING_MAX);
}

/* While the database is away one caller at a time goes and looks. */
static bool is_away_synced(struct dbpool *p) REQUIRES(p->lock);
static bool is_away_synced(struct dbpool *p)
{
	lock_assert_held(&p->lock);
	return p->synced.away && clock_mono() < p->synced.look_at;
}

static enum rc too_many(struct err *err)
{
	return err_set(err, RC_LIMIT, "too_many_requests",
		       "the organization uses its share of the database connections");
}

static enum rc busy(struct err *err)
{
	return err_set(err, RC_RETRY, "pool_busy", "all database connections are in use");
}

/* Takes a free place: an idle connection, or NULL and the right to make one. */
static struct db *place_synced(struct dbpool *p, struct id org_id) REQUIRES(p->lock);
static struct db *place_synced(struct dbpool *p, struct id org_id)
{
	(void)count_synced(p, org_id, 1, 0);
	if (p->synced.away)
		p->synced.look_at = clock_mono() + PROBE;
	if (p->synced.idle_n > 0)
		return p->synced.idle[--p->synced.idle_n];
	p->synced.made++;
	p->synced.connecting++;
	return NULL;
}

/* at: where the waiter who leaves is linked in. */
static void unlink_synced(struct dbpool *p, struct waiter **at) REQUIRES(p->lock);
static void unlink_synced(struct dbpool *p, struct waiter **at)
{
	*at = (*at)->next;
	if (!*at)
		p->synced.end = at;
}

/* What is free goes to whoever waited longest and has not got his organization's share. His bell, to be
 * rung; NULL: nobody was waiting for it. */
static struct bell *hand_over_synced(struct dbpool *p) REQUIRES(p->lock);
static struct bell *hand_over_synced(struct dbpool *p)
{
	struct waiter **at = &p->synced.first;

	while (*at && !has_share_synced(p, (*at)->org_id))
		at = &(*at)->next;
	if (!*at || !is_free_synced(p))
		return NULL;

	struct waiter *w = *at;

	unlink_synced(p, at);
	w->db = place_synced(p, w->org_id);
	w->placed = true;
	return w->bell;
}

/* Rings whoever was handed something (NULL: nobody), and hands over what else there is for others. A share that became free may
 * let a second one in, for whom there was room all along. */
static void ring(struct dbpool *p, struct bell *bell)
{
	while (bell) {
		lock_cond_wake_all(&bell->cond);
		lock_take(&p->lock);
		bell = hand_over_synced(p);
		lock_drop(&p->lock);
	}
}

static struct bell *borrow_bell_synced(struct dbpool *p) REQUIRES(p->lock);
static struct bell *borrow_bell_synced(struct dbpool *p)
{
	struct bell *bell = p->synced.bells;

	if (bell) {
		p->synced.bells = bell->next;
		return bell;
	}
	bell = MEM_NEW(struct bell);
	lock_cond_init(&bell->cond);
	return bell;
}

static void return_bell_synced(struct dbpool *p, struct bell *bell) REQUIRES(p->lock);
static void return_bell_synced(struct dbpool *p, struct bell *bell)
{
	bell->next = p->synced.bells;
	p->synced.bells = bell;
}

static void enter_synced(struct dbpool *p, struct waiter *w) REQUIRES(p->lock);
static void enter_synced(struct dbpool *p, struct waiter *w)
{
	*p->synced.end = w;
	p->synced.end = &w->next;
}

static void leave_synced(struct dbpool *p, const struct waiter *w) REQUIRES(p->lock);
static void leave_synced(struct dbpool *p, const struct waiter *w)
{
	struct waiter **at = &p->synced.first;

	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		unlink_synced(p, at);
}

static enum rc wait_synced(struct dbpool *p, struct waiter *w, int64_t deadline, struct err *err)
	REQUIRES(p->lock);
static enum rc wait_synced(struct dbpool *p, struct waiter *w, int64_t deadline, struct err *err)
{
	bool in_time = true;

	enter_synced(p, w);
	while (in_time && !w->placed && !is_away_synced(p))
		in_time = lock_cond_wait(&w->bell->cond, &p->lock, deadline);
	if (w->placed)
		return RC_OK;
	leave_synced(p, w);
	if (is_away_synced(p))
		return err_set(err, RC_RETRY, "database_away", "the database does not answer");
	return has_share_synced(p, w->org_id) ? busy(err) : too_many(err);
}

/* Who comes while something is free has nobody before him whom it could have gone to. */
static enum rc take_synced(struct dbpool *p, struct id org_id, int64_t deadline, struct db **ret,
			   struct err *err) REQUIRES(p->lock);
static enum rc take_synced(struct dbpool *p, struct id org_id, int64_t deadline, struct db **ret,
			   struct err *err)
{
	const struct share *s = share_synced(p, org_id);
	struct waiter w = { .org_id = org_id };
	int64_t began = 0;
	enum rc rc = RC_OK;

	if (s && !id_eq(org_id, NOBODY) && s->waiting >= DBPOOL_WAITING_MAX)
		return too_many(err);
	if (!count_synced(p, org_id, 0, 1))
		return busy(err);
	if (!is_away_synced(p) && is_free_synced(p) && has_share_synced(p, org_id)) {
		*ret = place_synced(p, org_id);
	} else {
		w.bell = borrow_bell_synced(p);
		began = clock_mono();
		rc = wait_synced(p, &w, deadline, err);
		metrics_observe(METRICS_POOL_WAIT, METRICS_NONE, clock_mono() - began);
		return_bell_synced(p, w.bell);
		*ret = w.db;
	}
	(void)count_synced(p, org_id, 0, -1);
	return rc;
}

/* What the last look found out. */
static void note(struct dbpool *p, const struct err *away)
{
	bool before = false;

	lock_take(&p->lock);
	before = p->synced.away;
	p->synced.away = away != NULL;
	p->synced.look_at = clock_mono() + AWAY_PAUSE;
	for (struct waiter *w = p->synced.first; w && p->synced.away; w = w->next)
		lock_cond_wake_all(&w->bell->cond);
	lock_drop(&p->lock);
	if (away && !before)
		log_event(LOG_WARN, "database_away", LOG_STR("text", away->text), LOG_END);
	if (!away && before)
		log_event(LOG_INFO, "database_back", LOG_END);
}

static const struct stmt LOOK = { "dbpool_look", "SELECT 1", 0 };

/* A connection that is kept says nothing about the database until it is asked. */
static enum rc look(struct dbpool *p, struct db *db, bool away, struct err *err)
{
	enum rc rc = db_limit(db, p->statement_ms, err);

	return rc == RC_OK && away ? db_run(db, NULL, &LOOK, NULL, NULL, err) : rc;
}

/* Its end, however it ended, lets the next one begin. */
static enum rc connect_new(struct dbpool *p, struct db **ret, struct err *err)
{
	enum rc rc = db_open(p->conninfo, p->purpose, ret, err);
	struct bell *bell = NULL;

	lock_take(&p->lock);
	p->synced.connecting--;
	bell = hand_over_synced(p);
	lock_drop(&p->lock);
	ring(p, bell);
	return rc;
}

static enum rc take(struct dbpool *p, struct id org_id, int wait_ms, struct db **ret,
		    struct err *err)
{
	struct err own = { 0 };
	struct db *db = NULL;
	bool away = false;
	enum rc rc = RC_OK;

	lock_take(&p->lock);
	rc = take_synced(p, org_id, clock_mono() + wait_ms * CLOCK_MS, &db, err);
	away = p->synced.away;
	lock_drop(&p->lock);
	if (rc != RC_OK)
		return rc;
	if (db)
		db_adopt(db);
	else
		rc = connect_new(p, &db, &own);
	assert(db); /* an unreachable database still gives an object, which tries again */
	if (rc == RC_OK)
		rc = look(p, db, away, &own);
	if (rc != RC_OK || away)
		note(p, rc == RC_OK ? NULL : &own);
	if (rc == RC_OK) {
		*ret = db;
		return RC_OK;
	}
	dbpool_give(p, org_id, db);
	return err_set(err, rc, own.code, "%s", own.text);
}

/* The codes of a refusal are this file's own and the few of db.h. */
enum rc dbpool_take(struct dbpool *p, struct id org_id, int wait_ms, struct db **ret,
		    struct err *err)
{
	enum rc rc = take(p, org_id, wait_ms, ret, err);

	if (rc != RC_OK)
		metrics_add(METRICS_POOL_REFUSED, METRICS_LABELS(err->code), 1);
	return rc;
}

void dbpool_give(struct dbpool *p, struct id org_id, struct db *db)
{
	struct bell *bell = NULL;

	if (!db)
		return;
	lock_take(&p->lock);
	p->synced.idle[p->synced.idle_n++] = db;
	(void)count_synced(p, org_id, -1, 0);
	bell = hand_over_synced(p);
	lock_drop(&p->lock);
	ring(p, bell);
}

struct dbpool_state dbpool_state(struct dbpool *p)
{
	struct dbpool_state state = { .size = p->size };

	lock_take(&p->lock);
	state.open = p->synced.made;
	state.in_use = p->synced.made - p->synced.idle_n;
	for (const struct waiter *w = p->synced.first; w; w = w->next)
		state.waiting++;
	lock_drop(&p->lock);
	return state;
}
