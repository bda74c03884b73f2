/* API keys. Only the SHA-256 of a key's secret part is stored; the key is shown once. */
#ifndef DB_KEYS_H
#define DB_KEYS_H

#include "db/db.h"

enum { KEYS_HASH = 32, KEYS_PER_ORGANIZATION_MAX = 1000 };

struct new_key {
	struct id org_id, key_id;
	struct str name, role;
	unsigned char hash[KEYS_HASH];
	int64_t expires_at; /* wall; 0 = never */
	const char *actor, *request_id;
};
/* *ret: the row, as keys_get() has it. RC_NOT_FOUND: no such organization. RC_CONFLICT
 * too_many_keys (live ones), organization_deleting. */
MUST_CHECK enum rc keys_insert(struct db *db, const struct new_key *in, struct db_rows **ret,
			       struct err *err);
/* Columns: key_id, name, role, created_at, expires_at, last_used_at, revoked_at. RC_NOT_FOUND. */
MUST_CHECK enum rc keys_get(struct db *db, struct id org_id, struct id key_id, struct db_rows **ret,
			    struct err *err);
MUST_CHECK enum rc keys_list(struct db *db, struct id org_id, struct id after, int limit,
			     struct db_rows **ret, struct err *err);
/* RC_NOT_FOUND; revoking a revoked key is RC_OK. */
MUST_CHECK enum rc keys_revoke(struct db *db, struct id org_id, struct id key_id, const char *actor,
			       const char *request_id, struct err *err);

struct key_found {
	struct id org_id;
	char role[16];
	unsigned char hash[KEYS_HASH];
	bool live; /* neither revoked nor expired, and its organization active, by the database's clock */
	int64_t left_ms; /* until it expires; -1 = it does not */
};
/* By public id, before the organization is known, all in one statement: what the key is, whether it is
 * live, and the stamp of its last use (to the minute; only when hash is the stored one). The caller
 * compares the hashes. RC_NOT_FOUND. */
MUST_CHECK enum rc keys_authenticate(struct db *db, struct id key_id,
				     const unsigned char hash[KEYS_HASH], struct key_found *ret,
				     struct err *err);

#endif
