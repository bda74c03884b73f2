/* Handlers of a connection's schedules: when it is synced and verified, and when next.
 * Never starts a run: the schedulers do, by what is stored. */
#include "api/schedules.h"
#include "api/connection_fields.h"
#include "api/cursor.h"
#include "api/etag.h"
#include "api/reply.h"
#include "api/row_out.h"
#include "api/schedule_fields.h"
#include "api/segment.h"
#include "base/clock.h"
#include "db/connections.h"

enum { PATCH_TRIES = 4, NEXT_RUNS = 5 };

static const char *const KINDS[] = { "sync", "verify" };

/* As a column is shown: without the zeros that end a fraction. */
static void put_time(struct json_out *o, int64_t us)
{
	char text[CLOCK_TEXT_MAX];
	size_t n = 0;

	clock_rfc3339(us * 1000, text);
	n = strlen(text) - 1;
	while (text[n - 1] == '0')
		n--;
	n -= text[n - 1] == '.';
	text[n] = 'Z';
	json_out_text(o, NULL, str_n(text, n + 1));
}

/* The first is when a scheduler comes for it, which may be the end of the backing off; the others are ticks after that. A
 * zone that the database of this host does not know shows none. */
static void put_next_runs(struct json_out *o, const struct db_rows *rows, int row,
			  struct id connection_id)
{
	AUTO(schedule_plan) struct schedule_plan *plan = NULL;
	const struct schedule_values v = schedule_rows_values(rows, row);
	struct schedule_due due = { 0 };
	int64_t at = db_rows_i64(rows, row, "due_us");

	if (v.paused || schedule_plan_new(&v, connection_id, &plan, NULL) != RC_OK ||
	    schedule_plan_due(plan, db_rows_i64(rows, row, "tick_us"), at, &due) != RC_OK)
		return;
	for (int i = 0; i < NEXT_RUNS; i++) {
		put_time(o, at);
		at = due.next_us;
		if (schedule_plan_next(plan, at, &due.next_us) != RC_OK)
			break;
	}
}

static void put_schedule(struct json_out *o, const struct db_rows *rows, int row,
			 struct id connection_id)
{
	json_out_begin(o, NULL, '{');
	row_out_text(o, "kind", rows, row, "kind");
	schedule_fields_put(o, rows, row);
	json_out_begin(o, "next_runs", '[');
	put_next_runs(o, rows, row, connection_id);
	json_out_end(o, '[');
	json_out_end(o, '{');
}

struct http_reply schedules_list_of_connection(struct http_request *req)
{
	struct err err = { 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = http_who(req);
	struct id connection_id = { { 0 } };
	struct json_out o = JSON_OUT_INIT(REPLY_OUT_MAX);
	struct http_reply reply = { 0 };

	if (segment_id(req, 0, "conn_", &connection_id, &err) != RC_OK ||
	    schedule_rows_list(req->db, &who, connection_id, NULL, &rows, &err) != RC_OK)
		return problem_err(req, &err);
	json_out_begin(&o, NULL, '{');
	json_out_begin(&o, "data", '[');
	for (int i = 0; i < db_rows_count(rows); i++)
		if (!db_rows_is_null(rows, i, "kind"))
			put_schedule(&o, rows, i, connection_id);
	json_out_end(&o, '[');
	json_out_end(&o, '{');
	reply = reply_out(200, &o);
	etag_write(&reply, db_rows_i64(rows, 0, "version"));
	return reply;
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
	struct json_out o = JSON_OUT_INIT(REPLY_OUT_MAX);
	struct body_schedule_change sent = { .every = { .state = FIELDS_ABSENT } };
	struct schedule_values v = schedule_rows_values(rows, 0);
	const bool sync = strcmp(kind, "sync") == 0;
	int64_t every_s = sync ? CONNECTION_FIELDS_EVERY_S : req->env->verify_every_s;
	struct http_reply reply = { 0 };

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
	put_schedule(&o, fresh, 0, connection_id);
	reply = reply_out(200, &o);
	etag_write(&reply, db_rows_i64(fresh, 0, "version"));
	return reply;
}

struct http_reply schedules_patch(struct http_request *req)
{
	const struct db_who who = http_who(req);
	const char *kind = kind_of(req->segments[1]);
	struct id connection_id = { { 0 } };
	struct http_reply reply = { 0 };
	struct err err = { 0 };
	int64_t asked = 0;
	bool retry = true;

	if (!kind)
		return problem_not_found(req);
	if (segment_id(req, 0, "conn_", &connection_id, &err) != RC_OK)
		return problem_err(req, &err);
	if (!etag_asked(req, &asked))
		return etag_stale(req, "connection");
	for (int i = 0; retry && i < PATCH_TRIES; i++) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		http_reply_done(&reply);
		retry = false;
		if (schedule_rows_list(req->db, &who, connection_id, kind, &rows, &err) != RC_OK)
			return problem_err(req, &err);
		if (asked && asked != db_rows_i64(rows, 0, "version"))
			return etag_stale(req, "connection");
		reply = patch_once(req, connection_id, rows, kind, &retry);
	}
	return reply;
}
