/* Handlers of a connection's schedules: when it is synced and verified, and when next.
 * Never starts a run: the schedulers do, by what is stored. */
#include "api/schedules.h"
#include "api/connection_fields.h"
#include "api/cursor.h"
#include "api/reply.h"
#include "api/schedule_fields.h"
#include "api/segment.h"
#include "base/clock.h"
#include "db/connections.h"

enum { PATCH_TRIES = 4, NEXT_RUNS = 5 };

static const char *const KINDS[] = { "sync", "verify" };

static json_t *time_of(int64_t us)
{
	char text[CLOCK_TEXT_MAX];

	clock_rfc3339(us * 1000, text);
	return json_string(text);
}

/* The first is when a scheduler comes for it, which may be the end of the backing off; the others are ticks after that. A
 * zone that the database of this host does not know shows none. */
static json_t *next_runs(const struct db_rows *rows, int row, struct id connection_id)
{
	AUTO(schedule_plan) struct schedule_plan *plan = NULL;
	const struct schedule_values v = schedule_rows_values(rows, row);
	struct schedule_due due = { 0 };
	int64_t at = db_rows_i64(rows, row, "due_us");
	json_t *runs = json_array();

	if (v.paused || schedule_plan_new(&v, connection_id, &plan, NULL) != RC_OK ||
	    schedule_plan_due(plan, db_rows_i64(rows, row, "tick_us"), at, &due) != RC_OK)
		return runs;
	for (int i = 0; i < NEXT_RUNS; i++) {
		(void)json_array_append_new(runs, time_of(at));
		at = due.next_us;
		if (schedule_plan_next(plan, at, &due.next_us) != RC_OK)
			break;
	}
	return runs;
}

static json_t *as_json(const struct db_rows *rows, int row, struct id connection_id)
{
	json_t *s = schedule_fields_json(rows, row);

	(void)json_object_set_new(s, "kind", reply_text(rows, row, "kind"));
	(void)json_object_set_new(s, "next_runs", next_runs(rows, row, connection_id));
	return s;
}

struct http_reply schedules_list_of_connection(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct id connection_id = { { 0 } };
	json_t *data = NULL;

	if (segment_id(req, 0, "conn_", &connection_id, &err) != RC_OK ||
	    schedule_rows_list(req->db, &who, connection_id, NULL, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	data = json_array();
	for (int i = 0; i < db_rows_count(rows); i++)
		if (!db_rows_is_null(rows, i, "kind"))
			(void)json_array_append_new(data, as_json(rows, i, connection_id));
	return reply_json(200, json_pack("{s:o}", "data", data));
}

static const char *kind_of(struct str s)
{
	for (size_t i = 0; i < COUNT_OF(KINDS); i++)
		if (str_eq(s, str_c(KINDS[i])))
			return KINDS[i];
	return NULL;
}

static struct body_schedule_patch as_patch(const struct body_schedule_change *c)
{
	return (struct body_schedule_patch){ .state = FIELDS_SET,
					     .every = c->every,
					     .cron = c->cron,
					     .time_zone = c->time_zone,
					     .jitter = c->jitter,
					     .overlap = c->overlap,
					     .catch_up_window = c->catch_up_window };
}

/* One attempt over what is stored now. RC_CONFLICT version_changed: try again. */
static struct http_reply patch_once(struct http_request *req, struct id connection_id,
				    const struct db_rows *rows, const char *kind, bool *ret_retry)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	AUTO_JSON json_t *tree = NULL;
	AUTO_JSON json_t *detail = NULL;
	AUTO(db_rows) struct db_rows *fresh = NULL;
	struct body_schedule_change sent = { .every = { .state = FIELDS_ABSENT } };
	struct schedule_values v = schedule_rows_values(rows, 0);
	const bool sync = strcmp(kind, "sync") == 0;
	int64_t every_s = sync ? CONNECTION_FIELDS_EVERY_S : req->env->verify_every_s;

	if (!fields_read(req->body, FIELDS_PATCH, BODY_SCHEDULE_CHANGE, &sent, &tree, &p))
		return problem_reply(req, &p);

	const struct body_schedule_patch patch = as_patch(&sent);

	schedule_fields_apply(&v, &patch, every_s, "", &p);
	if (!sync && !str_eq(v.overlap, S("skip")))
		problem_field(&p, "/overlap", "only_of_syncs",
			      "There is never more than one verification at a time.");
	if (p.status)
		return problem_reply(req, &p);
	detail = json_pack("{s:s, s:O}", "kind", kind, "schedule", tree);

	const struct schedule_change change = { .set = { .org_id = req->caller.org_id,
							 .connection_id = connection_id,
							 .kind = kind,
							 .values = &v,
							 .first_in_s = schedule_plan_first_in_s(
								 connection_id, v.every_s) },
						.version = db_rows_i64(rows, 0, "version"),
						.actor = req->caller.actor,
						.request_id = req->request_id,
						.detail = detail };

	if (schedule_rows_change(req->db, &change, &fresh, &err) != RC_OK) {
		*ret_retry = str_eq(str_c(err.code), S("version_changed"));
		return problem_err(req, &err);
	}
	return reply_json(200, as_json(fresh, 0, connection_id));
}

struct http_reply schedules_patch(struct http_request *req)
{
	const struct db_who who = http_who(req);
	const char *kind = kind_of(req->segments[1]);
	struct id connection_id = { { 0 } };
	struct http_reply reply = { 0 };
	struct err err = { 0 };
	bool retry = true;

	if (!kind)
		return problem_not_found(req);
	if (segment_id(req, 0, "conn_", &connection_id, &err) != RC_OK)
		return problem_err(req, &err);
	for (int i = 0; retry && i < PATCH_TRIES; i++) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		http_reply_done(&reply);
		retry = false;
		if (schedule_rows_list(req->db, &who, connection_id, kind, &rows, &err) != RC_OK)
			return problem_err(req, &err);
		reply = patch_once(req, connection_id, rows, kind, &retry);
	}
	return reply;
}
