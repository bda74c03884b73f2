/* The audit trails: who changed what in an organization, and what the operator changed anywhere. Append-only,
 * and each entry holds the hash of the one before (the database does that: 0012_audit_chain).
 * An org_id of zero is the operator's trail; only his rights (db_who) open it. */
#ifndef DB_AUDIT_H
#define DB_AUDIT_H

#include "db/db.h"

struct audit_entry {
	struct id org_id;        /* what the operator does in one goes into his trail by itself */
	const char *actor;       /* "key:<hex>", "operator", "worker" */
	const char *action;      /* "connection.created" */
	const char *target_kind; /* "connection" */
	const char *target_id;   /* as the API writes it */
	const char *request_id;  /* "" = none */
	const json_t *detail;    /* borrowed, never a secret; NULL = {} */
};
/* who NULL: joins the caller's transaction, as db_later; else is its own. The trail's next entry waits for
 * the end of the transaction, in a transaction it comes last, or nearly. */
MUST_CHECK enum rc audit_insert(struct db *db, const struct db_who *who,
				const struct audit_entry *entry, struct err *err);

/* Newest first, before the given place in the chain (0 = from the newest). Columns: seq, audit_id, at,
 * actor, action, target_kind, target_id, request_id, detail, hash (hex). */
MUST_CHECK enum rc audit_list(struct db *db, const struct db_who *who, int64_t before, int limit,
			      struct db_rows **ret, struct err *err);
/* Oldest first, after the given place. Columns: seq, line (what is hashed), hash (hex). */
MUST_CHECK enum rc audit_export(struct db *db, const struct db_who *who, int64_t after, int limit,
				struct db_rows **ret, struct err *err);
/* One row: seq, hash (hex), at. Nothing was ever written: seq 0, hash zeros, at NULL. */
MUST_CHECK enum rc audit_end(struct db *db, const struct db_who *who, struct db_rows **ret,
			     struct err *err);

#endif
