/* Handlers of deliveries: what was sent to a webhook, and sending it again.
 * Never sends anything itself: a worker does, soon after. */
#include "api/deliveries.h"
#include "api/bodies.h"
#include "api/cursor.h"
#include "api/problem.h"
#include "api/reply.h"
#include "api/segment.h"
#include "db/deliveries.h"

static json_t *as_json(const struct db_rows *rows, int row)
{
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
		reply_id(db_rows_id(rows, row, "delivery_id"), "dlv_"), "webhook_id",
		reply_id(db_rows_id(rows, row, "webhook_id"), "whk_"), "event_id",
		reply_id(db_rows_id(rows, row, "event_id"), "evt_"), "event_type",
		reply_text(rows, row, "type"), "connection_id",
		reply_id(db_rows_id(rows, row, "connection_id"), "conn_"), "state",
		reply_text(rows, row, "state"), "attempts", reply_i64(rows, row, "attempts"),
		"next_attempt_at", reply_time(rows, row, "next_at"), "last_attempt_at",
		reply_time(rows, row, "last_at"), "last_status",
		reply_i64(rows, row, "last_status"), "last_error",
		reply_text(rows, row, "last_error"), "created_at",
		reply_time(rows, row, "created_at"), "ended_at", reply_time(rows, row, "ended_at"));
}

/* Empty bodies only: what these operations do is all in their path. */
static bool is_empty(struct http_request *req, struct problem *p)
{
	AUTO_JSON json_t *tree = NULL;
	struct body_nothing in = { 0 };

	return req->body.n == 0 ||
	       fields_read(req->body, FIELDS_CREATE, BODY_NOTHING, &in, &tree, p);
}

static struct webhook_write write_of(const struct http_request *req)
{
	return (struct webhook_write){ .org_id = req->caller.org_id,
				       .actor = req->caller.actor,
				       .request_id = req->request_id };
}

struct http_reply deliveries_create_test(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct webhook_write write = write_of(req);

	if (segment_id(req, 0, "whk_", &write.webhook_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!is_empty(req, &p))
		return problem_reply(req, &p);
	if (deliveries_test(req->db, &write, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(202, as_json(rows, 0));
}

struct http_reply deliveries_list_page(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *webhook = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct id org_id = req->caller.org_id;
	struct cursor cursor = { 0 };
	struct id webhook_id = { { 0 } }, before = { { 0 } };

	if (segment_id(req, 0, "whk_", &webhook_id, &err) != RC_OK ||
	    cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_id(&cursor, "dlv_", &before, &err) != RC_OK ||
	    webhooks_get(req->db, org_id, webhook_id, &webhook, &err) != RC_OK ||
	    deliveries_list(req->db, org_id, webhook_id, http_query(req, "state").p, before,
			    cursor.limit + 1, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return cursor_page(req, &cursor, rows, as_json, "delivery_id", "dlv_");
}

struct http_reply deliveries_send_again(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct webhook_write write = write_of(req);
	struct id delivery_id = { { 0 } };

	if (segment_id(req, 0, "whk_", &write.webhook_id, &err) != RC_OK ||
	    segment_id(req, 1, "dlv_", &delivery_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!is_empty(req, &p))
		return problem_reply(req, &p);
	if (deliveries_replay(req->db, &write, delivery_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(202, as_json(rows, 0));
}
