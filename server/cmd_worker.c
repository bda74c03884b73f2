/* connectord worker: builds what its threads share, waits for a database of the right version, runs the pool until it is asked
 * to stop, drains. Never touches a task itself. */
#include "base/clock.h"
#include "base/log.h"
#include "db/migrate.h"
#include "server/cmd.h"
#include "server/notify.h"
#include "server/worker_scrape.h"
#include "workers/backoff.h"
#include "workers/identity_watch.h"
#include "workers/pool.h"
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	WORKER_TURN_MS = 1000,
	WORKER_RETRY_MIN_MS = 100,
	WORKER_RETRY_MAX_MS = 2000,
	WORKER_WHOAMI_S = 10, /* for asking STS who we are; work that needs it asks again */
};

struct worker {
	struct config *config;
	sigset_t signals;
	struct worker_env env;
	struct aws_env *aws;
	struct aws_session *base;
	struct sealfile *keyring;
	struct deliver_env *deliver;
	struct identity_watch *identity;
	struct worker_scrape *scrape;
	const char *own_accounts[2];
};

/* The signal that came within ms, 0 = none. */
static int wait_signal(const struct worker *w, int64_t ms)
{
	const struct timespec limit = { ms / 1000, (ms % 1000) * CLOCK_MS };
	int got = sigtimedwait(&w->signals, NULL, &limit);

	return got > 0 ? got : 0;
}

static enum rc check_settings(const struct config *c, struct err *err)
{
	if (!*config_text(c, "database_url"))
		return err_set(err, RC_INVALID, "no_database",
			       "database_url is not set; give the connection string of the role "
			       "connectord_worker");
	return RC_OK;
}

/* A signal that waits to be taken ends it as well. */
static bool whoami_late(void *deadline)
{
	sigset_t pending;

	sigpending(&pending);
	return clock_mono() > *(const int64_t *)deadline || sigismember(&pending, SIGTERM) == 1 ||
	       sigismember(&pending, SIGINT) == 1;
}

/* Without an identity the worker starts all the same: access keys work, and it is looked for again. */
static void look_for_identity(struct worker *w)
{
	int64_t deadline = clock_mono() + WORKER_WHOAMI_S * CLOCK_S;

	w->identity = identity_watch_new(&w->env, config_text(w->config, "database_url"),
					 config_text(w->config, "vendor_account"));
	identity_watch_look(w->identity, whoami_late, &deadline);
}

static enum rc build_aws(struct worker *w, struct err *err)
{
	const struct config *c = w->config;
	const char *vendor = config_text(c, "vendor_account");
	struct aws_settings settings = {
		.in_flight = (int)config_i64(c, "aws_in_flight"),
		.rates = config_text(c, "aws_rates"),
		.ca_file = config_text(c, "aws_ca_file"),
		.call_timeout_s = (int)config_i64(c, "aws_call_timeout_s"),
		.scope_deadline_s = (int)config_i64(c, "aws_scope_deadline_s"),
	};
	enum rc rc = RC_OK;

	if (*vendor) {
		w->own_accounts[0] = vendor;
		settings.own_accounts = w->own_accounts;
	}
	aws_setup();
	rc = aws_env_new(&settings, &w->aws, err);
	if (rc != RC_OK)
		return rc;
	w->base = aws_session_base(w->aws);
	w->env.aws = w->aws;
	w->env.base = w->base;
	return RC_OK;
}

static enum rc build_deliver(struct worker *w, struct err *err)
{
	const struct config *c = w->config;
	const struct deliver_settings settings = {
		.allow_private = config_text(c, "webhook_allow_private"),
		.ca_file = config_text(c, "webhook_ca_file"),
		.allow_http = config_bool(c, "webhook_allow_http"),
		.retry_ppm = config_i64(c, "webhook_retry_ppm"),
		.at_once = (int)(config_i64(c, "worker_threads") + 1) / 2,
	};
	enum rc rc = deliver_env_new(&settings, &w->deliver, err);

	w->env.deliver = w->deliver;
	return rc;
}

static enum rc build(struct worker *w, struct err *err)
{
	const struct config *c = w->config;
	const char *keys = config_text(c, "seal_key_file");
	enum rc rc = check_settings(c, err);

	if (rc == RC_OK && *keys)
		rc = sealfile_keyring(keys, &w->keyring, err);
	if (rc == RC_OK)
		rc = build_aws(w, err);
	if (rc == RC_OK)
		rc = build_deliver(w, err);
	w->env.keyring = w->keyring;
	w->env.external_id_enforce =
		str_eq(str_c(config_text(c, "external_id_check")), S("enforce"));
	w->env.new_role_grace_s = (int)config_i64(c, "new_role_grace_s");
	w->env.verify_every_s = (int)config_i64(c, "verify_every_s");
	w->env.setup_name_prefix = config_text(c, "setup_name_prefix");
	return rc;
}

/* A database that is away is waited for; one of another version is not. *ret_asked: a signal came first. */
static enum rc wait_schema(struct worker *w, bool *ret_asked, struct err *err)
{
	AUTO(db) struct db *db = NULL;
	struct err own = { 0 };
	bool said = false;
	int64_t pause = 0;
	enum rc rc = db_open(config_text(w->config, "database_url"), "connectord worker start", &db,
			     &own);

	for (;;) {
		if (rc == RC_OK)
			rc = migrate_check(db, &own);
		if (rc != RC_RETRY)
			break;
		if (!said)
			log_error("database_away", &own);
		said = true;
		pause = backoff_next(pause, WORKER_RETRY_MIN_MS, WORKER_RETRY_MAX_MS,
				     randombytes_random());
		*ret_asked = wait_signal(w, pause) != 0;
		if (*ret_asked)
			return RC_OK;
		err_clear(&own);
		rc = RC_OK;
	}
	if (said)
		log_event(LOG_INFO, "database_back", LOG_END);
	return rc == RC_OK ? rc : err_set(err, rc, own.code, "%s", own.text);
}

/* Until a signal. A pool that hangs is worse than none: leases run out, and a new process takes over. */
static void watch(const struct worker *w, const struct pool *pool)
{
	int watchdog_ms = notify_watchdog_ms();
	int64_t turn =
		watchdog_ms > 0 && watchdog_ms < WORKER_TURN_MS ? watchdog_ms : WORKER_TURN_MS;

	while (wait_signal(w, turn) == 0) {
		worker_scrape_sweep(w->scrape);
		if (!pool_alive(pool)) {
			log_event(LOG_ERROR, "worker_hangs", LOG_END);
			abort();
		}
		if (watchdog_ms > 0)
			notify_send("WATCHDOG=1");
	}
}

static enum rc run_pool(struct worker *w, struct err *err)
{
	const struct config *c = w->config;
	const struct pool_settings settings = {
		.database_url = config_text(c, "database_url"),
		.threads = (int)config_i64(c, "worker_threads"),
		.lease_s = (int)config_i64(c, "lease_s"),
		.heartbeat_s = (int)config_i64(c, "heartbeat_s"),
		.poll_ms = (int)config_i64(c, "poll_ms"),
		.drain_s = (int)config_i64(c, "drain_s"),
		.attempts_max = (int)config_i64(c, "task_attempts"),
		.scheduler = config_bool(c, "scheduler"),
	};
	char worker_id[ID_UUID_TEXT];
	struct pool *pool = NULL;
	enum rc rc = pool_start(&settings, KINDS, &w->env, &pool, err);

	if (rc != RC_OK) /* threads of it may run: the process ends, nothing is freed under them */
		return rc;
	worker_scrape_pool(w->scrape, pool);
	rc = identity_watch_start(w->identity, err);
	if (rc != RC_OK)
		return rc;
	id_uuid(pool_worker_id(pool), worker_id);
	log_event(LOG_INFO, "worker_ready", LOG_STR("worker_id", worker_id),
		  LOG_I64("threads", settings.threads),
		  LOG_BOOL("base_identity", identity_watch_found(w->identity)),
		  LOG_STR("vendor_account", identity_watch_account(w->identity)), LOG_END);
	notify_send("READY=1");
	watch(w, pool);
	notify_send("STOPPING=1");
	log_event(LOG_INFO, "worker_draining", LOG_I64("drain_s", settings.drain_s), LOG_END);
	if (!pool_drain(pool))
		_exit(CMD_OK);
	worker_scrape_pool(w->scrape, NULL);
	pool_free(pool);
	return RC_OK;
}

int cmd_worker(struct config *c, int argc, char **argv)
{
	struct worker w = { .config = c };
	struct err err = { 0 };
	bool asked = false;
	enum rc rc = RC_OK;

	(void)argc;
	(void)argv;
	/* Before any thread: all inherit the mask, and only wait_signal() takes these. */
	sigemptyset(&w.signals);
	sigaddset(&w.signals, SIGTERM);
	sigaddset(&w.signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &w.signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	rc = build(&w, &err);
	if (rc == RC_OK)
		rc = worker_scrape_start(c, &w.scrape, &err);
	if (rc == RC_OK)
		rc = wait_schema(&w, &asked, &err);
	if (rc == RC_OK && !asked)
		look_for_identity(&w);
	if (rc == RC_OK && !asked)
		rc = run_pool(&w, &err);
	if (rc != RC_OK)
		return cmd_fail("worker", &err);
	worker_scrape_free(w.scrape);
	identity_watch_free(w.identity);
	aws_session_free(w.base);
	aws_env_free(w.aws);
	sealfile_free(w.keyring);
	deliver_env_free(w.deliver);
	return CMD_OK;
}
