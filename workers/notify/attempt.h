/* What an attempt's answer means: success, another try and when, or the end. Pure. */
#ifndef WORKERS_NOTIFY_ATTEMPT_H
#define WORKERS_NOTIFY_ATTEMPT_H

#include "base/str.h"
#include "db/delivery_lane.h"

enum {
	ATTEMPT_MAX = 10,
	ATTEMPT_SCALE_ONE = 1000000, /* scale_ppm that changes nothing */
	ATTEMPT_WAIT_MAX_S = 86400   /* a receiver cannot ask for a longer pause */
};

struct attempt {
	int before;             /* attempts before this one */
	int status;             /* of the answer; 0 = none came */
	const char *fault;      /* stable name when no answer came; else "" */
	struct str retry_after; /* the header; "" = none */
	int64_t wall;           /* now */
	int64_t scale_ppm;      /* of the pauses; for tests */
	uint32_t random;
};

/* Fills end, delay_ms, status and error. */
void attempt_judge(const struct attempt *a, struct delivery_result *ret);

#endif
