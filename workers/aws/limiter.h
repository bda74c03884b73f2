/* How fast we may call. One lane per (account, region, service, group): a token bucket whose rate
 * halves when AWS throttles and creeps up while it does not, and the retry quota of that lane.
 * Thread-safe; nobody sleeps in here: a refused caller learns when to ask again. */
#ifndef WORKERS_AWS_LIMITER_H
#define WORKERS_AWS_LIMITER_H

#include "base/err.h"
#include "base/str.h"

enum { LIMITER_LANES_MAX = 16384, LIMITER_KEY_MAX = 128, LIMITER_OVERRIDES_MAX = 64 };

struct limiter;
struct lane;
void limiter_free(struct limiter *l);
DEFINE_AUTO(limiter)
/* rates: "iam=5,sts=20,*=100"; "" or NULL = the table's. RC_INVALID names the entry. */
MUST_CHECK enum rc limiter_new(const char *rates, struct limiter **ret, struct err *err);

/* A lane stays valid until it is returned. group NULL = the service's own. */
struct lane *limiter_lane(struct limiter *l, const char *account, const char *region,
			  const char *service, const char *group, int64_t now) NEVER_NULL;
void limiter_return(struct limiter *l, struct lane *lane);

/* 0: go. Else ask again in that many nanoseconds. */
int64_t limiter_take(struct limiter *l, struct lane *lane, int64_t now);
/* An answer that was not throttled / was. taken: see retry_refund(). */
void limiter_clean(struct limiter *l, struct lane *lane, int64_t now, bool success, int taken);
void limiter_throttled(struct limiter *l, struct lane *lane, int64_t now);
/* retry_take() on the lane's quota. */
bool limiter_retry(struct limiter *l, struct lane *lane, bool throttle, int *taken);
double limiter_rate(struct limiter *l,
		    struct lane *lane); /* requests/s now; for tests and metrics */
/* Nothing but throttles for five minutes and never a success: the region does not have it. */
bool limiter_is_dead(struct limiter *l, struct lane *lane, int64_t now);

#endif
