/* Credentials. Never printed: the secret parts are guarded memory. */
#include "workers/aws/creds.h"
#include "base/mem.h"

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
