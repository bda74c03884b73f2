/* Webhook endpoints as rows. Never selects a sealed secret. */
#include "db/webhooks.h"
#include "db/audit.h"
#include "db/events.h"
#include "db/sealed.h"
#include "db/tasks.h"
#include "db/webhooks_inside.h"

#define COLUMNS                                                                                    \
	"webhook_id, url, description, to_jsonb(events) AS events, state, state_reason, state_at," \
	" CASE WHEN previous_until > now() THEN previous_until END AS previous_until, version,"    \
	" created_at, updated_at"

enum rc webhook_audit(struct db *db, const struct webhook_write *in, const char *action,
		      struct err *err)
{
	char text[ID_TEXT_MAX];
	const struct audit_entry entry = { .org_id = in->org_id,
					   .actor = in->actor,
					   .action = action,
					   .target_kind = "webhook",
					   .target_id = text,
					   .request_id = in->request_id,
					   .detail = in->detail };

	id_text(in->webhook_id, "whk_", text);
	return audit_insert(db, NULL, &entry, err);
}

enum rc webhook_wake(struct db *db, struct id org_id, struct err *err)
{
	const struct new_task task = { .org_id = org_id, .kind = "deliver" };

	return tasks_insert(db, &task, NULL, err);
}

/* What a request answers with belongs to the transaction that made it. */
struct writing {
	const struct webhook_write *in;
	struct db_rows *row;
};

static const struct webhook_write *begin_writing(struct writing *w)
{
	db_rows_free(w->row);
	w->row = NULL;
	return w->in;
}

static enum rc write_tx(struct db *db, const struct webhook_write *in, db_tx_fn *body,
			struct db_rows **ret, struct err *err)
{
	struct writing w = { .in = in };
	const struct db_who who = { .org_id = in->org_id };
	enum rc rc = db_tx(db, &who, body, &w, err);

	if (rc == RC_OK && ret)
		*ret = TAKE(w.row);
	db_rows_free(w.row);
	return rc;
}

/* The lock makes the cap exact, for COUNT sees what was committed while we waited for it. */
static const struct stmt LOCK = {
	"webhooks_lock", "SELECT state FROM organization WHERE org_id = $1 FOR NO KEY UPDATE", 1
};
static const struct stmt COUNT = {
	"webhooks_count",
	"SELECT count(*) AS n FROM webhook WHERE org_id = $1 AND deleted_at IS NULL", 1
};
static const struct stmt INSERT = {
	"webhooks_insert",
	"INSERT INTO webhook (org_id, webhook_id, url, description, events, sealed_secret, state)"
	" VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $7 THEN 'enabled' ELSE 'disabled' END)"
	" RETURNING " COLUMNS,
	7
};

static enum rc check_room(struct db *db, const struct webhook_write *in, struct err *err)
{
	AUTO(db_rows) struct db_rows *owner = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg org[] = { arg_id(in->org_id) };
	enum rc rc = db_run(db, NULL, &LOCK, org, &owner, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(owner) == 0 || !str_eq(db_rows_text(owner, 0, "state"), S("active")))
		return err_set(err, RC_CONFLICT, "organization_deleting",
			       "The organization is being deleted; it gets no new webhooks.");
	rc = db_run(db, NULL, &COUNT, org, &rows, err);
	if (rc == RC_OK && db_rows_i64(rows, 0, "n") >= EVENTS_ENDPOINTS_MAX)
		return err_set(err, RC_CONFLICT, "too_many_webhooks",
			       "The organization has %d webhooks, which is the most it may have.",
			       EVENTS_ENDPOINTS_MAX);
	return rc;
}

static enum rc insert_body(struct db *db, void *arg, struct err *err)
{
	struct writing *w = arg;
	const struct webhook_write *in = begin_writing(w);
	const struct arg row[] = { arg_id(in->org_id),   arg_id(in->webhook_id),
				   arg_text(in->url),    arg_text(in->description),
				   arg_text(in->events), arg_bytes(in->sealed),
				   arg_bool(in->enabled) };
	enum rc rc = check_room(db, in, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &INSERT, row, &w->row, err);
	if (rc == RC_OK)
		rc = sealed_accept(db, in->sealed, err);
	return rc == RC_OK ? webhook_audit(db, in, "webhook.created", err) : rc;
}

enum rc webhooks_insert(struct db *db, const struct webhook_write *in, struct db_rows **ret,
			struct err *err)
{
	return write_tx(db, in, insert_body, ret, err);
}

static const struct stmt GET = { "webhooks_get",
				 "SELECT " COLUMNS " FROM webhook WHERE org_id = $1"
				 " AND webhook_id = $2 AND deleted_at IS NULL",
				 2 };

enum rc webhooks_get(struct db *db, struct id org_id, struct id webhook_id, struct db_rows **ret,
		     struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id), arg_id(webhook_id) };
	enum rc rc = db_run(db, &who, &GET, args, &rows, err);

	if (rc == RC_OK && db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "webhook_not_found", "no such webhook");
	if (rc == RC_OK)
		*ret = TAKE(rows);
	return rc;
}

static const struct stmt LIST = {
	"webhooks_list",
	"SELECT " COLUMNS " FROM webhook WHERE org_id = $1"
	" AND deleted_at IS NULL AND ($2::uuid IS NULL OR webhook_id > $2)"
	" ORDER BY webhook_id LIMIT $3",
	3
};

enum rc webhooks_list(struct db *db, struct id org_id, struct id after, int limit,
		      struct db_rows **ret, struct err *err)
{
	const struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id), arg_id(after), arg_i64(limit) };

	return db_run(db, &who, &LIST, args, ret, err);
}

/* Which of the two reasons a conditional write found no row for. */
static enum rc missed(struct db *db, const struct webhook_write *in, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(in->org_id), arg_id(in->webhook_id) };
	enum rc rc = db_run(db, NULL, &GET, args, &rows, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(rows) == 0)
		return err_set(err, RC_NOT_FOUND, "webhook_not_found", "no such webhook");
	return err_set(err, RC_CONFLICT, "version_changed",
		       "the webhook is not at the version that was named");
}

/* $6: NULL leaves it; what the worker disabled stays told apart from what a person did. */
static const struct stmt UPDATE = {
	"webhooks_update",
	"UPDATE webhook SET url = coalesce($3, url), description = coalesce($4, description),"
	" events = coalesce($5::text[], events),"
	" state = CASE WHEN $6 THEN 'enabled' WHEN NOT $6 AND state = 'enabled' THEN 'disabled'"
	"  ELSE state END,"
	" state_reason = CASE WHEN $6 THEN '' ELSE state_reason END,"
	" state_at = CASE WHEN $6 <> (state = 'enabled') THEN now() ELSE state_at END,"
	" exhausted = CASE WHEN $6 THEN 0 ELSE exhausted END,"
	" version = version + 1, updated_at = now()"
	" WHERE org_id = $1 AND webhook_id = $2 AND deleted_at IS NULL"
	" AND ($7 = 0 OR version = $7) RETURNING " COLUMNS,
	7
};

static enum rc update_body(struct db *db, void *arg, struct err *err)
{
	struct writing *w = arg;
	const struct webhook_write *in = begin_writing(w);
	const struct arg args[] = { arg_id(in->org_id),
				    arg_id(in->webhook_id),
				    in->has_url ? arg_text(in->url) : arg_null(),
				    in->has_description ? arg_text(in->description) : arg_null(),
				    in->has_events ? arg_text(in->events) : arg_null(),
				    in->has_enabled ? arg_bool(in->enabled) : arg_null(),
				    arg_i64(in->version) };
	enum rc rc = db_run(db, NULL, &UPDATE, args, &w->row, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(w->row) == 0)
		return missed(db, in, err);
	if (in->has_enabled && in->enabled)
		rc = webhook_wake(db, in->org_id, err);
	return rc == RC_OK ? webhook_audit(db, in, "webhook.updated", err) : rc;
}

enum rc webhooks_update(struct db *db, const struct webhook_write *in, struct db_rows **ret,
			struct err *err)
{
	return write_tx(db, in, update_body, ret, err);
}

static const struct stmt ROTATE = {
	"webhooks_rotate",
	"UPDATE webhook SET sealed_previous = sealed_secret, sealed_secret = $3,"
	" previous_until = now() + make_interval(secs => $4), version = version + 1,"
	" updated_at = now() WHERE org_id = $1 AND webhook_id = $2 AND deleted_at IS NULL"
	" RETURNING " COLUMNS,
	4
};

static enum rc rotate_body(struct db *db, void *arg, struct err *err)
{
	struct writing *w = arg;
	const struct webhook_write *in = begin_writing(w);
	const struct arg args[] = { arg_id(in->org_id), arg_id(in->webhook_id),
				    arg_bytes(in->sealed), arg_i64(WEBHOOKS_ROTATION_S) };
	enum rc rc = db_run(db, NULL, &ROTATE, args, &w->row, err);

	if (rc == RC_OK && db_rows_count(w->row) == 0)
		return missed(db, in, err);
	if (rc == RC_OK)
		rc = sealed_accept(db, in->sealed, err);
	if (rc == RC_OK)
		rc = webhook_wake(db, in->org_id, err); /* which erases the old one in time */
	return rc == RC_OK ? webhook_audit(db, in, "webhook.secret_rotated", err) : rc;
}

enum rc webhooks_rotate(struct db *db, const struct webhook_write *in, struct db_rows **ret,
			struct err *err)
{
	return write_tx(db, in, rotate_body, ret, err);
}

static const struct stmt DELETE = {
	"webhooks_delete",
	"UPDATE webhook SET deleted_at = now(), sealed_secret = NULL, sealed_previous = NULL,"
	" previous_until = NULL, state = 'disabled', version = version + 1 WHERE org_id = $1"
	" AND webhook_id = $2 AND deleted_at IS NULL AND ($3 = 0 OR version = $3)"
	" RETURNING " COLUMNS,
	3
};

static enum rc delete_body(struct db *db, void *arg, struct err *err)
{
	struct writing *w = arg;
	const struct webhook_write *in = begin_writing(w);
	const struct arg args[] = { arg_id(in->org_id), arg_id(in->webhook_id),
				    arg_i64(in->version) };
	enum rc rc = db_run(db, NULL, &DELETE, args, &w->row, err);

	if (rc != RC_OK)
		return rc;
	if (db_rows_count(w->row) == 0)
		return missed(db, in, err);
	rc = webhook_wake(db, in->org_id, err);
	return rc == RC_OK ? webhook_audit(db, in, "webhook.deleted", err) : rc;
}

enum rc webhooks_delete(struct db *db, const struct webhook_write *in, struct err *err)
{
	return write_tx(db, in, delete_body, NULL, err);
}
