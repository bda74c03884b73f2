/* Handlers of coverage: what was looked at, when, and what is therefore unknown.
 * Never says "all is well" of a part that was not listed to its end. */
#include "db/coverage.h"
#include "api/coverage.h"
#include "api/cursor.h"
#include "api/problem.h"
#include "api/reply.h"
#include "api/segment.h"
#include "base/mem.h"
#include "base/permission.h"
#include "db/connections.h"

#include <stdio.h>

/* What is denied, in the words of the permission catalogue: which capability, what is lost, and the policy that grants it where
 * one can. */
static void set_permission(json_t *c, const struct db_rows *rows, int row)
{
	struct str action = db_rows_text(rows, row, "action");
	struct str cause = db_rows_text(rows, row, "deny_cause");
	const struct permission_action *found = action.n ? permission_find(action) : NULL;
	const struct permission_places places = { .partition = S("aws") };
	AUTO_TEXT char *name = str_dup(action);
	const char *const names[] = { name };
	json_t *patch = NULL;
	struct err err = { 0 };

	if (found && (cause.n == 0 || str_eq(cause, S("implicit"))) &&
	    permission_policy(names, 1, &places, &patch, &err) != RC_OK)
		patch = NULL;
	(void)json_object_set_new(c, "capability",
				  found ? json_string(found->capability->name) : json_null());
	(void)json_object_set_new(c, "lost",
				  found ? json_string(found->capability->lost) : json_null());
	(void)json_object_set_new(c, "patch", patch ? patch : json_null());
}

static json_t *as_json(const struct db_rows *rows, int row)
{
	static const char *const TEXTS[] = { "account_id", "region",         "scope",
					     "part",       "state",          "reason_code",
					     "reason",     "action",         "deny_cause",
					     "aws_code",   "aws_request_id", "via" };
	static const char *const NUMBERS[] = { "items", "pages", "calls", "throttles", "held" };
	static const char *const TIMES[] = { "attempted_at", "last_complete_at" };
	json_t *c = json_pack("{s:o, s:o}", "connection_id",
			      reply_id(db_rows_id(rows, row, "connection_id"), "conn_"), "sync_id",
			      reply_id(db_rows_id(rows, row, "sync_id"), "sync_"));

	for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
		(void)json_object_set_new(c, TEXTS[i], reply_text(rows, row, TEXTS[i]));
	for (size_t i = 0; i < COUNT_OF(NUMBERS); i++)
		(void)json_object_set_new(c, NUMBERS[i], reply_i64(rows, row, NUMBERS[i]));
	for (size_t i = 0; i < COUNT_OF(TIMES); i++)
		(void)json_object_set_new(c, TIMES[i], reply_time(rows, row, TIMES[i]));
	set_permission(c, rows, row);
	return c;
}

/* Names in keys are of AWS's spelling and hold no newline. */
static enum rc read_position(const struct cursor *c, struct coverage_filter *f, struct err *err)
{
	struct str rest = str_c(c->position), id = str_cut(&rest, '\n');

	f->after_account = str_cut(&rest, '\n');
	f->after_region = str_cut(&rest, '\n');
	f->after_scope = str_cut(&rest, '\n');
	f->after_part = rest;
	if (id.n == 0 || id_parse(id, "conn_", &f->after_connection) == RC_OK)
		return RC_OK;
	return err_field(err, "?cursor", "invalid_cursor",
			 "The cursor does not belong to this list; start without one.");
}

static void position_of(const struct db_rows *rows, int row, char out[CURSOR_POSITION_MAX + 1])
{
	char id[ID_TEXT_MAX];
	struct str account = db_rows_text(rows, row, "account_id");
	struct str region = db_rows_text(rows, row, "region");
	struct str scope = db_rows_text(rows, row, "scope"), part = db_rows_text(rows, row, "part");

	id_text(db_rows_id(rows, row, "connection_id"), "conn_", id);
	(void)snprintf(out, CURSOR_POSITION_MAX + 1, "%s\n%.*s\n%.*s\n%.*s\n%.*s", id,
		       STR_FMT(account), STR_FMT(region), STR_FMT(scope), STR_FMT(part));
}

static struct http_reply page(struct http_request *req, struct id connection_id)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct cursor cursor = { 0 };
	struct coverage_filter filter = { .connection_id = connection_id,
					  .state = http_query(req, "state") };
	json_t *data = NULL;
	char next[CURSOR_TEXT_MAX] = "", last[CURSOR_POSITION_MAX + 1];

	if (cursor_read(req, &cursor, &err) != RC_OK ||
	    read_position(&cursor, &filter, &err) != RC_OK)
		return problem_err(req, &err);
	filter.limit = cursor.limit + 1;
	if (coverage_list(req->db, &who, &filter, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	data = json_array();
	for (int i = 0; i < db_rows_count(rows) && i < cursor.limit; i++)
		(void)json_array_append_new(data, as_json(rows, i));
	if (db_rows_count(rows) > cursor.limit) {
		position_of(rows, cursor.limit - 1, last);
		cursor_text(req, str_c(last), next);
	}
	return reply_page(data, next);
}

struct http_reply coverage_list_page(struct http_request *req)
{
	struct err err = { 0 };
	struct id connection_id = { { 0 } };

	if (segment_filter(req, "connection_id", "conn_", &connection_id, &err) != RC_OK)
		return problem_err(req, &err);
	return page(req, connection_id);
}

struct http_reply coverage_list_of_connection(struct http_request *req)
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
