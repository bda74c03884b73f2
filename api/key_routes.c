/* Make, list, read, revoke and rotate keys of every kind.
 * Never reads an organization from a body; an owner's is his credential's. Shows a key's text in the answer that
 * creates it and never again. */
#include "api/key_routes.h"
#include "api/cursor.h"
#include "api/key_fields.h"
#include "api/reply.h"
#include "api/segment.h"
#include "db/organizations.h"

#include <sodium.h>

/* Whose keys a request is about; *ret_hole: which hole of the path has the key's id. */
static enum rc place_of(const struct http_request *req, enum keys_kind kind, struct keys_at *ret,
			int *ret_hole, struct err *err)
{
	bool is_named = kind == KEYS_ORGANIZATION && req->caller.party == HTTP_OPERATOR;

	*ret = (struct keys_at){ .kind = kind };
	*ret_hole = is_named ? 1 : 0;
	if (is_named)
		return segment_id(req, 0, "", &ret->org_id, err);
	if (kind == KEYS_ORGANIZATION)
		ret->org_id = req->caller.org_id;
	return RC_OK;
}

static enum rc key_of(const struct http_request *req, enum keys_kind kind, struct keys_at *ret,
		      struct err *err)
{
	int hole = 0;
	enum rc rc = place_of(req, kind, ret, &hole, err);

	return rc == RC_OK ? segment_id(req, hole, keys_prefix(kind), &ret->key_id, err) : rc;
}

static struct http_reply made(const struct http_request *req, const struct keys_at *at,
			      const struct db_rows *rows, const char *text)
{
	struct http_reply reply = key_fields_made(rows, at->kind, text);
	char org[ID_UUID_TEXT], key[ID_TEXT_MAX];

	id_uuid(at->org_id, org);
	id_text(db_rows_id(rows, 0, "key_id"), keys_prefix(at->kind), key);
	if (at->kind == KEYS_SERVICE)
		reply_location(&reply, "/v1/admin/service-keys/%s", key);
	else if (req->caller.party == HTTP_OPERATOR)
		reply_location(&reply, "/v1/admin/organizations/%s/keys/%s", org, key);
	else
		reply_location(&reply, "/v1/keys/%s", key);
	return reply;
}

struct http_reply key_routes_create(struct http_request *req, enum keys_kind kind)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO(key_fields) struct key_fields f = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct new_key key = { .actor = req->caller.actor, .request_id = req->request_id };
	char text[APIKEY_TEXT_MAX];
	struct http_reply reply = { 0 };
	int hole = 0;

	if (place_of(req, kind, &key.at, &hole, &err) != RC_OK)
		return problem_err(req, &err);
	if (!key_fields_new(req, &f, &key, &p))
		return problem_reply(req, &p);
	key.at.key_id = id_new();
	apikey_make(req->env, kind, key.at.key_id, text, key.hash);
	if (keys_insert(req->db, &key, &rows, &err) == RC_OK)
		reply = made(req, &key.at, rows, text);
	else
		reply = problem_err(req, &err);
	sodium_memzero(text, sizeof(text));
	return reply;
}

/* An organization that is not there has no list either. */
static enum rc check_owner(const struct http_request *req, const struct keys_at *at,
			   struct err *err)
{
	AUTO(db_rows) struct db_rows *org = NULL;

	return at->kind == KEYS_SERVICE ? RC_OK : organizations_get(req->db, at->org_id, &org, err);
}

static json_t *key_json(const struct db_rows *rows, int row)
{
	return key_fields_json(rows, row, KEYS_ORGANIZATION);
}

static json_t *service_json(const struct db_rows *rows, int row)
{
	return key_fields_json(rows, row, KEYS_SERVICE);
}

struct http_reply key_routes_list(struct http_request *req, enum keys_kind kind)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct cursor cursor = { 0 };
	struct keys_at at = { 0 };
	int hole = 0;

	if (place_of(req, kind, &at, &hole, &err) != RC_OK ||
	    cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_id(&cursor, keys_prefix(kind), &at.key_id, &err) != RC_OK ||
	    check_owner(req, &at, &err) != RC_OK ||
	    keys_list(req->db, &at, cursor.limit + 1, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return cursor_page(req, &cursor, rows, kind == KEYS_SERVICE ? service_json : key_json,
			   "key_id", keys_prefix(kind));
}

struct http_reply key_routes_show(struct http_request *req, enum keys_kind kind)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct keys_at at = { 0 };

	if (key_of(req, kind, &at, &err) != RC_OK || keys_get(req->db, &at, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(200, key_fields_json(rows, 0, kind));
}

struct http_reply key_routes_revoke(struct http_request *req, enum keys_kind kind)
{
	struct err err = { 0 };
	struct keys_at at = { 0 };

	if (key_of(req, kind, &at, &err) != RC_OK ||
	    keys_revoke(req->db, &at, req->caller.actor, req->request_id, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_empty(204);
}

/* What a key may never changes, so that it may be judged before the transaction. */
struct http_reply key_routes_rotate(struct http_request *req, enum keys_kind kind)
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

	if (key_of(req, kind, &in.old, &err) != RC_OK ||
	    keys_get(req->db, &in.old, &old, &err) != RC_OK)
		return problem_err(req, &err);
	if (!key_fields_rotation(req, &f, &in, &p) || !key_fields_may_renew(req, old, &p))
		return problem_reply(req, &p);
	apikey_make(req->env, kind, in.key_id, text, in.hash);
	if (keys_replace(req->db, &in, &rows, &err) == RC_OK)
		reply = made(req, &in.old, rows, text);
	else
		reply = problem_err(req, &err);
	sodium_memzero(text, sizeof(text));
	return reply;
}
