/* Mutex and condition. The mutex is of the error-checking kind, so that taking it twice or dropping
 * another thread's is a stop, not a hang. Never held while anything slow happens. */
#include "base/lock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

void lock_init(struct lock *l)
{
	pthread_mutexattr_t attr;
	int rc = pthread_mutexattr_init(&attr);

	assert(rc == 0);
	rc = pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	assert(rc == 0);
	rc = pthread_mutex_init(&l->mutex, &attr);
	assert(rc == 0);
	pthread_mutexattr_destroy(&attr);
	l->held = false;
}

void lock_destroy(struct lock *l)
{
	int rc = pthread_mutex_destroy(&l->mutex);

	assert(rc == 0); /* EBUSY: destroyed while held */
}

/* owner and held are written and read under the mutex only; a thread that asks without holding it
 * is the caller bug that lock_assert_held() is there to stop. */
static void mark_held(struct lock *l)
{
	l->owner = pthread_self();
	l->held = true;
}

void lock_take(struct lock *l) UNCHECKED_LOCKING
{
	int rc = pthread_mutex_lock(&l->mutex);

	assert(rc == 0); /* EDEADLK: taken twice by one thread */
	mark_held(l);
}

void lock_drop(struct lock *l) UNCHECKED_LOCKING
{
	int rc = 0;

	lock_assert_held(l);
	l->held = false;
	rc = pthread_mutex_unlock(&l->mutex);
	assert(rc == 0);
}

void lock_assert_held(const struct lock *l) UNCHECKED_LOCKING
{
	assert(l->held && pthread_equal(l->owner, pthread_self()));
}

void lock_cond_init(struct cond *c)
{
	pthread_condattr_t attr;
	int rc = pthread_condattr_init(&attr);

	assert(rc == 0);
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	assert(rc == 0);
	rc = pthread_cond_init(&c->cond, &attr);
	assert(rc == 0);
	pthread_condattr_destroy(&attr);
}

void lock_cond_destroy(struct cond *c)
{
	int rc = pthread_cond_destroy(&c->cond);

	assert(rc == 0);
}

bool lock_cond_wait(struct cond *c, struct lock *l, int64_t deadline_mono) UNCHECKED_LOCKING
{
	int64_t at = deadline_mono > 0 ? deadline_mono : 0;
	struct timespec until = { .tv_sec = at / 1000000000, .tv_nsec = at % 1000000000 };
	int rc = 0;

	lock_assert_held(l);
	l->held = false;
	rc = pthread_cond_timedwait(&c->cond, &l->mutex, &until);
	assert(rc == 0 || rc == ETIMEDOUT);
	mark_held(l);
	return rc == 0;
}

void lock_cond_wake_all(struct cond *c)
{
	int rc = pthread_cond_broadcast(&c->cond);

	assert(rc == 0);
}
