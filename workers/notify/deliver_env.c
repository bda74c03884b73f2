/* Settings of the delivery of webhooks, judged once. Never reads the environment. */
#include "workers/notify/deliver_env.h"
#include "base/mem.h"

void deliver_env_free(struct deliver_env *e)
{
	if (!e)
		return;
	lock_destroy(&e->lock);
	mem_free(e->ca_file);
	mem_free(e);
}

enum rc deliver_env_new(const struct deliver_settings *settings, struct deliver_env **ret,
			struct err *err)
{
	AUTO(deliver_env) struct deliver_env *e = MEM_NEW(struct deliver_env);
	enum rc rc = RC_OK;

	lock_init(&e->lock);
	rc = allow_parse(str_c(settings->allow_private), &e->allow, err);
	if (rc != RC_OK)
		return rc;
	e->ca_file = mem_copy(settings->ca_file);
	e->allow_http = settings->allow_http;
	e->retry_ppm = settings->retry_ppm;
	e->at_once = settings->at_once;
	*ret = TAKE(e);
	return RC_OK;
}

bool deliver_env_enter(struct deliver_env *e)
{
	bool free = false;

	lock_take(&e->lock);
	free = e->synced.running < e->at_once;
	if (free)
		e->synced.running++;
	lock_drop(&e->lock);
	return free;
}

void deliver_env_exit(struct deliver_env *e)
{
	lock_take(&e->lock);
	e->synced.running--;
	lock_drop(&e->lock);
}
