/* Decorrelated jitter. No clock, no sleep, no random source of its own. */
#include "workers/backoff.h"
#include <assert.h>

/* Uniform over low..high, both included. */
static int64_t between(int64_t low, int64_t high, uint32_t random)
{
	return low + (int64_t)((double)(high - low + 1) * ((double)random / 4294967296.0));
}

int64_t backoff_next(int64_t last, int64_t min, int64_t max, uint32_t random)
{
	int64_t high = last < min ? min : last;

	assert(min > 0 && max >= min);
	high = high > max / 3 ? max : high * 3;
	return between(min, high < min ? min : high, random);
}

int backoff_task_s(int attempts, uint32_t random)
{
	int64_t last = BACKOFF_TASK_MIN_S;

	for (int i = 1; i < attempts && last < BACKOFF_TASK_MAX_S; i++)
		last *= 3;
	return (int)backoff_next(last, BACKOFF_TASK_MIN_S, BACKOFF_TASK_MAX_S, random);
}

int64_t backoff_jitter(int64_t span, uint32_t random)
{
	return between(span - span / 2, span, random);
}
