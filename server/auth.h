/* Who is calling: an organization's API key, or the operator's key on the operator's listener. */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include "api/http.h"
#include "server/dbpool.h"

enum { AUTH_TTL_S = 5 }; /* a revoked key is refused everywhere after at most this long */

struct auth;
void auth_free(struct auth *a);
DEFINE_AUTO(auth)
/* env is borrowed. operator_key_file "" = no operator. RC_NOT_FOUND, RC_INVALID: says what to do. */
MUST_CHECK enum rc auth_new(const struct http_env *env, const char *operator_key_file,
			    struct auth **ret, struct err *err);

/* token: the credential as it was sent, without the scheme. RC_DENIED: not known, revoked, expired,
 * or of the other listener - never says which. RC_RETRY: the database is away. RC_LIMIT
 * too_many_requests: so many unknown keys were tried that this one is not looked up. Junk never
 * reaches the database. */
MUST_CHECK enum rc auth_check(struct auth *a, enum http_listener listener, struct str token,
			      struct dbpool *pool, struct http_caller *ret, struct err *err);
/* Cuts the scheme off an Authorization value; "" when it is not Bearer. */
struct str auth_bearer(struct str authorization);

#endif
