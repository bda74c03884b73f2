/* Additive-like increase, multiplicative decrease, with a memory.
 *
 * Up by 5 % every 10 s while clean (every 5 s while there is no reason to expect a throttle: never
 * throttled, or below 80 % of what was good). Down by half on a throttle, at most once a second, so
 * that the answers of one burst count once. The rate that was throttled is remembered: later climbs
 * stop 5 % below it and only try more after five clean minutes. The bucket holds a fifth of a
 * second of tokens, because a quota's burst belongs to the customer's own tools. */
#include "workers/aws/lane.h"

#define STEP        1.05
#define SLOW_STEP   (10 * CLOCK_S)
#define FAST_STEP   (5 * CLOCK_S)
#define HALVE_EVERY CLOCK_S
#define PROBE_AFTER (300 * CLOCK_S)
#define NEAR        0.8
#define HOLD        0.95
#define BACK_OFF    0.9
#define RATE_MIN    0.2
#define BURST_S     0.2

void lane_start(struct lane_state *s, struct lane_limits limits, int64_t now)
{
	*s = (struct lane_state){
		.limits = limits,
		.rate = limits.start,
		.tokens = 1,
		.filled = now,
		.stepped = now,
		.quota = RETRY_QUOTA_FULL,
	};
}

static double burst(const struct lane_state *s)
{
	double b = s->rate * BURST_S;

	return b < 1 ? 1 : b;
}

int64_t lane_take(struct lane_state *s, int64_t now)
{
	double most = burst(s);

	if (now > s->filled) {
		s->tokens += (double)(now - s->filled) / (double)CLOCK_S * s->rate;
		s->filled = now;
	}
	if (s->tokens > most)
		s->tokens = most;
	if (s->tokens >= 1) {
		s->tokens -= 1;
		return 0;
	}
	return (int64_t)((1 - s->tokens) / s->rate * (double)CLOCK_S) + 1;
}

static double top(const struct lane_state *s)
{
	double t = s->limits.cap;

	if (s->ceiling > 0 && (t == 0 || s->ceiling * HOLD < t))
		t = s->ceiling * HOLD;
	return t;
}

void lane_clean(struct lane_state *s, int64_t now)
{
	bool near = s->ceiling > 0 && s->rate >= s->ceiling * NEAR;
	double most;

	if (now - s->stepped < (near ? SLOW_STEP : FAST_STEP))
		return;
	if (s->ceiling > 0 && now - s->probed >= PROBE_AFTER) {
		s->ceiling *= STEP;
		s->probed = now;
	}
	most = top(s);
	s->stepped = now;
	s->rate *= STEP;
	if (most > 0 && s->rate > most)
		s->rate = most;
	if (s->rate < RATE_MIN)
		s->rate = RATE_MIN;
}

void lane_throttled(struct lane_state *s, int64_t now)
{
	s->stepped = now;
	if (s->halved != 0 && now - s->halved < HALVE_EVERY)
		return;
	s->ceiling = s->rate * BACK_OFF;
	s->rate /= 2;
	if (s->rate < RATE_MIN)
		s->rate = RATE_MIN;
	s->halved = now;
	s->probed = now;
	if (s->tokens > 0)
		s->tokens = 0;
}
