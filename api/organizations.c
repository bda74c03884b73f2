/* Handlers of the operator: organizations.
 * Never reachable with an organization's key: the rows of the route table say so. */
#include "api/organizations.h"
#include "api/bodies.h"
#include "api/cursor.h"
#include "api/reply.h"
#include "api/segment.h"
#include "db/organizations.h"

static json_t *as_json(const struct db_rows *rows, int row)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "org_id",
			 reply_id(db_rows_id(rows, row, "org_id"), ""), "name",
			 reply_text(rows, row, "name"), "state", reply_text(rows, row, "state"),
			 "worker_slots", reply_i64(rows, row, "worker_slots"), "created_at",
			 reply_time(rows, row, "created_at"), "updated_at",
			 reply_time(rows, row, "updated_at"));
}

struct http_reply organizations_create(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct body_new_organization in = { 0 };
	struct new_organization org = { .org_id = id_random(),
					.worker_slots = req->env->worker_slots,
					.actor = req->caller.actor,
					.request_id = req->request_id };
	struct http_reply reply = { 0 };
	char text[ID_UUID_TEXT];

	if (!fields_read(req->body, FIELDS_CREATE, BODY_NEW_ORGANIZATION, &in, &tree, &p))
		return problem_reply(req, &p);
	org.name = in.name.s;
	if (in.worker_slots.state == FIELDS_SET)
		org.worker_slots = (int)in.worker_slots.n;
	if (in.org_id.state == FIELDS_SET && id_parse_uuid(in.org_id.s, &org.org_id) != RC_OK)
		return problem_not_found(req);
	if (organizations_insert(req->db, &org, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	reply = reply_json(201, as_json(rows, 0));
	id_uuid(org.org_id, text);
	reply_location(&reply, "/v1/admin/organizations/%s", text);
	return reply;
}

struct http_reply organizations_list_page(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct cursor cursor = { 0 };
	struct id after = { { 0 } };

	if (cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_id(&cursor, "", &after, &err) != RC_OK ||
	    organizations_list(req->db, after, cursor.limit + 1, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return cursor_page(req, &cursor, rows, as_json, "org_id", "");
}

struct http_reply organizations_show(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct id org_id = { { 0 } };

	if (segment_id(req, 0, "", &org_id, &err) != RC_OK ||
	    organizations_get(req->db, org_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(200, as_json(rows, 0));
}

struct http_reply organizations_patch(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct body_organization_patch in = { 0 };
	struct organization_change change = { .actor = req->caller.actor,
					      .request_id = req->request_id };

	if (segment_id(req, 0, "", &change.org_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!fields_read(req->body, FIELDS_PATCH, BODY_ORGANIZATION_PATCH, &in, &tree, &p))
		return problem_reply(req, &p);
	change.name = in.name.s;
	if (in.worker_slots.state == FIELDS_SET)
		change.worker_slots = (int)in.worker_slots.n;
	else if (in.worker_slots.state == FIELDS_NULL)
		change.worker_slots = req->env->worker_slots;
	if (organizations_update(req->db, &change, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(200, as_json(rows, 0));
}
