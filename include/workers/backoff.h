/* Pauses before something is tried again: decorrelated jitter, so that a hundred that failed together do not return
 * together. Pure: the random number is the caller's. */
#ifndef WORKERS_BACKOFF_H
#define WORKERS_BACKOFF_H

#include <stdint.h>

enum { BACKOFF_TASK_MIN_S = 2, BACKOFF_TASK_MAX_S = 300 };

/* The next pause of a loop: between min and three times the last one, at most max. last 0 = none yet. */
int64_t backoff_next(int64_t last, int64_t min, int64_t max, uint32_t random);
/* Seconds before attempt number attempts + 1 of a task. */
int backoff_task_s(int attempts, uint32_t random);
/* span cut by up to half: polls of many processes drift apart. */
int64_t backoff_jitter(int64_t span, uint32_t random);

#endif
