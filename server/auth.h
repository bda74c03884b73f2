/* Who is calling: an organization's API key, a service key or a JWT on the public listener, the
 * operator's key on his own. */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include "api/http.h"
#include "server/dbpool.h"
#include "server/jwt.h"

/* How long a good answer is used, counted from the question. A revoked key, and an organization that is
 * deleted, are refused everywhere within five seconds; the question takes its part of them. */
enum { AUTH_TTL_S = 4 };

struct auth_settings {
	const struct http_env *env;        /* borrowed */
	const char *operator_key_file;     /* "" = no operator */
	const struct jwt_settings *tokens; /* NULL = no JWTs */
};

struct auth;
void auth_free(struct auth *a);
DEFINE_AUTO(auth)
/* RC_NOT_FOUND, RC_INVALID: says what to do. */
MUST_CHECK enum rc auth_new(const struct auth_settings *settings, struct auth **ret,
			    struct err *err);

/* What a request says about its caller: values of header lines, "" for those that it does not have. */
struct auth_request {
	enum http_listener listener;
	struct id peer;                      /* of peer.h: whose unknown keys they are */
	struct str authorization, key_alias; /* Authorization, SlashID-API-Key */
	struct str org_id, org_alias;        /* X-Org-Id, SlashID-OrgID */
};

struct auth_found {
	struct http_caller caller;
	bool settled; /* the organization was looked up with the credential */
};

/* Whose the credential is; the organization is the credential's own, zero when it has none. RC_DENIED
 * unauthorized: not known, revoked, expired, or of the other listener - never says which. RC_RETRY: the
 * database, or the issuer's key set, is away. RC_LIMIT too_many_requests: so many unknown keys were
 * tried from there that this one is not looked up. Junk never reaches the database. */
MUST_CHECK enum rc auth_check(struct auth *a, const struct auth_request *request,
			      struct dbpool *pool, struct auth_found *ret, struct err *err);
/* Then, for which organization it acts; may cost a look-up, so whoever asks has paid before. RC_DENIED
 * wrong_organization: it may not act for the one that is named, for whatever reason. RC_INVALID: what is
 * wrong with the organization's header. RC_RETRY: the database is away. */
MUST_CHECK enum rc auth_settle(struct auth *a, const struct auth_request *request,
			       struct dbpool *pool, struct auth_found *found, struct err *err);

#endif
