/* Handler of the last answers of checks: per action and account, with a line for each capability.
 * Never asks AWS, and never says "granted" of what was not found to be. */
#include "api/permissions.h"
#include "api/cursor.h"
#include "api/problem.h"
#include "api/reply.h"
#include "api/segment.h"
#include "base/permission.h"
#include "db/check_answers.h"
#include "db/connections.h"

#include <stdio.h>

static json_t *action_json(const struct db_rows *rows, int row)
{
	static const char *const TEXTS[] = { "account_id", "capability", "action",
					     "state",      "known_by",   "text" };
	json_t *a = json_object();
	struct str cause = db_rows_text(rows, row, "cause");
	struct str request_id = db_rows_text(rows, row, "aws_request_id");

	for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
		(void)json_object_set_new(a, TEXTS[i], reply_text(rows, row, TEXTS[i]));
	(void)json_object_set_new(a, "tier", reply_i64(rows, row, "tier"));
	(void)json_object_set_new(a, "required", reply_bool(rows, row, "required"));
	(void)json_object_set_new(a, "cause", cause.n ? json_text_value(cause) : json_null());
	(void)json_object_set_new(a, "aws_request_id",
				  request_id.n ? json_text_value(request_id) : json_null());
	(void)json_object_set_new(a, "check_id",
				  reply_id(db_rows_id(rows, row, "check_id"), "chk_"));
	(void)json_object_set_new(a, "checked_at", reply_time(rows, row, "checked_at"));
	return a;
}

/* The worst of what applies; one thing that is not known makes the whole not known. */
static const char *state_of(const struct db_rows *rows, int row)
{
	static const char *const ORDER[] = { "denied", "unknown", "granted" };

	for (size_t i = 0; i < COUNT_OF(ORDER); i++)
		if (db_rows_i64(rows, row, ORDER[i]) > 0)
			return ORDER[i];
	return "not_applicable";
}

static json_t *names_json(struct str list)
{
	json_t *names = json_array();

	while (list.n > 0)
		(void)json_array_append_new(names, json_text_value(str_cut(&list, ',')));
	return names;
}

static json_t *capability_json(const struct db_rows *rows, int row)
{
	static const char *const NUMBERS[] = { "accounts", "granted", "denied", "unknown",
					       "not_applicable" };
	struct str name = db_rows_text(rows, row, "capability");
	const struct permission_capability *c = permission_capability_find(name);
	json_t *j = json_object();

	(void)json_object_set_new(j, "name", json_text_value(name));
	(void)json_object_set_new(j, "title", json_string(c ? c->title : ""));
	(void)json_object_set_new(j, "tier", reply_i64(rows, row, "tier"));
	(void)json_object_set_new(j, "need",
				  json_string(c ? permission_need_name(c->need) : "optional"));
	(void)json_object_set_new(j, "state", json_string(state_of(rows, row)));
	(void)json_object_set_new(j, "lost", json_string(c ? c->lost : ""));
	for (size_t i = 0; i < COUNT_OF(NUMBERS); i++)
		(void)json_object_set_new(j, NUMBERS[i], reply_i64(rows, row, NUMBERS[i]));
	(void)json_object_set_new(j, "denied_actions",
				  names_json(db_rows_text(rows, row, "denied_actions")));
	(void)json_object_set_new(j, "checked_at", reply_time(rows, row, "checked_at"));
	return j;
}

/* Names of AWS and of the catalogue hold no line ends. */
static enum rc read_position(const struct cursor *c, struct check_answers_filter *f,
			     struct err *err)
{
	struct str rest = str_c(c->position), account = str_cut(&rest, '\n');
	struct str tier = str_cut(&rest, '\n');

	if (account.n == 0)
		return RC_OK;
	f->after_account = account;
	f->after_capability = str_cut(&rest, '\n');
	f->after_action = rest;
	if (str_to_i64(tier, &f->after_tier))
		return RC_OK;
	return err_field(err, "?cursor", "invalid_cursor",
			 "The cursor does not belong to this list; start without one.");
}

static void position_of(const struct db_rows *rows, int row, char out[CURSOR_POSITION_MAX + 1])
{
	struct str account = db_rows_text(rows, row, "account_id");
	struct str capability = db_rows_text(rows, row, "capability");
	struct str action = db_rows_text(rows, row, "action");

	(void)snprintf(out, CURSOR_POSITION_MAX + 1, "%.*s\n%lld\n%.*s\n%.*s", STR_FMT(account),
		       (long long)db_rows_i64(rows, row, "tier"), STR_FMT(capability),
		       STR_FMT(action));
}

static enum rc read_all(struct http_request *req, const struct check_answers_filter *f,
			struct db_rows **ret_actions, struct db_rows **ret_capabilities,
			struct err *err)
{
	AUTO(db_rows) struct db_rows *connection = NULL;
	const struct db_who who = http_who(req);
	enum rc rc = connections_get(req->db, &who, f->connection_id, &connection, err);

	if (rc == RC_OK)
		rc = check_answers_list(req->db, &who, f, ret_actions, err);
	if (rc == RC_OK)
		rc = check_answers_capabilities(req->db, &who, f->connection_id, ret_capabilities,
						err);
	return rc;
}

struct http_reply permissions_list_page(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *actions = NULL;
	AUTO(db_rows) struct db_rows *capabilities = NULL;
	struct check_answers_filter filter = { .state = http_query(req, "state") };
	struct cursor cursor = { 0 };
	json_t *data = NULL, *summary = NULL;
	char next[CURSOR_TEXT_MAX] = "", last[CURSOR_POSITION_MAX + 1];

	(void)!str_to_i64(http_query(req, "tier"), &filter.tier);
	if (segment_id(req, 0, "conn_", &filter.connection_id, &err) != RC_OK ||
	    cursor_read(req, &cursor, &err) != RC_OK ||
	    read_position(&cursor, &filter, &err) != RC_OK)
		return problem_err(req, &err);
	filter.limit = cursor.limit + 1;
	if (read_all(req, &filter, &actions, &capabilities, &err) != RC_OK)
		return problem_err(req, &err);
	data = json_array();
	for (int i = 0; i < db_rows_count(actions) && i < cursor.limit; i++)
		(void)json_array_append_new(data, action_json(actions, i));
	summary = json_array();
	for (int i = 0; i < db_rows_count(capabilities); i++)
		(void)json_array_append_new(summary, capability_json(capabilities, i));
	if (db_rows_count(actions) > cursor.limit) {
		position_of(actions, cursor.limit - 1, last);
		cursor_text(req, str_c(last), next);
	}
	return reply_json(200, json_pack("{s:o, s:s?, s:o}", "data", data, "next_cursor",
					 *next ? next : NULL, "capabilities", summary));
}
