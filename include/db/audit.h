/* The audit trail: who changed what. Append-only. */
#ifndef DB_AUDIT_H
#define DB_AUDIT_H

#include "db/db.h"

struct audit_entry {
	struct id org_id;
	const char *actor;       /* "key:<hex>", "operator", "worker" */
	const char *action;      /* "connection.created" */
	const char *target_kind; /* "connection" */
	const char *target_id;   /* as the API writes it */
	const char *request_id;  /* "" = none */
	const json_t *detail;    /* borrowed, never a secret; NULL = {} */
};
/* who NULL: joins the caller's transaction; else is its own. */
MUST_CHECK enum rc audit_insert(struct db *db, const struct db_who *who,
				const struct audit_entry *entry, struct err *err);

#endif
