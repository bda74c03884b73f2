/* The list of open connections and their deadlines.
 * Never closes a socket, only shuts it down: the descriptor stays the library's. An entry exists
 * exactly while its socket is open, which the lock makes sure of. */
#include "server/limits.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"

#include <assert.h>
#include <sys/socket.h>

struct limits_entry {
	struct limits_entry *next, *prev;
	int fd;
	bool in_request;
	int64_t deadline;
};

struct limits {
	struct lock lock;
	struct {
		struct limits_entry *first;
		int active;
	} synced;
};

struct limits *limits_new(void)
{
	struct limits *l = MEM_NEW(struct limits);

	lock_init(&l->lock);
	return l;
}

void limits_free(struct limits *l)
{
	if (!l)
		return;
	assert(!l->synced.first);
	lock_destroy(&l->lock);
	mem_free(l);
}

struct limits_entry *limits_open(struct limits *l, int fd)
{
	struct limits_entry *e = MEM_NEW(struct limits_entry);

	e->fd = fd;
	e->deadline = clock_mono() + LIMITS_HEAD_S * CLOCK_S;
	lock_take(&l->lock);
	e->next = l->synced.first;
	if (e->next)
		e->next->prev = e;
	l->synced.first = e;
	lock_drop(&l->lock);
	return e;
}

void limits_close(struct limits *l, struct limits_entry *e)
{
	lock_take(&l->lock);
	if (e->prev)
		e->prev->next = e->next;
	else
		l->synced.first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	l->synced.active -= e->in_request;
	lock_drop(&l->lock);
	mem_free(e);
}

static void move(struct limits *l, struct limits_entry *e, bool in_request, int seconds)
{
	lock_take(&l->lock);
	l->synced.active += in_request - e->in_request;
	e->in_request = in_request;
	e->deadline = clock_mono() + seconds * CLOCK_S;
	lock_drop(&l->lock);
}

void limits_request_begins(struct limits *l, struct limits_entry *e)
{
	move(l, e, true, LIMITS_REQUEST_S);
}

void limits_request_ends(struct limits *l, struct limits_entry *e)
{
	move(l, e, false, LIMITS_IDLE_S);
}

void limits_sweep(struct limits *l)
{
	int64_t now = clock_mono();

	lock_take(&l->lock);
	for (struct limits_entry *e = l->synced.first; e; e = e->next)
		if (e->deadline < now)
			(void)shutdown(e->fd, SHUT_RDWR);
	lock_drop(&l->lock);
}

int limits_active(struct limits *l)
{
	int n = 0;

	lock_take(&l->lock);
	n = l->synced.active;
	lock_drop(&l->lock);
	return n;
}
