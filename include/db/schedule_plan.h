/* When a schedule is due: arithmetic over ticks, without a database. Times are microseconds of Unix time, as
 * Postgres keeps them. */
#ifndef DB_SCHEDULE_PLAN_H
#define DB_SCHEDULE_PLAN_H

#include "base/cron.h"
#include "base/id.h"

enum {
	SCHEDULE_PLAN_TICKS_MAX = 100000, /* ticks of cron that one absence is looked through for */
	SCHEDULE_PLAN_BACKOFF_MAX_S = 86400,
	SCHEDULE_PLAN_DOUBLINGS_MAX = 16
};
#define SCHEDULE_PLAN_S INT64_C(1000000)

/* As a person sets it; views. */
struct schedule_values {
	int64_t every_s; /* 0: cron says when */
	struct str cron; /* "": every_s says when */
	struct str time_zone;
	int64_t jitter_s; /* of cron */
	struct str overlap;
	int64_t catch_up_window_s;
	bool paused;
};
/* What is not said: every_s and cron are left empty, and skip, no jitter, UTC, any time later. */
struct schedule_values schedule_plan_defaults(void);
bool schedule_plan_same(const struct schedule_values *a, const struct schedule_values *b);

/* When an interval begins: spread over it by a hash of the connection, so that a restart or an import does not start
 * everything at once. 1..every_s; 1 when cron says when. */
int schedule_plan_first_in_s(struct id connection_id, int64_t every_s);

struct schedule_plan;
void schedule_plan_free(struct schedule_plan *p);
DEFINE_AUTO(schedule_plan)
/* RC_INVALID invalid_cron, unknown_time_zone; RC_BROKEN: the zone's file is damaged. */
MUST_CHECK enum rc schedule_plan_new(const struct schedule_values *v, struct id connection_id,
				     struct schedule_plan **ret, struct err *err);
/* The tick after the given one (cron: after any instant). RC_NOT_FOUND: cron has none for years. */
MUST_CHECK enum rc schedule_plan_next(const struct schedule_plan *p, int64_t tick_us,
				      int64_t *ret_us);

/* What an absence left: next_us was due and now it is now_us. */
struct schedule_due {
	int64_t tick_us; /* the last tick that is not in the future */
	int64_t behind;  /* ticks before it, from next_us on */
	int64_t next_us; /* the tick to come */
};
MUST_CHECK enum rc schedule_plan_due(const struct schedule_plan *p, int64_t next_us, int64_t now_us,
				     struct schedule_due *ret);
/* How long to wait after so many failures in a row: the period, doubled with each, at most a day. */
int64_t schedule_plan_backoff_s(const struct schedule_plan *p, int64_t now_us, int64_t failures);

#endif
