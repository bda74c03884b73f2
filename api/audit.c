/* Handlers of the audit trails, an organization's and the operator's: read, export for `connectord audit
 * verify`, and name the end. Whose it is, the credential says.
 * Never writes an entry, not even about having been read. */
#include "api/audit.h"
#include "api/cursor.h"
#include "api/problem.h"
#include "api/reply.h"
#include "api/row_out.h"
#include "db/audit.h"

#include <stdio.h>

enum { EXPORT_LINES = 10000, POSITION_MAX = 24 };

static enum rc read_position(const struct cursor *c, int64_t *ret, struct err *err)
{
	if (!*c->position || str_to_i64(str_c(c->position), ret))
		return RC_OK;
	return err_field(err, "?cursor", "invalid_cursor",
			 "The cursor does not belong to this list; start without one.");
}

static void put_entry(struct json_out *o, const struct db_rows *rows, int row)
{
	static const char *const TEXTS[] = { "actor",     "action",     "target_kind",
					     "target_id", "request_id", "hash" };

	json_out_begin(o, NULL, '{');
	row_out_id(o, "id", rows, row, "audit_id", "aud_");
	row_out_raw(o, "seq", rows, row, "seq");
	row_out_time(o, "at", rows, row, "at");
	for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
		row_out_text(o, TEXTS[i], rows, row, TEXTS[i]);
	row_out_raw(o, "detail", rows, row, "detail");
	json_out_end(o, '{');
}

static struct http_reply list(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct cursor cursor = { 0 };
	struct json_out o = JSON_OUT_INIT(REPLY_OUT_MAX);
	char next[CURSOR_TEXT_MAX] = "", last[POSITION_MAX];
	int64_t before = 0;

	if (cursor_read(req, &cursor, &err) != RC_OK ||
	    read_position(&cursor, &before, &err) != RC_OK ||
	    audit_list(req->db, &who, before, cursor.limit + 1, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	json_out_begin(&o, NULL, '{');
	json_out_begin(&o, "data", '[');
	for (int i = 0; i < db_rows_count(rows) && i < cursor.limit; i++)
		put_entry(&o, rows, i);
	if (db_rows_count(rows) > cursor.limit) {
		(void)snprintf(last, sizeof(last), "%lld",
			       (long long)db_rows_i64(rows, cursor.limit - 1, "seq"));
		cursor_text(req, str_c(last), next);
	}
	return reply_page_out(&o, next);
}

/* The line comes from the database as it was hashed, and goes out untouched. */
static enum rc put_line(struct buf *b, const struct db_rows *rows, int row)
{
	const struct str parts[] = { S("{\"entry\":"), db_rows_text(rows, row, "line"),
				     S(",\"hash\":\""), db_rows_text(rows, row, "hash"),
				     S("\"}\n") };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < COUNT_OF(parts) && rc == RC_OK; i++)
		rc = buf_put(b, parts[i]);
	return rc;
}

static struct http_reply export(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO(buf) struct buf b = BUF_INIT(REPLY_OUT_MAX);
	const struct db_who who = http_who(req);
	struct str sent = http_query(req, "after");
	struct http_reply reply = { .status = 200, .type = "application/x-ndjson" };
	int64_t after = 0;
	int n = 0;

	if (sent.n > 0 && (!str_to_i64(sent, &after) || after < 0))
		return problem_of(req, 400, "invalid_query", "after is the seq of an entry.");
	if (audit_export(req->db, &who, after, EXPORT_LINES, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	while (n < db_rows_count(rows)) {
		size_t whole = b.n;

		/* What does not fit comes with the next call, which goes on from the last whole line. */
		if (put_line(&b, rows, n++) != RC_OK) {
			buf_cut(&b, whole);
			break;
		}
	}
	reply.n = b.n;
	reply.body = buf_take(&b);
	return reply;
}

static struct http_reply head(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct json_out o = JSON_OUT_INIT(REPLY_OUT_MAX);
	char org_id[ID_UUID_TEXT];

	if (audit_end(req->db, &who, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	id_uuid(req->caller.org_id, org_id);
	json_out_begin(&o, NULL, '{');
	json_out_text(&o, "org_id", str_c(org_id));
	row_out_raw(&o, "seq", rows, 0, "seq");
	row_out_text(&o, "hash", rows, 0, "hash");
	row_out_time(&o, "at", rows, 0, "at");
	json_out_end(&o, '{');
	return reply_out(200, &o);
}

struct http_reply audit_list_page(struct http_request *req)
{
	return list(req);
}

struct http_reply audit_export_page(struct http_request *req)
{
	return export(req);
}

struct http_reply audit_head(struct http_request *req)
{
	return head(req);
}

struct http_reply audit_list_operator(struct http_request *req)
{
	return list(req);
}

struct http_reply audit_export_operator(struct http_request *req)
{
	return export(req);
}

struct http_reply audit_head_operator(struct http_request *req)
{
	return head(req);
}
