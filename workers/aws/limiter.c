/* Lanes by key, under one lock. The lane's arithmetic is lane.c's. */
#include "workers/aws/limiter.h"
#include "base/lock.h"
#include "base/mem.h"
#include "workers/aws/lane.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUCKETS = 4096 };
#define IDLE_AFTER (600 * CLOCK_S)
#define DEAD_AFTER (300 * CLOCK_S)

/* group "*": every group of the service. shared: services that draw on one quota share a lane.
 * start <= half of the published quota; cap = half of it, 0 = unpublished. each: a lane per
 * operation. */
static const struct {
	const char *service;
	const char *group;
	const char *shared;
	struct lane_limits limits;
} RATES[] = {
	{ "sso-admin", NULL, "sso", { 8, 10 } },
	{ "identitystore", NULL, "sso", { 8, 10 } },
	{ "organizations", NULL, NULL, { 4, 0 } },
	{ "account", NULL, NULL, { 2, 2.5 } },
	{ "iam", NULL, NULL, { 5, 0 } },
	{ "sts", NULL, NULL, { 20, 300 } },
	{ "ec2", "*", NULL, { 10, 10 } },
	{ "rds", "attributes", NULL, { 2, 0 } },
	{ "rds", NULL, NULL, { 5, 0 } },
	{ "lambda", "*", NULL, { 7, 7.5 } },
	{ "secretsmanager", "policy", NULL, { 25, 25 } },
	{ "secretsmanager", NULL, NULL, { 20, 50 } },
	{ "kms", "policy", NULL, { 10, 15 } },
	{ "kms", NULL, NULL, { 20, 50 } },
	{ "dynamodb", NULL, NULL, { 5, 5 } },
	{ "dynamodbstreams", "*", NULL, { 2.5, 2.5 } },
	{ "cloudtrail", "lookup", NULL, { 1, 1 } },
	{ "cloudtrail", "other", NULL, { 0.5, 0.5 } },
	{ "cloudtrail", NULL, NULL, { 5, 5 } },
	{ "kinesis", NULL, NULL, { 2.5, 2.5 } },
	{ "firehose", NULL, NULL, { 2.5, 2.5 } },
	{ "s3", NULL, NULL, { 30, 0 } },
	{ "cloudformation", NULL, NULL, { 3, 0 } },
	{ "bedrock", NULL, NULL, { 3, 0 } },
	{ "bedrock-agent", NULL, NULL, { 3, 0 } },
};
static const struct lane_limits OTHERWISE = { 5, 0 };

struct override {
	char service[32]; /* "*" = all that have no entry of their own */
	double rate;
};

struct lane {
	struct lane *next;
	char key[LIMITER_KEY_MAX];
	int refs;
	int64_t used;
	struct lane_state state;
};

struct limiter {
	struct override overrides[LIMITER_OVERRIDES_MAX]; /* immutable */
	size_t overrides_n;
	struct lock lock;
	struct {
		struct lane *lanes[BUCKETS];
		size_t n;
	} synced;
};

void limiter_free(struct limiter *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct lane *lane = l->synced.lanes[i];

		while (lane != NULL) {
			struct lane *next = lane->next;

			mem_free(lane);
			lane = next;
		}
	}
	lock_destroy(&l->lock);
	mem_free(l);
}

/* Plain decimal without exponent, hexadecimal or sign. */
static bool parse_rate(struct str s, double *ret)
{
	char text[24];
	char *end;

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (strspn(text, "0123456789.") != s.n)
		return false;
	*ret = strtod(text, &end);
	return *end == '\0' && *ret > 0;
}

static enum rc parse_overrides(struct limiter *l, const char *rates, struct err *err)
{
	struct str rest = str_c(rates);

	while (rest.n > 0) {
		struct str entry = str_trim(str_cut(&rest, ','));
		struct str value = entry;
		struct str name = str_trim(str_cut(&value, '='));
		struct override *o = &l->overrides[l->overrides_n];

		if (entry.n == 0)
			continue;
		if (l->overrides_n == LIMITER_OVERRIDES_MAX || name.n == 0 ||
		    name.n >= sizeof(o->service) || !parse_rate(str_trim(value), &o->rate))
			return err_set(err, RC_INVALID, "invalid_rate",
				       "the rate \"%.*s\" is not service=requests_per_second",
				       entry.n > 60 ? 60 : (int)entry.n, entry.p);
		memcpy(o->service, name.p, name.n);
		o->service[name.n] = '\0';
		l->overrides_n++;
	}
	return RC_OK;
}

enum rc limiter_new(const char *rates, struct limiter **ret, struct err *err)
{
	AUTO(limiter) struct limiter *l = MEM_NEW(struct limiter);
	enum rc rc;

	lock_init(&l->lock);
	rc = parse_overrides(l, rates, err);
	if (rc == RC_OK)
		*ret = TAKE(l);
	return rc;
}

static int rate_row(const char *service, const char *group)
{
	for (size_t i = 0; i < COUNT_OF(RATES); i++) {
		const char *g = RATES[i].group;

		if (strcmp(RATES[i].service, service) != 0)
			continue;
		if (g == NULL || strcmp(g, "*") == 0 || (group != NULL && strcmp(g, group) == 0))
			return (int)i;
	}
	return -1;
}

static struct lane_limits limits_of(const struct limiter *l, const char *service, int row)
{
	const struct override *found = NULL;

	for (size_t i = 0; i < l->overrides_n; i++) {
		const struct override *o = &l->overrides[i];

		if (strcmp(o->service, service) == 0)
			found = o;
		else if (strcmp(o->service, "*") == 0 && found == NULL)
			found = o;
	}
	/* The operator's figure is the start and the most. */
	if (found != NULL)
		return (struct lane_limits){ found->rate, found->rate };
	return row >= 0 ? RATES[row].limits : OTHERWISE;
}

static size_t hash(const char *key)
{
	uint64_t h = UINT64_C(1469598103934665603);

	for (; *key != '\0'; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(1099511628211);
	return (size_t)(h % BUCKETS);
}

/* Makes room: lanes that nobody holds and that have been idle go, all idle ones at once. */
static void evict_synced(struct limiter *l, int64_t idle_before) REQUIRES(l->lock);
static void evict_synced(struct limiter *l, int64_t idle_before)
{
	lock_assert_held(&l->lock);
	for (size_t i = 0; i < BUCKETS; i++) {
		struct lane **at = &l->synced.lanes[i];

		while (*at != NULL) {
			struct lane *lane = *at;

			if (lane->refs > 0 || lane->used > idle_before) {
				at = &lane->next;
				continue;
			}
			*at = lane->next;
			mem_free(lane);
			l->synced.n--;
		}
	}
}

static struct lane *find_synced(struct limiter *l, const char *key) REQUIRES(l->lock);
static struct lane *find_synced(struct limiter *l, const char *key)
{
	struct lane *lane = l->synced.lanes[hash(key)];

	lock_assert_held(&l->lock);
	while (lane != NULL && strcmp(lane->key, key) != 0)
		lane = lane->next;
	return lane;
}

struct lane *limiter_lane(struct limiter *l, const char *account, const char *region,
			  const char *service, const char *group, int64_t now)
{
	int row = rate_row(service, group);
	const char *g = row >= 0 && RATES[row].group == NULL ? NULL : group;
	const char *s = row >= 0 && RATES[row].shared != NULL ? RATES[row].shared : service;
	char key[LIMITER_KEY_MAX];
	struct lane *lane;

	snprintf(key, sizeof(key), "%.20s/%.32s/%.32s/%.40s", account, region, s,
		 g == NULL ? "" : g);
	lock_take(&l->lock);
	lane = find_synced(l, key);
	if (lane == NULL) {
		size_t at = hash(key);

		if (l->synced.n >= LIMITER_LANES_MAX)
			evict_synced(l, now - IDLE_AFTER);
		if (l->synced.n >= LIMITER_LANES_MAX)
			evict_synced(l, now);
		lane = MEM_NEW(struct lane);
		memcpy(lane->key, key, sizeof(key));
		lane_start(&lane->state, limits_of(l, service, row), now);
		lane->next = l->synced.lanes[at];
		l->synced.lanes[at] = lane;
		l->synced.n++;
	}
	lane->refs++;
	lane->used = now;
	lock_drop(&l->lock);
	return lane;
}

void limiter_return(struct limiter *l, struct lane *lane)
{
	lock_take(&l->lock);
	assert(lane->refs > 0);
	lane->refs--;
	lock_drop(&l->lock);
}

int64_t limiter_take(struct limiter *l, struct lane *lane, int64_t now)
{
	int64_t wait;

	lock_take(&l->lock);
	lane->used = now;
	wait = lane_take(&lane->state, now);
	lock_drop(&l->lock);
	return wait;
}

void limiter_clean(struct limiter *l, struct lane *lane, int64_t now, bool success, int taken)
{
	lock_take(&l->lock);
	lane_clean(&lane->state, now);
	lane->state.failing_since = 0;
	lane->state.succeeded = true;
	if (success)
		retry_refund(&lane->state.quota, taken);
	lock_drop(&l->lock);
}

void limiter_throttled(struct limiter *l, struct lane *lane, int64_t now)
{
	lock_take(&l->lock);
	lane_throttled(&lane->state, now);
	if (lane->state.failing_since == 0)
		lane->state.failing_since = now;
	lock_drop(&l->lock);
}

bool limiter_retry(struct limiter *l, struct lane *lane, bool throttle, int *taken)
{
	bool ok;

	lock_take(&l->lock);
	ok = retry_take(&lane->state.quota, throttle, taken);
	lock_drop(&l->lock);
	return ok;
}

double limiter_rate(struct limiter *l, struct lane *lane)
{
	double rate;

	lock_take(&l->lock);
	rate = lane->state.rate;
	lock_drop(&l->lock);
	return rate;
}

bool limiter_is_dead(struct limiter *l, struct lane *lane, int64_t now)
{
	bool dead;

	lock_take(&l->lock);
	dead = !lane->state.succeeded && lane->state.failing_since != 0 &&
	       now - lane->state.failing_since >= DEAD_AFTER;
	lock_drop(&l->lock);
	return dead;
}
