/* An operation with its parameters as an HTTP request, before it is signed: method, path, query,
 * headers, body. Built once for a page and signed again for every attempt. */
#ifndef WORKERS_AWS_REQUEST_H
#define WORKERS_AWS_REQUEST_H

#include "aws/op.h"
#include "base/json.h"
#include "workers/aws/creds.h"
#include "workers/aws/endpoint.h"
#include "workers/aws/sigv4.h"

enum {
	REQUEST_QUERY_MAX = 32,
	REQUEST_HEADERS_MAX = 16,
	REQUEST_BODY_MAX = 512 * 1024,
	REQUEST_URL_MAX = 16 * 1024,
	REQUEST_LINES_MAX = 64 * 1024
};

struct request {
	const char *method;
	struct buf path; /* encoded once */
	struct buf url;
	struct buf body;
	struct sigv4_pair query[REQUEST_QUERY_MAX]; /* views into held */
	size_t query_n;
	struct sigv4_pair headers[REQUEST_HEADERS_MAX]; /* views into held or literals */
	size_t headers_n;
	json_t *held; /* array of strings that the views point into */
	bool s3;
	bool secret; /* the body is wiped */
};

void request_done(struct request *r);
DEFINE_AUTO_VALUE(request, request_done)

/* Fills *r (zero or done). params: object or NULL; token: the pager's, or NULL.
 * RC_INVALID: a parameter that the row's path or protocol cannot carry. */
MUST_CHECK enum rc request_build(struct request *r, const struct aws_op *op,
				 const struct endpoint *e, const json_t *params, const char *token,
				 struct err *err);
/* The header lines to send, "name: value" separated by newlines, Authorization last. Wiped by the
 * caller. */
MUST_CHECK enum rc request_sign(const struct request *r, const struct endpoint *e,
				const struct creds *creds, struct sigv4 *signer, int64_t wall,
				struct buf *lines, struct err *err);
/* The same for an operation that nobody signs. */
MUST_CHECK enum rc request_plain(const struct request *r, const struct endpoint *e,
				 struct buf *lines, struct err *err);

#endif
