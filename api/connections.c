/* Handlers of /v1/connections: read fields, one database call, reply.
 * Never calls AWS, never opens what it sealed. */
#include "api/connections.h"
#include "api/checks.h"
#include "api/connection_fields.h"
#include "api/connection_json.h"
#include "api/connection_make.h"
#include "api/connection_query.h"
#include "api/etag.h"
#include "api/reply.h"
#include "api/segment.h"
#include "base/mem.h"
#include "db/connections.h"
#include "db/schedule_rows.h"

enum { PATCH_TRIES = 4 };

static struct http_reply shown(const struct http_request *req, int status,
			       const struct db_rows *rows)
{
	struct json_out o = JSON_OUT_INIT(REPLY_OUT_MAX);
	struct http_reply reply = { 0 };

	connection_json(&o, rows, 0, req->caller.org_id);
	reply = reply_out(status, &o);
	etag_write(&reply, db_rows_i64(rows, 0, "version"));
	return reply;
}

struct http_reply connections_create(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO_TEXT char *sealed = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct body_connection_patch in = { 0 };
	struct connection_values values = { 0 };
	struct connection_known known = { .vendor = S("") };
	const struct id connection_id = id_new();
	char text[ID_TEXT_MAX], vendor[VENDOR_ACCOUNT_MAX] = "";
	struct http_reply reply = { 0 };

	if (connection_make_vendor(req, vendor, &err) != RC_OK)
		return problem_err(req, &err);
	known.vendor = str_c(vendor);

	bool good = connection_fields_create(req->body, &in, &values, &tree, &p);
	bool own = connection_fields_judge(&values, &known, &p);

	if (own)
		return connection_make_own_account(req);
	if (!good || p.status)
		return problem_reply(req, &p);
	if (str_eq(http_query(req, "validate_only"), S("true")))
		return checks_of_draft(req, &values, in.auth.secret_access_key.s);
	if (connection_make_seal(req, connection_id, in.auth.secret_access_key.s, &sealed, &values,
				 &err) != RC_OK)
		return problem_err(req, &err);

	const struct connection_write write = connection_make_write(req, connection_id, &values);

	if (connections_insert(req->db, &write, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	reply = shown(req, 201, rows);
	id_text(connection_id, "conn_", text);
	reply_location(&reply, "/v1/connections/%s", text);
	return reply;
}

struct http_reply connections_list_page(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct cursor cursor = { 0 };
	struct connection_filter filter = { 0 };
	struct json_out o = JSON_OUT_INIT(REPLY_OUT_MAX);
	char next[CURSOR_TEXT_MAX] = "";

	if (connection_query_read(req, &cursor, &filter, &err) != RC_OK ||
	    connections_list(req->db, &who, &filter, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	json_out_begin(&o, NULL, '{');
	json_out_begin(&o, "data", '[');
	for (int i = 0; i < db_rows_count(rows) && i < cursor.limit; i++)
		connection_json(&o, rows, i, req->caller.org_id);
	if (db_rows_count(rows) > cursor.limit)
		connection_query_next(req, rows, cursor.limit - 1, next);
	return reply_page_out(&o, next);
}

struct http_reply connections_show(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct id connection_id = { { 0 } };

	if (segment_id(req, 0, "conn_", &connection_id, &err) != RC_OK ||
	    connections_get(req->db, &who, connection_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return shown(req, 200, rows);
}

static void values_of(const struct db_rows *rows, struct connection_values *v)
{
	*v = (struct connection_values){
		.name = db_rows_text(rows, 0, "name"),
		.authoritative_status = db_rows_text(rows, 0, "authoritative_status"),
		.aws_account_id = db_rows_text(rows, 0, "aws_account_id"),
		.aws_organization_id = db_rows_text(rows, 0, "aws_organization_id"),
		.region = db_rows_text(rows, 0, "region"),
		.auth_method = db_rows_text(rows, 0, "auth_method"),
		.role_arn = db_rows_text(rows, 0, "role_arn"),
		.access_key_id = db_rows_text(rows, 0, "access_key_id"),
		.cloudtrail_bucket = db_rows_text(rows, 0, "cloudtrail_bucket"),
		.cloudtrail_days = db_rows_i64(rows, 0, "cloudtrail_days"),
		.cloudtrail_digest_prefix = db_rows_text(rows, 0, "cloudtrail_digest_prefix"),
		.schedule = schedule_rows_values(rows, 0),
		.paused = db_rows_bool(rows, 0, "paused"),
	};
}

/* One attempt over what is stored now. RC_CONFLICT version_changed: try again. */
static struct http_reply patch_once(struct http_request *req, struct id connection_id,
				    const struct db_rows *rows, bool *ret_retry)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO_JSON json_t *changed = NULL;
	AUTO_TEXT char *sealed = NULL;
	AUTO(db_rows) struct db_rows *fresh = NULL;
	struct body_connection_patch in = { 0 };
	struct connection_values old = { 0 }, values = { 0 };
	struct connection_known known = { .vendor = S("") };
	char vendor[VENDOR_ACCOUNT_MAX] = "";

	if (connection_make_vendor(req, vendor, &err) != RC_OK)
		return problem_err(req, &err);
	known.vendor = str_c(vendor);
	values_of(rows, &old);
	values = old;

	bool good = connection_fields_patch(req->body, &in, &values, &tree, &changed, &p);
	if (in.auth.state == FIELDS_SET || in.region.state == FIELDS_SET) {
		known.account = db_rows_text(rows, 0, "pinned_account_id");
		known.partition = db_rows_text(rows, 0, "pinned_partition");
	}

	bool own = connection_fields_judge(&values, &known, &p);

	if (own)
		return connection_make_own_account(req);
	if (!good || p.status)
		return problem_reply(req, &p);
	if (connection_make_seal(req, connection_id, in.auth.secret_access_key.s, &sealed, &values,
				 &err) != RC_OK)
		return problem_err(req, &err);

	struct connection_write write = connection_make_write(req, connection_id, &values);

	write.version = db_rows_i64(rows, 0, "version");
	write.reverify = in.auth.state == FIELDS_SET || !str_eq(old.region, values.region);
	write.reschedule =
		!schedule_plan_same(&old.schedule, &values.schedule) || old.paused != values.paused;
	write.forgive = in.auth.state == FIELDS_SET || in.schedule.state != FIELDS_ABSENT;
	write.detail = changed;
	if (connections_update(req->db, &write, &fresh, &err) != RC_OK) {
		*ret_retry = str_eq(str_c(err.code), S("version_changed"));
		return problem_err(req, &err);
	}
	return shown(req, 200, fresh);
}

struct http_reply connections_patch(struct http_request *req)
{
	const struct db_who who = http_who(req);
	struct id connection_id = { { 0 } };
	struct http_reply reply = { 0 };
	struct err err = { 0 };
	int64_t asked = 0;
	bool retry = true;

	if (segment_id(req, 0, "conn_", &connection_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!etag_asked(req, &asked))
		return etag_stale(req, "connection");
	for (int i = 0; retry && i < PATCH_TRIES; i++) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		http_reply_done(&reply);
		retry = false;
		if (connections_get(req->db, &who, connection_id, &rows, &err) != RC_OK)
			return problem_err(req, &err);
		if (asked && asked != db_rows_i64(rows, 0, "version"))
			return etag_stale(req, "connection");
		reply = patch_once(req, connection_id, rows, &retry);
	}
	return reply;
}

struct http_reply connections_remove(struct http_request *req)
{
	struct err err = { 0 };
	struct connection_delete in = { .org_id = req->caller.org_id,
					.actor = req->caller.actor,
					.request_id = req->request_id };
	bool again = false;

	if (segment_id(req, 0, "conn_", &in.connection_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!etag_asked(req, &in.version))
		return etag_stale(req, "connection");
	if (connections_delete(req->db, &in, &again, &err) != RC_OK)
		return str_eq(str_c(err.code), S("version_changed")) ? etag_stale(req, "connection")
								     : problem_err(req, &err);
	return reply_empty(again ? 204 : 202);
}
