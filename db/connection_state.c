/* The worker's reads and writes of a connection. Never changes what a person set: name, auth, region, paused. */
#include "db/connection_state.h"
#include "base/mem.h"
#include "db/connection_status.h"
#include "db/status_rule.h"

static const struct stmt LOAD = {
	"connection_state_load",
	"SELECT c.name, c.aws_account_id, c.aws_organization_id, c.region, c.auth_method, "
	"c.role_arn, c.access_key_id,"
	" c.sealed_secret_access_key AS sealed, c.paused, c.deleted_at IS NOT NULL AS deleted, "
	"c.verify_state, c.verify_code,"
	" c.pinned_account_id, c.pinned_partition, c.version, c.cloudtrail_bucket,"
	" c.cloudtrail_digest_prefix,"
	" extract(epoch FROM now() - greatest(c.created_at, c.updated_at))::bigint AS age_s,"
	" EXISTS (SELECT FROM sync s WHERE s.org_id = $1 AND s.connection_id = $2) AS synced"
	" FROM connection c WHERE c.org_id = $1 AND c.connection_id = $2",
	2
};

#define AT(member) #member, offsetof(struct connection_state, member)
static const struct {
	const char *name;
	size_t at;
} TEXTS[] = {
	{ AT(name) },
	{ AT(aws_account_id) },
	{ AT(aws_organization_id) },
	{ AT(region) },
	{ AT(auth_method) },
	{ AT(role_arn) },
	{ AT(access_key_id) },
	{ AT(verify_state) },
	{ AT(verify_code) },
	{ AT(pinned_account_id) },
	{ AT(pinned_partition) },
	{ AT(cloudtrail_bucket) },
	{ AT(cloudtrail_digest_prefix) },
};
#undef AT

static char **text_at(struct connection_state *c, size_t i)
{
	return (char **)((void *)((char *)c + TEXTS[i].at));
}

void connection_state_free(struct connection_state *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
		mem_free(*text_at(c, i));
	mem_free(c->sealed);
	mem_free(c);
}

static struct connection_state *from_row(const struct db_rows *rows)
{
	struct connection_state *c = MEM_NEW(struct connection_state);

	for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
		*text_at(c, i) = str_dup(db_rows_text(rows, 0, TEXTS[i].name));
	if (!db_rows_is_null(rows, 0, "sealed"))
		c->sealed = db_rows_bytes(rows, 0, "sealed", &c->sealed_n);
	c->paused = db_rows_bool(rows, 0, "paused");
	c->deleted = db_rows_bool(rows, 0, "deleted");
	c->synced = db_rows_bool(rows, 0, "synced");
	c->version = db_rows_i64(rows, 0, "version");
	c->age_s = db_rows_i64(rows, 0, "age_s");
	return c;
}

/* Nobody waits for a draft's role to become known: what AWS says now is the answer. */
struct connection_state *connection_state_draft(struct id org_id, struct id id, const json_t *draft,
						struct str sealed)
{
	struct connection_state *c = MEM_NEW(struct connection_state);

	for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
		*text_at(c, i) = str_dup(json_str(draft, TEXTS[i].name));
	if (sealed.n > 0) {
		c->sealed = mem_alloc(sealed.n);
		memcpy(c->sealed, sealed.p, sealed.n);
		c->sealed_n = sealed.n;
	}
	c->org_id = org_id;
	c->connection_id = id;
	c->age_s = INT32_MAX;
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

/* $11: no verdict, and nothing that outweighs the reason of the one that stands. */
#define KEEPS                                                                                      \
	"CASE WHEN $11 AND (verify_state = 'refused' OR verify_code IN "                           \
	"('external_id_not_enforced', 'external_id_shared', 'external_id_inexact')) THEN "
static const struct stmt JUDGE = {
	"connection_state_judge",
	"UPDATE connection SET verify_state = coalesce($4::text, verify_state),"
	" verify_code = " KEEPS "verify_code ELSE $5 END,"
	" verify_text = " KEEPS "verify_text ELSE $6 END,"
	" verify_aws = " KEEPS
	"verify_aws ELSE $7::jsonb END, external_id_enforced = coalesce($8::boolean, "
	"external_id_enforced),"
	" verified_at = CASE WHEN $4::text IS NULL THEN verified_at ELSE now() END,"
	" pinned_account_id = coalesce(pinned_account_id, $9), pinned_partition = "
	"coalesce(pinned_partition, $10)"
	" WHERE org_id = $1 AND connection_id = $2 AND version = $3 AND deleted_at IS NULL "
	"RETURNING 1 AS done",
	11
};
#undef KEEPS

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
		arg_bool(!v->state && !status_rule_blocks(str_c(v->code))),
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
