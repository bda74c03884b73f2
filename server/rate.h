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
/* Counts one request of this credential, however it is named. now: clock_mono(). */
struct rate_verdict rate_take_key(struct rate *r, struct str credential, int64_t now);
/* And the same one of this organization, after the key's was not refused: adds to *v. What the organization
 * refuses costs the key nothing. */
void rate_take_org(struct rate *r, struct str credential, struct id org_id, int64_t now,
		   struct rate_verdict *v);

/* A bucket of the caller's own, in the same table: holds `burst` payments of `cost` ns each. The name is a
 * hash. False: it is empty. */
bool rate_pay(struct rate *r, struct id name, int64_t cost, int burst, int64_t now);
void rate_pay_back(struct rate *r, struct id name, int64_t cost);

#endif
