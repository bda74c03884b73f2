/* Handlers of webhook endpoints: read fields, one database call, reply.
 * Shows a secret in the answer that makes it and never again; keeps only what it sealed and cannot
 * open. Never sends anything: a worker does. */
#include "api/webhooks.h"
#include "api/bodies.h"
#include "api/cursor.h"
#include "api/etag.h"
#include "api/problem.h"
#include "api/reply.h"
#include "api/segment.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/webhooks.h"

#include <sodium.h>
#include <stdio.h>

enum { SECRET_BYTES = 32, SECRET_TEXT_MAX = 64, EVENTS_TEXT_MAX = 512 };

static json_t *as_json(const struct db_rows *rows, int row)
{
	bool enabled = str_eq(db_rows_text(rows, row, "state"), S("enabled"));

	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
			 reply_id(db_rows_id(rows, row, "webhook_id"), "whk_"), "url",
			 reply_text(rows, row, "url"), "description",
			 reply_text(rows, row, "description"), "events",
			 reply_tree(rows, row, "events"), "enabled", enabled, "state",
			 reply_text(rows, row, "state"), "state_reason",
			 reply_text(rows, row, "state_reason"), "state_at",
			 reply_time(rows, row, "state_at"), "previous_secret_until",
			 reply_time(rows, row, "previous_until"), "created_at",
			 reply_time(rows, row, "created_at"), "updated_at",
			 reply_time(rows, row, "updated_at"));
}

static struct http_reply shown(int status, const struct db_rows *rows, const char *secret)
{
	json_t *body = as_json(rows, 0);
	struct http_reply reply = { 0 };

	if (secret)
		(void)json_object_set_new(body, "secret", json_string(secret));
	reply = reply_json(status, body);
	if (secret)
		reply.secret = "secret";
	etag_write(&reply, db_rows_i64(rows, 0, "version"));
	return reply;
}

static struct webhook_write write_of(const struct http_request *req)
{
	return (struct webhook_write){ .org_id = req->caller.org_id,
				       .actor = req->caller.actor,
				       .request_id = req->request_id };
}

/* "whsec_" and 32 random bytes in base64; the caller wipes it. */
static void make_secret(char out[SECRET_TEXT_MAX])
{
	unsigned char bytes[SECRET_BYTES];

	randombytes_buf(bytes, sizeof(bytes));
	(void)snprintf(out, SECRET_TEXT_MAX, "whsec_");
	sodium_bin2base64(out + strlen(out), SECRET_TEXT_MAX - strlen(out), bytes, sizeof(bytes),
			  sodium_base64_VARIANT_ORIGINAL);
	sodium_memzero(bytes, sizeof(bytes));
}

static enum rc seal(const struct http_request *req, struct id webhook_id, const char *secret,
		    char **ret, struct str *ret_sealed, struct err *err)
{
	char org[ID_UUID_TEXT], webhook[ID_UUID_TEXT];
	const struct seal_place place = { .org_id = { org, ID_UUID_TEXT - 1 },
					  .connection_id = { webhook, ID_UUID_TEXT - 1 },
					  .field = S("webhook_secret") };
	size_t n = 0;
	enum rc rc = RC_OK;

	id_uuid(req->caller.org_id, org);
	id_uuid(webhook_id, webhook);
	rc = sealfile_close(req->env->seal, &place, str_c(secret), ret, &n, err);
	if (rc == RC_OK)
		*ret_sealed = str_n(*ret, n);
	return rc;
}

/* The types are choices of the contract: none needs quoting in an array's text. */
static struct str events_of(const struct fields_tree *list, char out[EVENTS_TEXT_MAX])
{
	size_t n = 1;

	out[0] = '{';
	for (size_t i = 0; i < fields_count(list); i++)
		n += (size_t)snprintf(out + n, EVENTS_TEXT_MAX - n, "%s%.*s", i > 0 ? "," : "",
				      STR_FMT(fields_item(list, i)));
	n += (size_t)snprintf(out + n, EVENTS_TEXT_MAX - n, "}");
	return str_n(out, n);
}

/* The rest of its rules are the contract's. */
static void judge_scheme(const struct http_request *req, const struct fields_text *url,
			 struct problem *p)
{
	if (url->state == FIELDS_SET && str_starts(url->s, S("http://")) &&
	    !req->env->webhook_allow_http)
		problem_field(p, "/url", "plain_http", "The address must begin with https://.");
}

struct http_reply webhooks_create(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_TEXT char *sealed = NULL;
	struct body_new_webhook in = { 0 };
	struct webhook_write write = write_of(req);
	char secret[SECRET_TEXT_MAX] = "", events[EVENTS_TEXT_MAX], id[ID_TEXT_MAX];
	struct http_reply reply = { 0 };
	bool good = fields_read(req->body, FIELDS_CREATE, BODY_NEW_WEBHOOK, &in, &tree, &p);

	judge_scheme(req, &in.url, &p);
	if (!good || p.status)
		return problem_reply(req, &p);
	write.webhook_id = id_new();
	write.url = in.url.s;
	write.description = in.description.state == FIELDS_SET ? in.description.s : S("");
	write.events = events_of(&in.events, events);
	write.enabled = in.enabled.state != FIELDS_SET || in.enabled.n;
	make_secret(secret);
	if (seal(req, write.webhook_id, secret, &sealed, &write.sealed, &err) == RC_OK &&
	    webhooks_insert(req->db, &write, &rows, &err) == RC_OK) {
		reply = shown(201, rows, secret);
		id_text(write.webhook_id, "whk_", id);
		reply_location(&reply, "/v1/webhooks/%s", id);
	} else {
		reply = problem_err(req, &err);
	}
	sodium_memzero(secret, sizeof(secret));
	return reply;
}

struct http_reply webhooks_list_page(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct cursor cursor = { 0 };
	struct id after = { { 0 } };

	if (cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_id(&cursor, "whk_", &after, &err) != RC_OK ||
	    webhooks_list(req->db, req->caller.org_id, after, cursor.limit + 1, &rows, &err) !=
		    RC_OK)
		return problem_err(req, &err);
	return cursor_page(req, &cursor, rows, as_json, "webhook_id", "whk_");
}

struct http_reply webhooks_show(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct id webhook_id = { { 0 } };

	if (segment_id(req, 0, "whk_", &webhook_id, &err) != RC_OK ||
	    webhooks_get(req->db, req->caller.org_id, webhook_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return shown(200, rows, NULL);
}

static struct http_reply refused(const struct http_request *req, const struct err *err)
{
	return str_eq(str_c(err->code), S("version_changed")) ? etag_stale(req, "webhook")
							      : problem_err(req, err);
}

/* What the patch sets, and the names of it for the audit. null sets the default. */
static json_t *read_patch(const struct body_webhook_patch *in, struct webhook_write *write,
			  char events[EVENTS_TEXT_MAX])
{
	json_t *changed = json_array();

	write->has_url = in->url.state != FIELDS_ABSENT;
	write->has_description = in->description.state != FIELDS_ABSENT;
	write->has_events = in->events.state != FIELDS_ABSENT;
	write->has_enabled = in->enabled.state != FIELDS_ABSENT;
	write->url = in->url.s;
	write->description = in->description.state == FIELDS_SET ? in->description.s : S("");
	write->events = events_of(&in->events, events);
	write->enabled = in->enabled.n;
	if (write->has_url)
		(void)json_array_append_new(changed, json_string("url"));
	if (write->has_description)
		(void)json_array_append_new(changed, json_string("description"));
	if (write->has_events)
		(void)json_array_append_new(changed, json_string("events"));
	if (write->has_enabled)
		(void)json_array_append_new(changed, json_string("enabled"));
	return json_pack("{s:o}", "changed", changed);
}

struct http_reply webhooks_patch(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO_JSON json_t *detail = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	struct body_webhook_patch in = { 0 };
	struct webhook_write write = write_of(req);
	char events[EVENTS_TEXT_MAX];
	bool good = false;

	if (segment_id(req, 0, "whk_", &write.webhook_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!etag_asked(req, &write.version))
		return etag_stale(req, "webhook");
	good = fields_read(req->body, FIELDS_PATCH, BODY_WEBHOOK_PATCH, &in, &tree, &p);
	judge_scheme(req, &in.url, &p);
	if (!good || p.status)
		return problem_reply(req, &p);
	detail = read_patch(&in, &write, events);
	write.detail = detail;
	if (webhooks_update(req->db, &write, &rows, &err) != RC_OK)
		return refused(req, &err);
	return shown(200, rows, NULL);
}

struct http_reply webhooks_remove(struct http_request *req)
{
	struct err err = { 0 };
	struct webhook_write write = write_of(req);

	if (segment_id(req, 0, "whk_", &write.webhook_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!etag_asked(req, &write.version))
		return etag_stale(req, "webhook");
	if (webhooks_delete(req->db, &write, &err) != RC_OK)
		return refused(req, &err);
	return reply_empty(204);
}

struct http_reply webhooks_rotate_secret(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_TEXT char *sealed = NULL;
	struct body_nothing in = { 0 };
	struct webhook_write write = write_of(req);
	char secret[SECRET_TEXT_MAX] = "";
	struct http_reply reply = { 0 };

	if (segment_id(req, 0, "whk_", &write.webhook_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (req->body.n > 0 && !fields_read(req->body, FIELDS_CREATE, BODY_NOTHING, &in, &tree, &p))
		return problem_reply(req, &p);
	make_secret(secret);
	if (seal(req, write.webhook_id, secret, &sealed, &write.sealed, &err) == RC_OK &&
	    webhooks_rotate(req->db, &write, &rows, &err) == RC_OK)
		reply = shown(200, rows, secret);
	else
		reply = problem_err(req, &err);
	sodium_memzero(secret, sizeof(secret));
	return reply;
}
