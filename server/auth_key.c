/* API keys and service keys. Compares hashes in constant time; keeps positive answers for a few
 * seconds, and bounds how often keys that nobody knows may ask the database.
 * Never logs, never says why a key was refused, never stores a key's text. */
#include "api/scope.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "db/service_keys.h"
#include "server/auth_inside.h"

#include <sodium.h>

enum { CACHE_SLOTS = 1024 };
/* A well-formed key costs nothing to make up. A refused one costs this much of a bucket that holds
 * UNKNOWN_BURST; a good one gives its part back, and one that was good before is never held up. */
enum { UNKNOWN_BURST = 100 };
#define UNKNOWN_COST (CLOCK_S / 20)

struct cached {
	enum apikey_kind kind;
	struct id key_id;
	unsigned char hash[KEYS_HASH];
	struct auth_key_grant grant;
	int64_t until; /* mono; past: known, but to be asked again; key_id zero: empty */
};

struct auth_key {
	struct lock lock;
	struct {
		struct cached slots[CACHE_SLOTS]; /* direct-mapped by key id */
		int64_t unknown_at;               /* mono; when the bucket will be full again */
	} synced;
};

/* What is asked about. */
struct asked {
	enum apikey_kind kind;
	struct id key_id;
	const unsigned char *hash;
};

void auth_key_free(struct auth_key *k)
{
	if (!k)
		return;
	lock_destroy(&k->lock);
	mem_free(k);
}

struct auth_key *auth_key_new(void)
{
	struct auth_key *k = MEM_NEW(struct auth_key);

	lock_init(&k->lock);
	return k;
}

static struct cached *slot_synced(struct auth_key *k, struct id key_id) REQUIRES(k->lock);
static struct cached *slot_synced(struct auth_key *k, struct id key_id)
{
	lock_assert_held(&k->lock);
	/* The last bytes of a UUIDv7 are random. */
	return &k->synced.slots[(key_id.b[14] << 8 | key_id.b[15]) % CACHE_SLOTS];
}

/* What is known of a key; ret->until says for how long. */
static bool is_known(struct auth_key *k, const struct asked *q, struct cached *ret)
{
	lock_take(&k->lock);
	*ret = *slot_synced(k, q->key_id);
	lock_drop(&k->lock);
	return ret->kind == q->kind && id_eq(ret->key_id, q->key_id) &&
	       sodium_memcmp(ret->hash, q->hash, KEYS_HASH) == 0;
}

static void keep(struct auth_key *k, const struct cached *entry)
{
	lock_take(&k->lock);
	*slot_synced(k, entry->key_id) = *entry;
	lock_drop(&k->lock);
}

static void forget(struct auth_key *k, const struct asked *q)
{
	struct cached *slot = NULL;

	lock_take(&k->lock);
	slot = slot_synced(k, q->key_id);
	if (slot->kind == q->kind && id_eq(slot->key_id, q->key_id))
		*slot = (struct cached){ .until = 0 };
	lock_drop(&k->lock);
}

/* The bucket as the time at which it will be full: paying moves it on, the clock catches up. */
static bool pay(struct auth_key *k)
{
	int64_t now = clock_mono();
	bool may = false;

	lock_take(&k->lock);
	if (k->synced.unknown_at < now)
		k->synced.unknown_at = now;
	may = k->synced.unknown_at + UNKNOWN_COST <= now + UNKNOWN_BURST * UNKNOWN_COST;
	if (may)
		k->synced.unknown_at += UNKNOWN_COST;
	lock_drop(&k->lock);
	return may;
}

static void pay_back(struct auth_key *k)
{
	lock_take(&k->lock);
	k->synced.unknown_at -= UNKNOWN_COST;
	lock_drop(&k->lock);
}

static enum rc find(struct dbpool *pool, const struct asked *q, struct key_found *ret,
		    struct err *err)
{
	const struct id nobody = { { 0 } };
	struct db *db = NULL;
	enum rc rc = dbpool_take(pool, nobody, AUTH_POOL_WAIT_MS, &db, err);

	if (rc != RC_OK)
		return rc;
	if (q->kind == APIKEY_SERVICE)
		rc = service_keys_authenticate(db, q->key_id, q->hash, ret, err);
	else
		rc = keys_authenticate(db, q->key_id, q->hash, ret, err);
	dbpool_give(pool, nobody, db);
	return rc;
}

static enum rc look_up(struct dbpool *pool, const struct asked *q, struct cached *ret,
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
	ret->grant.org_id = found.org_id;
	ret->grant.scopes = scope_of_key(str_c(found.role), str_c(found.scopes));
	memcpy(ret->hash, q->hash, KEYS_HASH);
	return RC_OK;
}

/* Looks the key up and remembers the answer. known: it was good not long ago. */
static enum rc refresh(struct auth_key *k, struct dbpool *pool, const struct asked *q, bool known,
		       struct cached *ret, struct err *err)
{
	enum rc rc = RC_OK;

	if (!known && !pay(k))
		return err_set(err, RC_LIMIT, "too_many_requests",
			       "too many keys that nobody knows");
	rc = look_up(pool, q, ret, err);
	if (!known && rc != RC_DENIED)
		pay_back(k);
	if (rc == RC_OK)
		keep(k, ret);
	else if (known && rc == RC_DENIED)
		forget(k, q);
	return rc;
}

enum rc auth_key_check(struct auth_key *k, enum apikey_kind kind, struct id key_id,
		       const unsigned char hash[KEYS_HASH], struct dbpool *pool,
		       struct auth_key_grant *ret, struct err *err)
{
	const struct asked q = { kind, key_id, hash };
	struct cached entry = { .until = 0 };
	bool known = is_known(k, &q, &entry);
	enum rc rc = RC_OK;

	if (!known || entry.until <= clock_mono())
		rc = refresh(k, pool, &q, known, &entry, err);
	if (rc == RC_OK)
		*ret = entry.grant;
	return rc;
}
