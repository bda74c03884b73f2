/* Stores events and whom they go to. An organization without endpoints pays one look at an empty index.
 * Never sends anything: workers/notify does. */
#include "db/events.h"
#include "base/buf.h"
#include "base/mem.h"
#include "db/inside.h"
#include "db/tasks.h"
#include <assert.h>

enum { EVENTS_IDS_MAX = EVENTS_ENDPOINTS_MAX * ID_UUID_TEXT + 2 };

#define WANTING                                                                                    \
	"SELECT w.webhook_id FROM webhook w WHERE w.org_id = $1 AND w.state = 'enabled'"           \
	" AND w.deleted_at IS NULL AND (w.events = '{}' OR $2 = ANY (w.events))"

static const struct stmt WANTED = { "events_wanted", "SELECT EXISTS (" WANTING ") AS wanted", 2 };

enum rc events_wanted(struct db *db, struct id org_id, const char *type, bool *ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct arg args[] = { arg_id(org_id), arg_c(type) };
	enum rc rc = db_run(db, NULL, &WANTED, args, &rows, err);

	*ret = rc == RC_OK && db_rows_bool(rows, 0, "wanted");
	return rc;
}

/* $6: ids for the deliveries; an organization has no more endpoints than there are. */
static const struct stmt ADD = {
	"events_add",
	"WITH w AS MATERIALIZED (SELECT x.webhook_id, row_number() OVER () AS n FROM (" WANTING
	") x), e AS ("
	" INSERT INTO event (org_id, event_id, type, connection_id, data)"
	" SELECT $1, $3, $2, $4, $5 WHERE EXISTS (SELECT FROM w) RETURNING event_id"
	"), d AS ("
	" INSERT INTO delivery (org_id, delivery_id, webhook_id, event_id)"
	" SELECT $1, i.id, w.webhook_id, e.event_id FROM e CROSS JOIN w"
	" JOIN unnest($6::uuid[]) WITH ORDINALITY AS i (id, n) ON i.n = w.n RETURNING 1"
	") SELECT count(*) AS n FROM d",
	6
};

/* As many new ids as an organization may have endpoints, as an array's text. */
static void write_ids(struct buf *out)
{
	enum rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < EVENTS_ENDPOINTS_MAX; i++) {
		char id[ID_UUID_TEXT];

		id_uuid(id_new(), id);
		rc = buf_printf(out, "%s%s", i == 0 ? "{" : ",", id);
	}
	if (rc == RC_OK)
		rc = buf_putc(out, '}');
	assert(rc == RC_OK);
}

static json_t *whole(struct id connection_id, const json_t *data)
{
	static const struct id none = { { 0 } };
	json_t *all = data ? json_copy((json_t *)(uintptr_t)data) : json_object();
	char id[ID_TEXT_MAX];

	if (id_eq(connection_id, none))
		return all;
	id_text(connection_id, "conn_", id);
	json_object_set_new(all, "connection_id", json_string(id));
	if (!json_object_get(all, "link"))
		json_object_set_new(all, "link", json_sprintf("/v1/connections/%s", id));
	return all;
}

enum rc events_add(struct db *db, struct id org_id, const char *type, struct id connection_id,
		   const json_t *data, struct err *err)
{
	AUTO_JSON json_t *all = whole(connection_id, data);
	AUTO_TEXT char *text = json_text(all);
	AUTO(buf) struct buf ids = BUF_INIT(EVENTS_IDS_MAX);
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct new_task task = { .org_id = org_id, .kind = "deliver" };
	enum rc rc = RC_OK;

	assert(db->in_tx);
	if (strlen(text) > EVENTS_DATA_MAX)
		return err_set(err, RC_LIMIT, "event_too_long",
			       "the data of a %s event is longer than %d bytes", type,
			       EVENTS_DATA_MAX);
	write_ids(&ids);
	rc = db_run(db, NULL, &ADD,
		    (const struct arg[]){ arg_id(org_id), arg_c(type), arg_id(id_new()),
					  arg_id(connection_id), arg_c(text),
					  arg_text(buf_str(&ids)) },
		    &rows, err);
	if (rc != RC_OK || db_rows_i64(rows, 0, "n") == 0)
		return rc;
	return tasks_insert(db, &task, NULL, err);
}
