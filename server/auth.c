/* Authentication. Compares hashes in constant time; keeps positive answers for a few seconds, and
 * bounds how often keys that nobody knows may ask the database.
 * Never logs, never says why a key was refused, never stores a key's text. */
#include "server/auth.h"
#include "api/apikey.h"
#include "api/scope.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#include <sodium.h>
#include <stdio.h>

enum { CACHE_SLOTS = 1024, POOL_WAIT_MS = 2000, OPERATOR_KEY_MIN = 32 };
/* A well-formed key costs nothing to make up. A refused one costs this much of a bucket that holds
 * UNKNOWN_BURST; a good one gives its part back, and one that was good before is never held up. */
enum { UNKNOWN_BURST = 100 };
#define UNKNOWN_COST (CLOCK_S / 20)

struct cached {
	struct id key_id, org_id;
	unsigned char hash[KEYS_HASH];
	uint32_t scopes;
	int64_t until; /* mono; past: known, but to be asked again; key_id zero: empty */
};

struct auth {
	const struct http_env *env;
	bool has_operator;
	unsigned char operator_hash[TEXT_SHA256];
	struct lock lock;
	struct {
		struct cached slots[CACHE_SLOTS]; /* direct-mapped by key id */
		int64_t unknown_at;               /* mono; when the bucket will be full again */
	} synced;
};

void auth_free(struct auth *a)
{
	if (!a)
		return;
	lock_destroy(&a->lock);
	mem_free(a);
}

enum rc auth_new(const struct http_env *env, const char *operator_key_file, struct auth **ret,
		 struct err *err)
{
	AUTO(auth) struct auth *a = MEM_NEW(struct auth);
	AUTO(secret) struct secret *key = NULL;
	enum rc rc = RC_OK;

	a->env = env;
	lock_init(&a->lock);
	if (*operator_key_file) {
		rc = secret_read_file(operator_key_file, &key, err);
		if (rc != RC_OK)
			return rc;
		if (key->n < OPERATOR_KEY_MIN)
			return err_set(
				err, RC_INVALID, "operator_key",
				"operator_key_file: the key in %s has %zu bytes; it needs %d,"
				" make one with connectord keys",
				operator_key_file, key->n, OPERATOR_KEY_MIN);
		text_sha256(secret_str(key), a->operator_hash);
		a->has_operator = true;
	}
	*ret = TAKE(a);
	return RC_OK;
}

struct str auth_bearer(struct str authorization)
{
	struct str rest = authorization, scheme = str_cut(&rest, ' ');

	return str_eq_nocase(scheme, S("Bearer")) ? str_trim(rest) : S("");
}

static enum rc denied(struct err *err)
{
	return err_set(err, RC_DENIED, "unauthorized", "the credential is missing or not valid");
}

static enum rc check_operator(const struct auth *a, struct str token, struct http_caller *ret,
			      struct err *err)
{
	unsigned char hash[TEXT_SHA256];

	text_sha256(token, hash);
	if (!a->has_operator || sodium_memcmp(hash, a->operator_hash, sizeof(hash)) != 0)
		return denied(err);
	ret->party = HTTP_OPERATOR;
	(void)snprintf(ret->actor, sizeof(ret->actor), "operator");
	return RC_OK;
}

static struct cached *slot_synced(struct auth *a, struct id key_id) REQUIRES(a->lock);
static struct cached *slot_synced(struct auth *a, struct id key_id)
{
	lock_assert_held(&a->lock);
	/* The last bytes of a UUIDv7 are random. */
	return &a->synced.slots[(key_id.b[14] << 8 | key_id.b[15]) % CACHE_SLOTS];
}

/* What is known of a key; ret->until says for how long. */
static bool is_known(struct auth *a, struct id key_id, const unsigned char hash[KEYS_HASH],
		     struct cached *ret)
{
	lock_take(&a->lock);
	*ret = *slot_synced(a, key_id);
	lock_drop(&a->lock);
	return id_eq(ret->key_id, key_id) && sodium_memcmp(ret->hash, hash, KEYS_HASH) == 0;
}

static void keep(struct auth *a, const struct cached *entry)
{
	lock_take(&a->lock);
	*slot_synced(a, entry->key_id) = *entry;
	lock_drop(&a->lock);
}

static void forget(struct auth *a, struct id key_id)
{
	struct cached *slot = NULL;

	lock_take(&a->lock);
	slot = slot_synced(a, key_id);
	if (id_eq(slot->key_id, key_id))
		*slot = (struct cached){ .until = 0 };
	lock_drop(&a->lock);
}

/* The bucket as the time at which it will be full: paying moves it on, the clock catches up. */
static bool pay(struct auth *a)
{
	int64_t now = clock_mono();
	bool may = false;

	lock_take(&a->lock);
	if (a->synced.unknown_at < now)
		a->synced.unknown_at = now;
	may = a->synced.unknown_at + UNKNOWN_COST <= now + UNKNOWN_BURST * UNKNOWN_COST;
	if (may)
		a->synced.unknown_at += UNKNOWN_COST;
	lock_drop(&a->lock);
	return may;
}

static void pay_back(struct auth *a)
{
	lock_take(&a->lock);
	a->synced.unknown_at -= UNKNOWN_COST;
	lock_drop(&a->lock);
}

static enum rc find(struct dbpool *pool, struct id key_id, const unsigned char hash[KEYS_HASH],
		    struct key_found *ret, struct err *err)
{
	const struct id nobody = { { 0 } };
	struct db *db = NULL;
	enum rc rc = dbpool_take(pool, nobody, POOL_WAIT_MS, &db, err);

	if (rc != RC_OK)
		return rc;
	rc = keys_authenticate(db, key_id, hash, ret, err);
	dbpool_give(pool, nobody, db);
	return rc;
}

static enum rc look_up(struct dbpool *pool, struct id key_id, const unsigned char hash[KEYS_HASH],
		       struct cached *ret, struct err *err)
{
	struct key_found found = { 0 };
	/* Before the question: the answer is as old as that, however long it travels. */
	int64_t asked_at = clock_mono(), until = asked_at + AUTH_TTL_S * CLOCK_S;
	enum rc rc = find(pool, key_id, hash, &found, err);

	if (rc == RC_OK && (sodium_memcmp(found.hash, hash, KEYS_HASH) != 0 || !found.live))
		rc = RC_NOT_FOUND;
	if (rc == RC_NOT_FOUND) {
		err_clear(err);
		return denied(err);
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
	*ret = (struct cached){ .key_id = key_id,
				.org_id = found.org_id,
				.scopes = scope_of_role(str_c(found.role)),
				.until = until };
	memcpy(ret->hash, hash, KEYS_HASH);
	return RC_OK;
}

/* Looks the key up and remembers the answer. known: it was good not long ago. */
static enum rc refresh(struct auth *a, struct dbpool *pool, struct id key_id,
		       const unsigned char hash[KEYS_HASH], bool known, struct cached *ret,
		       struct err *err)
{
	enum rc rc = RC_OK;

	if (!known && !pay(a))
		return err_set(err, RC_LIMIT, "too_many_requests",
			       "too many keys that nobody knows");
	rc = look_up(pool, key_id, hash, ret, err);
	if (!known && rc != RC_DENIED)
		pay_back(a);
	if (rc == RC_OK)
		keep(a, ret);
	else if (known && rc == RC_DENIED)
		forget(a, key_id);
	return rc;
}

enum rc auth_check(struct auth *a, enum http_listener listener, struct str token,
		   struct dbpool *pool, struct http_caller *ret, struct err *err)
{
	unsigned char hash[KEYS_HASH];
	struct id key_id = { { 0 } };
	struct cached entry = { 0 };
	char text[ID_TEXT_MAX];
	bool known = false;
	enum rc rc = RC_OK;

	if (token.n == 0)
		return denied(err);
	if (listener == HTTP_ADMIN)
		return check_operator(a, token, ret, err);
	if (!apikey_parse(a->env, APIKEY_ORGANIZATION, token, &key_id, hash))
		return denied(err);
	known = is_known(a, key_id, hash, &entry);
	if (!known || entry.until <= clock_mono())
		rc = refresh(a, pool, key_id, hash, known, &entry, err);
	if (rc != RC_OK)
		return rc;
	ret->party = HTTP_ORGANIZATION;
	ret->scopes = entry.scopes;
	ret->org_id = entry.org_id;
	ret->key_id = key_id;
	id_text(key_id, "key:", text);
	(void)snprintf(ret->actor, sizeof(ret->actor), "%.*s", HTTP_ACTOR_MAX - 1, text);
	return RC_OK;
}
