/* One short question to an agent that hands out the operator's own credentials: a container's or an instance's. */
#ifndef WORKERS_AWS_AGENT_H
#define WORKERS_AWS_AGENT_H

#include "aws/netguard.h"
#include "base/buf.h"

enum { AGENT_BODY_MAX = 64 * 1024, AGENT_CONNECT_MS = 1000, AGENT_ANSWER_MS = 2000 };

struct agent_call {
	const char *method; /* "GET", "PUT" (without a body) */
	const char *url;    /* one that source_url_may_ask() let pass */
	enum netguard_door door;
	const char *header; /* NULL = none */
	struct str value;   /* of the header */
	const char *ca_file;
	bool (*stop)(const void *arg);
	const void *stop_arg;
};
/* Any status: *body (empty, at most AGENT_BODY_MAX) has the answer; wiped by the caller. RC_RETRY: agent_away (nobody there),
 * agent_silent (no whole answer in time), agent_long, canceled. */
MUST_CHECK enum rc agent_ask(const struct agent_call *call, struct buf *body, int *ret_status,
			     struct err *err);

#endif
