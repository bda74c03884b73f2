/* The cached answer of /readyz: anybody may ask, without a key, so asking must cost nothing.
 * Never lets two threads look at once; the others hear what was so a moment ago. */
#include "server/readiness.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/migrate.h"
#include "db/worker_identity.h"

#include <stdio.h>

enum { POOL_WAIT_MS = 500 };
#define FRESH CLOCK_S
_Static_assert((int)HTTP_IDENTITY_STATE_MAX == (int)WORKER_IDENTITY_STATE_MAX,
	       "the same words in both");

struct readiness {
	struct dbpool *pool;
	struct lock lock;
	struct {
		struct err answer; /* rc RC_OK: ready */
		struct worker_identity_sum identity;
		int64_t asked_at; /* mono; 0 = never */
		bool looking;
	} synced;
};

struct readiness *readiness_new(struct dbpool *pool)
{
	struct readiness *r = MEM_NEW(struct readiness);

	r->pool = pool;
	lock_init(&r->lock);
	(void)err_set(&r->synced.answer, RC_RETRY, "starting", "nobody has looked yet");
	(void)snprintf(r->synced.identity.state, sizeof(r->synced.identity.state), "unknown");
	return r;
}

void readiness_free(struct readiness *r)
{
	if (!r)
		return;
	lock_destroy(&r->lock);
	mem_free(r);
}

/* What the workers say of themselves. That they lack something never makes this server less ready: it calls no AWS, and
 * connections by access key need no identity of ours. */
static void look_at_workers(struct readiness *r, struct db *db)
{
	struct worker_identity_sum found = { 0 };
	struct err ignored = { 0 };

	if (worker_identity_load(db, &found, &ignored) != RC_OK)
		return;
	lock_take(&r->lock);
	r->synced.identity = found;
	lock_drop(&r->lock);
}

/* A pool that is busy says nothing about the database: the answer stays. False then. */
static bool look(struct readiness *r, struct err *ret)
{
	struct db *db = NULL;
	const struct id nobody = { { 0 } };
	enum rc rc = dbpool_take(r->pool, nobody, POOL_WAIT_MS, &db, ret);

	if (rc != RC_OK)
		return !str_eq(str_c(ret->code), S("pool_busy"));
	rc = migrate_check(db, ret);
	if (rc == RC_OK)
		look_at_workers(r, db);
	dbpool_give(r->pool, nobody, db);
	ret->rc = rc;
	return true;
}

/* True: the caller must look, and then settle(). */
static bool is_due(struct readiness *r, struct err *ret)
{
	bool due = false;

	lock_take(&r->lock);
	*ret = r->synced.answer;
	due = !r->synced.looking &&
	      (r->synced.asked_at == 0 || clock_mono() - r->synced.asked_at >= FRESH);
	r->synced.looking |= due;
	lock_drop(&r->lock);
	return due;
}

/* That the database is away is the pool's to say; a schema that changed under us is ours. */
static void settle(struct readiness *r, bool known, struct err *answer)
{
	bool was_wrong = false, is_wrong = false;

	lock_take(&r->lock);
	was_wrong = r->synced.answer.rc == RC_CONFLICT;
	if (known)
		r->synced.answer = *answer;
	else
		*answer = r->synced.answer;
	is_wrong = answer->rc == RC_CONFLICT;
	r->synced.asked_at = clock_mono();
	r->synced.looking = false;
	lock_drop(&r->lock);
	if (is_wrong && !was_wrong)
		log_error("not_ready", answer);
	if (was_wrong && answer->rc == RC_OK)
		log_event(LOG_INFO, "ready_again", LOG_END);
}

enum rc readiness_check(void *readiness, struct err *err)
{
	struct readiness *r = readiness;
	struct err answer = { 0 }, found = { 0 };

	if (is_due(r, &answer)) {
		bool known = look(r, &found);

		settle(r, known, &found);
		answer = found;
	}
	if (answer.rc == RC_OK)
		return RC_OK;
	return err_set(err, answer.rc, answer.code, "%s", answer.text);
}

void readiness_identity(void *readiness, struct http_identity *ret)
{
	struct readiness *r = readiness;

	lock_take(&r->lock);
	memcpy(ret->state, r->synced.identity.state, sizeof(ret->state));
	ret->workers = r->synced.identity.workers;
	ret->without = r->synced.identity.without;
	lock_drop(&r->lock);
}
