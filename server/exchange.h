/* One request from head to answer, without a socket: guard, route, credential, body, handler. */
#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

#include "server/auth.h"
#include "server/guard.h"
#include "server/rate.h"

/* What all requests of a listener share; immutable after start. */
struct exchange_place {
	enum http_listener listener;
	const struct http_env *env;
	struct auth *auth;
	struct dbpool *pool;
	struct rate *rate;
	size_t body_max;
	struct waiters *waiters;
};

struct exchange;
void exchange_free(struct exchange *x);
DEFINE_AUTO(exchange)
/* target: raw; copied. peer: of peer.h. */
struct exchange *exchange_new(const struct exchange_place *place, const char *target,
			      struct id peer) NEVER_NULL FREED_BY(exchange_free);
const char *exchange_target(const struct exchange *x);

enum exchange_next {
	EXCHANGE_READ,   /* take the body, then finish */
	EXCHANGE_ANSWER, /* exchange_reply() now, unread body and all */
};
/* head->target is the exchange's own. Decides everything that does not need the body. */
enum exchange_next exchange_begin(struct exchange *x, const struct guard_head *head);
/* A part of the body; dropped when the answer is known already. */
void exchange_body(struct exchange *x, struct str part);
/* The answer; the caller's. Runs the handler unless begin refused. Call once. */
struct http_reply exchange_reply(struct exchange *x);
const char *exchange_request_id(const struct exchange *x);
/* The values of traceresponse, RateLimit-Policy and RateLimit; "" = none. */
const char *exchange_trace(const struct exchange *x);
const char *exchange_rate_policy(const struct exchange *x);
const char *exchange_rate_left(const struct exchange *x);
/* The one log line of a request. */
void exchange_log(const struct exchange *x, int status);

#endif
