/* Runs a claimed task and settles it: finish, retry, fail, cancel, release or drop, as rc.def, the stop flags and the attempts
 * left say. A task that cannot be settled because the database stays away is left to its lease. */
#include "workers/runner.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "workers/backoff.h"
#include "workers/beats.h"
#include <sodium.h>
#include <stdio.h>

enum { RUNNER_PAUSE_MIN_MS = 50, RUNNER_PAUSE_MAX_MS = 1000, RUNNER_UNKNOWN_KIND_S = 60 };

enum outcome { DONE, DEAD, LATER, DROP };

static enum outcome outcome_of(enum rc rc)
{
	static const enum outcome OUTCOMES[] = {
#define X(name, status, outcome, level) [RC_##name] = outcome,
#include "base/rc.def"
#undef X
	};

	return OUTCOMES[rc];
}

/* How a task ends; why holds the sentence for LATER and DEAD. */
struct verdict {
	enum { V_NOTHING, V_FINISH, V_RETRY, V_FAIL, V_CANCEL, V_RELEASE } what;
	int delay_s;
	struct err why;
};

static const struct task_kind *kind_named(const struct task_kind *kinds, const char *name)
{
	for (; kinds->name; kinds++) {
		if (strcmp(kinds->name, name) == 0)
			return kinds;
	}
	return NULL;
}

static enum rc settle_once(struct runner *r, const struct task *task, const struct verdict *v,
			   struct err *err)
{
	switch (v->what) {
	case V_NOTHING: return RC_OK;
	case V_FINISH: return tasks_done(r->db, task, err);
	case V_RETRY: return tasks_retry(r->db, task, v->delay_s, &v->why, err);
	case V_FAIL: return tasks_fail(r->db, task, &v->why, err);
	case V_CANCEL: return tasks_cancel(r->db, task, err);
	case V_RELEASE: return tasks_release(r->db, task, err);
	}
	return RC_OK;
}

/* Fenced, so trying again after an unknown COMMIT is safe: the second try finds the lease gone. Given up after twice the lease:
 * by then the sweep has the task. */
static void settle(struct runner *r, const struct task *task, const struct verdict *v)
{
	int64_t until = clock_mono() + 2 * r->pool->set.lease_s * CLOCK_S;
	int64_t pause = 0;

	for (;;) {
		struct err err = { 0 };
		enum rc rc = settle_once(r, task, v, &err);

		if (rc != RC_CONFLICT)
			pool_heard(r->pool, "settle_failed", &err);
		if (rc != RC_RETRY || clock_mono() > until)
			return;
		pause = backoff_next(pause, RUNNER_PAUSE_MIN_MS, RUNNER_PAUSE_MAX_MS,
				     randombytes_random());
		clock_sleep(pause * CLOCK_MS);
	}
}

/* In the words of the log and of the metrics. Whoever ended the task in its own last transaction left nothing to settle. */
static const char *name_of(const struct verdict *v, bool finished)
{
	static const char *const NAMES[] = {
		[V_NOTHING] = "dropped", [V_FINISH] = "finished", [V_RETRY] = "retried",
		[V_FAIL] = "failed",     [V_CANCEL] = "canceled", [V_RELEASE] = "released"
	};

	return v->what == V_NOTHING && finished ? "finished" : NAMES[v->what];
}

/* What only newer workers know may be any text. */
static void count_end(const struct task_kind *kind, const char *outcome, int64_t ns)
{
	const char *name = kind ? kind->name : "unknown";

	metrics_add(METRICS_TASKS, METRICS_LABELS(name, outcome), 1);
	metrics_observe(METRICS_TASK_DURATION, METRICS_LABELS(name), ns);
}

static void log_end(const struct task *task, const struct verdict *v, const char *outcome,
		    int64_t ns)
{
	static const enum log_level LEVELS[] = {
		[V_NOTHING] = LOG_DEBUG, [V_FINISH] = LOG_DEBUG, [V_RETRY] = LOG_INFO,
		[V_FAIL] = LOG_WARN,     [V_CANCEL] = LOG_INFO,  [V_RELEASE] = LOG_INFO
	};
	char org[ID_UUID_TEXT], id[ID_TEXT_MAX], event[32];
	char connection[ID_TEXT_MAX] = "", sync[ID_TEXT_MAX] = "";
	const struct str request = json_str(task->payload, "request_id");
	const struct id none = { { 0 } };

	id_uuid(task->org_id, org);
	id_text(task->task_id, "task_", id);
	if (!id_eq(task->connection_id, none))
		id_text(task->connection_id, "conn_", connection);
	if (!id_eq(task->sync_id, none))
		id_text(task->sync_id, "sync_", sync);
	(void)snprintf(event, sizeof(event), "task_%s", outcome);
	log_event(LEVELS[v->what], event, LOG_STR("org_id", org),
		  LOG_STR("connection_id", connection), LOG_STR("sync_id", sync),
		  LOG_STR("task_id", id), LOG_STR("kind", task->kind),
		  LOG_I64("attempt", task->attempts), LOG_I64("ms", ns / CLOCK_MS),
		  LOG_STR("code", v->why.code), LOG_STR("text", v->why.text),
		  request.n ? LOG_TEXT("request_id", request) : LOG_END, LOG_END);
}

static void judge(struct runner *r, const struct task *task, const struct task_run *run, enum rc rc,
		  int attempts_max, bool lost, bool cancel, struct verdict *v)
{
	bool draining = false;

	if (rc == RC_OK) {
		v->what = run->finished ? V_NOTHING : V_FINISH;
		return;
	}
	lock_take(&r->pool->lock);
	draining = r->pool->synced.stop_now;
	lock_drop(&r->pool->lock);
	if (lost || outcome_of(rc) == DROP)
		v->what = V_NOTHING;
	else if (cancel)
		v->what = V_CANCEL;
	else if (draining)
		v->what = V_RELEASE;
	else if (outcome_of(rc) == DEAD || task->attempts >= attempts_max)
		v->what = V_FAIL;
	else
		v->what = V_RETRY;
	v->delay_s = run->retry_in_s > 0 ? run->retry_in_s
					 : backoff_task_s(task->attempts, randombytes_random());
}

static bool stop(void *runner)
{
	struct runner *r = runner;

	return beats_stop(r->pool, r->slot);
}

static enum rc call_kind(struct runner *r, const struct task_kind *kind, struct task_run *run,
			 struct err *err)
{
	enum rc rc = RC_OK;

	if (r->client)
		aws_client_stop_when(r->client, stop, r);
	rc = kind->run(run, err);
	if (r->client)
		aws_client_stop_when(r->client, NULL, NULL);
	if (rc != RC_OK) /* a kind that forgot to say why must not make an empty reason */
		err_set(err, rc, "task_error", "the %s task ended with %s", kind->name,
			err_rc_name(rc));
	return rc;
}

void runner_run(struct runner *r, struct task *task)
{
	struct pool *p = r->pool;
	const struct task_kind *kind = kind_named(p->kinds, task->kind);
	struct task_run run = { .task = task,
				.db = r->db,
				.client = r->client,
				.env = p->env,
				.stop = stop,
				.stop_arg = r };
	struct verdict v = { .what = V_CANCEL };
	int attempts_max =
		kind && kind->attempts_max > 0 ? kind->attempts_max : p->set.attempts_max;
	int64_t began = clock_mono();
	bool lost = false, cancel = false, ours = true;
	const char *outcome = NULL;
	enum rc rc = RC_OK;

	beats_add(p, r->slot, task, kind ? kind->timeout_s : 0);
	if (kind && !task->cancel) {
		rc = call_kind(r, kind, &run, &v.why);
	} else if (!task->cancel) {
		/* A newer worker may know it: leave it some time. */
		run.retry_in_s = RUNNER_UNKNOWN_KIND_S;
		rc = err_set(&v.why, RC_RETRY, "unknown_kind",
			     "this worker does not know tasks of kind %.40s", task->kind);
	}
	ours = beats_peek(p, r->slot, &lost, &cancel);
	if (!ours)
		v.what = V_NOTHING;
	else if (!task->cancel)
		judge(r, task, &run, rc, attempts_max, lost, cancel, &v);
	settle(r, task, &v);
	beats_remove(p, r->slot);
	outcome = name_of(&v, ours && run.finished && rc == RC_OK);
	count_end(kind, outcome, clock_mono() - began);
	log_end(task, &v, outcome, clock_mono() - began);
}

void runner_release(struct runner *r, const struct task *task)
{
	struct err err = { 0 };

	if (tasks_release(r->db, task, &err) == RC_RETRY)
		pool_heard(r->pool, "release_failed", &err);
}
