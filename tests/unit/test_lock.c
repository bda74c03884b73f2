/* Locks: who holds them, who may not, and waiting that ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/lock.h"
#include "dies.h"

enum { THREADS = 4, ROUNDS = 5000 };

struct shared {
	struct lock lock;
	struct cond cond;
	struct {
		int count;
		bool ready;
	} synced;
};

static void *count_up(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < ROUNDS; i++) {
		lock_take(&s->lock);
		s->synced.count++;
		lock_drop(&s->lock);
	}
	return NULL;
}

static void make(struct shared *s)
{
	lock_init(&s->lock);
	lock_cond_init(&s->cond);
}

static void end(struct shared *s)
{
	lock_cond_destroy(&s->cond);
	lock_destroy(&s->lock);
}

static void increments_under_the_lock_are_not_lost(void **state)
{
	struct shared s = { 0 };
	pthread_t threads[THREADS];

	make(&s);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_up, &s), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(s.synced.count, THREADS * ROUNDS);
	end(&s);
}

static void *set_ready(void *arg)
{
	struct shared *s = arg;

	lock_take(&s->lock);
	s->synced.ready = true;
	lock_cond_wake_all(&s->cond);
	lock_drop(&s->lock);
	return NULL;
}

static void waiter_wakes_when_told_and_holds_the_lock(void **state)
{
	struct shared s = { 0 };
	pthread_t thread;
	int64_t deadline = clock_mono() + 20 * CLOCK_S;
	bool in_time = true, ready = false;

	make(&s);
	lock_take(&s.lock);
	assert_int_equal(pthread_create(&thread, NULL, set_ready, &s), 0);
	while (!s.synced.ready && in_time)
		in_time = lock_cond_wait(&s.cond, &s.lock, deadline);
	lock_assert_held(&s.lock);
	ready = s.synced.ready;
	lock_drop(&s.lock);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(ready);
	end(&s);
}

static void wait_ends_at_its_deadline(void **state)
{
	struct shared s = { 0 };
	int64_t deadline = clock_mono() + 5 * CLOCK_MS;

	make(&s);
	lock_take(&s.lock);
	while (lock_cond_wait(&s.cond, &s.lock, deadline))
		continue;
	assert_true(clock_mono() >= deadline);
	assert_false(lock_cond_wait(&s.cond, &s.lock, -1));
	lock_drop(&s.lock);
	end(&s);
}

static void taking_twice_stops_the_process(void **state)
{
	struct shared s = { 0 };

	make(&s);
	ASSERT_DIES(count_up(&s); lock_take(&s.lock); count_up(&s));
	end(&s);
}

static void dropping_what_is_not_held_stops_the_process(void **state) UNCHECKED_LOCKING
{
	struct shared s = { 0 };

	make(&s);
	ASSERT_DIES(lock_drop(&s.lock));
	ASSERT_DIES(lock_assert_held(&s.lock));
	end(&s);
}

static void *assert_held_here(void *arg)
{
	struct shared *s = arg;

	lock_assert_held(&s->lock);
	return NULL;
}

/* In the child: another thread claims what this one holds. */
static void claim_from_another_thread(struct shared *s) UNCHECKED_LOCKING
{
	pthread_t thread;

	lock_take(&s->lock);
	if (pthread_create(&thread, NULL, assert_held_here, s) == 0)
		pthread_join(thread, NULL);
}

static void lock_of_another_thread_is_not_held(void **state)
{
	struct shared s = { 0 };

	make(&s);
	ASSERT_DIES(claim_from_another_thread(&s));
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(increments_under_the_lock_are_not_lost),
		cmocka_unit_test(waiter_wakes_when_told_and_holds_the_lock),
		cmocka_unit_test(wait_ends_at_its_deadline),
		cmocka_unit_test(taking_twice_stops_the_process),
		cmocka_unit_test(dropping_what_is_not_held_stops_the_process),
		cmocka_unit_test(lock_of_another_thread_is_not_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
