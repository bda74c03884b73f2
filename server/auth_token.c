/* JWTs as credentials. Keeps what was verified for a minute at most and never past its end, so that a
 * busy caller costs one signature a minute; logs why others were refused, for who set the issuer up.
 * Never stores a token: its hash only. */
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/auth_inside.h"

#include <sodium.h>

enum { CACHE_SLOTS = 1024, REFUSALS_TOLD = 10 /* a second, to the log */ };
#define KEEP_MAX (60 * CLOCK_S)

struct cached {
	unsigned char hash[TEXT_SHA256];
	struct jwt_claims claims;
	int64_t until; /* mono; 0: empty */
};

struct auth_token {
	struct jwt *jwt;
	struct lock lock;
	struct {
		struct cached slots[CACHE_SLOTS]; /* direct-mapped by hash */
		int64_t told_from;                /* mono: where the log's second begins */
		int told;                         /* in it */
		int64_t untold;                   /* since the last that was */
	} synced;
};

void auth_token_free(struct auth_token *t)
{
	if (!t)
		return;
	jwt_free(t->jwt);
	lock_destroy(&t->lock);
	mem_free(t);
}

enum rc auth_token_new(const struct jwt_settings *settings, struct auth_token **ret,
		       struct err *err)
{
	AUTO(auth_token) struct auth_token *t = MEM_NEW(struct auth_token);
	enum rc rc = RC_OK;

	lock_init(&t->lock);
	rc = jwt_new(settings, &t->jwt, err);
	if (rc == RC_OK)
		*ret = TAKE(t);
	return rc;
}

static struct cached *slot_synced(struct auth_token *t, const unsigned char hash[TEXT_SHA256])
	REQUIRES(t->lock);
static struct cached *slot_synced(struct auth_token *t, const unsigned char hash[TEXT_SHA256])
{
	lock_assert_held(&t->lock);
	return &t->synced.slots[(hash[0] << 8 | hash[1]) % CACHE_SLOTS];
}

static bool is_kept(struct auth_token *t, const unsigned char hash[TEXT_SHA256],
		    struct jwt_claims *ret)
{
	const struct cached *slot = NULL;
	bool kept = false;

	lock_take(&t->lock);
	slot = slot_synced(t, hash);
	kept = slot->until > clock_mono() && sodium_memcmp(slot->hash, hash, TEXT_SHA256) == 0;
	if (kept)
		*ret = slot->claims;
	lock_drop(&t->lock);
	return kept;
}

static void keep(struct auth_token *t, const unsigned char hash[TEXT_SHA256],
		 const struct jwt_claims *claims)
{
	int64_t left = claims->expires_at - clock_wall();
	struct cached entry = { .claims = *claims };

	/* Within its leeway a token is judged each time. */
	if (left <= 0)
		return;
	entry.until = clock_mono() + (left < KEEP_MAX ? left : KEEP_MAX);
	memcpy(entry.hash, hash, TEXT_SHA256);
	lock_take(&t->lock);
	*slot_synced(t, hash) = entry;
	lock_drop(&t->lock);
}

/* Anybody can make up tokens; the log must not grow as fast. */
static void tell(struct auth_token *t, const struct err *why)
{
	int64_t now = clock_mono(), untold = 0;
	bool tells = false;

	lock_take(&t->lock);
	if (now - t->synced.told_from >= CLOCK_S) {
		t->synced.told_from = now;
		t->synced.told = 0;
	}
	tells = t->synced.told < REFUSALS_TOLD;
	untold = t->synced.untold;
	t->synced.told += tells;
	t->synced.untold = tells ? 0 : untold + 1;
	lock_drop(&t->lock);
	if (tells)
		log_event(LOG_INFO, "token_refused", LOG_STR("code", why->code),
			  LOG_STR("text", why->text), LOG_I64("untold", untold), LOG_END);
}

enum rc auth_token_check(struct auth_token *t, struct str token, struct jwt_claims *ret,
			 struct err *err)
{
	unsigned char hash[TEXT_SHA256];
	struct err own = { 0 };
	enum rc rc = RC_OK;

	text_sha256(token, hash);
	if (is_kept(t, hash, ret))
		return RC_OK;
	rc = jwt_verify(t->jwt, token, ret, &own);
	if (rc == RC_OK) {
		keep(t, hash, ret);
		return RC_OK;
	}
	if (rc != RC_DENIED)
		return err_set(err, rc, own.code, "%s", own.text);
	tell(t, &own);
	return auth_denied(err);
}
