/* Handlers of the operator: keys of backends that act for any organization.
 * Shows a key's text in the answer that creates it and never again. */
#include "api/service_keys.h"
#include "api/cursor.h"
#include "api/key_fields.h"
#include "api/reply.h"
#include "api/segment.h"
#include "db/service_keys.h"

#include <sodium.h>

static struct http_reply made(const struct db_rows *rows, const char *text)
{
	struct http_reply reply = key_fields_made(rows, "svc_id", "svc_", text);
	char id[ID_TEXT_MAX];

	id_text(db_rows_id(rows, 0, "svc_id"), "svc_", id);
	reply_location(&reply, "/v1/admin/service-keys/%s", id);
	return reply;
}

struct http_reply service_keys_create(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO(key_fields) struct key_fields f = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct new_key key = { .key_id = id_new(),
			       .actor = req->caller.actor,
			       .request_id = req->request_id };
	char text[APIKEY_TEXT_MAX];
	struct http_reply reply = { 0 };

	if (!key_fields_new(req, &f, &key, &p))
		return problem_reply(req, &p);
	apikey_make(req->env, APIKEY_SERVICE, key.key_id, text, key.hash);
	if (service_keys_insert(req->db, &key, &rows, &err) == RC_OK)
		reply = made(rows, text);
	else
		reply = problem_err(req, &err);
	sodium_memzero(text, sizeof(text));
	return reply;
}

struct http_reply service_keys_list_page(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct cursor cursor = { 0 };
	struct id after = { { 0 } };
	json_t *data = NULL;
	char next[CURSOR_TEXT_MAX] = "", last[ID_TEXT_MAX];

	if (cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_id(&cursor, "svc_", &after, &err) != RC_OK ||
	    service_keys_list(req->db, after, cursor.limit + 1, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	data = json_array();
	for (int i = 0; i < db_rows_count(rows) && i < cursor.limit; i++)
		(void)json_array_append_new(data, key_fields_json(rows, i, "svc_id", "svc_"));
	if (db_rows_count(rows) > cursor.limit) {
		id_text(db_rows_id(rows, cursor.limit - 1, "svc_id"), "svc_", last);
		cursor_text(req, str_c(last), next);
	}
	return reply_page(data, next);
}

struct http_reply service_keys_show(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct id svc_id = { { 0 } };

	if (segment_id(req, 0, "svc_", &svc_id, &err) != RC_OK ||
	    service_keys_get(req->db, svc_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(200, key_fields_json(rows, 0, "svc_id", "svc_"));
}

struct http_reply service_keys_remove(struct http_request *req)
{
	struct err err = { 0 };
	struct id svc_id = { { 0 } };

	if (segment_id(req, 0, "svc_", &svc_id, &err) != RC_OK ||
	    service_keys_revoke(req->db, svc_id, req->caller.actor, req->request_id, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_empty(204);
}

struct http_reply service_keys_rotate(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO(key_fields) struct key_fields f = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct key_replacement in = { .key_id = id_new(),
				      .actor = req->caller.actor,
				      .request_id = req->request_id };
	char text[APIKEY_TEXT_MAX];
	struct http_reply reply = { 0 };

	if (segment_id(req, 0, "svc_", &in.old_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!key_fields_rotation(req, &f, &in, &p))
		return problem_reply(req, &p);
	apikey_make(req->env, APIKEY_SERVICE, in.key_id, text, in.hash);
	if (service_keys_replace(req->db, &in, &rows, &err) == RC_OK)
		reply = made(rows, text);
	else
		reply = problem_err(req, &err);
	sodium_memzero(text, sizeof(text));
	return reply;
}
