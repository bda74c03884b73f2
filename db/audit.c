/* Appends to the audit trail.
 * Never updates or deletes: neither role may. */
#include "db/audit.h"
#include "base/mem.h"

static const struct stmt INSERT = { "audit_insert",
				    "INSERT INTO audit (org_id, audit_id, actor, action, "
				    "target_kind, target_id, request_id, detail)"
				    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
				    8 };

enum rc audit_insert(struct db *db, const struct db_who *who, const struct audit_entry *entry,
		     struct err *err)
{
	AUTO_TEXT char *detail = entry->detail ? json_text(entry->detail) : mem_copy("{}");
	const struct arg args[] = { arg_id(entry->org_id),     arg_id(id_new()),
				    arg_c(entry->actor),       arg_c(entry->action),
				    arg_c(entry->target_kind), arg_c(entry->target_id),
				    arg_c(entry->request_id),  arg_c(detail) };

	return db_run(db, who, &INSERT, args, NULL, err);
}
