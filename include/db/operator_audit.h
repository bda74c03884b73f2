/* The operator's audit trail: what is changed outside of every organization. Append-only. */
#ifndef DB_OPERATOR_AUDIT_H
#define DB_OPERATOR_AUDIT_H

#include "db/audit.h"

/* Joins the caller's transaction, which has the operator's rights. entry->org_id is not looked at. */
MUST_CHECK enum rc operator_audit_insert(struct db *db, const struct audit_entry *entry,
					 struct err *err);

#endif
