/* Ticks of schedules: an interval keeps its phase, cron keeps its local time. Never asks a clock. */
#include "db/schedule_plan.h"
#include "base/mem.h"

struct schedule_plan {
	int64_t every_us; /* 0: cron */
	struct cron cron;
	struct zone *zone;
	int64_t offset_s; /* how late this connection is behind cron */
};

struct schedule_values schedule_plan_defaults(void)
{
	return (struct schedule_values){ .cron = S(""),
					 .time_zone = S("UTC"),
					 .overlap = S("skip"),
					 .catch_up_window_s = 31536000 };
}

bool schedule_plan_same(const struct schedule_values *a, const struct schedule_values *b)
{
	return a->every_s == b->every_s && str_eq(a->cron, b->cron) &&
	       str_eq(a->time_zone, b->time_zone) && a->jitter_s == b->jitter_s &&
	       str_eq(a->overlap, b->overlap) && a->catch_up_window_s == b->catch_up_window_s &&
	       a->paused == b->paused;
}

void schedule_plan_free(struct schedule_plan *p)
{
	if (!p)
		return;
	zone_free(p->zone);
	mem_free(p);
}

/* The same part of the span for ever: a restart or an import does not start everything at once. */
static int64_t offset_of(struct id connection_id, int64_t span_s)
{
	const struct str part = str_n(connection_id.b, ID_BYTES);
	struct id hash = id_hash(&part, 1);
	uint64_t n = 0;

	memcpy(&n, hash.b, sizeof(n));
	return span_s > 0 ? (int64_t)(n % (uint64_t)span_s) : 0;
}

int schedule_plan_first_in_s(struct id connection_id, int64_t every_s)
{
	return (int)offset_of(connection_id, every_s) + 1;
}

enum rc schedule_plan_new(const struct schedule_values *v, struct id connection_id,
			  struct schedule_plan **ret, struct err *err)
{
	AUTO(schedule_plan) struct schedule_plan *p = MEM_NEW(struct schedule_plan);
	enum rc rc = RC_OK;

	p->every_us = v->every_s * SCHEDULE_PLAN_S;
	p->offset_s = offset_of(connection_id, v->jitter_s);
	if (v->every_s == 0)
		rc = cron_parse(v->cron, &p->cron, err);
	if (rc == RC_OK && v->every_s == 0)
		rc = zone_load(v->time_zone, &p->zone, err);
	if (rc == RC_OK)
		*ret = TAKE(p);
	return rc;
}

enum rc schedule_plan_next(const struct schedule_plan *p, int64_t tick_us, int64_t *ret_us)
{
	int64_t seconds = 0, below = tick_us % SCHEDULE_PLAN_S < 0;
	enum rc rc = RC_OK;

	if (p->every_us > 0) {
		*ret_us = tick_us + p->every_us;
		return RC_OK;
	}
	rc = cron_next(&p->cron, p->zone, tick_us / SCHEDULE_PLAN_S - below - p->offset_s,
		       &seconds);
	if (rc == RC_OK)
		*ret_us = (seconds + p->offset_s) * SCHEDULE_PLAN_S;
	return rc;
}

enum rc schedule_plan_due(const struct schedule_plan *p, int64_t next_us, int64_t now_us,
			  struct schedule_due *ret)
{
	struct schedule_due d = { .tick_us = next_us };
	enum rc rc = RC_OK;

	if (p->every_us > 0) {
		d.behind = now_us > next_us ? (now_us - next_us) / p->every_us : 0;
		d.tick_us = next_us + d.behind * p->every_us;
		d.next_us = d.tick_us + p->every_us;
		*ret = d;
		return RC_OK;
	}
	rc = schedule_plan_next(p, d.tick_us, &d.next_us);
	while (rc == RC_OK && d.next_us <= now_us && d.behind < SCHEDULE_PLAN_TICKS_MAX) {
		d.tick_us = d.next_us;
		d.behind++;
		rc = schedule_plan_next(p, d.tick_us, &d.next_us);
	}
	if (rc == RC_OK && d.next_us <= now_us)
		rc = schedule_plan_next(p, now_us, &d.next_us);
	if (rc == RC_OK)
		*ret = d;
	return rc;
}

int64_t schedule_plan_backoff_s(const struct schedule_plan *p, int64_t now_us, int64_t failures)
{
	int64_t doublings = failures - 1, first = 0, second = 0, wait = 0;

	if (failures < 1)
		return 0;
	if (doublings > SCHEDULE_PLAN_DOUBLINGS_MAX)
		doublings = SCHEDULE_PLAN_DOUBLINGS_MAX;
	wait = SCHEDULE_PLAN_BACKOFF_MAX_S;
	if (schedule_plan_next(p, now_us, &first) == RC_OK &&
	    schedule_plan_next(p, first, &second) == RC_OK)
		wait = ((second - first) / SCHEDULE_PLAN_S) << doublings;
	return wait < SCHEDULE_PLAN_BACKOFF_MAX_S ? wait : SCHEDULE_PLAN_BACKOFF_MAX_S;
}
