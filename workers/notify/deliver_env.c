/* Settings of the delivery of webhooks, judged once. Never reads the environment. */
#include "workers/notify/deliver_env.h"
#include "base/mem.h"

void deliver_env_free(struct deliver_env *e)
{
	if (!e)
		return;
	mem_free(e->ca_file);
	mem_free(e);
}

enum rc deliver_env_new(const struct deliver_settings *settings, struct deliver_env **ret,
			struct err *err)
{
	AUTO(deliver_env) struct deliver_env *e = MEM_NEW(struct deliver_env);
	enum rc rc = allow_parse(str_c(settings->allow_private), &e->allow, err);

	if (rc != RC_OK)
		return rc;
	e->ca_file = mem_copy(settings->ca_file);
	e->allow_http = settings->allow_http;
	e->retry_ppm = settings->retry_ppm;
	*ret = TAKE(e);
	return RC_OK;
}
