/* Bodies and JSON of keys of every kind.
 * Shows a key's text in the answer that creates it and never again. */
#include "api/key_fields.h"
#include "api/bodies.h"
#include "api/reply.h"
#include "base/clock.h"

#include <stdio.h>

enum { OVERLAP_S = 24 * 60 * 60 };

void key_fields_done(struct key_fields *f)
{
	json_decref(f->tree);
}

static bool may_give(const struct http_request *req, uint32_t scopes, struct problem *p)
{
	uint32_t lacking = scopes & ~req->caller.scopes;

	if (req->caller.party == HTTP_OPERATOR || !lacking)
		return true;
	problem_set(p, 403, "scope_not_held",
		    "The key would have the scope %s, which the credential of this request lacks.",
		    scope_text(lacking));
	return false;
}

bool key_fields_may_renew(const struct http_request *req, const struct db_rows *rows,
			  struct problem *p)
{
	uint32_t scopes =
		scope_of_key(db_rows_text(rows, 0, "role"), db_rows_text(rows, 0, "scopes"));

	return may_give(req, scopes, p);
}

/* The list as bits; all of the role's when there is none. What the role lacks is no part of it. */
static uint32_t read_scopes(const struct fields_tree *given, struct str role, struct problem *p)
{
	uint32_t all = scope_of_role(role), scopes = 0;
	const json_t *one = NULL;
	char pointer[32];
	size_t i = 0;

	if (given->state != FIELDS_SET)
		return all;
	json_array_foreach (given->tree, i, one) {
		uint32_t scope = scope_of_name(str_c(json_string_value(one)));

		(void)snprintf(pointer, sizeof(pointer), "/scopes/%zu", i);
		if (!(scope & all))
			problem_field(p, pointer, "scope_not_of_role",
				      "The role has no such scope; the role %s has it.",
				      scope_least_role(scope));
		scopes |= scope;
	}
	return scopes;
}

static bool read_expiry(const struct fields_number *given, int64_t *ret, struct problem *p)
{
	if (given->state != FIELDS_SET)
		return true;
	*ret = given->n;
	if (given->n > clock_wall())
		return true;
	problem_field(p, "/expires_at", "in_the_past", "The key would have expired already.");
	return false;
}

bool key_fields_new(struct http_request *req, struct key_fields *f, struct new_key *ret,
		    struct problem *p)
{
	struct body_new_key in = { 0 };
	uint32_t scopes = 0;

	if (!fields_read(req->body, FIELDS_CREATE, BODY_NEW_KEY, &in, &f->tree, p))
		return false;
	ret->name = in.name.s;
	ret->role = in.role.s;
	scopes = read_scopes(&in.scopes, in.role.s, p);
	if (!read_expiry(&in.expires_at, &ret->expires_at, p) || p->status)
		return false;
	if (in.scopes.state == FIELDS_SET)
		scope_names(scopes, f->scopes);
	ret->scopes = str_c(f->scopes);
	return may_give(req, scopes, p);
}

bool key_fields_rotation(struct http_request *req, struct key_fields *f,
			 struct key_replacement *ret, struct problem *p)
{
	struct body_key_rotation in = { 0 };

	ret->overlap_s = OVERLAP_S;
	if (req->body.n == 0)
		return true;
	if (!fields_read(req->body, FIELDS_CREATE, BODY_KEY_ROTATION, &in, &f->tree, p))
		return false;
	if (in.overlap.state == FIELDS_SET)
		ret->overlap_s = in.overlap.n;
	return read_expiry(&in.expires_at, &ret->expires_at, p);
}

static json_t *scopes_json(struct str role, struct str names)
{
	uint32_t scopes = scope_of_key(role, names);
	json_t *list = json_array();

	for (int i = 0; i < SCOPE_COUNT; i++)
		if (scopes & 1u << i)
			(void)json_array_append_new(list, json_string(scope_text(1u << i)));
	return list;
}

json_t *key_fields_json(const struct db_rows *rows, int row, enum keys_kind kind)
{
	const char *prefix = keys_prefix(kind);

	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
		reply_id(db_rows_id(rows, row, "key_id"), prefix), "name",
		reply_text(rows, row, "name"), "role", reply_text(rows, row, "role"), "scopes",
		scopes_json(db_rows_text(rows, row, "role"), db_rows_text(rows, row, "scopes")),
		"created_at", reply_time(rows, row, "created_at"), "expires_at",
		reply_time(rows, row, "expires_at"), "last_used_at",
		reply_time(rows, row, "last_used_at"), "revoked_at",
		reply_time(rows, row, "revoked_at"), "replaces",
		reply_id(db_rows_id(rows, row, "replaces"), prefix), "replaced_by",
		reply_id(db_rows_id(rows, row, "replaced_by"), prefix));
}

struct http_reply key_fields_made(const struct db_rows *rows, enum keys_kind kind, const char *text)
{
	json_t *body = key_fields_json(rows, 0, kind);
	struct http_reply reply = { 0 };

	(void)json_object_set_new(body, "key", json_string(text));
	reply = reply_json(201, body);
	reply.secret = "key";
	return reply;
}
