/* The key set and the thread that fetches it: when it is old, and when a token names a key that it lacks,
 * but never more often than every min_s, however many tokens ask.
 * Never fetches in a request's thread; requests wait for a fetch only when they need what it may bring. */
#include "server/jwks.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/jwks_fetch.h"

#include <assert.h>

/* Requests that wait for a fetch at a moment: a kid costs nothing to make up, and each holds a thread. */
enum { WAITING_MAX = 32 };
#define FIND_WAIT ((JWKS_FETCH_TIMEOUT_S + 1) * CLOCK_S)

struct jwks {
	struct jwks_settings settings; /* immutable; the texts are ours */
	pthread_t thread;
	bool started;
	atomic_bool stop;
	struct lock lock;
	struct cond changed;
	struct {
		json_t *keys;       /* NULL: never fetched */
		int64_t fetched_at; /* mono, of keys */
		int64_t tried_at;   /* mono, of the last fetch's beginning */
		uint64_t fetches;   /* that have ended */
		int waiting;        /* requests, for a fetch */
		bool wanted;        /* somebody waits for a key that is not there */
		bool fetching, failing;
	} synced;
};

void jwks_free(struct jwks *k)
{
	if (!k)
		return;
	atomic_store(&k->stop, true);
	if (k->started) {
		lock_take(&k->lock);
		lock_cond_wake_all(&k->changed);
		lock_drop(&k->lock);
		(void)pthread_join(k->thread, NULL);
	}
	json_decref(k->synced.keys);
	lock_cond_destroy(&k->changed);
	lock_destroy(&k->lock);
	mem_free((void *)(uintptr_t)k->settings.url);
	mem_free((void *)(uintptr_t)k->settings.file);
	mem_free((void *)(uintptr_t)k->settings.ca_file);
	mem_free(k);
}

/* When the next fetch is due: the set's age, or at once when somebody waits; min_s after the last. */
static int64_t due_synced(const struct jwks *k) REQUIRES(k->lock);
static int64_t due_synced(const struct jwks *k)
{
	int64_t soonest = k->synced.tried_at + k->settings.min_s * CLOCK_S;
	int64_t old = k->synced.fetched_at + k->settings.ttl_s * CLOCK_S;

	if (!k->synced.tried_at)
		return 0;
	if (k->synced.wanted || !k->synced.keys || old < soonest)
		return soonest;
	return old;
}

static void note(bool was_failing, enum rc rc, const struct err *err)
{
	if (rc == RC_OK && was_failing)
		log_event(LOG_INFO, "jwks_back", LOG_END);
	if (rc != RC_OK && !was_failing)
		log_event(LOG_WARN, "jwks_unavailable", LOG_STR("text", err->text), LOG_END);
}

static void fetch(struct jwks *k)
{
	struct err err = { 0 };
	json_t *keys = NULL, *old = NULL;
	bool was_failing = false;
	enum rc rc = jwks_fetch(&k->settings, &k->stop, &keys, &err);

	lock_take(&k->lock);
	was_failing = k->synced.failing;
	k->synced.failing = rc != RC_OK;
	k->synced.fetches++;
	k->synced.wanted = false;
	k->synced.fetching = false;
	if (rc == RC_OK) {
		old = k->synced.keys;
		k->synced.keys = keys;
		k->synced.fetched_at = k->synced.tried_at;
	}
	lock_cond_wake_all(&k->changed);
	lock_drop(&k->lock);
	json_decref(old);
	if (!atomic_load(&k->stop))
		note(was_failing, rc, &err);
}

static void *run(void *arg)
{
	struct jwks *k = arg;
	int64_t due = 0;
	bool now = false;

	while (!atomic_load(&k->stop)) {
		lock_take(&k->lock);
		due = due_synced(k);
		now = due <= clock_mono();
		if (now) {
			k->synced.tried_at = clock_mono();
			k->synced.fetching = true;
		} else if (!atomic_load(&k->stop)) {
			(void)lock_cond_wait(&k->changed, &k->lock, due);
		}
		lock_drop(&k->lock);
		if (now)
			fetch(k);
	}
	return NULL;
}

enum rc jwks_new(const struct jwks_settings *s, struct jwks **ret, struct err *err)
{
	AUTO(jwks) struct jwks *k = MEM_NEW(struct jwks);

	k->settings = *s;
	k->settings.url = mem_copy(s->url);
	k->settings.file = mem_copy(s->file);
	k->settings.ca_file = mem_copy(s->ca_file);
	lock_init(&k->lock);
	lock_cond_init(&k->changed);
	if ((*s->url != '\0') == (*s->file != '\0'))
		return err_set(err, RC_INVALID, "config",
			       "JWTs need the issuer's keys: set one of jwt_jwks_url and"
			       " jwt_jwks_file");
	if (*s->url && !jwks_fetch_is_url(s))
		return err_set(err, RC_INVALID, "config",
			       "jwt_jwks_url must begin with https://; http:// to this machine"
			       " needs jwt_allow_http");
	if (pthread_create(&k->thread, NULL, run, k) != 0)
		return err_set(err, RC_BROKEN, "threads", "no thread could be started");
	k->started = true;
	*ret = TAKE(k);
	return RC_OK;
}

/* The first key of this kid that fits, borrowed. *ret_named: there are keys of this kid. */
static json_t *match_synced(const struct jwks *k, const struct jwks_wanted *w, bool *ret_named)
	REQUIRES(k->lock);
static json_t *match_synced(const struct jwks *k, const struct jwks_wanted *w, bool *ret_named)
{
	size_t n = json_array_size(k->synced.keys), i = 0;
	json_t *key = NULL;

	lock_assert_held(&k->lock);
	*ret_named = false;
	if (w->kid.n == 0 && n != 1)
		return NULL;
	json_array_foreach (k->synced.keys, i, key) {
		if (w->kid.n > 0 && !str_eq(json_str(key, "kid"), w->kid))
			continue;
		*ret_named = true;
		if (str_eq(json_str(key, "kty"), str_c(w->kty)) &&
		    str_eq(json_str(key, "crv"), str_c(w->crv)))
			return key;
	}
	return NULL;
}

/* Whether there is a set that may be used, by its age. */
static bool is_usable_synced(const struct jwks *k) REQUIRES(k->lock);
static bool is_usable_synced(const struct jwks *k)
{
	return k->synced.keys &&
	       clock_mono() <= k->synced.fetched_at + k->settings.stale_s * CLOCK_S;
}

/* Waits for the fetch that is under way or may begin now; false when none may, or enough wait already. */
static bool refetch_synced(struct jwks *k) REQUIRES(k->lock);
static bool refetch_synced(struct jwks *k)
{
	uint64_t before = k->synced.fetches;
	int64_t now = clock_mono();
	bool under_way = k->synced.fetching || k->synced.wanted, in_time = true;

	if (k->synced.waiting >= WAITING_MAX)
		return false;
	if (!under_way && k->synced.tried_at > 0 &&
	    now < k->synced.tried_at + k->settings.min_s * CLOCK_S)
		return false;
	k->synced.wanted = true;
	lock_cond_wake_all(&k->changed);
	k->synced.waiting++;
	while (in_time && k->synced.fetches == before)
		in_time = lock_cond_wait(&k->changed, &k->lock, now + FIND_WAIT);
	k->synced.waiting--;
	return k->synced.fetches != before;
}

enum rc jwks_find(struct jwks *k, const struct jwks_wanted *wanted, json_t **ret, struct err *err)
{
	json_t *found = NULL;
	bool named = false, usable = false;

	lock_take(&k->lock);
	for (int look = 0; look < 2 && !found; look++) {
		usable = is_usable_synced(k);
		if (usable)
			found = match_synced(k, wanted, &named);
		/* Without a kid, or with a key of another type, a newer set is no better. */
		if (!found && usable && (named || wanted->kid.n == 0))
			break;
		if (!found && (look > 0 || !refetch_synced(k)))
			break;
	}
	if (found)
		*ret = json_deep_copy(found);
	lock_drop(&k->lock);
	if (found)
		return RC_OK;
	if (!usable)
		return err_set(err, RC_RETRY, "keys_unavailable",
			       "there is no key set of the issuer that may be used");
	if (named)
		return err_set(err, RC_DENIED, "key_type",
			       "the key that the token names is of another type");
	return err_set(err, RC_DENIED, "unknown_key",
		       "no key of the issuer is what the token names");
}
