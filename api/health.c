/* Is the process alive, can it serve, and the contract itself.
 * Never tells an unauthenticated caller more than yes or no and a word. */
#include "api/health.h"
#include "api/problem.h"
#include "api/published.h"
#include "api/reply.h"

struct http_reply health_live(struct http_request *req)
{
	(void)req;
	return reply_json(200, json_pack("{s:s}", "status", "live"));
}

struct http_reply health_ready(struct http_request *req)
{
	struct err err = { 0 };
	enum rc rc = req->env->ready(req->env->ready_arg, &err);
	struct http_reply reply = { 0 };

	if (rc == RC_OK)
		return reply_json(200, json_pack("{s:s}", "status", "ready"));
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
