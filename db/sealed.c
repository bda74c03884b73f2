/* Sealed values by column and organization. Opens none: that is the caller's, who has the keys. */
#include "db/sealed.h"
#include "base/buf.h"
#include "base/seal.h"
#include "db/audit.h"
#include "db/inside.h"

#include <assert.h>

enum { SWAPS_BYTES_MAX = 4 << 20 }; /* a hundred of the longest values are less than half of it */

/* The key's name stands behind the three bytes that name the form (base/seal.h). */
/* clang-format off */
#define LIST(table, id, column) \
	"SELECT " id " AS id, " column " AS sealed FROM " table \
	" WHERE org_id = $1 AND ($2::uuid IS NULL OR " id " > $2) AND " column " IS NOT NULL" \
	" AND ($3::bytea IS NULL OR substring(" column " FROM 4 FOR 8) <> $3::bytea)" \
	" ORDER BY " id " LIMIT $4"
#define SWAP(table, id, column) \
	"UPDATE " table " SET " column " = decode(s.later, 'hex') FROM unnest($2::uuid[], $3::text[]," \
	" $4::text[]) AS s (id, former, later) WHERE org_id = $1 AND " id " = s.id" \
	" AND " column " = decode(s.former, 'hex')"
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
	struct buf ids, former, later; /* arrays as SQL text, values in hex */
	int64_t replaced;
};

static void replacing_done(struct replacing *r)
{
	buf_done(&r->ids);
	buf_done(&r->former);
	buf_done(&r->later);
}
DEFINE_AUTO_VALUE(replacing, replacing_done)

static enum rc put_hex(struct buf *array, struct str bytes)
{
	static const char DIGITS[] = "0123456789abcdef";
	enum rc rc = buf_putc(array, array->n ? ',' : '{');

	for (size_t i = 0; i < bytes.n && rc == RC_OK; i++) {
		unsigned char byte = (unsigned char)bytes.p[i];
		const char hex[2] = { DIGITS[byte >> 4], DIGITS[byte & 15] };

		rc = buf_put(array, str_n(hex, sizeof(hex)));
	}
	return rc;
}

static enum rc add_swap(struct replacing *r, const struct sealed_swap *s)
{
	char id[ID_UUID_TEXT];
	enum rc rc;

	id_uuid(s->id, id);
	rc = buf_printf(&r->ids, "%c%s", r->ids.n ? ',' : '{', id);
	if (rc == RC_OK)
		rc = put_hex(&r->former, s->from);
	return rc == RC_OK ? put_hex(&r->later, s->to) : rc;
}

/* One statement and one round trip for all of them. */
static enum rc add_swaps(struct replacing *r, const struct sealed_swap *swaps, size_t n,
			 struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = add_swap(r, &swaps[i]);
	if (rc == RC_OK)
		rc = buf_putc(&r->ids, '}');
	if (rc == RC_OK)
		rc = buf_putc(&r->former, '}');
	if (rc == RC_OK)
		rc = buf_putc(&r->later, '}');
	return rc == RC_OK ? RC_OK
			   : err_set(err, RC_LIMIT, "value_too_large",
				     "more than %d bytes of sealed values at once",
				     (int)SWAPS_BYTES_MAX);
}

static enum rc replace(struct db *db, void *arg, struct err *err)
{
	struct replacing *r = arg;
	AUTO_JSON json_t *detail = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(r->org_id), arg_text(buf_str(&r->ids)),
				    arg_text(buf_str(&r->former)), arg_text(buf_str(&r->later)) };
	struct audit_entry entry = { .org_id = r->org_id,
				     .actor = "operator",
				     .action = "secrets.rewrapped",
				     .target_kind = "sealed_column",
				     .target_id = r->c->name,
				     .request_id = "" };
	enum rc rc = db_run(db, NULL, &r->c->swap, args, &rows, err);

	r->replaced = rc == RC_OK ? db_rows_affected(rows) : 0;
	if (r->replaced == 0)
		return rc;
	detail = json_pack("{s:I}", "values", (json_int_t)r->replaced);
	entry.detail = detail;
	return audit_insert(db, NULL, &entry, err);
}

enum rc sealed_replace(struct db *db, const struct sealed_column *c, struct id org_id,
		       const struct sealed_swap *swaps, size_t n, int64_t *ret_replaced,
		       struct err *err)
{
	AUTO(replacing)
	struct replacing r = { .c = c,
			       .org_id = org_id,
			       .ids = BUF_INIT(SWAPS_BYTES_MAX),
			       .former = BUF_INIT(SWAPS_BYTES_MAX),
			       .later = BUF_INIT(SWAPS_BYTES_MAX) };
	const struct db_who who = { .org_id = org_id };
	enum rc rc = add_swaps(&r, swaps, n, err);

	if (rc == RC_OK)
		rc = db_tx(db, &who, replace, &r, err);
	*ret_replaced = rc == RC_OK ? r.replaced : 0;
	return rc;
}

/* --- which keys are accepted --- */

static const struct stmt ACCEPT = {
	"sealed_accept",
	"SELECT EXISTS (SELECT FROM sealing_key_withdrawn WHERE key_id = $1) AS withdrawn", 1
};
static const struct stmt WITHDRAW = {
	"sealed_withdraw",
	"INSERT INTO sealing_key_withdrawn (key_id) VALUES ($1) ON CONFLICT DO NOTHING", 1
};

/* After the write and not before: by then the transaction has its number, so either this statement sees the withdrawal, or the
 * number is lower than every mark that is taken after the withdrawal. */
enum rc sealed_accept(struct db *db, struct str envelope, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	unsigned char key_id[SEAL_KEY_ID_BYTES];
	enum rc rc;

	assert(db->in_tx);
	if (!seal_key_id(envelope, key_id))
		return err_set(err, RC_BROKEN, "seal_broken", "what is stored is no sealed value");

	const struct arg args[] = { arg_bytes(str_n(key_id, sizeof(key_id))) };

	rc = db_run(db, NULL, &ACCEPT, args, &rows, err);
	if (rc != RC_OK || !db_rows_bool(rows, 0, "withdrawn"))
		return rc;
	return err_set(err, RC_RETRY, "sealing_key_withdrawn",
		       "The secret was sealed with a key that has been withdrawn, so nothing was "
		       "stored; send it again. Should this last, this server has an old seal.pub, "
		       "and its operator must give it the new one.");
}

enum rc sealed_withdraw(struct db *db, struct str key_id, struct err *err)
{
	const struct arg args[] = { arg_bytes(key_id) };

	return db_run(db, NULL, &WITHDRAW, args, NULL, err);
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
