/* SHA-256 and HMAC with the algorithm fetched once and one context a signer: OpenSSL 3.0 fetches on
 * every one-shot call otherwise, under a process-wide lock. A digest belongs to one thread. */
#ifndef WORKERS_AWS_DIGEST_H
#define WORKERS_AWS_DIGEST_H

#include "base/text.h"

struct digest;
void digest_free(struct digest *d);
DEFINE_AUTO(digest)
struct digest *digest_new(void) NEVER_NULL;

void digest_sha256_hex(struct digest *d, struct str s, char out[TEXT_SHA256_HEX]);
void digest_hmac(struct digest *d, struct str key, struct str msg, unsigned char out[TEXT_SHA256]);

#endif
