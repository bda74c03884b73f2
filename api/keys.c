/* Handlers of the operator: API keys of an organization.
 * Shows a key's text in the answer that creates it and never again. */
#include "api/keys.h"
#include "api/apikey.h"
#include "api/bodies.h"
#include "api/cursor.h"
#include "api/reply.h"
#include "api/segment.h"
#include "base/clock.h"
#include "db/organizations.h"

#include <sodium.h>

static json_t *as_json(const struct db_rows *rows, int row)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
			 reply_id(db_rows_id(rows, row, "key_id"), "key_"), "name",
			 reply_text(rows, row, "name"), "role", reply_text(rows, row, "role"),
			 "created_at", reply_time(rows, row, "created_at"), "expires_at",
			 reply_time(rows, row, "expires_at"), "last_used_at",
			 reply_time(rows, row, "last_used_at"), "revoked_at",
			 reply_time(rows, row, "revoked_at"));
}

static struct http_reply created(struct id org_id, const struct db_rows *rows, const char *text)
{
	json_t *body = as_json(rows, 0);
	struct http_reply reply = { 0 };
	char org[ID_UUID_TEXT], key[ID_TEXT_MAX];

	id_uuid(org_id, org);
	id_text(db_rows_id(rows, 0, "key_id"), "key_", key);
	(void)json_object_set_new(body, "key", json_string(text));
	reply = reply_json(201, body);
	reply.secret = "key";
	reply_location(&reply, "/v1/admin/organizations/%s/keys/%s", org, key);
	return reply;
}

struct http_reply keys_create(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct body_new_key in = { 0 };
	struct new_key key = { .key_id = id_new(),
			       .actor = req->caller.actor,
			       .request_id = req->request_id };
	char text[APIKEY_TEXT_MAX];
	struct http_reply reply = { 0 };

	if (segment_id(req, 0, "", &key.org_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!fields_read(req->body, FIELDS_CREATE, BODY_NEW_KEY, &in, &tree, &p))
		return problem_reply(req, &p);
	key.name = in.name.s;
	key.role = in.role.s;
	if (in.expires_at.state == FIELDS_SET) {
		key.expires_at = in.expires_at.n;
		if (key.expires_at <= clock_wall()) {
			problem_field(&p, "/expires_at", "in_the_past",
				      "The key would have expired already.");
			return problem_reply(req, &p);
		}
	}
	apikey_make(req->env, APIKEY_ORGANIZATION, key.key_id, text, key.hash);
	if (keys_insert(req->db, &key, &rows, &err) == RC_OK)
		reply = created(key.org_id, rows, text);
	else
		reply = problem_err(req, &err);
	sodium_memzero(text, sizeof(text));
	return reply;
}

struct http_reply keys_list_page(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *org = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct cursor cursor = { 0 };
	struct id after = { { 0 } }, org_id = { { 0 } };
	json_t *data = NULL;
	char next[CURSOR_TEXT_MAX] = "", last[ID_TEXT_MAX];

	if (segment_id(req, 0, "", &org_id, &err) != RC_OK ||
	    cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_id(&cursor, "key_", &after, &err) != RC_OK ||
	    organizations_get(req->db, org_id, &org, &err) != RC_OK ||
	    keys_list(req->db, org_id, after, cursor.limit + 1, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	data = json_array();
	for (int i = 0; i < db_rows_count(rows) && i < cursor.limit; i++)
		(void)json_array_append_new(data, as_json(rows, i));
	if (db_rows_count(rows) > cursor.limit) {
		id_text(db_rows_id(rows, cursor.limit - 1, "key_id"), "key_", last);
		cursor_text(req, str_c(last), next);
	}
	return reply_page(data, next);
}

struct http_reply keys_show(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct id org_id = { { 0 } }, key_id = { { 0 } };

	if (segment_id(req, 0, "", &org_id, &err) != RC_OK ||
	    segment_id(req, 1, "key_", &key_id, &err) != RC_OK ||
	    keys_get(req->db, org_id, key_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(200, as_json(rows, 0));
}

struct http_reply keys_remove(struct http_request *req)
{
	struct err err = { 0 };
	struct id org_id = { { 0 } }, key_id = { { 0 } };

	if (segment_id(req, 0, "", &org_id, &err) != RC_OK ||
	    segment_id(req, 1, "key_", &key_id, &err) != RC_OK ||
	    keys_revoke(req->db, org_id, key_id, req->caller.actor, req->request_id, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_empty(204);
}
