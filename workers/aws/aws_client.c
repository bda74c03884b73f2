/* aws_client: transport, signer and slots of one thread. */
#include "workers/aws/aws_client.h"
#include "base/mem.h"
#include "workers/aws/flight.h"
#include <assert.h>
#include <sys/random.h>

void aws_client_free(struct aws_client *c)
{
	if (c == NULL)
		return;
	aws_client_free(c->inner);
	for (int i = 0; i < c->env->in_flight; i++)
		flight_done(&c->flights[i]);
	mem_free(c->flights);
	transport_free(c->transport);
	sigv4_free(c->signer);
	mem_free(c);
}

struct aws_client *aws_client_new(struct aws_env *env)
{
	struct aws_client *c = MEM_NEW(struct aws_client);

	c->env = env;
	c->transport = transport_new(env->in_flight, env->call_timeout_s, env->ca_file);
	c->signer = sigv4_new();
	c->flights = mem_array((size_t)env->in_flight, sizeof(c->flights[0]));
	if (getrandom(&c->chance, sizeof(c->chance), 0) != (ssize_t)sizeof(c->chance))
		c->chance = (uint64_t)clock_mono();
	c->chance |= 1;
	return c;
}

void aws_client_stop_when(struct aws_client *c, bool (*stop)(void *arg), void *arg)
{
	c->stop = stop;
	c->stop_arg = arg;
	if (c->inner != NULL)
		aws_client_stop_when(c->inner, stop, arg);
}

bool aws_client_stopped(const struct aws_client *c)
{
	return c->stop != NULL && c->stop(c->stop_arg);
}

/* xorshift64*: jitter needs spread, not secrecy. */
double aws_client_chance(struct aws_client *c)
{
	c->chance ^= c->chance >> 12;
	c->chance ^= c->chance << 25;
	c->chance ^= c->chance >> 27;
	return (double)((c->chance * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

struct aws_client *aws_client_inner(struct aws_client *c)
{
	if (c->depth == AWS_CLIENT_DEPTH_MAX)
		return NULL;
	if (c->inner == NULL) {
		c->inner = aws_client_new(c->env);
		c->inner->depth = c->depth + 1;
		aws_client_stop_when(c->inner, c->stop, c->stop_arg);
	}
	return c->inner;
}
