/* Handlers of connection checks: ask for one, watch it. A worker does it; who asks to wait is followed up by the server, with
 * nothing held in between. Never calls AWS. */
#include "api/checks.h"
#include "api/bodies.h"
#include "api/fields.h"
#include "api/reply.h"
#include "api/segment.h"
#include "base/mem.h"
#include "base/permission.h"
#include "db/checks.h"

static void set(json_t *to, const char *key, json_t *value)
{
	(void)json_object_set_new(to, key, value);
}

static json_t *as_json(const struct db_rows *rows)
{
	static const char *const TEXTS[] = { "state", "reason_code", "reason", "requested_by" };
	static const char *const TIMES[] = { "created_at", "started_at", "finished_at" };
	json_t *c = json_object();

	set(c, "id", reply_id(db_rows_id(rows, 0, "check_id"), "chk_"));
	set(c, "connection_id", reply_id(db_rows_id(rows, 0, "connection_id"), "conn_"));
	set(c, "wanted", reply_tree(rows, 0, "wanted"));
	for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
		set(c, TEXTS[i], reply_text(rows, 0, TEXTS[i]));
	for (size_t i = 0; i < COUNT_OF(TIMES); i++)
		set(c, TIMES[i], reply_time(rows, 0, TIMES[i]));
	set(c, "report", reply_tree(rows, 0, "report"));
	return c;
}

static bool is_over(const struct db_rows *rows)
{
	struct str state = db_rows_text(rows, 0, "state");

	return str_eq(state, S("done")) || str_eq(state, S("failed"));
}

static struct http_reply shown(int status, const struct db_rows *rows)
{
	struct http_reply reply = reply_json(status, as_json(rows));
	char text[ID_TEXT_MAX];

	id_text(db_rows_id(rows, 0, "check_id"), "chk_", text);
	reply_location(&reply, "/v1/checks/%s", text);
	return reply;
}

/* How far it is: status is that of an answer that is not the last one. */
static struct http_reply look(struct http_request *req, struct id check_id, int status,
			      http_later *again)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct http_reply reply = { 0 };

	if (checks_get(req->db, &who, check_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	reply = status == 200 ? reply_json(200, as_json(rows))
			      : shown(is_over(rows) ? 200 : status, rows);
	if (!is_over(rows)) {
		reply.later = again;
		reply.later_id = check_id;
	}
	return reply;
}

/* After the request that started it. */
static struct http_reply started(struct http_request *req, struct id check_id)
{
	return look(req, check_id, 202, started);
}

/* After one that watches it. */
static struct http_reply watched(struct http_request *req, struct id check_id)
{
	return look(req, check_id, 200, watched);
}

static int wait_of(const struct http_request *req)
{
	int64_t n = 0;

	return str_to_i64(http_query(req, "wait"), &n) ? (int)n : 0;
}

static struct http_reply start(struct http_request *req, const struct new_check *in)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct id active = { { 0 } };
	struct http_reply reply = { 0 };
	char text[ID_TEXT_MAX];

	if (checks_start(req->db, in, &active, &rows, &err) == RC_OK) {
		reply = shown(202, rows);
		reply.later = started;
		reply.later_id = in->check_id;
		reply.wait_s = wait_of(req);
		return reply;
	}
	reply = problem_err(req, &err);
	if (str_eq(str_c(err.code), S("check_active"))) {
		id_text(active, "chk_", text);
		reply_location(&reply, "/v1/checks/%s", text);
	}
	return reply;
}

/* Without a wish: what a connection cannot do without. */
static json_t *wanted_of(const struct body_connection_check *in, struct problem *p)
{
	json_t *wanted = json_object(), *tiers = json_array(), *names = json_array();
	char at[48];

	for (size_t i = 0; i < fields_count(&in->tiers); i++)
		(void)json_array_append(tiers, json_array_get(in->tiers.tree, i));
	for (size_t i = 0; i < fields_count(&in->capabilities); i++) {
		(void)snprintf(at, sizeof(at), "/capabilities/%zu", i);
		if (!permission_capability_find(fields_item(&in->capabilities, i)))
			problem_field(p, at, "unknown_capability",
				      "The permission catalogue has no such capability.");
		(void)json_array_append(names, json_array_get(in->capabilities.tree, i));
	}
	if (json_array_size(tiers) + json_array_size(names) == 0) {
		(void)json_array_append_new(tiers, json_integer(1));
		(void)json_array_append_new(tiers, json_integer(2));
	}
	set(wanted, "tiers", tiers);
	set(wanted, "capabilities", names);
	return wanted;
}

struct http_reply checks_create(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO_JSON json_t *wanted = NULL;
	struct body_connection_check in = { 0 };
	struct new_check check = { .org_id = req->caller.org_id,
				   .check_id = id_new(),
				   .actor = req->caller.actor,
				   .request_id = req->request_id };

	if (segment_id(req, 0, "conn_", &check.connection_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (req->body.n > 0 &&
	    !fields_read(req->body, FIELDS_CREATE, BODY_CONNECTION_CHECK, &in, &tree, &p))
		return problem_reply(req, &p);
	wanted = wanted_of(&in, &p);
	if (p.status)
		return problem_reply(req, &p);
	check.wanted = wanted;
	return start(req, &check);
}

struct http_reply checks_show(struct http_request *req)
{
	struct err err = { 0 };
	struct id check_id = { { 0 } };
	struct http_reply reply = { 0 };

	if (segment_id(req, 0, "chk_", &check_id, &err) != RC_OK)
		return problem_err(req, &err);
	reply = watched(req, check_id);
	reply.wait_s = wait_of(req);
	return reply;
}

static json_t *draft_of(const struct connection_values *v)
{
	json_t *d = json_object();

	json_set_text(d, "name", v->name);
	json_set_text(d, "aws_account_id", v->aws_account_id);
	json_set_text(d, "aws_organization_id", v->aws_organization_id);
	json_set_text(d, "region", v->region);
	json_set_text(d, "auth_method", v->auth_method);
	json_set_text(d, "role_arn", v->role_arn);
	json_set_text(d, "access_key_id", v->access_key_id);
	json_set_text(d, "cloudtrail_bucket", v->cloudtrail_bucket);
	json_set_text(d, "cloudtrail_digest_prefix", v->cloudtrail_digest_prefix);
	return d;
}

struct http_reply checks_of_draft(struct http_request *req, const struct connection_values *values,
				  struct str secret)
{
	struct err err = { 0 };
	AUTO_JSON json_t *draft = draft_of(values);
	AUTO_JSON json_t *wanted = json_pack("{s:[i,i], s:[]}", "tiers", 1, 2, "capabilities");
	AUTO_TEXT char *sealed = NULL;
	char org[ID_UUID_TEXT], check_id[ID_UUID_TEXT];
	struct new_check check = { .org_id = req->caller.org_id,
				   .check_id = id_new(),
				   .wanted = wanted,
				   .draft = draft,
				   .actor = req->caller.actor,
				   .request_id = req->request_id };
	const struct seal_place place = { .org_id = { org, ID_UUID_TEXT - 1 },
					  .connection_id = { check_id, ID_UUID_TEXT - 1 },
					  .field = S("secret_access_key") };
	size_t n = 0;

	id_uuid(req->caller.org_id, org);
	id_uuid(check.check_id, check_id);
	if (secret.n > 0 &&
	    sealfile_close(req->env->seal, &place, secret, &sealed, &n, &err) != RC_OK)
		return problem_err(req, &err);
	check.sealed = str_n(sealed ? sealed : "", n);
	return start(req, &check);
}
