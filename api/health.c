/* Is the process alive, can it serve, and the contract itself.
 * Never tells an unauthenticated caller more than yes or no and a word. */
#include "api/health.h"
#include "api/problem.h"
#include "api/published.h"
#include "api/reply.h"
#include "base/mem.h"

struct http_reply health_live(struct http_request *req)
{
	(void)req;
	return reply_json(200, json_pack("{s:s}", "status", "live"));
}

/* Where a worker looked, and what AWS said, is for the operator: in that worker's log. */
static char *identity_text(const struct http_identity *i)
{
	static const struct {
		const char *state, *what;
	} WHAT[] = {
		{ "missing", "no AWS identity of their own" },
		{ "refused", "an AWS identity that AWS refuses" },
		{ "broken", "an AWS identity that cannot be had or renewed" },
	};

	if (strcmp(i->state, "found") == 0)
		return mem_copy("Every running worker has an AWS identity.");
	for (size_t k = 0; k < COUNT_OF(WHAT); k++)
		if (strcmp(i->state, WHAT[k].state) == 0)
			return mem_text("%lld of %lld running workers have no usable AWS identity, "
					"at least one of them %s; connections by role wait until "
					"the operator mends it (the worker's log says more).",
					(long long)i->without, (long long)i->workers, WHAT[k].what);
	return mem_copy("No worker is running.");
}

static json_t *identity_json(const struct http_request *req)
{
	struct http_identity i = { .state = "unknown" };
	AUTO_TEXT char *text = NULL;

	req->env->base_identity(req->env->ready_arg, &i);
	text = identity_text(&i);
	return json_pack("{s:s, s:s, s:I, s:I}", "state", i.state, "text", text, "workers",
			 (json_int_t)i.workers, "without", (json_int_t)i.without);
}

struct http_reply health_ready(struct http_request *req)
{
	struct err err = { 0 };
	enum rc rc = req->env->ready(req->env->ready_arg, &err);
	struct http_reply reply = { 0 };

	if (rc == RC_OK)
		return reply_json(200, json_pack("{s:s, s:o}", "status", "ready", "base_identity",
						 identity_json(req)));
	if (rc == RC_CONFLICT)
		reply = problem_of(req, 503, "schema_mismatch",
				   "The database's schema is not this server's; see its log.");
	else
		reply = problem_of(req, 503, "unavailable", "The database does not answer now.");
	reply.retry_after_s = 1;
	return reply;
}

struct http_reply health_openapi(struct http_request *req)
{
	(void)req;
	return (struct http_reply){ .status = 200,
				    .type = "application/json",
				    .fixed = published_openapi() };
}
