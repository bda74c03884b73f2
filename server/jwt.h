/* JSON Web Tokens of one issuer, for one audience (RFC 7519, 8725): from a text to who may do what. */
#ifndef SERVER_JWT_H
#define SERVER_JWT_H

#include "api/http.h"
#include "server/jwks.h"

enum { JWT_TEXT_MAX = 8192, JWT_ALGORITHMS_MAX = 16 };

struct jwt_settings {
	const char *issuer, *audience;
	const char *algorithms;  /* "RS256,ES256": of RS, PS and ES with 256, 384 and 512 */
	const char *org_claim;   /* holds the organization's UUID */
	const char *scope_claim; /* names of scopes: a text with spaces between, or a list */
	const char *role_claim;  /* not "": holds a role, and scope_claim is not looked at */
	int leeway_s;
	struct jwks_settings keys;
};

struct jwt_claims {
	struct id org_id;
	struct id subject; /* made of iss and sub: the same for the same subject */
	uint32_t scopes;
	int64_t expires_at;         /* wall */
	char actor[HTTP_ACTOR_MAX]; /* "jwt:" and the subject, or what stands for it */
};

struct jwt;
void jwt_free(struct jwt *j);
DEFINE_AUTO(jwt)
/* Starts the thread that fetches the keys. RC_INVALID: a setting is wrong or missing. */
MUST_CHECK enum rc jwt_new(const struct jwt_settings *settings, struct jwt **ret, struct err *err);
/* Three parts with dots between: whatever it is, it is no API key. */
bool jwt_is_one(struct str token);
/* RC_DENIED: the code says why, for the log and not for the caller. RC_RETRY keys_unavailable. */
MUST_CHECK enum rc jwt_verify(struct jwt *j, struct str token, struct jwt_claims *ret,
			      struct err *err);

#endif
