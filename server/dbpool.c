/* The pool: connections are opened on demand, lent to one thread at a time, and kept.
 * Never opens a connection under its lock: that may take seconds. */
#include "server/dbpool.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"

#include <assert.h>

struct dbpool {
	char *conninfo, *purpose; /* immutable */
	int size;
	struct lock lock;
	struct cond freed;
	struct {
		struct db *idle[DBPOOL_MAX];
		int idle_n, made;
	} synced;
};

struct dbpool *dbpool_new(const char *conninfo, const char *purpose, int size)
{
	struct dbpool *p = MEM_NEW(struct dbpool);

	assert(size > 0 && size <= DBPOOL_MAX);
	p->conninfo = mem_copy(conninfo);
	p->purpose = mem_copy(purpose);
	p->size = size;
	lock_init(&p->lock);
	lock_cond_init(&p->freed);
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
	lock_cond_destroy(&p->freed);
	lock_destroy(&p->lock);
	mem_free(p->conninfo);
	mem_free(p->purpose);
	mem_free(p);
}

/* An idle one, or NULL with *ret_make when the caller may make one. */
static struct db *wait_for_one(struct dbpool *p, int64_t deadline, bool *ret_make)
{
	struct db *db = NULL;

	lock_take(&p->lock);
	while (p->synced.idle_n == 0 && p->synced.made == p->size)
		if (!lock_cond_wait(&p->freed, &p->lock, deadline))
			break;
	if (p->synced.idle_n > 0) {
		db = p->synced.idle[--p->synced.idle_n];
	} else if (p->synced.made < p->size) {
		p->synced.made++;
		*ret_make = true;
	}
	lock_drop(&p->lock);
	return db;
}

enum rc dbpool_take(struct dbpool *p, int wait_ms, struct db **ret, struct err *err)
{
	bool make = false;
	struct err away = { 0 };
	struct db *db = wait_for_one(p, clock_mono() + wait_ms * CLOCK_MS, &make);
	enum rc rc = RC_OK;

	if (!db && !make)
		return err_set(err, RC_RETRY, "pool_busy", "all database connections are in use");
	/* An unreachable database still gives an object, whose next statement tries again. */
	if (make)
		rc = db_open(p->conninfo, p->purpose, &db, &away);
	assert(db);
	(void)rc;
	db_adopt(db);
	*ret = db;
	return RC_OK;
}

void dbpool_give(struct dbpool *p, struct db *db)
{
	if (!db)
		return;
	lock_take(&p->lock);
	p->synced.idle[p->synced.idle_n++] = db;
	lock_cond_wake_all(&p->freed);
	lock_drop(&p->lock);
}
