/* A mutex that can be asserted, and a condition on the monotonic clock.
 * Shared fields of a struct live in `struct { ... } synced` beside their lock; a function that
 * needs the lock held ends in _synced and asserts it. Nothing slow happens under a lock. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/cdefs.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct LOCKABLE lock {
	pthread_mutex_t mutex;
	pthread_t owner;
	bool held;
};

struct cond {
	pthread_cond_t cond;
};

void lock_init(struct lock *l);
void lock_destroy(struct lock *l);
void lock_take(struct lock *l) ACQUIRES(l);
void lock_drop(struct lock *l) RELEASES(l);
void lock_assert_held(const struct lock *l) ASSERTS_HELD(l);

void lock_cond_init(struct cond *c);
void lock_cond_destroy(struct cond *c);
/* Waits until signalled or until deadline_mono (clock_mono time); false = deadline passed. */
bool lock_cond_wait(struct cond *c, struct lock *l, int64_t deadline_mono) REQUIRES(l);
void lock_cond_wake_all(struct cond *c);

#endif
