/* Handlers of syncs: start, watch, cancel.
 * Never waits for one: 202 and a Location to look at. */
#include "db/syncs.h"
#include "api/bodies.h"
#include "api/cursor.h"
#include "api/reply.h"
#include "api/segment.h"
#include "api/syncs.h"
#include "db/connections.h"

#include <stdio.h>

/* A body may be absent; one that is there has no members. */
static bool body_is_empty(const struct http_request *req, struct problem *p)
{
	AUTO_JSON json_t *tree = NULL;
	struct body_nothing none = { 0 };

	return req->body.n == 0 ||
	       fields_read(req->body, FIELDS_CREATE, BODY_NOTHING, &none, &tree, p);
}

static json_t *progress(const struct db_rows *rows, int row)
{
	static const char *const NAMES[] = {
		"accounts_total",  "accounts_done",   "scopes_total", "scopes_done",
		"calls",           "throttles",       "objects_seen", "objects_added",
		"objects_changed", "objects_removed",
	};
	json_t *p = json_object();

	for (size_t i = 0; i < COUNT_OF(NAMES); i++)
		(void)json_object_set_new(p, NAMES[i], reply_i64(rows, row, NAMES[i]));
	return p;
}

static json_t *as_json(const struct db_rows *rows, int row)
{
	static const char *const TEXTS[] = { "cause", "state", "requested_by", "reason_code",
					     "reason" };
	static const char *const TIMES[] = { "created_at", "started_at", "finished_at" };
	json_t *s = json_pack("{s:o, s:o, s:o, s:o}", "id",
			      reply_id(db_rows_id(rows, row, "sync_id"), "sync_"), "connection_id",
			      reply_id(db_rows_id(rows, row, "connection_id"), "conn_"),
			      "cancel_requested", reply_bool(rows, row, "cancel"), "progress",
			      progress(rows, row));

	for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
		(void)json_object_set_new(s, TEXTS[i], reply_text(rows, row, TEXTS[i]));
	for (size_t i = 0; i < COUNT_OF(TIMES); i++)
		(void)json_object_set_new(s, TIMES[i], reply_time(rows, row, TIMES[i]));
	return s;
}

static struct http_reply accepted(const struct db_rows *rows, struct id sync_id)
{
	struct http_reply reply = reply_json(202, as_json(rows, 0));
	char text[ID_TEXT_MAX];

	id_text(sync_id, "sync_", text);
	reply_location(&reply, "/v1/syncs/%s", text);
	return reply;
}

/* One transaction with the read of what is answered: a read after the commit could fail and tell the
 * caller to try again what has been done. */
struct acting {
	struct http_request *req;
	struct new_sync start;
	struct id sync_id;
	struct db_rows *row;
};

static enum rc read_back(struct db *db, struct acting *a, struct err *err)
{
	db_rows_free(a->row);
	a->row = NULL;
	return syncs_get(db, a->req->caller.org_id, a->sync_id, &a->row, err);
}

static enum rc start_body(struct db *db, void *arg, struct err *err)
{
	struct acting *a = arg;
	enum rc rc = syncs_start(db, &a->start, &a->sync_id, err);

	return rc == RC_OK ? read_back(db, a, err) : rc;
}

static enum rc cancel_body(struct db *db, void *arg, struct err *err)
{
	struct acting *a = arg;
	enum rc rc = syncs_cancel(db, a->req->caller.org_id, a->sync_id, a->req->caller.actor,
				  a->req->request_id, err);

	return rc == RC_OK ? read_back(db, a, err) : rc;
}

static struct http_reply act(struct acting *a, db_tx_fn *body)
{
	struct err err = { 0 };
	const struct db_who who = http_who(a->req);
	enum rc rc = db_tx(a->req->db, &who, body, a, &err);
	struct http_reply reply =
		rc == RC_OK ? accepted(a->row, a->sync_id) : problem_err(a->req, &err);
	char text[ID_TEXT_MAX];

	db_rows_free(a->row);
	if (str_eq(str_c(err.code), S("sync_active"))) {
		id_text(a->sync_id, "sync_", text);
		reply_location(&reply, "/v1/syncs/%s", text);
	}
	return reply;
}

struct http_reply syncs_create(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	struct acting a = { .req = req,
			    .start = { .org_id = req->caller.org_id,
				       .cause = "request",
				       .requested_by = req->caller.actor,
				       .request_id = req->request_id } };

	if (segment_id(req, 0, "conn_", &a.start.connection_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!body_is_empty(req, &p))
		return problem_reply(req, &p);
	return act(&a, start_body);
}

static struct http_reply page(struct http_request *req, struct id connection_id)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct cursor cursor = { 0 };
	struct id before = { { 0 } };

	if (cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_id(&cursor, "sync_", &before, &err) != RC_OK ||
	    syncs_list(req->db, req->caller.org_id, connection_id, http_query(req, "state").p,
		       before, cursor.limit + 1, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return cursor_page(req, &cursor, rows, as_json, "sync_id", "sync_");
}

struct http_reply syncs_list_page(struct http_request *req)
{
	struct err err = { 0 };
	struct id connection_id = { { 0 } };

	if (segment_filter(req, "connection_id", "conn_", &connection_id, &err) != RC_OK)
		return problem_err(req, &err);
	return page(req, connection_id);
}

struct http_reply syncs_list_of_connection(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct id connection_id = { { 0 } };

	if (segment_id(req, 0, "conn_", &connection_id, &err) != RC_OK ||
	    connections_get(req->db, &who, connection_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return page(req, connection_id);
}

struct http_reply syncs_show(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct id sync_id = { { 0 } };

	if (segment_id(req, 0, "sync_", &sync_id, &err) != RC_OK ||
	    syncs_get(req->db, req->caller.org_id, sync_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(200, as_json(rows, 0));
}

struct http_reply syncs_stop(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	struct acting a = { .req = req };

	if (segment_id(req, 0, "sync_", &a.sync_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!body_is_empty(req, &p))
		return problem_reply(req, &p);
	return act(&a, cancel_body);
}
