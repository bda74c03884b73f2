/* Signature Version 4 in stages: canonical request -> string to sign -> signature. Each stage is
 * public, so a test that fails says which one is wrong. The input is structured; a URL is never
 * taken apart again. The clock is the caller's. */
#ifndef WORKERS_AWS_SIGV4_H
#define WORKERS_AWS_SIGV4_H

#include "base/buf.h"
#include "workers/aws/digest.h"

enum { SIGV4_PAIRS_MAX = 64, SIGV4_TEXT_MAX = 256 * 1024, SIGV4_KEYS_MAX = 16 };

struct sigv4_pair {
	struct str name;
	struct str value;
};

struct sigv4_request {
	const char *method;
	struct str path; /* as sent: percent-encoded once, starts with '/' */
	/* s3 and s3control: the path is signed as it is sent. Every other service removes dot
	 * segments and encodes a second time. */
	bool path_as_is;
	const struct sigv4_pair *query; /* decoded; ("policy", "") for ?policy */
	size_t query_n;
	/* Every header to sign, names in lower case, in any order. */
	const struct sigv4_pair *headers;
	size_t headers_n;
	struct str payload_hash; /* hex */
};

struct sigv4_scope {
	int64_t wall;
	struct str region;
	struct str service;
};

struct sigv4_keys {
	struct str access_key_id;
	struct str secret;
	uint64_t id; /* names this secret in the key cache; 0 = do not cache */
};

/* RC_LIMIT: more pairs or text than the limits above. */
MUST_CHECK enum rc sigv4_canonical(const struct sigv4_request *r, struct buf *out, struct err *err);
/* "content-type;host;x-amz-date" */
MUST_CHECK enum rc sigv4_signed_headers(const struct sigv4_request *r, struct buf *out,
					struct err *err);
MUST_CHECK enum rc sigv4_string_to_sign(struct digest *d, const struct sigv4_scope *scope,
					struct str canonical, struct buf *out, struct err *err);

/* A signer belongs to one thread; it remembers derived keys by (secret, day, region, service). */
struct sigv4;
void sigv4_free(struct sigv4 *s);
DEFINE_AUTO(sigv4)
struct sigv4 *sigv4_new(void) NEVER_NULL;
struct digest *sigv4_digest(struct sigv4 *s) NEVER_NULL;
/* Appends the value of the Authorization header. */
MUST_CHECK enum rc sigv4_authorize(struct sigv4 *s, const struct sigv4_request *r,
				   const struct sigv4_scope *scope, const struct sigv4_keys *keys,
				   struct buf *out, struct err *err);

#endif
