/* Service keys: for backends that act for whichever organization a request names. The operator makes
 * them. Only the SHA-256 of a key's secret part is stored; the key is shown once. */
#ifndef DB_SERVICE_KEYS_H
#define DB_SERVICE_KEYS_H

#include "db/keys.h"

enum { SERVICE_KEYS_MAX = 100 };

/* in->org_id is not looked at. RC_CONFLICT too_many_keys (live ones). */
MUST_CHECK enum rc service_keys_insert(struct db *db, const struct new_key *in,
				       struct db_rows **ret, struct err *err);
/* Columns: svc_id, and otherwise those of keys_get(). RC_NOT_FOUND. */
MUST_CHECK enum rc service_keys_get(struct db *db, struct id svc_id, struct db_rows **ret,
				    struct err *err);
MUST_CHECK enum rc service_keys_list(struct db *db, struct id after, int limit,
				     struct db_rows **ret, struct err *err);
/* RC_NOT_FOUND; revoking a revoked key is RC_OK. */
MUST_CHECK enum rc service_keys_revoke(struct db *db, struct id svc_id, const char *actor,
				       const char *request_id, struct err *err);
/* As keys_replace(). */
MUST_CHECK enum rc service_keys_replace(struct db *db, const struct key_replacement *in,
					struct db_rows **ret, struct err *err);
/* As keys_authenticate(); ret->org_id is zero. */
MUST_CHECK enum rc service_keys_authenticate(struct db *db, struct id svc_id,
					     const unsigned char hash[KEYS_HASH],
					     struct key_found *ret, struct err *err);

#endif
