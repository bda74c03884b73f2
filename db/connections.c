/* Connections as rows: insert and update with all that follows from them, and reads.
 * Never reads the sealed secret back: no statement here selects it. */
#include "db/connections.h"
#include "base/mem.h"
#include "db/audit.h"
#include "db/check_answers.h"
#include "db/connection_status.h"
#include "db/schedule_rows.h"
#include "db/sealed.h"
#include "db/status_rule.h"
#include "db/verify_task.h"

static enum rc audit(struct db *db, const struct connection_write *in, const char *action,
		     struct err *err)
{
	char text[ID_TEXT_MAX];
	const struct audit_entry entry = { .org_id = in->org_id,
					   .actor = in->actor,
					   .action = action,
					   .target_kind = "connection",
					   .target_id = text,
					   .request_id = in->request_id,
					   .detail = in->detail };

	id_text(in->connection_id, "conn_", text);
	return audit_insert(db, NULL, &entry, err);
}

/* After the row is written. */
static enum rc accept_secret(struct db *db, const struct connection_write *in, struct err *err)
{
	return in->values->sealed.n > 0 ? sealed_accept(db, in->values->sealed, err) : RC_OK;
}

static enum rc schedule_sync(struct db *db, const struct connection_write *in, struct err *err)
{
	struct schedule_values v = in->values->schedule;
	const struct schedule_set set = { .org_id = in->org_id,
					  .connection_id = in->connection_id,
					  .kind = "sync",
					  .values = &v,
					  .first_in_s = in->first_in_s };

	v.paused = in->values->paused;
	return schedule_rows_set(db, &set, err);
}

static enum rc schedule_first(struct db *db, const struct connection_write *in, struct err *err)
{
	struct schedule_values v = schedule_plan_defaults();
	const struct schedule_set set = { .org_id = in->org_id,
					  .connection_id = in->connection_id,
					  .kind = "verify",
					  .values = &v,
					  .first_in_s = in->verify_every_s };
	enum rc rc = schedule_sync(db, in, err);

	v.every_s = in->verify_every_s;
	v.paused = in->values->paused;
	return rc == RC_OK ? schedule_rows_set(db, &set, err) : rc;
}

/* When it is verified is set elsewhere: here it only follows the pause. */
static enum rc schedule_again(struct db *db, const struct connection_write *in, struct err *err)
{
	enum rc rc = RC_OK;

	if (in->reschedule)
		rc = schedule_sync(db, in, err);
	if (rc == RC_OK && in->reschedule)
		rc = schedule_rows_pause(db, in->org_id, in->connection_id, in->values->paused,
					 err);
	if (rc == RC_OK && in->forgive)
		rc = schedule_rows_forgive(db, in->org_id, in->connection_id, err);
	return rc;
}

/* The newest sync is the active one when there is one: sync_one_active sees to that. */
#define READ                                                                                       \
	"SELECT c.connection_id, c.name, c.authoritative_status, c.aws_account_id,"                \
	" c.aws_organization_id, c.region, c.auth_method, c.role_arn, c.access_key_id,"            \
	" c.cloudtrail_bucket, c.cloudtrail_days, c.cloudtrail_digest_prefix, c.paused,"           \
	" c.verify_state, c.verify_code, c.verify_text, c.verify_aws, c.verified_at,"              \
	" c.external_id_enforced, c.last_sync_state, c.last_sync_at, c.last_complete_at, "         \
	" c.status_state, c.status_code, c.status_text, c.status_remedy, c.status_since,"          \
	"c.version,"                                                                               \
	" c.pinned_account_id, c.pinned_partition,"                                                \
	" c.created_at, c.updated_at," SCHEDULE_ROWS_COLUMNS ", n.sync_id AS newest_id,"           \
	" n.state AS newest_state, n.cause AS newest_cause, n.started_at AS newest_started_at,"    \
	" n.finished_at AS newest_finished_at, n.reason_code AS newest_reason_code,"               \
	" n.reason AS newest_reason"                                                               \
	" FROM connection c"                                                                       \
	" LEFT JOIN schedule s ON s.org_id = c.org_id AND s.connection_id = c.connection_id"       \
	"  AND s.kind = 'sync'"                                                                    \
	" LEFT JOIN LATERAL (SELECT y.sync_id, y.state, y.cause, y.started_at, y.finished_at,"     \
	"  y.reason_code, y.reason FROM sync y WHERE y.org_id = c.org_id"                          \
	"  AND y.connection_id = c.connection_id ORDER BY y.sync_id DESC LIMIT 1) n ON true"

static const struct stmt GET = {
	"connections_get",
	READ " WHERE c.org_id = $1 AND c.connection_id = $2 AND c.deleted_at IS NULL", 2,
	.by_index = true
};

/* What a request answers with belongs to the transaction that made it: a read after the commit could
 * fail and tell the caller to try again what has been done. */
struct writing {
	const struct connection_write *in;
	struct db_rows *row;
};

static enum rc read_back(struct db *db, struct writing *w, struct err *err)
{
	const struct arg args[] = { arg_id(w->in->org_id), arg_id(w->in->connection_id) };

	return db_later(db, &GET, args, &w->row, err);
}

/* The body may run again after a lost serialization: what an earlier run read is dropped. */
static const struct connection_write *begin_writing(struct writing *w)
{
	db_rows_free(w->row);
	w->row = NULL;
	return w->in;
}

static enum rc write_tx(struct db *db, const struct connection_write *in, db_tx_fn *body,
			struct db_rows **ret, struct err *err)
{
	struct writing w = { .in = in };
	const struct db_who who = { .org_id = in->org_id };
	enum rc rc = db_tx(db, &who, body, &w, err);

	if (rc == RC_OK)
		*ret = TAKE(w.row);
	db_rows_free(w.row);
	return rc;
}

/* Kept by triggers, the new one among them: to count the rows costs more than to write one. */
static const struct stmt COUNT = { "connections_count",
				   "SELECT n FROM connection_count WHERE org_id = $1", 1,
				   .by_index = true };
static const struct stmt INSERT = {
	"connections_insert",
	"INSERT INTO connection (org_id, connection_id, name, authoritative_status, aws_account_id,"
	" aws_organization_id, region, auth_method, role_arn, access_key_id, "
	"sealed_secret_access_key,"
	" cloudtrail_bucket, cloudtrail_days, cloudtrail_digest_prefix, paused, status_state,"
	" status_code, status_text, status_remedy)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
	" $19)",
	19, .by_index = true
};

static enum rc insert_row(struct db *db, const struct connection_write *in, struct err *err)
{
	const struct connection_values *v = in->values;
	AUTO_TEXT char *memory = mem_alloc(sizeof(struct status_rule));
	struct status_rule *status = (struct status_rule *)(void *)memory;

	status_rule_first(v->paused, status);

	const struct arg args[] = { arg_id(in->org_id),
				    arg_id(in->connection_id),
				    arg_text(v->name),
				    arg_text(v->authoritative_status),
				    arg_opt(v->aws_account_id),
				    arg_opt(v->aws_organization_id),
				    arg_text(v->region),
				    arg_text(v->auth_method),
				    arg_opt(v->role_arn),
				    arg_opt(v->access_key_id),
				    v->sealed.n ? arg_bytes(v->sealed) : arg_null(),
				    arg_opt(v->cloudtrail_bucket),
				    arg_i64(v->cloudtrail_days),
				    arg_text(v->cloudtrail_digest_prefix),
				    arg_bool(v->paused),
				    arg_c(status->state),
				    arg_c(status->code),
				    arg_c(status->text),
				    arg_c(status->remedy) };

	return db_later(db, &INSERT, args, NULL, err);
}

static enum rc check_count(struct db *db, const struct connection_write *in, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg org[] = { arg_id(in->org_id) };
	enum rc rc = db_run(db, NULL, &COUNT, org, &rows, err);

	if (rc == RC_OK && db_rows_i64(rows, 0, "n") > CONNECTIONS_PER_ORGANIZATION_MAX)
		return err_set(
			err, RC_CONFLICT, "too_many_connections",
			"The organization has %d connections, which is the most it may have.",
			CONNECTIONS_PER_ORGANIZATION_MAX);
	return rc;
}

/* Two round trips: what is written up to the count, which no two requests hold at once, and the rest with COMMIT. */
static enum rc insert_body(struct db *db, void *arg, struct err *err)
{
	struct writing *w = arg;
	const struct connection_write *in = begin_writing(w);
	enum rc rc = insert_row(db, in, err);

	if (rc == RC_OK)
		rc = accept_secret(db, in, err);
	if (rc == RC_OK)
		rc = schedule_first(db, in, err);
	if (rc == RC_OK)
		rc = verify_task_first(db, in->org_id, in->connection_id, err);
	if (rc == RC_OK)
		rc = check_count(db, in, err);
	if (rc == RC_OK)
		rc = audit(db, in, "connection.created", err);
	return rc == RC_OK ? read_back(db, w, err) : rc;
}

enum rc connections_insert(struct db *db, const struct connection_write *in, struct db_rows **ret,
			   struct err *err)
{
	return write_tx(db, in, insert_body, ret, err);
}

static const struct stmt UPDATE = {
	"connections_update",
	"UPDATE connection SET name = $3, authoritative_status = $4, region = $5, auth_method = $6,"
	" role_arn = $7, access_key_id = $8,"
	" sealed_secret_access_key = CASE WHEN $6 = 'assume_role' THEN NULL"
	"  ELSE coalesce($9, sealed_secret_access_key) END,"
	" cloudtrail_bucket = $10, cloudtrail_days = $11, cloudtrail_digest_prefix = $12, paused = "
	"$13,"
	" verify_state = CASE WHEN $14 THEN 'pending' ELSE verify_state END,"
	" verify_code = CASE WHEN $14 THEN '' ELSE verify_code END,"
	" verify_text = CASE WHEN $14 THEN '' ELSE verify_text END,"
	" verify_aws = CASE WHEN $14 THEN NULL ELSE verify_aws END,"
	" verified_at = CASE WHEN $14 THEN NULL ELSE verified_at END,"
	" external_id_enforced = CASE WHEN $14 THEN NULL ELSE external_id_enforced END,"
	" version = version + 1, updated_at = now()"
	" WHERE org_id = $1 AND connection_id = $2 AND deleted_at IS NULL AND version = $15",
	15
};

static enum rc update_row(struct db *db, const struct connection_write *in, struct err *err)
{
	const struct connection_values *v = in->values;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(in->org_id),
				    arg_id(in->connection_id),
				    arg_text(v->name),
				    arg_text(v->authoritative_status),
				    arg_text(v->region),
				    arg_text(v->auth_method),
				    arg_opt(v->role_arn),
				    arg_opt(v->access_key_id),
				    v->sealed.n ? arg_bytes(v->sealed) : arg_null(),
				    arg_opt(v->cloudtrail_bucket),
				    arg_i64(v->cloudtrail_days),
				    arg_text(v->cloudtrail_digest_prefix),
				    arg_bool(v->paused),
				    arg_bool(in->reverify),
				    arg_i64(in->version) };
	enum rc rc = db_run(db, NULL, &UPDATE, args, &rows, err);

	if (rc == RC_OK && db_rows_affected(rows) == 0)
		return err_set(err, RC_CONFLICT, "version_changed",
			       "The connection was changed by somebody else; read it again.");
	return rc;
}

static enum rc update_body(struct db *db, void *arg, struct err *err)
{
	struct writing *w = arg;
	const struct connection_write *in = begin_writing(w);
	enum rc rc = update_row(db, in, err);

	if (rc == RC_OK)
		rc = accept_secret(db, in, err);
	if (rc == RC_OK)
		rc = schedule_again(db, in, err);
	if (rc == RC_OK && in->reverify)
		rc = verify_task_queue(db, in->org_id, in->connection_id, err);
	if (rc == RC_OK && in->reverify)
		rc = check_answers_forget(db, in->org_id, in->connection_id, err);
	if (rc == RC_OK)
		rc = connection_status_settle(db, in->org_id, in->connection_id, err);
	if (rc == RC_OK)
		rc = audit(db, in, "connection.changed", err);
	return rc == RC_OK ? read_back(db, w, err) : rc;
}

enum rc connections_update(struct db *db, const struct connection_write *in, struct db_rows **ret,
			   struct err *err)
{
	return write_tx(db, in, update_body, ret, err);
}

enum rc connections_get(struct db *db, const struct db_who *who, struct id connection_id,
			struct db_rows **ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(who->org_id), arg_id(connection_id) };
	enum rc rc = db_run(db, who, &GET, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such connection");
	*ret = TAKE(rows);
	return RC_OK;
}

#define OF_ORG                                                                                     \
	READ " WHERE c.org_id = $1 AND c.deleted_at IS NULL"                                       \
	     " AND c.connection_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')"

static const struct stmt LIST = { "connections_list", OF_ORG " ORDER BY c.connection_id LIMIT $3",
				  3, .by_index = true };
/* Looks at the organization's own rows alone, of which there are CONNECTIONS_PER_ORGANIZATION_MAX. */
static const struct stmt LIST_SOME = { "connections_list_some",
				       OF_ORG
				       " AND ($4::text IS NULL OR c.status_state = $4)"
				       " AND ($5::text IS NULL OR c.aws_account_id = $5)"
				       " AND ($6::text IS NULL OR c.authoritative_status = $6)"
				       " AND ($7::text IS NULL OR starts_with(c.name, $7))"
				       " ORDER BY c.connection_id LIMIT $3",
				       7, .by_index = true };

enum rc connections_list(struct db *db, const struct db_who *who, const struct connection_filter *f,
			 struct db_rows **ret, struct err *err)
{
	bool all = !f->status.n && !f->aws_account_id.n && !f->authoritative_status.n &&
		   !f->name_prefix.n;
	const struct arg args[] = { arg_id(who->org_id),        arg_id(f->after),
				    arg_i64(f->limit),          arg_opt(f->status),
				    arg_opt(f->aws_account_id), arg_opt(f->authoritative_status),
				    arg_opt(f->name_prefix) };

	return db_run(db, who, all ? &LIST : &LIST_SOME, args, ret, err);
}

/* Of imports alone, so that of two at once the second one sees what the first one made. */
static const struct stmt LOCK_IMPORT = {
	"connections_lock_import",
	"SELECT pg_advisory_xact_lock(hashtextextended('import ' || $1::uuid, 0))", 1
};
static const struct stmt FIND_SAME = {
	"connections_find_same",
	"SELECT connection_id FROM connection WHERE org_id = $1 AND deleted_at IS NULL"
	" AND aws_account_id IS NOT DISTINCT FROM $2"
	" AND aws_organization_id IS NOT DISTINCT FROM $3 AND role_arn IS NOT DISTINCT FROM $4"
	" AND access_key_id IS NOT DISTINCT FROM $5 ORDER BY connection_id LIMIT 1",
	5
};

enum rc connections_lock_import(struct db *db, struct id org_id, struct err *err)
{
	return db_run(db, NULL, &LOCK_IMPORT, (const struct arg[]){ arg_id(org_id) }, NULL, err);
}

enum rc connections_find_same(struct db *db, struct id org_id, const struct connection_values *v,
			      struct id *ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(org_id), arg_opt(v->aws_account_id),
				    arg_opt(v->aws_organization_id), arg_opt(v->role_arn),
				    arg_opt(v->access_key_id) };
	enum rc rc = db_run(db, NULL, &FIND_SAME, args, &rows, err);

	if (rc == RC_OK)
		*ret = db_rows_count(rows) ? db_rows_id(rows, 0, "connection_id")
					   : (struct id){ { 0 } };
	return rc;
}
