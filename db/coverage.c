/* Reads of coverage.
 * Never judges it: the state is what the collector wrote. */
#include "db/coverage.h"

static const struct stmt LIST = {
	"coverage_list",
	"SELECT v.connection_id, v.account_id, v.region, v.scope, v.part, v.state, v.reason_code,"
	" v.reason, v.action, v.deny_cause, v.aws_code, v.aws_request_id, v.via, v.sync_id,"
	" v.attempted_at, v.last_complete_at, v.items, v.pages, v.calls, v.throttles, v.held"
	" FROM coverage v JOIN connection c ON c.org_id = v.org_id"
	"  AND c.connection_id = v.connection_id AND c.deleted_at IS NULL"
	" WHERE v.org_id = $1 AND ($2::uuid IS NULL OR v.connection_id = $2)"
	" AND ($3::text IS NULL OR v.state = $3)"
	" AND ($4::uuid IS NULL OR (v.connection_id, v.account_id, v.region, v.scope, v.part)"
	"  > ($4::uuid, $5::text, $6::text, $7::text, $8::text))"
	" ORDER BY v.connection_id, v.account_id, v.region, v.scope, v.part LIMIT $9",
	9
};

enum rc coverage_list(struct db *db, const struct db_who *who, const struct coverage_filter *f,
		      struct db_rows **ret, struct err *err)
{
	const struct arg args[] = { arg_id(who->org_id),        arg_id(f->connection_id),
				    arg_opt(f->state),          arg_id(f->after_connection),
				    arg_text(f->after_account), arg_text(f->after_region),
				    arg_text(f->after_scope),   arg_text(f->after_part),
				    arg_i64(f->limit) };

	return db_run(db, who, &LIST, args, ret, err);
}
