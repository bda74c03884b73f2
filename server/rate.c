/* Token buckets in a table of fixed size. A bucket is one number, the time at which it will be full again:
 * paying moves it on and the clock catches up, so a full bucket and none at all are the same. Who is not
 * among the busiest of his set is forgotten, and then has a full bucket: the limit errs in the caller's
 * favour, and the table never grows. */
#include "server/rate.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"

#include <stdio.h>

struct entry {
	struct id name;
	int64_t full_at; /* mono; in the past: full */
};

struct shard {
	struct lock lock;
	struct {
		struct entry sets[RATE_SETS][RATE_WAYS];
	} synced;
};

struct rate {
	int per_key, per_org;
	char policy[RATE_TEXT_MAX];
	struct shard shards[RATE_SHARDS];
};

struct bucket {
	struct id name;
	int64_t cost, room; /* ns: of one request, and of all that it holds */
	int64_t full_at;    /* after paying */
	bool paid;
};

/* "key";q=1000;w=2 */
static void add(char out[RATE_TEXT_MAX], const char *item)
{
	size_t n = strlen(out);

	(void)snprintf(out + n, RATE_TEXT_MAX - n, "%s%s", n ? ", " : "", item);
}

static void add_policy(char out[RATE_TEXT_MAX], const char *name, int per_s)
{
	char item[48];

	(void)snprintf(item, sizeof(item), "\"%s\";q=%d;w=%d", name, per_s * RATE_BURST_S,
		       RATE_BURST_S);
	if (per_s > 0)
		add(out, item);
}

struct rate *rate_new(int per_key, int per_org)
{
	struct rate *r = MEM_NEW(struct rate);

	r->per_key = per_key;
	r->per_org = per_org;
	for (int i = 0; i < RATE_SHARDS; i++)
		lock_init(&r->shards[i].lock);
	add_policy(r->policy, "key", per_key);
	add_policy(r->policy, "organization", per_org);
	return r;
}

void rate_free(struct rate *r)
{
	if (!r)
		return;
	for (int i = 0; i < RATE_SHARDS; i++)
		lock_destroy(&r->shards[i].lock);
	mem_free(r);
}

const char *rate_policy(const struct rate *r)
{
	return r->policy;
}

static struct shard *shard_of(struct rate *r, struct id name)
{
	return &r->shards[name.b[15] % RATE_SHARDS];
}

/* The entry of this name, else the one whose owner waited longest for nothing. */
static struct entry *entry_synced(struct shard *s, struct id name) REQUIRES(s->lock);
static struct entry *entry_synced(struct shard *s, struct id name)
{
	struct entry *set = s->synced.sets[name.b[14] % RATE_SETS], *old = set;

	lock_assert_held(&s->lock);
	for (int i = 0; i < RATE_WAYS; i++) {
		if (id_eq(set[i].name, name))
			return &set[i];
		if (set[i].full_at < old->full_at)
			old = &set[i];
	}
	*old = (struct entry){ .name = name };
	return old;
}

static void pay(struct rate *r, struct bucket *b, int64_t now)
{
	struct shard *s = shard_of(r, b->name);
	struct entry *e = NULL;

	lock_take(&s->lock);
	e = entry_synced(s, b->name);
	if (e->full_at < now)
		e->full_at = now;
	b->paid = e->full_at + b->cost <= now + b->room;
	if (b->paid)
		e->full_at += b->cost;
	b->full_at = e->full_at;
	lock_drop(&s->lock);
}

static void pay_back(struct rate *r, const struct bucket *b)
{
	struct shard *s = shard_of(r, b->name);

	lock_take(&s->lock);
	entry_synced(s, b->name)->full_at -= b->cost;
	lock_drop(&s->lock);
}

static struct bucket bucket_of(struct id name, int per_s)
{
	int64_t cost = CLOCK_S / per_s;

	return (struct bucket){ .name = name, .cost = cost, .room = cost * per_s * RATE_BURST_S };
}

static int64_t seconds(int64_t ns)
{
	return ns > 0 ? (ns + CLOCK_S - 1) / CLOCK_S : 0;
}

static void tell(struct rate_verdict *v, const char *name, const struct bucket *b, int64_t now)
{
	char item[64];

	(void)snprintf(item, sizeof(item), "\"%s\";r=%lld;t=%lld", name,
		       (long long)((now + b->room - b->full_at) / b->cost),
		       (long long)seconds(b->full_at - now));
	add(v->left, item);
	if (b->paid)
		return;
	v->refused = true;
	v->retry_after_s = (int)seconds(b->full_at + b->cost - now - b->room);
}

static struct bucket key_bucket(const struct rate *r, struct str credential)
{
	const struct str parts[] = { S("credential"), credential };

	return bucket_of(id_hash(parts, COUNT_OF(parts)), r->per_key);
}

struct rate_verdict rate_take_key(struct rate *r, struct str credential, int64_t now)
{
	struct rate_verdict v = { .refused = false };
	struct bucket key = { .paid = false };

	if (r->per_key > 0) {
		key = key_bucket(r, credential);
		pay(r, &key, now);
		tell(&v, "key", &key, now);
	}
	return v;
}

void rate_take_org(struct rate *r, struct str credential, struct id org_id, int64_t now,
		   struct rate_verdict *v)
{
	struct bucket org = { .paid = false }, key = { .paid = false };

	if (r->per_org == 0)
		return;
	org = bucket_of(org_id, r->per_org);
	pay(r, &org, now);
	tell(v, "organization", &org, now);
	if (org.paid || r->per_key == 0)
		return;
	key = key_bucket(r, credential);
	pay_back(r, &key);
}

bool rate_pay(struct rate *r, struct id name, int64_t cost, int burst, int64_t now)
{
	struct bucket b = { .name = name, .cost = cost, .room = cost * burst };

	pay(r, &b, now);
	return b.paid;
}

void rate_pay_back(struct rate *r, struct id name, int64_t cost)
{
	const struct bucket b = { .name = name, .cost = cost };

	pay_back(r, &b);
}
