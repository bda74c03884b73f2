/* The issuer's public keys (RFC 7517): fetched by a thread of its own, kept, fetched again when they are
 * old or when a token names a key that is not among them. */
#ifndef SERVER_JWKS_H
#define SERVER_JWKS_H

#include "base/json.h"

struct jwks_settings {
	const char *url;  /* https, or http to this machine when allow_http; "" when file is set */
	const char *file; /* "" when url is set */
	const char *ca_file; /* "" = the system's */
	bool allow_http;
	int ttl_s;   /* a set is fetched again after so long */
	int min_s;   /* two fetches are at least so far apart */
	int stale_s; /* a set that could not be fetched again is used for so long */
};

struct jwks;
void jwks_free(struct jwks *k);
DEFINE_AUTO(jwks)
/* Starts the thread, which fetches at once. RC_INVALID: a setting is wrong. */
MUST_CHECK enum rc jwks_new(const struct jwks_settings *settings, struct jwks **ret,
			    struct err *err);

struct jwks_wanted {
	struct str kid; /* "" = the token names none: found only when the set has one key */
	const char *kty, *crv;
};
/* *ret: a copy of the key, the caller's. RC_DENIED: there is no such key, also after the set was fetched
 * again (if that may be done already), or it is of another type. RC_RETRY keys_unavailable: there is no
 * set that may be used. */
MUST_CHECK enum rc jwks_find(struct jwks *k, const struct jwks_wanted *wanted, json_t **ret,
			     struct err *err);

#endif
