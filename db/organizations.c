/* Organizations and their queue slots.
 * Never hands out an org_id twice: it is an external ID in customers' trust policies. */
#include "db/organizations.h"
#include "db/audit.h"

#define COLUMNS "org_id, name, state, worker_slots, created_at, updated_at"

static const struct stmt INSERT_USED = {
	"organizations_insert_used",
	"INSERT INTO organization_id_used (org_id) VALUES ($1) ON CONFLICT DO NOTHING", 1
};
static const struct stmt INSERT = {
	"organizations_insert",
	"INSERT INTO organization (org_id, name, worker_slots) VALUES ($1, $2, $3)"
	" RETURNING " COLUMNS,
	3
};
static const struct stmt INSERT_QUEUE = { "organizations_insert_queue",
					  "INSERT INTO org_queue (org_id, slots) VALUES ($1, $2)",
					  2 };

static struct db_who operator_of(struct id org_id)
{
	return (struct db_who){ .org_id = org_id, .operator_role = true };
}

static enum rc audit(struct db *db, struct id org_id, const char *action, const char *actor,
		     const char *request_id, struct err *err)
{
	char text[ID_UUID_TEXT];
	const struct audit_entry entry = { .org_id = org_id,
					   .actor = actor,
					   .action = action,
					   .target_kind = "organization",
					   .target_id = text,
					   .request_id = request_id };

	id_uuid(org_id, text);
	return audit_insert(db, NULL, &entry, err);
}

struct insertion {
	const struct new_organization *in;
	struct db_rows *row;
};

static enum rc insert_body(struct db *db, void *arg, struct err *err)
{
	struct insertion *i = arg;
	const struct new_organization *in = i->in;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg used[] = { arg_id(in->org_id) };
	const struct arg row[] = { arg_id(in->org_id), arg_text(in->name),
				   arg_i64(in->worker_slots) };
	const struct arg queue[] = { arg_id(in->org_id), arg_i64(in->worker_slots) };
	enum rc rc = db_run(db, NULL, &INSERT_USED, used, &rows, err);

	db_rows_free(i->row);
	i->row = NULL;
	if (rc != RC_OK)
		return rc;
	if (db_rows_affected(rows) == 0)
		return err_set(err, RC_CONFLICT, "org_id_used",
			       "This org_id exists or existed; an ID is never used twice.");
	rc = db_run(db, NULL, &INSERT, row, &i->row, err);
	if (rc != RC_OK)
		return rc;
	rc = db_run(db, NULL, &INSERT_QUEUE, queue, NULL, err);
	if (rc != RC_OK)
		return rc;
	return audit(db, in->org_id, "organization.created", in->actor, in->request_id, err);
}

enum rc organizations_insert(struct db *db, const struct new_organization *in, struct db_rows **ret,
			     struct err *err)
{
	struct insertion i = { .in = in };
	const struct db_who who = operator_of(in->org_id);
	enum rc rc = db_tx(db, &who, insert_body, &i, err);

	if (rc == RC_OK)
		*ret = TAKE(i.row);
	db_rows_free(i.row);
	return rc;
}

static const struct stmt GET = { "organizations_get",
				 "SELECT " COLUMNS " FROM organization WHERE org_id = $1", 1 };

enum rc organizations_get(struct db *db, struct id org_id, struct db_rows **ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = operator_of(org_id);
	const struct arg args[] = { arg_id(org_id) };
	enum rc rc = db_run(db, &who, &GET, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such organization");
	*ret = TAKE(rows);
	return RC_OK;
}

static const struct stmt LIST = {
	"organizations_list",
	"SELECT " COLUMNS " FROM organization WHERE org_id > coalesce($1::uuid, "
	"'00000000-0000-0000-0000-000000000000') ORDER BY org_id LIMIT $2",
	2
};

enum rc organizations_list(struct db *db, struct id after, int limit, struct db_rows **ret,
			   struct err *err)
{
	const struct db_who who = { .operator_role = true };
	const struct arg args[] = { arg_id(after), arg_i64(limit) };

	return db_run(db, &who, &LIST, args, ret, err);
}

static const struct stmt UPDATE = { "organizations_update",
				    "UPDATE organization SET name = coalesce($2, name), "
				    "worker_slots = coalesce($3, worker_slots),"
				    " updated_at = now() WHERE org_id = $1 RETURNING " COLUMNS,
				    3 };
static const struct stmt UPDATE_QUEUE = { "organizations_update_queue",
					  "UPDATE org_queue SET slots = $2 WHERE org_id = $1", 2 };

struct updating {
	const struct organization_change *change;
	struct db_rows *row;
};

static enum rc update_body(struct db *db, void *arg, struct err *err)
{
	struct updating *u = arg;
	const struct organization_change *c = u->change;
	const struct arg slots = c->worker_slots ? arg_i64(c->worker_slots) : arg_null();
	const struct arg args[] = { arg_id(c->org_id), arg_opt(c->name), slots };
	const struct arg queue[] = { arg_id(c->org_id), slots };
	enum rc rc = RC_OK;

	db_rows_free(u->row);
	u->row = NULL;
	rc = db_run(db, NULL, &UPDATE, args, &u->row, err);
	if (rc != RC_OK)
		return rc;
	if (db_rows_count(u->row) == 0)
		return err_set(err, RC_NOT_FOUND, "not_found", "no such organization");
	if (c->worker_slots) {
		rc = db_run(db, NULL, &UPDATE_QUEUE, queue, NULL, err);
		if (rc != RC_OK)
			return rc;
	}
	return audit(db, c->org_id, "organization.changed", c->actor, c->request_id, err);
}

enum rc organizations_update(struct db *db, const struct organization_change *change,
			     struct db_rows **ret, struct err *err)
{
	struct updating u = { .change = change };
	const struct db_who who = operator_of(change->org_id);
	enum rc rc = db_tx(db, &who, update_body, &u, err);

	if (rc == RC_OK)
		*ret = TAKE(u.row);
	db_rows_free(u.row);
	return rc;
}
