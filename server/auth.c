/* Authentication. Compares hashes in constant time; keeps positive answers for a few seconds.
 * Never logs, never says why a key was refused, never stores a key's text. */
#include "server/auth.h"
#include "api/apikey.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#include <sodium.h>
#include <stdio.h>

enum { CACHE_SLOTS = 1024, POOL_WAIT_MS = 2000, OPERATOR_KEY_MIN = 32 };

struct cached {
	struct id key_id, org_id;
	unsigned char hash[KEYS_HASH];
	enum http_role role;
	int64_t until; /* mono; 0 = empty */
};

struct auth {
	const struct http_env *env;
	bool has_operator;
	unsigned char operator_hash[TEXT_SHA256];
	struct lock lock;
	struct {
		struct cached slots[CACHE_SLOTS]; /* direct-mapped by key id */
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
	ret->role = HTTP_OPERATOR;
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

static bool is_cached(struct auth *a, struct id key_id, const unsigned char hash[KEYS_HASH],
		      struct cached *ret)
{
	bool hit = false;

	lock_take(&a->lock);
	*ret = *slot_synced(a, key_id);
	lock_drop(&a->lock);
	hit = ret->until > clock_mono() && id_eq(ret->key_id, key_id) &&
	      sodium_memcmp(ret->hash, hash, KEYS_HASH) == 0;
	return hit;
}

static void keep(struct auth *a, const struct cached *entry)
{
	lock_take(&a->lock);
	*slot_synced(a, entry->key_id) = *entry;
	lock_drop(&a->lock);
}

static enum http_role role_of(const char *name)
{
	return strcmp(name, "owner") == 0    ? HTTP_OWNER
	       : strcmp(name, "editor") == 0 ? HTTP_EDITOR
	       : strcmp(name, "viewer") == 0 ? HTTP_VIEWER
					     : HTTP_NONE;
}

static enum rc look_up(struct dbpool *pool, struct id key_id, const unsigned char hash[KEYS_HASH],
		       struct cached *ret, struct err *err)
{
	struct db *db = NULL;
	struct key_found found = { 0 };
	enum rc rc = dbpool_take(pool, POOL_WAIT_MS, &db, err);

	if (rc != RC_OK)
		return rc;
	rc = keys_find(db, key_id, &found, err);
	if (rc == RC_OK && (sodium_memcmp(found.hash, hash, KEYS_HASH) != 0 || !found.live))
		rc = RC_NOT_FOUND;
	if (rc == RC_OK)
		rc = keys_touch(db, found.org_id, key_id, err);
	dbpool_give(pool, db);
	if (rc == RC_NOT_FOUND) {
		err_clear(err);
		return denied(err);
	}
	/* A stamp of last use that may or may not have been written changes nothing for the caller. */
	if (rc == RC_RETRY) {
		err_clear(err);
		return err_set(err, RC_RETRY, "database_away",
			       "the database went away while a key was looked up");
	}
	*ret = (struct cached){ .key_id = key_id,
				.org_id = found.org_id,
				.role = role_of(found.role),
				.until = clock_mono() + AUTH_TTL_S * CLOCK_S };
	memcpy(ret->hash, hash, KEYS_HASH);
	return rc;
}

enum rc auth_check(struct auth *a, enum http_listener listener, struct str token,
		   struct dbpool *pool, struct http_caller *ret, struct err *err)
{
	unsigned char hash[KEYS_HASH];
	struct id key_id = { { 0 } };
	struct cached entry = { 0 };
	char text[ID_TEXT_MAX];
	enum rc rc = RC_OK;

	if (token.n == 0)
		return denied(err);
	if (listener == HTTP_ADMIN)
		return check_operator(a, token, ret, err);
	if (!apikey_parse(a->env, token, &key_id, hash))
		return denied(err);
	if (!is_cached(a, key_id, hash, &entry)) {
		rc = look_up(pool, key_id, hash, &entry, err);
		if (rc != RC_OK)
			return rc;
		keep(a, &entry);
	}
	ret->role = entry.role;
	ret->org_id = entry.org_id;
	ret->key_id = key_id;
	id_text(key_id, "key:", text);
	(void)snprintf(ret->actor, sizeof(ret->actor), "%.*s", HTTP_ACTOR_MAX - 1, text);
	return RC_OK;
}
