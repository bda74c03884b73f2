/* Handlers of /v1/connections: read fields, one database call, reply.
 * Never calls AWS, never opens what it sealed. */
#include "api/connections.h"
#include "api/checks.h"
#include "api/connection_fields.h"
#include "api/connection_json.h"
#include "api/cursor.h"
#include "api/etag.h"
#include "api/reply.h"
#include "api/segment.h"
#include "base/mem.h"
#include "db/audit.h"
#include "db/connections.h"
#include "db/schedule_rows.h"
#include "db/vendor.h"

#include <stdio.h>

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

/* Trying to make us act on our own account is worth a line in the audit, whoever did it. */
static struct http_reply own_account(struct http_request *req)
{
	struct err err = { 0 };
	const struct db_who who = http_who(req);
	const struct audit_entry entry = { .org_id = req->caller.org_id,
					   .actor = req->caller.actor,
					   .action = "connection.own_account_role_refused",
					   .target_kind = "connection",
					   .target_id = "",
					   .request_id = req->request_id };

	if (audit_insert(req->db, &who, &entry, &err) != RC_OK)
		return problem_err(req, &err);
	return problem_of(
		req, 403, "own_account_role",
		"The role is in the account that runs this service, which is never connected.");
}

/* The account that runs this service: the setting, else what a worker found out about itself. */
static enum rc find_vendor(struct http_request *req, char out[VENDOR_ACCOUNT_MAX], struct err *err)
{
	if (!*req->env->vendor_account)
		return vendor_load(req->db, out, err);
	(void)snprintf(out, VENDOR_ACCOUNT_MAX, "%s", req->env->vendor_account);
	return RC_OK;
}

static enum rc seal(const struct http_request *req, struct id connection_id, struct str secret,
		    char **ret, struct connection_values *values, struct err *err)
{
	char org[ID_UUID_TEXT], connection[ID_UUID_TEXT];
	const struct seal_place place = { .org_id = { org, ID_UUID_TEXT - 1 },
					  .connection_id = { connection, ID_UUID_TEXT - 1 },
					  .field = S("secret_access_key") };
	size_t n = 0;
	enum rc rc = RC_OK;

	if (secret.n == 0)
		return RC_OK;
	id_uuid(req->caller.org_id, org);
	id_uuid(connection_id, connection);
	rc = sealfile_close(req->env->seal, &place, secret, ret, &n, err);
	if (rc == RC_OK)
		values->sealed = str_n(*ret, n);
	return rc;
}

static struct connection_write write_of(const struct http_request *req, struct id connection_id,
					const struct connection_values *values)
{
	return (struct connection_write){ .org_id = req->caller.org_id,
					  .connection_id = connection_id,
					  .values = values,
					  .verify_every_s = req->env->verify_every_s,
					  .first_in_s = schedule_plan_first_in_s(
						  connection_id, values->schedule.every_s),
					  .actor = req->caller.actor,
					  .request_id = req->request_id };
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

	if (find_vendor(req, vendor, &err) != RC_OK)
		return problem_err(req, &err);
	known.vendor = str_c(vendor);

	bool good = connection_fields_create(req->body, &in, &values, &tree, &p);
	bool own = connection_fields_judge(&values, &known, &p);

	if (own)
		return own_account(req);
	if (!good || p.status)
		return problem_reply(req, &p);
	if (str_eq(http_query(req, "validate_only"), S("true")))
		return checks_of_draft(req, &values, in.auth.secret_access_key.s);
	if (seal(req, connection_id, in.auth.secret_access_key.s, &sealed, &values, &err) != RC_OK)
		return problem_err(req, &err);

	const struct connection_write write = write_of(req, connection_id, &values);

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
	struct id after = { { 0 } };
	struct json_out o = JSON_OUT_INIT(REPLY_OUT_MAX);
	char next[CURSOR_TEXT_MAX] = "", last[ID_TEXT_MAX];

	if (cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_id(&cursor, "conn_", &after, &err) != RC_OK ||
	    connections_list(req->db, &who, after, cursor.limit + 1, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	json_out_begin(&o, NULL, '{');
	json_out_begin(&o, "data", '[');
	for (int i = 0; i < db_rows_count(rows) && i < cursor.limit; i++)
		connection_json(&o, rows, i, req->caller.org_id);
	if (db_rows_count(rows) > cursor.limit) {
		id_text(db_rows_id(rows, cursor.limit - 1, "connection_id"), "conn_", last);
		cursor_text(req, str_c(last), next);
	}
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

static struct http_reply stale(const struct http_request *req)
{
	return problem_of(
		req, 412, "version_changed",
		"The connection is not at the version that If-Match names; read it again.");
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

	if (find_vendor(req, vendor, &err) != RC_OK)
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
		return own_account(req);
	if (!good || p.status)
		return problem_reply(req, &p);
	if (seal(req, connection_id, in.auth.secret_access_key.s, &sealed, &values, &err) != RC_OK)
		return problem_err(req, &err);

	struct connection_write write = write_of(req, connection_id, &values);

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
		return stale(req);
	for (int i = 0; retry && i < PATCH_TRIES; i++) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		http_reply_done(&reply);
		retry = false;
		if (connections_get(req->db, &who, connection_id, &rows, &err) != RC_OK)
			return problem_err(req, &err);
		if (asked && asked != db_rows_i64(rows, 0, "version"))
			return stale(req);
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
		return stale(req);
	if (connections_delete(req->db, &in, &again, &err) != RC_OK)
		return str_eq(str_c(err.code), S("version_changed")) ? stale(req)
								     : problem_err(req, &err);
	return reply_empty(again ? 204 : 202);
}
