/* Writes coverage. Never deletes a row: what was once looked at stays on record. */
#include "db/coverage_write.h"
#include "base/mem.h"
#include "db/emit.h"

static const struct stmt WRITE = {
	"coverage_write",
	"INSERT INTO coverage (org_id, connection_id, account_id, region, scope, part, state, "
	"reason_code, reason, action,"
	" deny_cause, aws_code, aws_request_id, via, sync_id, last_complete_at, items, pages, "
	"calls, throttles, held,"
	" held_sync_id)"
	" SELECT $1, $2, $3, $4, $5, r.part, r.state, r.reason_code, r.reason, r.action, "
	"r.deny_cause, r.aws_code,"
	"  r.aws_request_id, r.via, $6, CASE WHEN r.state = 'ok' THEN now() END, r.items, r.pages, "
	"r.calls, r.throttles,"
	"  r.held, CASE WHEN r.held > 0 THEN $6::uuid END"
	" FROM jsonb_to_recordset($7::jsonb) AS r (part text, state text, reason_code text, reason "
	"text, action text,"
	"  deny_cause text, aws_code text, aws_request_id text, via text, items bigint, pages "
	"bigint, calls bigint,"
	"  throttles bigint, held bigint)"
	" ON CONFLICT (org_id, connection_id, account_id, region, scope, part) DO UPDATE SET state "
	"= excluded.state,"
	"  reason_code = excluded.reason_code, reason = excluded.reason, action = excluded.action,"
	"  deny_cause = excluded.deny_cause, aws_code = excluded.aws_code, aws_request_id = "
	"excluded.aws_request_id,"
	"  via = excluded.via, sync_id = excluded.sync_id, attempted_at = now(),"
	"  last_complete_at = coalesce(excluded.last_complete_at, coverage.last_complete_at), "
	"items = excluded.items,"
	"  pages = excluded.pages, calls = excluded.calls, throttles = excluded.throttles,"
	"  held = CASE WHEN excluded.state = 'ok' THEN excluded.held ELSE coverage.held END,"
	"  held_sync_id = CASE WHEN excluded.state = 'ok' THEN excluded.held_sync_id ELSE "
	"coverage.held_sync_id END",
	7
};

enum rc coverage_write(struct db *db, const struct coverage_write *w, struct err *err)
{
	AUTO_TEXT char *rows = json_text(w->rows);
	const struct arg args[] = { arg_id(w->org_id),    arg_id(w->connection_id),
				    arg_c(w->account_id), arg_c(w->region),
				    arg_c(w->scope),      arg_id(w->sync_id),
				    arg_c(rows) };
	enum rc rc = emit_coverage_lost(db, w, err);

	return rc == RC_OK ? db_run(db, NULL, &WRITE, args, NULL, err) : rc;
}
