/* API keys: of organizations, and service keys, which are for backends that act for whichever organization
 * a request names. Only the SHA-256 of a key's secret part is stored; the key is shown once. */
#ifndef DB_KEYS_H
#define DB_KEYS_H

#include "db/db.h"

enum {
	KEYS_HASH = 32,
	KEYS_PER_ORGANIZATION_MAX = 1000,
	KEYS_SERVICE_MAX = 100,
	KEYS_SCOPES_MAX = 1024
};

enum keys_kind { KEYS_ORGANIZATION, KEYS_SERVICE };
/* How its id is written: "key_", "svc_". */
const char *keys_prefix(enum keys_kind kind);

/* Which key. */
struct keys_at {
	enum keys_kind kind;
	struct id org_id; /* zero: a service key's */
	struct id key_id;
};

struct new_key {
	struct keys_at at;
	struct str name, role;
	struct str scopes; /* names with spaces between; "" = all that the role may */
	unsigned char hash[KEYS_HASH];
	int64_t expires_at; /* wall; 0 = never */
	const char *actor, *request_id;
};
/* *ret: the row, as keys_get() has it. RC_NOT_FOUND: no such organization. RC_CONFLICT
 * too_many_keys (live ones), organization_deleting. */
MUST_CHECK enum rc keys_insert(struct db *db, const struct new_key *in, struct db_rows **ret,
			       struct err *err);
/* Columns: key_id, name, role, scopes (as in new_key), created_at, expires_at (or retires_at, the earlier
 * one), last_used_at, revoked_at, replaces, replaced_by. RC_NOT_FOUND. */
MUST_CHECK enum rc keys_get(struct db *db, const struct keys_at *at, struct db_rows **ret,
			    struct err *err);
/* Those behind at->key_id, which may be zero. */
MUST_CHECK enum rc keys_list(struct db *db, const struct keys_at *at, int limit,
			     struct db_rows **ret, struct err *err);
/* RC_NOT_FOUND; revoking a revoked key is RC_OK. */
MUST_CHECK enum rc keys_revoke(struct db *db, const struct keys_at *at, const char *actor,
			       const char *request_id, struct err *err);

struct key_replacement {
	struct keys_at old;
	struct id key_id;
	unsigned char hash[KEYS_HASH];
	int64_t expires_at; /* wall; 0 = a life as long as the old key's */
	int64_t overlap_s;  /* the old key lives on for so long, unless it expires before */
	const char *actor, *request_id;
};
/* Makes a key with the name, role and scopes of the old one, and lets that one retire. *ret: the new row.
 * RC_NOT_FOUND. RC_CONFLICT key_not_live, rotation_in_progress (its predecessor or a successor lives
 * still), or as keys_insert(). */
MUST_CHECK enum rc keys_replace(struct db *db, const struct key_replacement *in,
				struct db_rows **ret, struct err *err);

struct key_found {
	struct id org_id; /* zero: a service key's */
	char role[16];
	char scopes[KEYS_SCOPES_MAX]; /* names with spaces between; "" = all that the role may */
	unsigned char hash[KEYS_HASH];
	bool live; /* neither revoked nor expired, and its organization active, by the database's clock */
	int64_t left_ms; /* until it expires; -1 = it does not */
};
/* By public id, before the organization is known, all in one statement: what the key is, whether it is
 * live, and the stamp of its last use (to the minute; only when hash is the stored one). The caller
 * compares the hashes. RC_NOT_FOUND. */
MUST_CHECK enum rc keys_authenticate(struct db *db, enum keys_kind kind, struct id key_id,
				     const unsigned char hash[KEYS_HASH], struct key_found *ret,
				     struct err *err);

#endif
