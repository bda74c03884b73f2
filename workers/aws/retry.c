/* Retry figures: base 50 ms (1 s when throttled), doubled each time, at most 20 s, full jitter. */
#include "workers/aws/retry.h"

#define BASE_S          0.05
#define BASE_THROTTLE_S 1.0
#define CAP_S           20.0
#define HINT_SPAN       (5 * CLOCK_S)

bool retry_take(struct retry_quota *q, bool throttle, int *taken)
{
	int cost = throttle ? RETRY_COST_THROTTLE : RETRY_COST;

	if (q->tokens < cost)
		return false;
	q->tokens -= cost;
	*taken += cost;
	return true;
}

void retry_refund(struct retry_quota *q, int taken)
{
	q->tokens += taken > 0 ? taken : 1;
	if (q->tokens > RETRY_QUOTA)
		q->tokens = RETRY_QUOTA;
}

int64_t retry_delay(int n, bool throttle, double chance, int64_t hint_ms)
{
	double s = throttle ? BASE_THROTTLE_S : BASE_S;
	int64_t delay;

	for (int i = 1; i < n && s < CAP_S; i++)
		s *= 2;
	if (s > CAP_S)
		s = CAP_S;
	delay = (int64_t)(chance * s * (double)CLOCK_S);
	if (hint_ms < 0)
		return delay;
	if (hint_ms > (delay + HINT_SPAN) / CLOCK_MS)
		return delay + HINT_SPAN;
	return hint_ms * CLOCK_MS > delay ? hint_ms * CLOCK_MS : delay;
}
