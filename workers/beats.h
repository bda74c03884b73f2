/* The leases that this process holds: registered while a task runs, renewed together, and the stop flag that they feed. */
#ifndef WORKERS_BEATS_H
#define WORKERS_BEATS_H

#include "workers/pool_inside.h"

void beats_add(struct pool *p, int slot, const struct task *task, int timeout_s);
/* What was learnt about the lease. False: the drain gave it up already. */
bool beats_peek(struct pool *p, int slot, bool *ret_lost, bool *ret_cancel);
/* After it was settled: until then its lease is renewed. */
void beats_remove(struct pool *p, int slot);
bool beats_stop(struct pool *p, int slot); /* the task in this slot should leave */
void *beats_thread(void *pool);

#endif
