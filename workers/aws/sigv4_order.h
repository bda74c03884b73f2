/* The orders that Signature Version 4 asks for: query pairs by encoded name then encoded value,
 * headers by name. Views only. */
#ifndef WORKERS_AWS_SIGV4_ORDER_H
#define WORKERS_AWS_SIGV4_ORDER_H

#include "workers/aws/sigv4.h"

struct sigv4_order {
	struct str name;
	struct str value;
	size_t at; /* place in the input: keeps repeated headers in their order */
};

/* Encodes the n pairs into *coded and sorts views of it. RC_LIMIT: n > SIGV4_PAIRS_MAX. */
MUST_CHECK enum rc sigv4_order_query(const struct sigv4_pair *pairs, size_t n, struct buf *coded,
				     struct sigv4_order out[SIGV4_PAIRS_MAX]);
MUST_CHECK enum rc sigv4_order_headers(const struct sigv4_pair *pairs, size_t n,
				       struct sigv4_order out[SIGV4_PAIRS_MAX]);

#endif
