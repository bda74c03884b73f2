/* One set of credentials, immutable and counted, so that a request signs with the set it was given
 * while a refresh replaces it. */
#ifndef WORKERS_AWS_CREDS_H
#define WORKERS_AWS_CREDS_H

#include "base/json.h"
#include "base/secret.h"

struct creds {
	int refs;    /* atomic */
	uint64_t id; /* unique in the process: key of the signer's cache */
	char *access_key_id;
	struct secret *secret;
	struct secret *token; /* NULL: a long-lived key */
	int64_t expires_wall; /* 0: never */
	int64_t born_wall;
};

void creds_free(struct creds *c); /* drops a reference */
DEFINE_AUTO(creds)
/* token may be empty. */
struct creds *creds_new(struct str access_key_id, struct str secret, struct str token) NEVER_NULL;
struct creds *creds_ref(struct creds *c) NEVER_NULL;

/* Whether it can stand in a header: printable, without spaces. */
bool creds_may_sign(struct str s);
/* Temporary credentials as STS, containers and instances write them: AccessKeyId, SecretAccessKey, Expiration, and the token
 * under a name of their own. All four must be there. RC_INVALID: not so; names no value. */
MUST_CHECK enum rc creds_read(const json_t *from, const char *token_name, int64_t now_wall,
			      struct creds **ret, struct err *err);
/* Zeroes the secret members. jansson does not zero what it frees; from must not be shared. */
void creds_wipe(const json_t *from);
void creds_wipe_text(struct str s); /* the same for one string of ours */

#endif
