/* The inside of deliver_env. */
#ifndef WORKERS_NOTIFY_DELIVER_ENV_H
#define WORKERS_NOTIFY_DELIVER_ENV_H

#include "base/lock.h"
#include "workers/deliver_env.h"
#include "workers/notify/allow.h"

struct deliver_env {
	struct allow allow;
	char *ca_file;
	bool allow_http;
	int64_t retry_ppm;
	int at_once;
	struct lock lock;
	struct {
		int running;
	} synced;
};

/* A place among at_once, to be given back; false: all are taken. */
MUST_CHECK bool deliver_env_enter(struct deliver_env *e);
void deliver_env_exit(struct deliver_env *e);

#endif
