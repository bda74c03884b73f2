/* Checks as rows, and the answers that they leave behind. A draft's fields and secret live as long as its check runs.
 * Never reads a sealed secret but for the worker that opens it. */
#include "db/checks.h"
#include "base/mem.h"
#include "db/audit.h"
#include "db/connection_status.h"
#include "db/inside.h"
#include "db/sealed.h"

static const struct id NONE = { { 0 } };

#define READ                                                                                       \
	"SELECT k.check_id, k.connection_id, k.state, k.wanted, k.report, k.reason_code,"          \
	" k.reason, k.requested_by, k.created_at, k.started_at, k.finished_at"                     \
	" FROM connection_check k LEFT JOIN connection c ON c.org_id = k.org_id"                   \
	"  AND c.connection_id = k.connection_id"                                                  \
	" WHERE k.org_id = $1 AND k.check_id = $2 AND c.deleted_at IS NULL"                        \
	" AND (k.connection_id IS NOT NULL OR k.created_at > now() - make_interval(hours => $3))"

static const struct stmt GET = { "checks_get", READ, 3, .by_index = true };

enum rc checks_get(struct db *db, const struct db_who *who, struct id check_id,
		   struct db_rows **ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(who->org_id), arg_id(check_id),
				    arg_i64(CHECKS_DRAFT_HOURS) };
	enum rc rc = db_run(db, db->in_tx ? NULL : who, &GET, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such check");
	*ret = TAKE(rows);
	return RC_OK;
}

static const struct stmt INSERT = {
	"checks_insert",
	"INSERT INTO connection_check (org_id, check_id, connection_id, wanted, requested_by)"
	" SELECT $1, $2, c.connection_id, $4, $5 FROM connection c WHERE c.org_id = $1"
	" AND c.connection_id = $3 AND c.deleted_at IS NULL ON CONFLICT DO NOTHING"
	" RETURNING check_id",
	5, .by_index = true
};
static const struct stmt INSERT_DRAFT = {
	"checks_insert_draft",
	"INSERT INTO connection_check (org_id, check_id, wanted, requested_by, draft, draft_sealed)"
	" SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM connection_check k"
	"  WHERE k.org_id = $1 AND k.connection_id IS NULL AND k.state IN ('queued', 'running')) < "
	"$7"
	" RETURNING check_id",
	7
};
static const struct stmt ACTIVE = {
	"checks_active",
	"SELECT (SELECT k.check_id FROM connection_check k WHERE k.org_id = $1"
	"  AND k.connection_id = $2 AND k.state IN ('queued', 'running')) AS check_id,"
	" EXISTS (SELECT FROM connection c WHERE c.org_id = $1 AND c.connection_id = $2"
	"  AND c.deleted_at IS NULL) AS found",
	2, .by_index = true
};
static const struct stmt PRUNE = {
	"checks_prune",
	"DELETE FROM connection_check WHERE org_id = $1 AND state IN ('done', 'failed') AND "
	"check_id"
	" IN (SELECT k.check_id FROM connection_check k WHERE k.org_id = $1"
	"  AND k.connection_id = $2 ORDER BY k.check_id DESC OFFSET $3)",
	3, .by_index = true
};

static enum rc why_not(struct db *db, const struct new_check *in, struct id *ret_active,
		       struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(in->org_id), arg_id(in->connection_id) };
	enum rc rc = db_run(db, NULL, &ACTIVE, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (!db_rows_bool(rows, 0, "found"))
		return err_set(err, RC_NOT_FOUND, "not_found", "no such connection");
	if (db_rows_is_null(rows, 0, "check_id"))
		return err_set(err, RC_RETRY, "database_busy",
			       "checks of this connection come and go; try again");
	*ret_active = db_rows_id(rows, 0, "check_id");
	return err_set(err, RC_CONFLICT, "check_active",
		       "A check of this connection is under way.");
}

static enum rc insert_saved(struct db *db, const struct new_check *in, struct id *ret_active,
			    struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_TEXT char *wanted = json_text(in->wanted);
	const struct arg args[] = { arg_id(in->org_id), arg_id(in->check_id),
				    arg_id(in->connection_id), arg_c(wanted), arg_c(in->actor) };
	const struct arg prune[] = { arg_id(in->org_id), arg_id(in->connection_id),
				     arg_i64(CHECKS_KEPT) };
	enum rc rc = db_run(db, NULL, &INSERT, args, &rows, err);

	if (rc == RC_OK && db_rows_count(rows) == 0)
		return why_not(db, in, ret_active, err);
	return rc == RC_OK ? db_run(db, NULL, &PRUNE, prune, NULL, err) : rc;
}

static enum rc insert_draft(struct db *db, const struct new_check *in, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_TEXT char *wanted = json_text(in->wanted);
	AUTO_TEXT char *draft = json_text(in->draft);
	const struct arg args[] = { arg_id(in->org_id),
				    arg_id(in->check_id),
				    arg_c(wanted),
				    arg_c(in->actor),
				    arg_c(draft),
				    in->sealed.n ? arg_bytes(in->sealed) : arg_null(),
				    arg_i64(CHECKS_DRAFTS_MAX) };
	enum rc rc = db_run(db, NULL, &INSERT_DRAFT, args, &rows, err);

	if (rc == RC_OK && db_rows_count(rows) == 0)
		return err_set(err, RC_CONFLICT, "too_many_checks",
			       "The organization has %d checks of drafts under way; wait for one.",
			       CHECKS_DRAFTS_MAX);
	return rc == RC_OK && in->sealed.n > 0 ? sealed_accept(db, in->sealed, err) : rc;
}

static enum rc queue(struct db *db, const struct new_check *in, struct err *err)
{
	char uuid[ID_UUID_TEXT], text[ID_TEXT_MAX];
	AUTO_JSON json_t *payload = NULL;
	struct new_task task = { .org_id = in->org_id,
				 .connection_id = in->connection_id,
				 .kind = "check" };
	const struct audit_entry entry = { .org_id = in->org_id,
					   .actor = in->actor,
					   .action = "check.started",
					   .target_kind = "check",
					   .target_id = text,
					   .request_id = in->request_id };
	enum rc rc;

	id_uuid(in->check_id, uuid);
	id_text(in->check_id, "chk_", text);
	payload = json_pack("{s:s}", "check_id", uuid);
	if (*in->request_id)
		json_set_text(payload, "request_id", str_c(in->request_id));
	task.payload = payload;
	rc = tasks_insert(db, &task, NULL, err);
	return rc == RC_OK ? audit_insert(db, NULL, &entry, err) : rc;
}

struct starting {
	const struct new_check *in;
	struct id *ret_active;
	struct db_rows *row;
};

static enum rc start_body(struct db *db, void *arg, struct err *err)
{
	struct starting *s = arg;
	const struct db_who who = { .org_id = s->in->org_id };
	enum rc rc = id_eq(s->in->connection_id, NONE)
			     ? insert_draft(db, s->in, err)
			     : insert_saved(db, s->in, s->ret_active, err);

	if (rc == RC_OK)
		rc = queue(db, s->in, err);
	db_rows_free(s->row);
	s->row = NULL;
	return rc == RC_OK ? checks_get(db, &who, s->in->check_id, &s->row, err) : rc;
}

enum rc checks_start(struct db *db, const struct new_check *in, struct id *ret_active,
		     struct db_rows **ret, struct err *err)
{
	struct starting s = { .in = in, .ret_active = ret_active };
	const struct db_who who = { .org_id = in->org_id };
	enum rc rc = db_tx(db, &who, start_body, &s, err);

	if (rc == RC_OK)
		*ret = TAKE(s.row);
	db_rows_free(s.row);
	return rc;
}

enum rc checks_again(struct db *db, struct id org_id, struct id connection_id, struct err *err)
{
	AUTO_JSON json_t *wanted = json_pack("{s:[i,i]}", "tiers", 1, 2);
	const struct new_check in = { .org_id = org_id,
				      .check_id = id_new(),
				      .connection_id = connection_id,
				      .wanted = wanted,
				      .actor = "worker",
				      .request_id = "" };
	struct id active = NONE;
	struct err own = { 0 };
	enum rc rc = insert_saved(db, &in, &active, &own);

	if (rc == RC_OK)
		return queue(db, &in, err);
	if (rc == RC_CONFLICT || rc == RC_NOT_FOUND)
		return RC_OK;
	return err_set(err, own.rc, own.code, "%s", own.text);
}

void check_order_free(struct check_order *o)
{
	if (!o)
		return;
	json_decref(o->wanted);
	json_decref(o->draft);
	mem_free(o->sealed);
	mem_free(o);
}

static const struct stmt LOAD = {
	"checks_load",
	"UPDATE connection_check SET state = 'running', started_at = coalesce(started_at, now())"
	" WHERE org_id = $1 AND check_id = $2 AND state IN ('queued', 'running')"
	" RETURNING wanted, draft, draft_sealed",
	2, .by_index = true
};

enum rc checks_load(struct db *db, struct id org_id, struct id check_id, struct check_order **ret,
		    struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id), arg_id(check_id) };
	enum rc rc = db_run(db, &who, &LOAD, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "check_gone", "the check is over or gone");
	*ret = MEM_NEW(struct check_order);
	(*ret)->wanted = db_rows_json(rows, 0, "wanted");
	(*ret)->draft = db_rows_json(rows, 0, "draft");
	if (!db_rows_is_null(rows, 0, "draft_sealed"))
		(*ret)->sealed = db_rows_bytes(rows, 0, "draft_sealed", &(*ret)->sealed_n);
	return RC_OK;
}

static const struct stmt DONE = { "checks_done",
				  "UPDATE connection_check SET state = 'done', report = $3, draft "
				  "= NULL, draft_sealed = NULL,"
				  " finished_at = now() WHERE org_id = $1 AND check_id = $2"
				  " AND state IN ('queued', 'running')",
				  3, .by_index = true };
/* Whoever changes the credentials waits for the answers about the old ones, and forgets them. */
static const struct stmt SAME = {
	"checks_same",
	"SELECT version FROM connection WHERE org_id = $1 AND connection_id = $2 AND version = $3"
	" FOR NO KEY UPDATE",
	3, .by_index = true
};
static const struct stmt ANSWER = {
	"checks_answer",
	"INSERT INTO connection_permission (org_id, connection_id, account_id, capability, action,"
	" tier, state, cause, known_by, required, text, aws_request_id, check_id)"
	" SELECT $1, $2, $3, r.capability, r.action, r.tier, r.state, r.cause, r.known_by,"
	"  r.required, r.text, r.aws_request_id, $4 FROM jsonb_to_recordset($5::jsonb)"
	"  AS r (capability text, action text, tier integer, state text, cause text, known_by text,"
	"  required boolean, text text, aws_request_id text)"
	" ON CONFLICT (org_id, connection_id, account_id, capability, action) DO UPDATE SET"
	"  tier = excluded.tier, state = excluded.state, cause = excluded.cause,"
	"  known_by = excluded.known_by, required = excluded.required, text = excluded.text,"
	"  aws_request_id = excluded.aws_request_id, check_id = excluded.check_id,"
	"  checked_at = now()"
	"  WHERE excluded.state <> 'unknown' OR connection_permission.state = 'unknown'",
	5
};

static enum rc answer(struct db *db, const struct check_result *r, struct err *err)
{
	AUTO(db_rows) struct db_rows *same = NULL;
	AUTO_TEXT char *rows = NULL;
	const struct arg version[] = { arg_id(r->task->org_id), arg_id(r->task->connection_id),
				       arg_i64(r->version) };
	enum rc rc;

	if (!r->rows || !*r->account || id_eq(r->task->connection_id, NONE))
		return RC_OK;
	rc = db_run(db, NULL, &SAME, version, &same, err);
	if (rc != RC_OK || db_rows_count(same) == 0)
		return rc;
	rows = json_text(r->rows);

	const struct arg args[] = { arg_id(r->task->org_id), arg_id(r->task->connection_id),
				    arg_c(r->account), arg_id(r->check_id), arg_c(rows) };

	return db_run(db, NULL, &ANSWER, args, NULL, err);
}

static enum rc finish_body(struct db *db, void *arg, struct err *err)
{
	const struct check_result *r = arg;
	AUTO_TEXT char *report = json_text(r->report);
	const struct arg args[] = { arg_id(r->task->org_id), arg_id(r->check_id), arg_c(report) };
	enum rc rc = tasks_fence(db, r->task, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &DONE, args, NULL, err);
	if (rc == RC_OK)
		rc = answer(db, r, err);
	if (rc == RC_OK && !id_eq(r->task->connection_id, NONE))
		rc = connection_status_settle(db, r->task->org_id, r->task->connection_id, err);
	return rc == RC_OK ? tasks_finish(db, r->task, err) : rc;
}

enum rc checks_finish(struct db *db, const struct check_result *result, struct err *err)
{
	const struct db_who who = { .org_id = result->task->org_id };
	struct check_result own = *result;

	return db_tx(db, &who, finish_body, &own, err);
}

static const struct stmt PRUNE_DRAFTS = {
	"checks_prune_drafts",
	"DELETE FROM connection_check WHERE connection_id IS NULL AND state IN ('done', 'failed')"
	" AND created_at < now() - make_interval(hours => $1)",
	1, .by_index = true
};

enum rc checks_prune_drafts(struct db *db, struct err *err)
{
	const struct arg args[] = { arg_i64(CHECKS_DRAFT_HOURS) };

	return db_run(db, NULL, &PRUNE_DRAFTS, args, NULL, err);
}
