/* Rules between the fields of a schedule: every or cron, and what goes with cron only.
 * Spelling was judged when the body was read. */
#include "api/schedule_fields.h"
#include "api/duration.h"
#include "api/row_out.h"

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

static void put_duration(struct json_out *o, const char *key, int64_t seconds)
{
	char text[DURATION_TEXT_MAX];

	duration_text(seconds, text);
	json_out_text(o, key, str_c(text));
}

void schedule_fields_put(struct json_out *o, const struct db_rows *rows, int row)
{
	bool cron = !db_rows_is_null(rows, row, "cron");

	if (cron) {
		json_out_raw(o, "every", S("null"));
		put_duration(o, "jitter", db_rows_i64(rows, row, "jitter_s"));
		row_out_text(o, "time_zone", rows, row, "time_zone");
	} else {
		put_duration(o, "every", db_rows_i64(rows, row, "every_s"));
		json_out_raw(o, "jitter", S("null"));
		json_out_raw(o, "time_zone", S("null"));
	}
	row_out_text(o, "cron", rows, row, "cron");
	row_out_text(o, "overlap", rows, row, "overlap");
	put_duration(o, "catch_up_window", db_rows_i64(rows, row, "catch_up_window_s"));
	if (db_rows_bool(rows, row, "paused"))
		json_out_raw(o, "next_at", S("null"));
	else
		row_out_time(o, "next_at", rows, row, "next_at");
	row_out_raw(o, "missed", rows, row, "missed");
	row_out_raw(o, "failures", rows, row, "failures");
	row_out_time(o, "backoff_until", rows, row, "backoff_until");
}
