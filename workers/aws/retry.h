/* When and whether to try again: SDK "standard" mode with the 2026 figures. Pure; chance and time
 * are the caller's. */
#ifndef WORKERS_AWS_RETRY_H
#define WORKERS_AWS_RETRY_H

#include "base/clock.h"
#include <stdbool.h>

enum {
	RETRY_QUOTA = 500, /* tokens of one (account, region, service) */
	RETRY_COST = 14,   /* of one retry */
	RETRY_COST_THROTTLE = 5,
	RETRY_ATTEMPTS_MAX = 8 /* of one request that fails for other reasons than throttling */
};

struct retry_quota {
	int tokens;
};
#define RETRY_QUOTA_FULL                                                                           \
	{                                                                                          \
		.tokens = RETRY_QUOTA                                                              \
	}

/* Takes the cost of one retry and adds it to *taken; false: the quota is spent. */
bool retry_take(struct retry_quota *q, bool throttle, int *taken);
/* After a success: what its retries took comes back, or one token when it had none. */
void retry_refund(struct retry_quota *q, int taken);

/* How long to wait before retry n (1, 2, ...). chance in [0, 1); hint_ms is the server's
 * x-amz-retry-after, negative = none. */
int64_t retry_delay(int n, bool throttle, double chance, int64_t hint_ms);

#endif
