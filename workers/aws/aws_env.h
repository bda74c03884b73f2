/* The process-wide part of the client, as its own files see it. */
#ifndef WORKERS_AWS_AWS_ENV_H
#define WORKERS_AWS_AWS_ENV_H

#include "aws/aws.h"
#include "base/clock.h"
#include "base/lock.h"
#include "workers/aws/endpoint.h"
#include "workers/aws/limiter.h"

enum { AWS_ENV_OWN_ACCOUNTS_MAX = 64 };

struct aws_env {
	/* immutable */
	int in_flight;
	int call_timeout_s;
	int64_t scope_deadline; /* nanoseconds */
	char *ca_file;
	struct endpoint_overrides *overrides;
	struct limiter *limiter; /* locks itself */
	/* atomic */
	int64_t skew;     /* AWS's clock minus ours */
	int64_t resolved; /* monotonic time at which some host name was found; 0 = never */
	struct lock lock;
	struct {
		char *own_accounts[AWS_ENV_OWN_ACCOUNTS_MAX]; /* only ever added to */
		int n_own_accounts;
	} synced;
};

int64_t aws_env_skew(const struct aws_env *env);
int64_t aws_env_wall(const struct aws_env *env); /* AWS's time */
/* Judges a refused request's Date header: signed_skew is what the request was signed with. True:
 * the offset is (now) another one, so that signing again can help. */
bool aws_env_learn_skew(struct aws_env *env, int64_t date_wall, int64_t signed_skew);
void aws_env_resolved(struct aws_env *env, int64_t now);
bool aws_env_resolves(const struct aws_env *env,
		      int64_t now); /* some other host was found lately */

#endif
