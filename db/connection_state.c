/* The worker's reads and writes of a connection. Never changes what a person set: name, auth, region, paused. */
#include "db/connection_state.h"
#include "base/mem.h"
#include "db/connection_status.h"

static const struct stmt LOAD = {
	"connection_state_load",
	"SELECT c.name, c.aws_account_id, c.aws_organization_id, c.region, c.auth_method, "
	"c.role_arn, c.access_key_id,"
	" c.sealed_secret_access_key AS sealed, c.paused, c.deleted_at IS NOT NULL AS deleted, "
	"c.verify_state, c.verify_code,"
	" c.pinned_account_id, c.pinned_partition, c.version,"
	" extract(epoch FROM now() - greatest(c.created_at, c.updated_at))::bigint AS age_s,"
	" EXISTS (SELECT FROM sync s WHERE s.org_id = $1 AND s.connection_id = $2) AS synced"
	" FROM connection c WHERE c.org_id = $1 AND c.connection_id = $2",
	2
};

static char *copy(const struct db_rows *rows, const char *column)
{
	return str_dup(db_rows_text(rows, 0, column));
}

void connection_state_free(struct connection_state *c)
{
	if (!c)
		return;
	char *const owned[] = {
		c->name,         c->aws_account_id, c->aws_organization_id, c->region,
		c->auth_method,  c->role_arn,       c->access_key_id,       c->sealed,
		c->verify_state, c->verify_code,    c->pinned_account_id,   c->pinned_partition
	};

	for (size_t i = 0; i < COUNT_OF(owned); i++)
		mem_free(owned[i]);
	mem_free(c);
}

static struct connection_state *from_row(const struct db_rows *rows)
{
	struct connection_state *c = MEM_NEW(struct connection_state);

	c->name = copy(rows, "name");
	c->aws_account_id = copy(rows, "aws_account_id");
	c->aws_organization_id = copy(rows, "aws_organization_id");
	c->region = copy(rows, "region");
	c->auth_method = copy(rows, "auth_method");
	c->role_arn = copy(rows, "role_arn");
	c->access_key_id = copy(rows, "access_key_id");
	c->verify_state = copy(rows, "verify_state");
	c->verify_code = copy(rows, "verify_code");
	c->pinned_account_id = copy(rows, "pinned_account_id");
	c->pinned_partition = copy(rows, "pinned_partition");
	if (!db_rows_is_null(rows, 0, "sealed"))
		c->sealed = db_rows_bytes(rows, 0, "sealed", &c->sealed_n);
	c->paused = db_rows_bool(rows, 0, "paused");
	c->deleted = db_rows_bool(rows, 0, "deleted");
	c->synced = db_rows_bool(rows, 0, "synced");
	c->version = db_rows_i64(rows, 0, "version");
	c->age_s = db_rows_i64(rows, 0, "age_s");
	return c;
}

enum rc connection_state_load(struct db *db, struct id org_id, struct id connection_id,
			      struct connection_state **ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id), arg_id(connection_id) };
	enum rc rc = db_run(db, &who, &LOAD, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "connection_gone",
			       "the connection does not exist any more");
	*ret = from_row(rows);
	(*ret)->org_id = org_id;
	(*ret)->connection_id = connection_id;
	return RC_OK;
}

static const struct stmt JUDGE = {
	"connection_state_judge",
	"UPDATE connection SET verify_state = coalesce($4::text, verify_state), verify_code = $5, "
	"verify_text = $6,"
	" verify_aws = $7::jsonb, external_id_enforced = coalesce($8::boolean, "
	"external_id_enforced),"
	" verified_at = CASE WHEN $4::text IS NULL THEN verified_at ELSE now() END,"
	" pinned_account_id = coalesce(pinned_account_id, $9), pinned_partition = "
	"coalesce(pinned_partition, $10)"
	" WHERE org_id = $1 AND connection_id = $2 AND version = $3 AND deleted_at IS NULL "
	"RETURNING 1 AS done",
	10
};

enum rc connection_state_judge(struct db *db, const struct connection_state *c,
			       const struct connection_verdict *v, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_TEXT char *aws = v->aws ? json_text(v->aws) : NULL;
	const struct arg args[] = {
		arg_id(c->org_id),
		arg_id(c->connection_id),
		arg_i64(c->version),
		arg_c(v->state),
		arg_c(v->code),
		arg_c(v->text),
		arg_c(aws),
		v->external_id_enforced < 0 ? arg_null() : arg_bool(v->external_id_enforced != 0),
		arg_c(v->account),
		arg_c(v->partition),
	};
	enum rc rc = db_run(db, NULL, &JUDGE, args, &rows, err);

	if (rc == RC_OK && db_rows_count(rows) == 0)
		return err_set(err, RC_RETRY, "connection_changed",
			       "the connection was changed while it was being checked; the check "
			       "runs again");
	return rc == RC_OK ? connection_status_settle(db, c->org_id, c->connection_id, err) : rc;
}

static const struct stmt VERIFY_QUEUED = {
	"connection_state_verify_queued",
	"SELECT 1 AS queued FROM task WHERE org_id = $1 AND connection_id = $2 AND kind = 'verify'"
	" AND task_id <> $3 LIMIT 1",
	3, .by_index = true
};

enum rc connection_state_verify_queued(struct db *db, const struct connection_state *c,
				       struct id except, bool *ret_queued, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(c->org_id), arg_id(c->connection_id), arg_id(except) };
	enum rc rc = db_run(db, NULL, &VERIFY_QUEUED, args, &rows, err);

	*ret_queued = rc == RC_OK && db_rows_count(rows) > 0;
	return rc;
}
