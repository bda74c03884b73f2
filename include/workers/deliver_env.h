/* What delivering webhooks is set to; shared by all threads of a worker, immutable after start but for
 * what locks itself. */
#ifndef WORKERS_DELIVER_ENV_H
#define WORKERS_DELIVER_ENV_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct deliver_settings {
	const char *allow_private; /* networks that are not public, comma separated; "" = none */
	const char *ca_file;       /* "" = the system's */
	bool allow_http;
	int64_t retry_ppm; /* of the pauses between attempts; 1000000 = as they are */
	int at_once;       /* tasks that deliver at one time in this process */
};

struct deliver_env;
void deliver_env_free(struct deliver_env *e);
DEFINE_AUTO(deliver_env)
/* RC_INVALID names the setting. */
MUST_CHECK enum rc deliver_env_new(const struct deliver_settings *settings,
				   struct deliver_env **ret, struct err *err);

#endif
