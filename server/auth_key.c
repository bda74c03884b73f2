/* API keys and service keys. Compares hashes in constant time; keeps positive answers for a few
 * seconds, and bounds how often a client may ask the database about keys that nobody knows.
 * Never logs, never says why a key was refused, never stores a key's text. */
#include "api/scope.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "server/auth_inside.h"
#include "server/rate.h"

#include <sodium.h>

enum { CACHE_SETS = 1024, CACHE_WAYS = 4 };
/* A well-formed key costs nothing to make up. A refused one costs this much of its client's bucket, which
 * holds UNKNOWN_BURST; a good one gives its part back, and one that was good before is never held up. From
 * however many clients they come, UNKNOWN_AT_ONCE are looked up at a moment. */
enum { UNKNOWN_BURST = 100, UNKNOWN_AT_ONCE = 64 };
#define UNKNOWN_COST (CLOCK_S / 20)
/* So long before an answer's end the first one who comes asks anew, and the others go on with what is known: a key that
 * is used a thousand times a second is not looked up by all of them when its time is over. */
#define AHEAD CLOCK_S

struct cached {
	enum keys_kind kind;
	struct id key_id;
	unsigned char hash[KEYS_HASH];
	struct auth_key_grant grant;
	int64_t again; /* mono; the next one to come from then on asks anew */
	int64_t until; /* mono; past: known, but to be asked again; key_id zero: empty */
};

struct auth_key {
	struct rate *unknown; /* the clients' buckets */
	struct lock lock;
	struct {
		struct cached sets[CACHE_SETS][CACHE_WAYS]; /* by key id */
		int asking;                                 /* about keys that are unknown */
	} synced;
};

void auth_key_free(struct auth_key *k)
{
	if (!k)
		return;
	rate_free(k->unknown);
	lock_destroy(&k->lock);
	mem_free(k);
}

struct auth_key *auth_key_new(void)
{
	struct auth_key *k = MEM_NEW(struct auth_key);

	k->unknown = rate_new(0, 0);
	lock_init(&k->lock);
	return k;
}

/* The key's entry, else the one that was good the longest ago. */
static struct cached *slot_synced(struct auth_key *k, enum keys_kind kind, struct id key_id)
	REQUIRES(k->lock);
static struct cached *slot_synced(struct auth_key *k, enum keys_kind kind, struct id key_id)
{
	/* The last bytes of a UUIDv7 are random. */
	struct cached *set = k->synced.sets[(key_id.b[14] << 8 | key_id.b[15]) % CACHE_SETS];
	struct cached *old = set;

	lock_assert_held(&k->lock);
	for (int i = 0; i < CACHE_WAYS; i++) {
		if (set[i].kind == kind && id_eq(set[i].key_id, key_id))
			return &set[i];
		if (set[i].until < old->until)
			old = &set[i];
	}
	return old;
}

/* What is known of a key; ret->until says for how long. *ret_ask: the caller must ask anew, or is chosen to. */
static bool is_known(struct auth_key *k, const struct auth_key_asked *q, struct cached *ret,
		     bool *ret_ask)
{
	int64_t now = clock_mono();
	struct cached *slot = NULL;
	bool known = false;

	lock_take(&k->lock);
	slot = slot_synced(k, q->kind, q->key_id);
	known = slot->kind == q->kind && id_eq(slot->key_id, q->key_id) &&
		sodium_memcmp(slot->hash, q->hash, KEYS_HASH) == 0;
	*ret_ask = !known || slot->again <= now;
	if (known && *ret_ask)
		slot->again = slot->until;
	*ret = *slot;
	lock_drop(&k->lock);
	return known;
}

static void keep(struct auth_key *k, const struct cached *entry)
{
	lock_take(&k->lock);
	*slot_synced(k, entry->kind, entry->key_id) = *entry;
	lock_drop(&k->lock);
}

static void forget(struct auth_key *k, const struct auth_key_asked *q)
{
	struct cached *slot = NULL;

	lock_take(&k->lock);
	slot = slot_synced(k, q->kind, q->key_id);
	if (slot->kind == q->kind && id_eq(slot->key_id, q->key_id))
		*slot = (struct cached){ .until = 0 };
	lock_drop(&k->lock);
}

static bool count_asking(struct auth_key *k, int more)
{
	bool may = false;

	lock_take(&k->lock);
	may = more < 0 || k->synced.asking < UNKNOWN_AT_ONCE;
	k->synced.asking += may ? more : 0;
	lock_drop(&k->lock);
	return may;
}

/* False: no more may be looked up for this client, or for all of them, just now. */
static bool enter_unknown(struct auth_key *k, struct id peer)
{
	if (!rate_pay(k->unknown, peer, UNKNOWN_COST, UNKNOWN_BURST, clock_mono()))
		return false;
	if (count_asking(k, 1))
		return true;
	rate_pay_back(k->unknown, peer, UNKNOWN_COST);
	return false;
}

static void leave_unknown(struct auth_key *k, struct id peer, bool refused)
{
	(void)count_asking(k, -1);
	if (!refused)
		rate_pay_back(k->unknown, peer, UNKNOWN_COST);
}

static enum rc find(struct dbpool *pool, const struct auth_key_asked *q, struct key_found *ret,
		    struct err *err)
{
	const struct id nobody = { { 0 } };
	struct db *db = NULL;
	enum rc rc = dbpool_take(pool, nobody, AUTH_POOL_WAIT_MS, &db, err);

	if (rc != RC_OK)
		return rc;
	rc = keys_authenticate(db, q->kind, q->key_id, q->hash, ret, err);
	dbpool_give(pool, nobody, db);
	return rc;
}

static enum rc look_up(struct dbpool *pool, const struct auth_key_asked *q, struct cached *ret,
		       struct err *err)
{
	struct key_found found = { 0 };
	/* Before the question: the answer is as old as that, however long it travels. */
	int64_t asked_at = clock_mono(), until = asked_at + AUTH_TTL_S * CLOCK_S;
	enum rc rc = find(pool, q, &found, err);

	if (rc == RC_OK && (sodium_memcmp(found.hash, q->hash, KEYS_HASH) != 0 || !found.live))
		rc = RC_NOT_FOUND;
	if (rc == RC_NOT_FOUND) {
		err_clear(err);
		return auth_denied(err);
	}
	/* A stamp of last use that may or may not have been written changes nothing for the caller. */
	if (rc == RC_RETRY && str_eq(str_c(err->code), S("commit_unknown"))) {
		err_clear(err);
		return err_set(err, RC_RETRY, "database_away",
			       "the database went away while a key was looked up");
	}
	if (rc != RC_OK)
		return rc;
	if (found.left_ms >= 0 && until > asked_at + found.left_ms * CLOCK_MS)
		until = asked_at + found.left_ms * CLOCK_MS;
	*ret = (struct cached){ .kind = q->kind, .key_id = q->key_id, .until = until };
	ret->again = until - AHEAD;
	ret->grant.org_id = found.org_id;
	ret->grant.scopes = scope_of_key(str_c(found.role), str_c(found.scopes));
	memcpy(ret->hash, q->hash, KEYS_HASH);
	return RC_OK;
}

/* Looks the key up and remembers the answer. known: it was good not long ago. */
static enum rc refresh(struct auth_key *k, struct dbpool *pool, const struct auth_key_asked *q,
		       bool known, struct cached *ret, struct err *err)
{
	enum rc rc = RC_OK;

	if (!known && !enter_unknown(k, q->peer))
		return err_set(err, RC_LIMIT, "too_many_requests",
			       "too many keys that nobody knows");
	rc = look_up(pool, q, ret, err);
	if (!known)
		leave_unknown(k, q->peer, rc == RC_DENIED);
	if (rc == RC_OK)
		keep(k, ret);
	else if (known && rc == RC_DENIED)
		forget(k, q);
	return rc;
}

enum rc auth_key_check(struct auth_key *k, const struct auth_key_asked *asked, struct dbpool *pool,
		       struct auth_key_grant *ret, struct err *err)
{
	struct cached entry = { .until = 0 };
	bool ask = false, known = is_known(k, asked, &entry, &ask);
	enum rc rc = RC_OK;

	if (ask)
		rc = refresh(k, pool, asked, known, &entry, err);
	/* Asked before its time was over, and there was no answer: what is known still holds. */
	if (rc != RC_OK && rc != RC_DENIED && known && entry.until > clock_mono()) {
		err_clear(err);
		rc = RC_OK;
	}
	if (rc == RC_OK)
		*ret = entry.grant;
	return rc;
}
