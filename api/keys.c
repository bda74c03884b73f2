/* Handlers of API keys: the operator's, for any organization, and the owners', for their own.
 * Never reads an organization from a body; an owner's is his credential's. */
#include "api/keys.h"
#include "api/cursor.h"
#include "api/key_fields.h"
#include "api/reply.h"
#include "api/segment.h"
#include "db/organizations.h"

#include <sodium.h>

/* Whose keys a request is about; *ret_hole: which hole of the path has the key's id. */
static enum rc place_of(const struct http_request *req, struct id *ret_org, int *ret_hole,
			struct err *err)
{
	*ret_hole = req->caller.party == HTTP_OPERATOR ? 1 : 0;
	if (req->caller.party == HTTP_OPERATOR)
		return segment_id(req, 0, "", ret_org, err);
	*ret_org = req->caller.org_id;
	return RC_OK;
}

static enum rc key_of(const struct http_request *req, struct id *ret_org, struct id *ret_key,
		      struct err *err)
{
	int hole = 0;
	enum rc rc = place_of(req, ret_org, &hole, err);

	return rc == RC_OK ? segment_id(req, hole, "key_", ret_key, err) : rc;
}

static struct http_reply made(const struct http_request *req, struct id org_id,
			      const struct db_rows *rows, const char *text)
{
	struct http_reply reply = key_fields_made(rows, "key_id", "key_", text);
	char org[ID_UUID_TEXT], key[ID_TEXT_MAX];

	id_uuid(org_id, org);
	id_text(db_rows_id(rows, 0, "key_id"), "key_", key);
	if (req->caller.party == HTTP_OPERATOR)
		reply_location(&reply, "/v1/admin/organizations/%s/keys/%s", org, key);
	else
		reply_location(&reply, "/v1/keys/%s", key);
	return reply;
}

static struct http_reply create(struct http_request *req)
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
	int hole = 0;

	if (place_of(req, &key.org_id, &hole, &err) != RC_OK)
		return problem_err(req, &err);
	if (!key_fields_new(req, &f, &key, &p))
		return problem_reply(req, &p);
	apikey_make(req->env, APIKEY_ORGANIZATION, key.key_id, text, key.hash);
	if (keys_insert(req->db, &key, &rows, &err) == RC_OK)
		reply = made(req, key.org_id, rows, text);
	else
		reply = problem_err(req, &err);
	sodium_memzero(text, sizeof(text));
	return reply;
}

static struct http_reply list(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *org = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct cursor cursor = { 0 };
	struct id after = { { 0 } }, org_id = { { 0 } };
	json_t *data = NULL;
	char next[CURSOR_TEXT_MAX] = "", last[ID_TEXT_MAX];
	int hole = 0;

	if (place_of(req, &org_id, &hole, &err) != RC_OK ||
	    cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_id(&cursor, "key_", &after, &err) != RC_OK ||
	    organizations_get(req->db, org_id, &org, &err) != RC_OK ||
	    keys_list(req->db, org_id, after, cursor.limit + 1, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	data = json_array();
	for (int i = 0; i < db_rows_count(rows) && i < cursor.limit; i++)
		(void)json_array_append_new(data, key_fields_json(rows, i, "key_id", "key_"));
	if (db_rows_count(rows) > cursor.limit) {
		id_text(db_rows_id(rows, cursor.limit - 1, "key_id"), "key_", last);
		cursor_text(req, str_c(last), next);
	}
	return reply_page(data, next);
}

static struct http_reply show(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct id org_id = { { 0 } }, key_id = { { 0 } };

	if (key_of(req, &org_id, &key_id, &err) != RC_OK ||
	    keys_get(req->db, org_id, key_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(200, key_fields_json(rows, 0, "key_id", "key_"));
}

static struct http_reply revoke(struct http_request *req)
{
	struct err err = { 0 };
	struct id org_id = { { 0 } }, key_id = { { 0 } };

	if (key_of(req, &org_id, &key_id, &err) != RC_OK ||
	    keys_revoke(req->db, org_id, key_id, req->caller.actor, req->request_id, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_empty(204);
}

/* What a key may never changes, so that it may be judged before the transaction. */
static struct http_reply rotate(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO(key_fields) struct key_fields f = { 0 };
	AUTO(db_rows) struct db_rows *old = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct key_replacement in = { .key_id = id_new(),
				      .actor = req->caller.actor,
				      .request_id = req->request_id };
	char text[APIKEY_TEXT_MAX];
	struct http_reply reply = { 0 };

	if (key_of(req, &in.org_id, &in.old_id, &err) != RC_OK ||
	    keys_get(req->db, in.org_id, in.old_id, &old, &err) != RC_OK)
		return problem_err(req, &err);
	if (!key_fields_rotation(req, &f, &in, &p) || !key_fields_may_renew(req, old, &p))
		return problem_reply(req, &p);
	apikey_make(req->env, APIKEY_ORGANIZATION, in.key_id, text, in.hash);
	if (keys_replace(req->db, &in, &rows, &err) == RC_OK)
		reply = made(req, in.org_id, rows, text);
	else
		reply = problem_err(req, &err);
	sodium_memzero(text, sizeof(text));
	return reply;
}

struct http_reply keys_create(struct http_request *req)
{
	return create(req);
}

struct http_reply keys_list_page(struct http_request *req)
{
	return list(req);
}

struct http_reply keys_show(struct http_request *req)
{
	return show(req);
}

struct http_reply keys_remove(struct http_request *req)
{
	return revoke(req);
}

struct http_reply keys_rotate(struct http_request *req)
{
	return rotate(req);
}

struct http_reply keys_create_own(struct http_request *req)
{
	return create(req);
}

struct http_reply keys_list_own(struct http_request *req)
{
	return list(req);
}

struct http_reply keys_show_own(struct http_request *req)
{
	return show(req);
}

struct http_reply keys_remove_own(struct http_request *req)
{
	return revoke(req);
}

struct http_reply keys_rotate_own(struct http_request *req)
{
	return rotate(req);
}
