/* The inside of deliver_env. */
#ifndef WORKERS_NOTIFY_DELIVER_ENV_H
#define WORKERS_NOTIFY_DELIVER_ENV_H

#include "workers/deliver_env.h"
#include "workers/notify/allow.h"

struct deliver_env {
	struct allow allow;
	char *ca_file;
	bool allow_http;
	int64_t retry_ppm;
};

#endif
