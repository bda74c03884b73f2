/* HTTPS out, over one curl_multi of one thread. Knows requests and answers, neither operations nor
 * credentials. Options are set in one place; no redirect, no proxy, no environment, TLS 1.2 at
 * least, addresses checked after resolution. */
#ifndef WORKERS_AWS_TRANSPORT_H
#define WORKERS_AWS_TRANSPORT_H

#include "workers/aws/endpoint.h"
#include "workers/aws/reply.h"
#include "workers/aws/request.h"
#include <curl/curl.h>

struct transport;
void transport_free(struct transport *t);
DEFINE_AUTO(transport)
struct transport *transport_new(int in_flight, int call_timeout_s, const char *ca_file) NEVER_NULL;

/* One reusable slot for a request in flight. */
struct transfer {
	CURL *easy;
	struct curl_slist *lines;
	struct reply *reply;
	void *owner;
	bool overridden; /* the operator's own address may be private */
	bool refused;    /* netguard said no */
	bool open;       /* under way */
	char error[CURL_ERROR_SIZE];
};
void transport_close(struct transfer *x);

/* lines: header lines separated by newlines; copied. The request's body must stay. */
MUST_CHECK enum rc transport_send(struct transport *t, struct transfer *x, const struct request *r,
				  const struct endpoint *e, struct buf *lines, struct reply *reply,
				  struct err *err);
/* Moves bytes; waits up to wait_ms when there is nothing to do. */
void transport_turn(struct transport *t, int wait_ms);
/* A transfer that has ended, or NULL. *ret_code is "" when an answer arrived whole, else our name
 * of the failure ("timeout"); the transfer's error has curl's words. */
struct transfer *transport_ended(struct transport *t, const char **ret_code);
void transport_cancel(struct transport *t, struct transfer *x);

#endif
