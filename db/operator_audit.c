/* Appends to the operator's audit trail.
 * Never updates or deletes: the role may not. */
#include "db/operator_audit.h"
#include "base/mem.h"

static const struct stmt INSERT = {
	"operator_audit_insert",
	"INSERT INTO operator_audit (audit_id, actor, action, target_kind, target_id, request_id,"
	" detail) VALUES ($1, $2, $3, $4, $5, $6, $7)",
	7
};

enum rc operator_audit_insert(struct db *db, const struct audit_entry *entry, struct err *err)
{
	AUTO_TEXT char *detail = entry->detail ? json_text(entry->detail) : mem_copy("{}");
	const struct arg args[] = { arg_id(id_new()),
				    arg_c(entry->actor),
				    arg_c(entry->action),
				    arg_c(entry->target_kind),
				    arg_c(entry->target_id),
				    arg_c(entry->request_id),
				    arg_c(detail) };

	return db_run(db, NULL, &INSERT, args, NULL, err);
}
