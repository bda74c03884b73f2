/* The arithmetic of one lane: a bucket and a rate that learns. Pure; the clock is the caller's. */
#ifndef WORKERS_AWS_LANE_H
#define WORKERS_AWS_LANE_H

#include "workers/aws/retry.h"

struct lane_limits {
	double start; /* requests/s at first */
	double cap;   /* never more; 0 = unpublished: find out gently */
};

struct lane_state {
	struct lane_limits limits;
	double rate;
	double ceiling; /* the highest rate believed good after a throttle; 0 = never throttled */
	double tokens;
	int64_t filled;        /* when tokens was right */
	int64_t stepped;       /* when the rate last rose */
	int64_t halved;        /* when it last fell; 0 = never */
	int64_t probed;        /* when the ceiling was last set or lifted */
	int64_t failing_since; /* first throttle with no success since; 0 = none */
	bool succeeded;
	struct retry_quota quota;
};

void lane_start(struct lane_state *s, struct lane_limits limits, int64_t now);
int64_t lane_take(struct lane_state *s, int64_t now); /* 0 = granted, else nanoseconds to wait */
void lane_clean(struct lane_state *s, int64_t now);
void lane_throttled(struct lane_state *s, int64_t now);

#endif
