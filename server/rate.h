/* How many requests a second a credential and an organization may send: a bucket for each, refilled all the
 * time, holding RATE_BURST_S seconds' worth. */
#ifndef SERVER_RATE_H
#define SERVER_RATE_H

#include "base/id.h"

enum {
	RATE_BURST_S = 2,
	RATE_SHARDS = 16,
	RATE_SETS = 128, /* of a shard */
	RATE_WAYS = 8,   /* entries of a set: 16,384 buckets in all, of those who ask most */
	RATE_TEXT_MAX = 128
};

struct rate;
void rate_free(struct rate *r);
DEFINE_AUTO(rate)
/* Requests a second; 0 = no limit. */
struct rate *rate_new(int per_key, int per_org) NEVER_NULL FREED_BY(rate_free);

/* The fields of draft-ietf-httpapi-ratelimit-headers; "" = nothing is limited. */
struct rate_verdict {
	bool refused;
	int retry_after_s;
	char left[RATE_TEXT_MAX]; /* RateLimit */
};
const char *rate_policy(const struct rate *r); /* RateLimit-Policy; the same for everybody */
/* Counts one request of this credential (however it is named) of this organization. now: clock_mono(). */
struct rate_verdict rate_take(struct rate *r, struct str credential, struct id org_id, int64_t now);

#endif
