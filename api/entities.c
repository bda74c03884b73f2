/* Handlers of the inventory: entities, their edges one step far, their history.
 * Never changes anything. */
#include "db/entities.h"
#include "api/cursor.h"
#include "api/entities.h"
#include "api/problem.h"
#include "api/reply.h"
#include "api/segment.h"
#include "base/text.h"
#include "db/edges.h"

#include <stdio.h>

enum { EDGES_MAX = 500 };

static json_t *as_json(const struct db_rows *rows, int row)
{
	static const char *const TEXTS[] = {
		"account_id", "region", "scope", "kind", "key", "name"
	};
	static const char *const TIMES[] = { "first_seen", "changed_at", "deleted_at" };
	json_t *e = json_pack(
		"{s:o, s:o, s:o, s:o}", "id", reply_id(db_rows_id(rows, row, "entity_id"), "ent_"),
		"connection_id", reply_id(db_rows_id(rows, row, "connection_id"), "conn_"), "attrs",
		reply_tree(rows, row, "attrs"), "stub", reply_bool(rows, row, "stub"));

	for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
		(void)json_object_set_new(e, TEXTS[i], reply_text(rows, row, TEXTS[i]));
	for (size_t i = 0; i < COUNT_OF(TIMES); i++)
		(void)json_object_set_new(e, TIMES[i], reply_time(rows, row, TIMES[i]));
	return e;
}

static enum rc read_filter(const struct http_request *req, struct entity_filter *f, struct err *err)
{
	f->kind = http_query(req, "kind");
	f->account_id = http_query(req, "account_id");
	f->name_prefix = http_query(req, "name_prefix");
	f->deleted = str_eq(http_query(req, "deleted"), S("true"));
	return segment_filter(req, "connection_id", "conn_", &f->connection_id, err);
}

struct http_reply entities_list_page(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct cursor cursor = { 0 };
	struct entity_filter filter = { 0 };

	if (read_filter(req, &filter, &err) != RC_OK || cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_id(&cursor, "ent_", &filter.after, &err) != RC_OK)
		return problem_err(req, &err);
	filter.limit = cursor.limit + 1;
	if (entities_list(req->db, &who, &filter, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	return cursor_page(req, &cursor, rows, as_json, "entity_id", "ent_");
}

static json_t *edge_json(const struct db_rows *rows, int row)
{
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o, s:o}}", "id",
		reply_id(db_rows_id(rows, row, "edge_id"), "edge_"), "kind",
		reply_text(rows, row, "kind"), "qualifier", reply_text(rows, row, "qualifier"),
		"attrs", reply_tree(rows, row, "attrs"), "first_seen",
		reply_time(rows, row, "first_seen"), "changed_at",
		reply_time(rows, row, "changed_at"), "entity", "id",
		reply_id(db_rows_id(rows, row, "other_id"), "ent_"), "kind",
		reply_text(rows, row, "other_kind"), "key", reply_text(rows, row, "other_key"),
		"name", reply_text(rows, row, "other_name"), "deleted",
		reply_bool(rows, row, "other_deleted"));
}

/* entity.edges_out, entity.edges_in; "edges_cut" says that there are more than are shown. */
static enum rc add_edges(struct http_request *req, struct id entity_id, bool out, json_t *entity,
			 struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	json_t *list = NULL;
	enum rc rc = edges_of(req->db, &who, entity_id, out, EDGES_MAX + 1, &rows, err);

	if (rc != RC_OK)
		return rc;
	list = json_array();
	for (int i = 0; i < db_rows_count(rows) && i < EDGES_MAX; i++)
		(void)json_array_append_new(list, edge_json(rows, i));
	(void)json_object_set_new(entity, out ? "edges_out" : "edges_in", list);
	if (db_rows_count(rows) > EDGES_MAX || !json_object_get(entity, "edges_cut"))
		(void)json_object_set_new(entity, "edges_cut",
					  json_boolean(db_rows_count(rows) > EDGES_MAX));
	return RC_OK;
}

struct http_reply entities_show(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_JSON json_t *entity = NULL;
	const struct db_who who = http_who(req);
	struct id entity_id = { { 0 } };

	if (segment_id(req, 0, "ent_", &entity_id, &err) != RC_OK ||
	    entities_get(req->db, &who, entity_id, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	entity = as_json(rows, 0);
	if (add_edges(req, entity_id, true, entity, &err) != RC_OK ||
	    add_edges(req, entity_id, false, entity, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(200, TAKE(entity));
}

static json_t *change_json(const struct db_rows *rows, int row)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "at", reply_time(rows, row, "at"),
			 "op", reply_text(rows, row, "op"), "kind", reply_text(rows, row, "kind"),
			 "connection_id", reply_id(db_rows_id(rows, row, "connection_id"), "conn_"),
			 "sync_id", reply_id(db_rows_id(rows, row, "sync_id"), "sync_"), "before",
			 reply_tree(rows, row, "before"), "after", reply_tree(rows, row, "after"));
}

struct http_reply entities_history_page(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *entity = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct cursor cursor = { 0 };
	struct id entity_id = { { 0 } };
	int64_t us = 0, change_id = 0;
	json_t *data = NULL;
	char next[CURSOR_TEXT_MAX] = "", last[64];

	if (segment_id(req, 0, "ent_", &entity_id, &err) != RC_OK ||
	    cursor_read(req, &cursor, &err) != RC_OK ||
	    cursor_moment(&cursor, &us, &change_id, &err) != RC_OK ||
	    entities_get(req->db, &who, entity_id, &entity, &err) != RC_OK ||
	    entities_history(req->db, &who, entity_id, us, change_id, cursor.limit + 1, &rows,
			     &err) != RC_OK)
		return problem_err(req, &err);
	data = json_array();
	for (int i = 0; i < db_rows_count(rows) && i < cursor.limit; i++)
		(void)json_array_append_new(data, change_json(rows, i));
	if (db_rows_count(rows) > cursor.limit) {
		(void)snprintf(last, sizeof(last), "%lld:%lld",
			       (long long)db_rows_i64(rows, cursor.limit - 1, "at_us"),
			       (long long)db_rows_i64(rows, cursor.limit - 1, "change_id"));
		cursor_text(req, str_c(last), next);
	}
	return reply_page(data, next);
}
