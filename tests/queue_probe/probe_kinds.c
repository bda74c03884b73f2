/* The probe's task kinds. Each that takes time reads payload.ms; effects are rows of probe_effect, which has no unique key on
 * purpose: a task that happened twice shows as two rows. */
#include "tests/queue_probe/probe_kinds.h"
#include "base/clock.h"
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PROBE_SLICE_MS = 5 };

static const struct stmt EFFECT = {
	"probe_effect",
	"INSERT INTO probe_effect (org_id, task_id, kind, lease, attempts, pid, created_at, at)"
	" SELECT org_id, task_id, kind, lease, attempts, $4::int, created_at, clock_timestamp()"
	" FROM task WHERE org_id = $1 AND task_id = $2 AND lease = $3",
	4, .by_index = true
};
static const struct stmt BEGUN = { "probe_begun",
				   "INSERT INTO probe_begun (org_id, task_id, kind, lease, pid, at)"
				   " VALUES ($1, $2, $5, $3, $4::int, clock_timestamp())",
				   5 };
static const struct stmt COVER = {
	"probe_cover",
	"INSERT INTO coverage (org_id, connection_id, account_id, region, scope, part, state,"
	" reason_code, reason, sync_id) SELECT $1, $2, '111122223333', 'global', 'iam', part, "
	"state,"
	" reason_code, reason, $3 FROM probe_part WHERE connection_id = $2"
	" ON CONFLICT (org_id, connection_id, account_id, region, scope, part) DO UPDATE SET"
	" state = excluded.state, reason_code = excluded.reason_code, reason = excluded.reason,"
	" sync_id = excluded.sync_id, attempted_at = now()",
	3
};

/* Sleeps payload.ms in slices; false: it was told to stop. */
static bool spend(struct task_run *run, bool heed)
{
	int64_t until = clock_mono() + json_i64(run->task->payload, "ms", 0) * CLOCK_MS;

	while (clock_mono() < until) {
		if (heed && run->stop(run->stop_arg))
			return false;
		clock_sleep(PROBE_SLICE_MS * CLOCK_MS);
	}
	return true;
}

static enum rc begun(struct task_run *run, struct err *err)
{
	const struct task *t = run->task;
	const struct arg args[] = { arg_id(t->org_id), arg_id(t->task_id), arg_i64(t->lease),
				    arg_i64(getpid()), arg_c(t->kind) };

	return db_run(run->db, NULL, &BEGUN, args, NULL, err);
}

static enum rc effect_body(struct db *db, void *arg, struct err *err)
{
	const struct task *t = arg;
	const struct arg args[] = { arg_id(t->org_id), arg_id(t->task_id), arg_i64(t->lease),
				    arg_i64(getpid()) };
	enum rc rc = tasks_fence(db, t, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &EFFECT, args, NULL, err);
	return rc == RC_OK ? tasks_finish(db, t, err) : rc;
}

static enum rc effect(struct task_run *run, struct err *err)
{
	struct db_who who = { .org_id = run->task->org_id };
	enum rc rc = db_tx(run->db, &who, effect_body, run->task, err);

	run->finished = rc == RC_OK;
	return rc;
}

static enum rc effect_run(struct task_run *run, struct err *err)
{
	if (!spend(run, true))
		return err_set(err, RC_RETRY, "stopped", "told to stop");
	return effect(run, err);
}

/* Says that it began, then takes its time and listens, or not, to being told to stop. */
static enum rc wait_run(struct task_run *run, struct err *err)
{
	enum rc rc = begun(run, err);

	return rc == RC_OK ? effect_run(run, err) : rc;
}

static enum rc stuck_run(struct task_run *run, struct err *err)
{
	enum rc rc = begun(run, err);

	if (rc == RC_OK)
		spend(run, false);
	return rc == RC_OK ? effect(run, err) : rc;
}

static enum rc noop_run(struct task_run *run, struct err *err)
{
	(void)run;
	(void)err;
	return RC_OK;
}

static enum rc crash_run(struct task_run *run, struct err *err)
{
	const struct rlimit none = { 0, 0 };
	enum rc rc = begun(run, err);

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return rc;
}

static enum rc denied_run(struct task_run *run, struct err *err)
{
	(void)run;
	return err_set(err, RC_DENIED, "probe_denied", "this kind never succeeds");
}

static enum rc again_run(struct task_run *run, struct err *err)
{
	run->retry_in_s = 1;
	return err_set(err, RC_RETRY, "probe_again", "this kind wants to be tried again");
}

static enum rc cover_body(struct db *db, void *arg, struct err *err)
{
	const struct task *t = arg;
	const struct arg args[] = { arg_id(t->org_id), arg_id(t->connection_id),
				    arg_id(t->sync_id) };
	enum rc rc = tasks_fence(db, t, err);

	if (rc == RC_OK)
		rc = db_run(db, NULL, &COVER, args, NULL, err);
	return rc == RC_OK ? effect_body(db, arg, err) : rc;
}

/* Writes the coverage rows that probe_part holds for the connection. */
static enum rc sync_run(struct task_run *run, struct err *err)
{
	struct db_who who = { .org_id = run->task->org_id };
	enum rc rc = db_tx(run->db, &who, cover_body, run->task, err);

	run->finished = rc == RC_OK;
	return rc;
}

const struct task_kind PROBE_KINDS[] = {
	{ .name = "effect", .run = effect_run },
	{ .name = "wait", .run = wait_run },
	{ .name = "stuck", .run = stuck_run },
	{ .name = "noop", .run = noop_run },
	{ .name = "crash", .run = crash_run },
	{ .name = "denied", .run = denied_run },
	{ .name = "again", .run = again_run },
	{ .name = "late", .run = wait_run, .timeout_s = 1, .attempts_max = 1 },
	{ .name = "sync_account", .run = sync_run },
	{ .name = "verify", .run = effect_run },
	{ .name = NULL },
};
