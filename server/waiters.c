/* Looks again and again, with pauses, until what was started has ended or the patience has. Never keeps a transaction or a database
 * connection while it pauses. */
#include "server/waiters.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"

enum { FIRST_LOOK_MS = 50, LOOK_MS = 250, POOL_WAIT_MS = 200 };

struct waiters {
	struct lock lock;
	struct cond stopped;
	struct {
		struct id orgs[WAITERS_MAX]; /* one a waiter */
		int n;
		bool stop;
	} synced;
};

struct waiters *waiters_new(void)
{
	struct waiters *w = MEM_NEW(struct waiters);

	lock_init(&w->lock);
	lock_cond_init(&w->stopped);
	return w;
}

void waiters_free(struct waiters *w)
{
	if (!w)
		return;
	lock_cond_destroy(&w->stopped);
	lock_destroy(&w->lock);
	mem_free(w);
}

void waiters_stop(struct waiters *w)
{
	lock_take(&w->lock);
	w->synced.stop = true;
	lock_cond_wake_all(&w->stopped);
	lock_drop(&w->lock);
}

static bool has_room_synced(const struct waiters *w, struct id org_id) REQUIRES(w->lock);
static bool has_room_synced(const struct waiters *w, struct id org_id)
{
	int n = 0;

	lock_assert_held(&w->lock);
	for (int i = 0; i < w->synced.n; i++)
		n += id_eq(w->synced.orgs[i], org_id);
	return !w->synced.stop && w->synced.n < WAITERS_MAX && n < WAITERS_PER_ORG;
}

static bool enter(struct waiters *w, struct id org_id)
{
	bool room;

	lock_take(&w->lock);
	room = has_room_synced(w, org_id);
	if (room)
		w->synced.orgs[w->synced.n++] = org_id;
	lock_drop(&w->lock);
	return room;
}

static void leave(struct waiters *w, struct id org_id)
{
	lock_take(&w->lock);
	for (int i = 0; i < w->synced.n; i++) {
		if (!id_eq(w->synced.orgs[i], org_id))
			continue;
		w->synced.orgs[i] = w->synced.orgs[--w->synced.n];
		break;
	}
	lock_drop(&w->lock);
}

/* False: the server stops. */
static bool pause_ms(struct waiters *w, int ms)
{
	int64_t until = clock_mono() + ms * CLOCK_MS;
	bool stop;

	lock_take(&w->lock);
	while (!w->synced.stop && clock_mono() < until)
		(void)lock_cond_wait(&w->stopped, &w->lock, until);
	stop = w->synced.stop;
	lock_drop(&w->lock);
	return !stop;
}

/* The newer answer, or the older one when the newer is a failure to look. */
static struct http_reply look(struct dbpool *pool, struct http_request *req,
			      struct http_reply reply)
{
	struct http_reply newer;
	struct err err = { 0 };

	if (dbpool_take(pool, req->caller.org_id, POOL_WAIT_MS, &req->db, &err) != RC_OK)
		return reply;
	newer = reply.later(req, reply.later_id);
	dbpool_give(pool, req->caller.org_id, req->db);
	req->db = NULL;
	if (newer.status >= 500) {
		http_reply_done(&newer);
		return reply;
	}
	newer.wait_s = reply.wait_s;
	http_reply_done(&reply);
	return newer;
}

struct http_reply waiters_follow(struct waiters *w, struct dbpool *pool, struct http_request *req,
				 struct http_reply reply)
{
	int wait_s = reply.wait_s < WAITERS_WAIT_MAX_S ? reply.wait_s : WAITERS_WAIT_MAX_S;
	int64_t until = clock_mono() + wait_s * CLOCK_S;
	int ms = FIRST_LOOK_MS;

	if (!reply.later || wait_s <= 0 || !enter(w, req->caller.org_id))
		return reply;
	while (reply.later && clock_mono() < until && pause_ms(w, ms)) {
		ms = LOOK_MS;
		reply = look(pool, req, reply);
	}
	leave(w, req->caller.org_id);
	return reply;
}
