/* A worker process with the probe's kinds, and single calls of db/ from a shell, for the queue's system tests and benches:
 *
 *   queue_probe worker URL [name=value ...]       runs until SIGTERM; first line: "ready WORKER_ID"
 *   queue_probe start URL ORG CONNECTION          syncs_start
 *   queue_probe cancel URL ORG SYNC               syncs_cancel
 *   queue_probe schedule URL ORG CONNECTION KIND EVERY_S FIRST_IN_S PAUSED
 *   queue_probe late URL                          claims, sleeps past the lease, is swept, claimed again, finishes late
 *   queue_probe lost URL                          a transaction of which a part lost a race and was undone, then its COMMIT
 *
 * A call prints RC, code and id and ends with 0; it is no part of the product. */
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "db/schedule_rows.h"
#include "db/syncs.h"
#include "tests/queue_probe/probe_kinds.h"
#include "workers/pool.h"
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { PROBE_TURN_S = 1, PROBE_LEASE_S = 1 };

struct option {
	const char *name;
	int *value;
};

static bool take_options(const struct option *options, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		struct str value = str_c(argv[i]), name = str_cut(&value, '=');
		const struct option *o = options;
		int64_t n = 0;

		while (o->name && !str_eq(name, str_c(o->name)))
			o++;
		if (!o->name || !str_to_i64(value, &n) || n < 0 || n > 1000000)
			return false;
		*o->value = (int)n;
	}
	return true;
}

static int worker(const char *url, int argc, char **argv)
{
	struct worker_env env = { .aws = NULL };
	int scheduler = 0;
	struct pool_settings s = { .database_url = url,
				   .threads = 4,
				   .lease_s = 30,
				   .heartbeat_s = 10,
				   .poll_ms = 1000,
				   .drain_s = 30,
				   .attempts_max = 5 };
	const struct option options[] = {
		{ "threads", &s.threads },         { "lease_s", &s.lease_s },
		{ "heartbeat_s", &s.heartbeat_s }, { "poll_ms", &s.poll_ms },
		{ "drain_s", &s.drain_s },         { "attempts", &s.attempts_max },
		{ "scheduler", &scheduler },       { NULL, NULL }
	};
	struct pool *pool = NULL;
	struct err err = { 0 };
	char id[ID_UUID_TEXT];
	sigset_t signals;

	if (!take_options(options, argc, argv))
		return 64;
	s.scheduler = scheduler != 0;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (pool_start(&s, PROBE_KINDS, &env, &pool, &err) != RC_OK)
		return 70;
	id_uuid(pool_worker_id(pool), id);
	printf("ready %s\n", id);
	fflush(stdout);
	while (sigtimedwait(&signals, NULL, &(struct timespec){ .tv_sec = PROBE_TURN_S }) < 0) {
		if (!pool_alive(pool))
			return 70;
	}
	if (!pool_drain(pool))
		_exit(0);
	pool_free(pool);
	return 0;
}

static int tell(enum rc rc, const struct err *err, struct id id)
{
	char text[ID_UUID_TEXT];

	id_uuid(id, text);
	printf("%s %s %s\n", err_rc_name(rc), rc == RC_OK ? "-" : err->code, text);
	return 0;
}

static struct id id_of(const char *text)
{
	struct id id = { { 0 } };

	if (id_parse_uuid(str_c(text), &id) != RC_OK)
		_exit(64);
	return id;
}

static int number_of(const char *text)
{
	int64_t n = 0;

	if (!str_to_i64(str_c(text), &n) || n < 0 || n > INT32_MAX)
		_exit(64);
	return (int)n;
}

static enum rc finish_body(struct db *db, void *task, struct err *err)
{
	return tasks_finish(db, task, err);
}

/* Two workers in one process, so that the order of events is the test's and not the scheduler's. */
static enum rc finish_late(struct db *db, struct id *ret_id, struct err *err)
{
	AUTO(task) struct task *first = NULL, *second = NULL;
	int64_t swept = 0, until = 0;
	enum rc rc = tasks_claim(db, id_new(), PROBE_LEASE_S, &first, err);

	if (rc != RC_OK)
		return rc;
	*ret_id = first->task_id;
	until = clock_mono() + 10 * CLOCK_S;
	while (rc == RC_OK && swept == 0 && clock_mono() < until) {
		clock_sleep(50 * CLOCK_MS);
		rc = tasks_sweep(db, 5, &swept, err);
	}
	if (rc == RC_OK)
		rc = tasks_claim(db, id_new(), PROBE_LEASE_S, &second, err);
	if (rc != RC_OK)
		return rc;
	if (!id_eq(first->task_id, second->task_id) || second->lease != first->lease + 1)
		return err_set(err, RC_BROKEN, "probe", "the second claim is not of the same task");
	rc = db_tx(db, NULL, finish_body, first, err);
	if (rc != RC_CONFLICT)
		return err_set(err, RC_BROKEN, "probe", "the late finish was not refused");
	err_clear(err);
	return db_tx(db, NULL, finish_body, second, err);
}

static const struct stmt LOSE = { "probe_lose",
				  "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$",
				  0 };
static const struct stmt EFFECT = { "probe_effect",
				    "INSERT INTO probe_effect (kind) VALUES ('lost')", 0 };

static enum rc lose_body(struct db *db, void *arg, struct err *err)
{
	(void)arg;
	return db_run(db, NULL, &LOSE, NULL, NULL, err);
}

static enum rc lost_body(struct db *db, void *bodies, struct err *err)
{
	struct err own = { 0 };

	if (++*(int *)bodies > 1)
		return err_set(err, RC_BROKEN, "repeated", "the body ran again");
	if (db_tx(db, NULL, lose_body, NULL, &own) != RC_RETRY)
		return err_set(err, RC_BROKEN, "probe", "the part did not lose");
	return db_run(db, NULL, &EFFECT, NULL, NULL, err);
}

static enum rc set_body(struct db *db, void *set, struct err *err)
{
	return schedule_rows_set(db, set, err);
}

static enum rc schedule(struct db *db, char **argv, struct err *err)
{
	struct schedule_values v = schedule_plan_defaults();
	struct schedule_set set = { .org_id = id_of(argv[0]),
				    .connection_id = id_of(argv[1]),
				    .kind = argv[2],
				    .values = &v,
				    .first_in_s = number_of(argv[4]) };

	v.every_s = number_of(argv[3]);
	v.paused = argv[5][0] == '1';
	return db_tx(db, &(struct db_who){ .org_id = set.org_id }, set_body, &set, err);
}

static int call(const char *what, const char *url, int argc, char **argv)
{
	AUTO(db) struct db *db = NULL;
	struct err err = { 0 };
	struct id id = { { 0 } };
	enum rc rc = db_open(url, "queue probe", &db, &err);

	if (rc != RC_OK)
		return tell(rc, &err, id);
	if (strcmp(what, "start") == 0 && argc == 2)
		rc = syncs_start(db,
				 &(struct new_sync){ .org_id = id_of(argv[0]),
						     .connection_id = id_of(argv[1]),
						     .cause = "request",
						     .requested_by = "key:probe",
						     .request_id = "req_probe" },
				 &id, &err);
	else if (strcmp(what, "cancel") == 0 && argc == 2)
		rc = syncs_cancel(db, id_of(argv[0]), id_of(argv[1]), "key:probe", "req_probe",
				  &err);
	else if (strcmp(what, "schedule") == 0 && argc == 6)
		rc = schedule(db, argv, &err);
	else if (strcmp(what, "late") == 0 && argc == 0)
		rc = finish_late(db, &id, &err);
	else if (strcmp(what, "lost") == 0 && argc == 0)
		rc = db_tx_shell(db, NULL, lost_body, &(int){ 0 }, &err);
	else
		return 64;
	return tell(rc, &err, id);
}

int main(int argc, char **argv)
{
	secret_harden_process();
	json_setup();
	log_setup("queue_probe", "info", "json");
	if (argc < 3)
		return 64;
	if (strcmp(argv[1], "worker") == 0)
		return worker(argv[2], argc - 3, argv + 3);
	return call(argv[1], argv[2], argc - 3, argv + 3);
}
