/* The change feed: a reader polls with the cursor that it got last and misses nothing.
 * Never ends: every answer has a cursor to go on with. */
#include "db/changes.h"
#include "api/changes.h"
#include "api/cursor.h"
#include "api/problem.h"
#include "api/reply.h"
#include "api/segment.h"

#include <stdio.h>

/* The ends of an edge, as they are named elsewhere: what is stored are bare UUIDs. */
static void name_end(json_t *state, const char *end)
{
	struct id id;

	if (id_parse_uuid(json_str(state, end), &id) == RC_OK)
		(void)json_object_set_new(state, end, reply_id(id, "ent_"));
}

static json_t *state_of(const struct db_rows *rows, int row, const char *column, bool edge)
{
	json_t *state = reply_tree(rows, row, column);

	if (edge) {
		name_end(state, "src");
		name_end(state, "dst");
	}
	return state;
}

static json_t *as_json(const struct db_rows *rows, int row)
{
	bool edge = str_eq(db_rows_text(rows, row, "subject"), S("edge"));

	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "at", reply_time(rows, row, "at"),
		"op", reply_text(rows, row, "op"), "subject", reply_text(rows, row, "subject"),
		"id", reply_id(db_rows_id(rows, row, "subject_id"), edge ? "edge_" : "ent_"),
		"kind", reply_text(rows, row, "kind"), "connection_id",
		reply_id(db_rows_id(rows, row, "connection_id"), "conn_"), "sync_id",
		reply_id(db_rows_id(rows, row, "sync_id"), "sync_"), "before",
		state_of(rows, row, "before", edge), "after", state_of(rows, row, "after", edge));
}

static struct http_reply page(const struct http_request *req, json_t *data,
			      const struct change_place *place, bool more)
{
	char position[64], next[CURSOR_TEXT_MAX];

	(void)snprintf(position, sizeof(position), "%lld:%lld", (long long)place->xid,
		       (long long)place->change_id);
	cursor_text(req, str_c(position), next);
	return reply_json(200, json_pack("{s:o, s:s, s:b}", "data", data, "next_cursor", next,
					 "has_more", more));
}

static enum rc read_start(struct http_request *req, const struct db_who *who,
			  const struct cursor *cursor, struct change_place *ret, struct err *err)
{
	struct str start = http_query(req, "start");

	if (cursor->position[0] && start.n > 0)
		return err_field(err, "?start", "invalid_parameter",
				 "start and cursor exclude each other: a cursor says where to go"
				 " on.");
	if (str_eq(start, S("now")))
		return changes_now(req->db, who, ret, err);
	return cursor_moment(cursor, &ret->xid, &ret->change_id, err);
}

struct http_reply changes_list_page(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct cursor cursor = { 0 };
	struct change_place place = { 0 };
	struct change_filter filter = { .kind = http_query(req, "kind"),
					.subject = http_query(req, "subject") };
	json_t *data = NULL;
	bool more = false;
	int n = 0;

	if (segment_filter(req, "connection_id", "conn_", &filter.connection_id, &err) != RC_OK ||
	    cursor_read(req, &cursor, &err) != RC_OK ||
	    read_start(req, &who, &cursor, &place, &err) != RC_OK)
		return problem_err(req, &err);
	filter.limit = cursor.limit;
	if (changes_after(req->db, &who, &filter, &place, &rows, &n, &more, &err) != RC_OK)
		return problem_err(req, &err);
	data = json_array();
	for (int i = 0; i < n; i++)
		(void)json_array_append_new(data, as_json(rows, i));
	return page(req, data, &place, more);
}
