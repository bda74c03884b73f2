/* Rules between the fields of a schedule: every or cron, and what goes with cron only.
 * Spelling was judged when the body was read. */
#include "api/schedule_fields.h"
#include "api/duration.h"
#include "api/reply.h"

#include <stdio.h>

enum { POINTER_MAX = 64 };

static void only_with_cron(struct problem *p, const char *at, const char *name)
{
	char pointer[POINTER_MAX];

	(void)snprintf(pointer, sizeof(pointer), "%s/%s", at, name);
	problem_field(p, pointer, "only_with_cron", "The field is of a schedule with cron.");
}

/* The interval or cron: what is set clears the other, what is taken away falls back to the interval. */
static void choose(struct schedule_values *v, const struct body_schedule_patch *in, int64_t every_s)
{
	if (in->cron.state == FIELDS_SET) {
		v->cron = in->cron.s;
		v->every_s = 0;
	} else if (in->every.state == FIELDS_SET) {
		v->every_s = in->every.n;
		v->cron = S("");
	} else if (in->cron.state == FIELDS_NULL && v->every_s == 0) {
		v->every_s = every_s;
		v->cron = S("");
	} else if (in->every.state == FIELDS_NULL && v->every_s > 0) {
		v->every_s = every_s;
	}
}

static void apply_cron(struct schedule_values *v, const struct body_schedule_patch *in,
		       const struct schedule_values *defaults, const char *at, struct problem *p)
{
	if (v->every_s > 0) {
		v->time_zone = defaults->time_zone;
		v->jitter_s = defaults->jitter_s;
		if (in->time_zone.state == FIELDS_SET)
			only_with_cron(p, at, "time_zone");
		if (in->jitter.state == FIELDS_SET)
			only_with_cron(p, at, "jitter");
		return;
	}
	if (in->time_zone.state != FIELDS_ABSENT)
		v->time_zone =
			in->time_zone.state == FIELDS_SET ? in->time_zone.s : defaults->time_zone;
	if (in->jitter.state != FIELDS_ABSENT)
		v->jitter_s = in->jitter.state == FIELDS_SET ? in->jitter.n : defaults->jitter_s;
}

void schedule_fields_apply(struct schedule_values *v, const struct body_schedule_patch *in,
			   int64_t every_s, const char *at, struct problem *p)
{
	const struct schedule_values defaults = schedule_plan_defaults();
	const bool paused = v->paused;
	char pointer[POINTER_MAX];

	if (in->state == FIELDS_ABSENT)
		return;
	if (in->state == FIELDS_NULL) {
		*v = defaults;
		v->every_s = every_s;
		v->paused = paused;
		return;
	}
	if (in->every.state == FIELDS_SET && in->cron.state == FIELDS_SET) {
		(void)snprintf(pointer, sizeof(pointer), "%s/cron", at);
		problem_field(p, pointer, "only_one", "Only one of every and cron may be given.");
	}
	choose(v, in, every_s);
	apply_cron(v, in, &defaults, at, p);
	if (in->overlap.state == FIELDS_SET)
		v->overlap = in->overlap.s;
	if (in->catch_up_window.state != FIELDS_ABSENT)
		v->catch_up_window_s = in->catch_up_window.state == FIELDS_SET
					       ? in->catch_up_window.n
					       : defaults.catch_up_window_s;
}

static json_t *duration(int64_t seconds)
{
	char text[DURATION_TEXT_MAX];

	duration_text(seconds, text);
	return json_string(text);
}

json_t *schedule_fields_json(const struct db_rows *rows, int row)
{
	bool cron = !db_rows_is_null(rows, row, "cron"), paused = db_rows_bool(rows, row, "paused");
	json_t *every = cron ? json_null() : duration(db_rows_i64(rows, row, "every_s"));
	json_t *jitter = cron ? duration(db_rows_i64(rows, row, "jitter_s")) : json_null();
	json_t *next_at = paused ? json_null() : reply_time(rows, row, "next_at");

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "every", every,
			 "cron", reply_text(rows, row, "cron"), "time_zone",
			 cron ? reply_text(rows, row, "time_zone") : json_null(), "jitter", jitter,
			 "overlap", reply_text(rows, row, "overlap"), "catch_up_window",
			 duration(db_rows_i64(rows, row, "catch_up_window_s")), "next_at", next_at,
			 "missed", reply_i64(rows, row, "missed"), "failures",
			 reply_i64(rows, row, "failures"), "backoff_until",
			 reply_time(rows, row, "backoff_until"));
}
