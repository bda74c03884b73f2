/* One thread's client, as its own files see it. */
#ifndef WORKERS_AWS_AWS_CLIENT_H
#define WORKERS_AWS_AWS_CLIENT_H

#include "workers/aws/aws_env.h"
#include "workers/aws/sigv4.h"
#include "workers/aws/transport.h"

enum { AWS_CLIENT_DEPTH_MAX = 4 };

struct flight;

struct aws_client {
	struct aws_env *env; /* borrowed */
	struct transport *transport;
	struct sigv4 *signer;
	struct flight *flights; /* env->in_flight of them, reused by every run */
	struct aws_client
		*inner; /* for the calls that a call needs: AssumeRole, GetCallerIdentity */
	int depth;
	bool busy; /* a run is under way */
	bool (*stop)(void *arg);
	void *stop_arg;
	uint64_t chance; /* state of the generator */
};

bool aws_client_stopped(const struct aws_client *c);
double aws_client_chance(struct aws_client *c); /* [0, 1) */
/* NULL: nested deeper than roles may be chained. */
struct aws_client *aws_client_inner(struct aws_client *c);

#endif
