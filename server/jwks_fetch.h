/* One reading of a key set, from its URL or file. */
#ifndef SERVER_JWKS_FETCH_H
#define SERVER_JWKS_FETCH_H

#include "server/jwks.h"

#include <stdatomic.h>

enum { JWKS_FETCH_TIMEOUT_S = 5, JWKS_FETCH_BYTES = 256 * 1024, JWKS_FETCH_KEYS = 100 };

/* False: the URL is neither https nor, when that is allowed, http. */
bool jwks_fetch_is_url(const struct jwks_settings *settings);
/* *ret: an array of the keys that can verify: RSA of 2048 to 8192 bits and EC, for signatures. Ends
 * early once *stop is set. RC_RETRY keys_unavailable: says why. */
MUST_CHECK enum rc jwks_fetch(const struct jwks_settings *settings, const atomic_bool *stop,
			      json_t **ret, struct err *err);
/* The same from the set's text. RC_INVALID. */
MUST_CHECK enum rc jwks_fetch_read(struct str text, json_t **ret, struct err *err);

#endif
