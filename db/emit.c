/* Events of syncs: thin ones, with counts, causes and the link to read more. Bounded, whatever a sync
 * found. */
#include "db/emit.h"
#include "base/mem.h"
#include "db/events.h"

enum { EMIT_PARTS_MAX = 8, EMIT_CHANGES_MAX = 40 };

static void set_id(json_t *data, const char *key, const char *prefix, struct id id)
{
	char text[ID_TEXT_MAX];

	id_text(id, prefix, text);
	json_object_set_new(data, key, json_string(text));
}

static void set_column(json_t *data, const struct db_rows *rows, int row, const char *column)
{
	json_object_set_new(data, column, json_text_value(db_rows_text(rows, row, column)));
}

#define UTC "AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'"
static const struct stmt FINISHED = {
	"emit_finished",
	"SELECT s.connection_id, s.state, s.cause, s.reason_code, left(s.reason, 400) AS reason,"
	" to_char(s.started_at " UTC ") AS started_at, to_char(s.finished_at " UTC
	") AS finished_at, s.objects_seen, s.objects_added, s.objects_changed, s.objects_removed"
	" FROM sync s JOIN connection c ON c.org_id = s.org_id"
	" AND c.connection_id = s.connection_id AND c.deleted_at IS NULL"
	" WHERE s.org_id = $1 AND s.sync_id = $2 AND s.finished_at IS NOT NULL",
	2, .by_index = true
};

static json_t *finished_data(const struct db_rows *rows, struct id sync_id)
{
	static const char *const TEXTS[] = { "state",  "cause",      "reason_code",
					     "reason", "started_at", "finished_at" };
	static const char *const COUNTS[] = { "objects_seen", "objects_added", "objects_changed",
					      "objects_removed" };
	json_t *data = json_object();
	char id[ID_TEXT_MAX];

	set_id(data, "sync_id", "sync_", sync_id);
	id_text(sync_id, "sync_", id);
	json_object_set_new(data, "link", json_sprintf("/v1/syncs/%s", id));
	for (size_t i = 0; i < COUNT_OF(TEXTS); i++)
		set_column(data, rows, 0, TEXTS[i]);
	for (size_t i = 0; i < COUNT_OF(COUNTS); i++)
		json_object_set_new(data, COUNTS[i], json_integer(db_rows_i64(rows, 0, COUNTS[i])));
	return data;
}

enum rc emit_sync_finished(struct db *db, struct id org_id, struct id sync_id, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_JSON json_t *data = NULL;
	bool wanted = false;
	enum rc rc = events_wanted(db, org_id, "sync.finished", &wanted, err);

	if (rc != RC_OK || !wanted)
		return rc;
	rc = db_run(db, NULL, &FINISHED, (const struct arg[]){ arg_id(org_id), arg_id(sync_id) },
		    &rows, err);
	if (rc != RC_OK || db_rows_count(rows) == 0)
		return rc;
	data = finished_data(rows, sync_id);
	return events_add(db, org_id, "sync.finished", db_rows_id(rows, 0, "connection_id"), data,
			  err);
}

static const struct stmt LOST = {
	"emit_lost",
	"SELECT r.part, r.state, r.reason_code, left(r.reason, 160) AS reason,"
	" left(r.action, 120) AS action, count(*) OVER () AS n"
	" FROM jsonb_to_recordset($6::jsonb) AS r (part text, state text, reason_code text,"
	"  reason text, action text) JOIN coverage c ON c.org_id = $1 AND c.connection_id = $2"
	" AND c.account_id = $3 AND c.region = $4 AND c.scope = $5 AND c.part = r.part"
	" WHERE c.state = 'ok' AND r.state NOT IN ('ok', 'skipped_by_config')"
	" ORDER BY r.part LIMIT $7::bigint",
	7, .by_index = true
};

static json_t *lost_data(const struct coverage_write *w, const struct db_rows *rows)
{
	static const char *const TEXTS[] = { "part", "state", "reason_code", "reason", "action" };
	json_t *data = json_object(), *parts = json_array();
	char id[ID_TEXT_MAX];

	id_text(w->connection_id, "conn_", id);
	json_object_set_new(data, "link", json_sprintf("/v1/connections/%s/coverage", id));
	set_id(data, "sync_id", "sync_", w->sync_id);
	json_object_set_new(data, "account_id", json_string(w->account_id));
	json_object_set_new(data, "region", json_string(w->region));
	json_object_set_new(data, "scope", json_string(w->scope));
	json_object_set_new(data, "parts_lost", json_integer(db_rows_i64(rows, 0, "n")));
	json_object_set_new(data, "parts", parts);
	for (int i = 0; i < db_rows_count(rows); i++) {
		json_t *part = json_object();

		for (size_t k = 0; k < COUNT_OF(TEXTS); k++)
			set_column(part, rows, i, TEXTS[k]);
		json_array_append_new(parts, part);
	}
	return data;
}

enum rc emit_coverage_lost(struct db *db, const struct coverage_write *w, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_JSON json_t *data = NULL;
	AUTO_TEXT char *text = NULL;
	bool wanted = false;
	enum rc rc = events_wanted(db, w->org_id, "coverage.lost", &wanted, err);

	if (rc != RC_OK || !wanted)
		return rc;
	text = json_text(w->rows);
	rc = db_run(db, NULL, &LOST,
		    (const struct arg[]){ arg_id(w->org_id), arg_id(w->connection_id),
					  arg_c(w->account_id), arg_c(w->region), arg_c(w->scope),
					  arg_c(text), arg_i64(EMIT_PARTS_MAX) },
		    &rows, err);
	if (rc != RC_OK || db_rows_count(rows) == 0)
		return rc;
	data = lost_data(w, rows);
	return events_add(db, w->org_id, "coverage.lost", w->connection_id, data, err);
}

static const struct stmt CHANGED = {
	"emit_changed",
	"SELECT subject, kind, op, count(*) AS n FROM change WHERE org_id = $1"
	" AND xid = pg_current_xact_id() AND sync_id = $2 GROUP BY subject, kind, op"
	" ORDER BY n DESC, subject, kind, op LIMIT $3::bigint",
	3, .by_index = true
};

static json_t *changed_data(const struct inventory_merge *m, const struct db_rows *rows)
{
	static const char *const TEXTS[] = { "subject", "kind", "op" };
	json_t *data = json_object(), *changes = json_array();

	json_object_set_new(data, "link", json_string("/v1/changes"));
	set_id(data, "sync_id", "sync_", m->sync_id);
	json_object_set_new(data, "account_id", json_string(m->account_id));
	json_object_set_new(data, "region", json_string(m->region));
	json_object_set_new(data, "scope", json_string(m->scope));
	json_object_set_new(data, "changes", changes);
	for (int i = 0; i < db_rows_count(rows); i++) {
		json_t *change = json_object();

		for (size_t k = 0; k < COUNT_OF(TEXTS); k++)
			set_column(change, rows, i, TEXTS[k]);
		json_object_set_new(change, "count", json_integer(db_rows_i64(rows, i, "n")));
		json_array_append_new(changes, change);
	}
	return data;
}

enum rc emit_entity_changed(struct db *db, const struct inventory_merge *m, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_JSON json_t *data = NULL;
	bool wanted = false;
	enum rc rc = events_wanted(db, m->org_id, "entity.changed", &wanted, err);

	if (rc != RC_OK || !wanted)
		return rc;
	rc = db_run(db, NULL, &CHANGED,
		    (const struct arg[]){ arg_id(m->org_id), arg_id(m->sync_id),
					  arg_i64(EMIT_CHANGES_MAX) },
		    &rows, err);
	if (rc != RC_OK || db_rows_count(rows) == 0)
		return rc;
	data = changed_data(m, rows);
	return events_add(db, m->org_id, "entity.changed", m->connection_id, data, err);
}
