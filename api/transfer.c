/* Connections out as one JSON document and in again. An import is made as a whole or not at all, and every
 * item that stands in its way is named.
 * Never exports a secret, and never takes a connection without the secret that it needs. */
#include "api/transfer.h"
#include "api/bodies.h"
#include "api/connection_fields.h"
#include "api/connection_json.h"
#include "api/connection_make.h"
#include "api/connection_query.h"
#include "api/duration.h"
#include "api/reply.h"
#include "api/row_out.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>

static void put_duration(struct json_out *o, const char *key, int64_t seconds)
{
	char text[DURATION_TEXT_MAX];

	duration_text(seconds, text);
	json_out_text(o, key, str_c(text));
}

/* As a creation takes it: what is not set is left out. */
static void put_schedule(struct json_out *o, const struct db_rows *rows, int row)
{
	json_out_begin(o, "schedule", '{');
	if (db_rows_is_null(rows, row, "cron")) {
		put_duration(o, "every", db_rows_i64(rows, row, "every_s"));
	} else {
		row_out_text(o, "cron", rows, row, "cron");
		row_out_text(o, "time_zone", rows, row, "time_zone");
		put_duration(o, "jitter", db_rows_i64(rows, row, "jitter_s"));
	}
	row_out_text(o, "overlap", rows, row, "overlap");
	put_duration(o, "catch_up_window", db_rows_i64(rows, row, "catch_up_window_s"));
	json_out_end(o, '{');
}

static void put_exported(struct json_out *o, const struct db_rows *rows, int row)
{
	bool account = !db_rows_is_null(rows, row, "aws_account_id");
	bool role = !db_rows_is_null(rows, row, "role_arn");
	const char *target = account ? "aws_account_id" : "aws_organization_id";
	const char *way = role ? "role_arn" : "access_key_id";

	json_out_begin(o, NULL, '{');
	row_out_text(o, "name", rows, row, "name");
	row_out_text(o, "authoritative_status", rows, row, "authoritative_status");
	row_out_text(o, target, rows, row, target);
	row_out_text(o, "region", rows, row, "region");
	json_out_begin(o, "auth", '{');
	row_out_text(o, "method", rows, row, "auth_method");
	row_out_text(o, way, rows, row, way);
	json_out_end(o, '{');
	json_out_begin(o, "cloudtrail", '{');
	row_out_text(o, "bucket", rows, row, "cloudtrail_bucket");
	row_out_raw(o, "days", rows, row, "cloudtrail_days");
	row_out_text(o, "digest_prefix", rows, row, "cloudtrail_digest_prefix");
	json_out_end(o, '{');
	put_schedule(o, rows, row);
	row_out_bool(o, "paused", rows, row, "paused");
	json_out_end(o, '{');
}

struct http_reply transfer_export(struct http_request *req)
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
	json_out_i64(&o, "version", 1);
	json_out_begin(&o, "connections", '[');
	for (int i = 0; i < db_rows_count(rows) && i < cursor.limit; i++)
		put_exported(&o, rows, i);
	if (db_rows_count(rows) > cursor.limit)
		connection_query_next(req, rows, cursor.limit - 1, next);
	return reply_page_out(&o, next);
}

struct entry {
	struct body_connection_patch in;
	struct connection_values values; /* views into the body's tree */
	struct id connection_id;
	char *sealed;
};

struct import {
	struct http_request *req;
	struct entry *entries;
	size_t n;
	bool allow_duplicates;
	struct problem *p;
	struct json_out out;
};

static void import_done(struct import *m)
{
	for (size_t i = 0; i < m->n; i++)
		mem_free(m->entries[i].sealed);
	mem_free(m->entries);
	buf_done(&m->out.b);
}
DEFINE_AUTO_VALUE(import, import_done)

/* What is wrong within an item, said of the whole body. */
static void add_errors(struct problem *p, size_t item, const struct problem *of_item)
{
	size_t i = 0;
	json_t *error = NULL;

	json_array_foreach (of_item->errors, i, error) {
		char pointer[ERR_FIELD_MAX * 2];

		(void)snprintf(pointer, sizeof(pointer), "/connections/%zu%s", item,
			       json_str(error, "pointer").p);
		problem_field(p, pointer, json_str(error, "code").p, "%s",
			      json_str(error, "detail").p);
	}
}

/* The rules between the fields of each item. True when an item's role is in the vendor's own account. */
static bool judge_items(struct import *m, const struct fields_tree *items, struct str vendor)
{
	const struct connection_known known = { .vendor = vendor };
	bool own = false;

	m->n = fields_count(items);
	m->entries = mem_array(m->n, sizeof(*m->entries));
	for (size_t i = 0; i < m->n; i++) {
		AUTO(problem) struct problem p = { 0 };
		struct entry *e = &m->entries[i];

		const json_t *item = json_array_get(items->tree, i);
		bool good;

		if (!json_is_object(item)) /* which was told with the body */
			continue;
		good = connection_fields_item(item, &e->in, &e->values, &p);
		e->connection_id = id_new();
		own = connection_fields_judge(&e->values, &known, &p) || own;
		assert(good || p.status);
		add_errors(m->p, i, &p);
	}
	return own;
}

static enum rc seal_items(struct import *m, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < m->n && rc == RC_OK; i++) {
		struct entry *e = &m->entries[i];

		rc = connection_make_seal(m->req, e->connection_id, e->in.auth.secret_access_key.s,
					  &e->sealed, &e->values, err);
	}
	return rc;
}

static bool same(const struct connection_values *a, const struct connection_values *b)
{
	return str_eq(a->aws_account_id, b->aws_account_id) &&
	       str_eq(a->aws_organization_id, b->aws_organization_id) &&
	       str_eq(a->role_arn, b->role_arn) && str_eq(a->access_key_id, b->access_key_id);
}

static void add_duplicate(struct problem *p, size_t item, const char *of)
{
	char pointer[48];

	(void)snprintf(pointer, sizeof(pointer), "/connections/%zu", item);
	problem_set(p, 409, "duplicate_connections",
		    "Connections that enter the same account in the same way exist; leave them out,"
		    " or say allow_duplicates.");
	problem_field(p, pointer, "duplicate", "It enters the same account in the same way as %s.",
		      of);
}

static enum rc find_duplicate(struct db *db, struct import *m, size_t i, struct err *err)
{
	const struct connection_values *v = &m->entries[i].values;
	struct id found = { { 0 } };
	char of[ID_TEXT_MAX];
	enum rc rc = connections_find_same(db, m->req->caller.org_id, v, &found, err);

	if (rc != RC_OK)
		return rc;
	id_text(found, "conn_", of);
	if (!id_eq(found, (struct id){ { 0 } }))
		add_duplicate(m->p, i, of);
	for (size_t j = 0; j < i; j++) {
		if (!same(v, &m->entries[j].values))
			continue;
		(void)snprintf(of, sizeof(of), "/connections/%zu", j);
		add_duplicate(m->p, i, of);
		break;
	}
	return RC_OK;
}

static enum rc find_duplicates(struct db *db, struct import *m, struct err *err)
{
	enum rc rc = connections_lock_import(db, m->req->caller.org_id, err);

	for (size_t i = 0; i < m->n && rc == RC_OK; i++)
		rc = find_duplicate(db, m, i, err);
	if (rc == RC_OK && m->p->status)
		return err_set(err, RC_CONFLICT, "duplicate_connections", "there are duplicates");
	return rc;
}

static enum rc import_body(struct db *db, void *arg, struct err *err)
{
	struct import *m = arg;
	enum rc rc = RC_OK;

	/* It may run again after a lost serialization. */
	problem_done(m->p);
	buf_done(&m->out.b);
	m->out = JSON_OUT_INIT(REPLY_OUT_MAX);
	if (!m->allow_duplicates)
		rc = find_duplicates(db, m, err);
	json_out_begin(&m->out, NULL, '{');
	json_out_begin(&m->out, "data", '[');
	for (size_t i = 0; i < m->n && rc == RC_OK; i++) {
		const struct entry *e = &m->entries[i];
		AUTO(db_rows) struct db_rows *rows = NULL;
		const struct connection_write write =
			connection_make_write(m->req, e->connection_id, &e->values);

		rc = connections_insert(db, &write, &rows, err);
		if (rc == RC_OK)
			connection_json(&m->out, rows, 0, m->req->caller.org_id);
	}
	json_out_end(&m->out, '[');
	json_out_end(&m->out, '{');
	return rc;
}

struct http_reply transfer_import(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO(import) struct import m = { .req = req, .p = &p };
	const struct db_who who = http_who(req);
	struct body_connection_import in = { 0 };
	char vendor[VENDOR_ACCOUNT_MAX] = "";

	if (connection_make_vendor(req, vendor, &err) != RC_OK)
		return problem_err(req, &err);
	/* What is wrong between fields is told along with what is wrong with one alone. */
	if (!fields_read(req->body, FIELDS_CREATE, BODY_CONNECTION_IMPORT, &in, &tree, &p) && !tree)
		return problem_reply(req, &p);
	m.allow_duplicates = in.allow_duplicates.n != 0;
	if (judge_items(&m, &in.connections, str_c(vendor)))
		return connection_make_own_account(req);
	if (p.status)
		return problem_reply(req, &p);
	if (seal_items(&m, &err) != RC_OK)
		return problem_err(req, &err);
	if (db_tx(req->db, &who, import_body, &m, &err) != RC_OK)
		return p.status ? problem_reply(req, &p) : problem_err(req, &err);
	return reply_out(201, &m.out);
}
