/* Sealed values by column and organization. Opens none: that is the caller's, who has the keys. */
#include "db/sealed.h"
#include "db/audit.h"

/* The key's name stands behind the three bytes that name the form (base/seal.h). */
/* clang-format off */
#define LIST(table, id, column) \
	"SELECT " id " AS id, " column " AS sealed FROM " table \
	" WHERE org_id = $1 AND ($2::uuid IS NULL OR " id " > $2) AND " column " IS NOT NULL" \
	" AND ($3::bytea IS NULL OR substring(" column " FROM 4 FOR 8) <> $3::bytea)" \
	" ORDER BY " id " LIMIT $4"
#define SWAP(table, id, column) \
	"UPDATE " table " SET " column " = $4 WHERE org_id = $1 AND " id " = $2 AND " column " = $3"
/* clang-format on */

static const struct sealed_column COLUMNS[] = {
	{ "connection.sealed_secret_access_key",
	  "secret_access_key",
	  "conn_",
	  { "sealed_list_connection",
	    LIST("connection", "connection_id", "sealed_secret_access_key"), 4 },
	  { "sealed_swap_connection",
	    SWAP("connection", "connection_id", "sealed_secret_access_key"), 4 } },
	{ "connection_check.draft_sealed",
	  "secret_access_key",
	  "chk_",
	  { "sealed_list_draft", LIST("connection_check", "check_id", "draft_sealed"), 4 },
	  { "sealed_swap_draft", SWAP("connection_check", "check_id", "draft_sealed"), 4 } },
	{ "webhook.sealed_secret",
	  "webhook_secret",
	  "whk_",
	  { "sealed_list_webhook", LIST("webhook", "webhook_id", "sealed_secret"), 4 },
	  { "sealed_swap_webhook", SWAP("webhook", "webhook_id", "sealed_secret"), 4 } },
	{ "webhook.sealed_previous",
	  "webhook_secret",
	  "whk_",
	  { "sealed_list_previous", LIST("webhook", "webhook_id", "sealed_previous"), 4 },
	  { "sealed_swap_previous", SWAP("webhook", "webhook_id", "sealed_previous"), 4 } },
};

const struct sealed_column *sealed_column_at(size_t i)
{
	return i < COUNT_OF(COLUMNS) ? &COLUMNS[i] : NULL;
}

static const struct stmt ORGANIZATIONS = {
	"sealed_organizations",
	"SELECT org_id FROM organization WHERE $1::uuid IS NULL OR org_id > $1"
	" ORDER BY org_id LIMIT $2",
	2
};

enum rc sealed_organizations(struct db *db, struct id after, int limit, struct db_rows **ret,
			     struct err *err)
{
	const struct arg args[] = { arg_id(after), arg_i64(limit) };

	return db_run(db, NULL, &ORGANIZATIONS, args, ret, err);
}

enum rc sealed_list(struct db *db, const struct sealed_column *c, struct id org_id, struct id after,
		    struct str but_key, int limit, struct db_rows **ret, struct err *err)
{
	const struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id), arg_id(after),
				    but_key.n ? arg_bytes(but_key) : arg_null(), arg_i64(limit) };

	return db_run(db, &who, &c->list, args, ret, err);
}

struct replacing {
	const struct sealed_column *c;
	struct id org_id;
	const struct sealed_swap *swaps;
	size_t n;
	int64_t replaced;
};

static enum rc replace(struct db *db, void *arg, struct err *err)
{
	struct replacing *r = arg;
	AUTO_JSON json_t *detail = NULL;
	struct audit_entry entry = { .org_id = r->org_id,
				     .actor = "operator",
				     .action = "secrets.rewrapped",
				     .target_kind = "sealed_column",
				     .target_id = r->c->name,
				     .request_id = "" };
	enum rc rc = RC_OK;

	r->replaced = 0;
	for (size_t i = 0; i < r->n && rc == RC_OK; i++) {
		AUTO(db_rows) struct db_rows *rows = NULL;
		const struct sealed_swap *s = &r->swaps[i];
		const struct arg args[] = { arg_id(r->org_id), arg_id(s->id), arg_bytes(s->from),
					    arg_bytes(s->to) };

		rc = db_run(db, NULL, &r->c->swap, args, &rows, err);
		if (rc == RC_OK)
			r->replaced += db_rows_affected(rows);
	}
	if (rc != RC_OK || r->replaced == 0)
		return rc;
	detail = json_pack("{s:I}", "values", (json_int_t)r->replaced);
	entry.detail = detail;
	return audit_insert(db, NULL, &entry, err);
}

enum rc sealed_replace(struct db *db, const struct sealed_column *c, struct id org_id,
		       const struct sealed_swap *swaps, size_t n, int64_t *ret_replaced,
		       struct err *err)
{
	struct replacing r = { c, org_id, swaps, n, 0 };
	const struct db_who who = { .org_id = org_id };
	enum rc rc = db_tx(db, &who, replace, &r, err);

	*ret_replaced = rc == RC_OK ? r.replaced : 0;
	return rc;
}

/* --- who is still writing --- */

/* A transaction's own number is higher than all that were given out before. */
static const struct stmt MARK = { "sealed_mark",
				  "SELECT pg_current_xact_id()::text::bigint AS mark", 0 };
static const struct stmt IS_OVER = {
	"sealed_is_over",
	"SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= $1 AS is_over", 1
};

enum rc sealed_mark(struct db *db, int64_t *ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &MARK, NULL, &rows, err);

	if (rc == RC_OK)
		*ret = db_rows_i64(rows, 0, "mark");
	return rc;
}

enum rc sealed_is_over(struct db *db, int64_t mark, bool *ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_i64(mark) };
	enum rc rc = db_run(db, NULL, &IS_OVER, args, &rows, err);

	if (rc == RC_OK)
		*ret = db_rows_bool(rows, 0, "is_over");
	return rc;
}
