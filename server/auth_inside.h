/* The parts of authentication, one a kind of credential; for server/auth*.c and their tests. */
#ifndef SERVER_AUTH_INSIDE_H
#define SERVER_AUTH_INSIDE_H

#include "api/apikey.h"
#include "server/auth.h"

enum { AUTH_POOL_WAIT_MS = 2000 };

/* RC_DENIED unauthorized: the same words whatever is wrong. */
enum rc auth_denied(struct err *err);

/* --- auth_key.c: API keys and service keys ---------------------------------------------------- */
struct auth_key;
void auth_key_free(struct auth_key *k);
DEFINE_AUTO(auth_key)
struct auth_key *auth_key_new(void) NEVER_NULL FREED_BY(auth_key_free);
struct auth_key_grant {
	struct id org_id; /* zero: a service key's */
	uint32_t scopes;
};
/* What is asked about. */
struct auth_key_asked {
	enum keys_kind kind;
	struct id key_id, peer;
	const unsigned char *hash; /* KEYS_HASH */
};
MUST_CHECK enum rc auth_key_check(struct auth_key *k, const struct auth_key_asked *asked,
				  struct dbpool *pool, struct auth_key_grant *ret, struct err *err);

/* --- auth_org.c: organizations that a caller names -------------------------------------------- */
struct auth_org;
void auth_org_free(struct auth_org *o);
DEFINE_AUTO(auth_org)
struct auth_org *auth_org_new(void) NEVER_NULL FREED_BY(auth_org_free);
/* RC_DENIED wrong_organization: there is none with this ID, or it is not active. */
MUST_CHECK enum rc auth_org_check(struct auth_org *o, struct id org_id, struct dbpool *pool,
				  struct err *err);
enum rc auth_org_wrong(struct err *err); /* RC_DENIED wrong_organization */

/* --- auth_operator.c -------------------------------------------------------------------------- */
struct auth_operator;
void auth_operator_free(struct auth_operator *o);
DEFINE_AUTO(auth_operator)
/* path "" = no operator. */
MUST_CHECK enum rc auth_operator_new(const char *path, struct auth_operator **ret, struct err *err);
MUST_CHECK enum rc auth_operator_check(struct auth_operator *o, struct str token, struct err *err);

/* --- auth_token.c: JWTs ----------------------------------------------------------------------- */
struct auth_token;
void auth_token_free(struct auth_token *t);
DEFINE_AUTO(auth_token)
MUST_CHECK enum rc auth_token_new(const struct jwt_settings *settings, struct auth_token **ret,
				  struct err *err);
MUST_CHECK enum rc auth_token_check(struct auth_token *t, struct str token, struct jwt_claims *ret,
				    struct err *err);

#endif
