/* Credentials. Never printed: the secret parts are guarded memory. */
#include "workers/aws/creds.h"
#include "base/clock.h"
#include "base/mem.h"
#include <openssl/crypto.h>

static uint64_t last_id;

void creds_free(struct creds *c)
{
	if (c == NULL || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	mem_free(c->access_key_id);
	secret_free(c->secret);
	secret_free(c->token);
	mem_free(c);
}

struct creds *creds_new(struct str access_key_id, struct str secret, struct str token)
{
	struct creds *c = MEM_NEW(struct creds);

	c->refs = 1;
	c->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
	c->access_key_id = str_dup(access_key_id);
	c->secret = secret_copy(secret);
	c->token = token.n > 0 ? secret_copy(token) : NULL;
	return c;
}

struct creds *creds_ref(struct creds *c)
{
	__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

bool creds_may_sign(struct str s)
{
	bool good = s.n > 0 && s.n <= SECRET_MAX;

	for (size_t i = 0; i < s.n && good; i++)
		good = s.p[i] > ' ' && s.p[i] < 0x7f;
	return good;
}

enum rc creds_read(const json_t *from, const char *token_name, int64_t now_wall, struct creds **ret,
		   struct err *err)
{
	struct str id = json_str(from, "AccessKeyId");
	struct str secret = json_str(from, "SecretAccessKey");
	struct str token = json_str(from, token_name);
	struct creds *c = NULL;
	int64_t expires = 0;

	if (!creds_may_sign(id) || !creds_may_sign(secret) || !creds_may_sign(token) ||
	    clock_parse_iso(json_str(from, "Expiration"), &expires) != RC_OK)
		return err_set(err, RC_INVALID, "unparsable_reply",
			       "the answer holds no usable credentials");
	c = creds_new(id, secret, token);
	c->expires_wall = expires;
	c->born_wall = now_wall;
	*ret = c;
	return RC_OK;
}

void creds_wipe_text(struct str s)
{
	if (s.n > 0)
		OPENSSL_cleanse((char *)(uintptr_t)s.p, s.n);
}

void creds_wipe(const json_t *from)
{
	static const char *const SECRETS[] = { "SecretAccessKey", "SessionToken", "Token" };

	for (size_t i = 0; i < COUNT_OF(SECRETS); i++)
		creds_wipe_text(json_str(from, SECRETS[i]));
}
