/* Watches the base identity. Never decides anything for a task: tasks ask own_account_ready() themselves. */
#include "workers/identity_watch.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/worker_identity.h"
#include "workers/own_account.h"

#include <stdio.h>

#define AGAIN_FOUND   (60 * CLOCK_S)
#define AGAIN_MISSING (10 * CLOCK_S)
#define ASK_AGAIN     (900 * CLOCK_S) /* AWS, whether it still knows us */
#define LOOK_MOST     (20 * CLOCK_S)
static const char REGION[] = "us-east-1";

struct identity_watch {
	const struct worker_env *env;
	const char *database_url, *vendor_setting;
	struct id process;
	/* Of whoever looks: the main thread first, then the watch's own. */
	struct aws_client *client;
	char state[WORKER_IDENTITY_STATE_MAX], code[ERR_CODE_MAX];
	char account[VENDOR_ACCOUNT_MAX];
	int64_t asked_at; /* mono; 0 = AWS was not asked yet */
	int64_t deadline;
	bool found_first;
	char account_first[VENDOR_ACCOUNT_MAX];

	pthread_t thread;
	bool started;
	struct lock lock;
	struct cond wake;
	struct {
		bool stop;
	} synced;
};

static bool told_to_stop(struct identity_watch *w)
{
	bool stop;

	lock_take(&w->lock);
	stop = w->synced.stop;
	lock_drop(&w->lock);
	return stop;
}

struct identity_watch *identity_watch_new(const struct worker_env *env, const char *database_url,
					  const char *vendor_account)
{
	struct identity_watch *w = MEM_NEW(struct identity_watch);

	w->env = env;
	w->database_url = database_url;
	w->vendor_setting = vendor_account;
	w->process = id_new();
	w->client = aws_client_new(env->aws);
	lock_init(&w->lock);
	lock_cond_init(&w->wake);
	return w;
}

static void say_gone(struct identity_watch *w)
{
	AUTO(db) struct db *db = NULL;
	struct err ignored = { 0 };

	/* A row that stays is not believed for long. */
	if (db_open(w->database_url, "connectord worker end", &db, &ignored) == RC_OK &&
	    worker_identity_remove(db, w->process, &ignored) != RC_OK)
		log_error("worker_identity_stays", &ignored);
}

void identity_watch_free(struct identity_watch *w)
{
	if (!w)
		return;
	lock_take(&w->lock);
	w->synced.stop = true;
	lock_cond_wake_all(&w->wake);
	lock_drop(&w->lock);
	if (w->started)
		pthread_join(w->thread, NULL);
	if (w->state[0])
		say_gone(w);
	aws_client_free(w->client);
	lock_cond_destroy(&w->wake);
	lock_destroy(&w->lock);
	mem_free(w);
}

bool identity_watch_found(const struct identity_watch *w)
{
	return w->found_first;
}

const char *identity_watch_account(const struct identity_watch *w)
{
	return w->account_first;
}

static const char *state_of(enum rc rc, const struct aws_fault *fault)
{
	if (rc == RC_OK)
		return "found";
	if (strcmp(fault->code, "no_base_credentials") == 0)
		return "missing";
	if (own_account_is_refusal(fault))
		return "refused";
	return "broken";
}

/* Once a change: a worker without an identity would say it every few seconds. */
static void tell(struct identity_watch *w, const char *state, const struct err *err)
{
	bool news = strcmp(w->state, state) != 0 || strcmp(w->code, err->code) != 0;
	char event[48], source[AWS_ORIGIN_MAX] = "";

	snprintf(w->state, sizeof(w->state), "%s", state);
	snprintf(w->code, sizeof(w->code), "%s", err->code);
	if (!news)
		return;
	snprintf(event, sizeof(event), "base_identity_%s", state);
	aws_session_origin(w->env->base, source);
	if (err->rc == RC_OK)
		log_event(LOG_INFO, event, LOG_STR("source", source),
			  LOG_STR("account", w->account), LOG_END);
	else
		log_error(event, err);
}

static void store(struct identity_watch *w, struct db *db)
{
	char source[AWS_ORIGIN_MAX] = "";
	const struct worker_identity row = { .worker_id = w->process,
					     .state = w->state,
					     .code = w->code,
					     .account_id = w->account,
					     .source = source };
	struct err err = { 0 };

	aws_session_origin(w->env->base, source);
	if (worker_identity_store(db, &row, &err) != RC_OK)
		log_error("worker_identity_unsaid", &err);
}

/* The account that customers trust is the base identity's own, unless the operator named another one. */
static enum rc learn(struct identity_watch *w, struct db *db, struct aws_fault *fault,
		     struct err *err)
{
	enum rc rc;

	if (w->vendor_setting[0]) {
		snprintf(w->account, sizeof(w->account), "%s", w->vendor_setting);
		return RC_OK;
	}
	if (w->asked_at && clock_mono() - w->asked_at < ASK_AGAIN && w->account[0])
		return RC_OK;
	rc = own_account_learn(w->env, w->client, db, REGION, w->account, fault, err);
	w->asked_at = clock_mono();
	return rc;
}

static void look(struct identity_watch *w)
{
	AUTO(db) struct db *db = NULL;
	struct aws_fault fault = { .class = AWS_OK };
	struct err err = { 0 }, away = { 0 };
	bool asked = false;
	enum rc rc = db_open(w->database_url, "connectord worker identity", &db, &away);

	/* The operator's word needs no identity. */
	if (rc == RC_OK && w->vendor_setting[0])
		rc = vendor_store(db, w->vendor_setting, &away);
	if (rc != RC_OK)
		log_error("vendor_account_unknown", &away);
	rc = aws_session_warm(w->env->base, w->client, &fault, &err);
	if (rc == RC_OK && away.rc == RC_OK) {
		asked = true;
		rc = learn(w, db, &fault, &err);
	}
	if (fault.class == AWS_CANCELED)
		return;
	if (rc != RC_OK && asked && !own_account_is_refusal(&fault)) {
		/* There is one; that STS or the database is away says nothing about it. */
		log_error("vendor_account_unknown", &err);
		err_clear(&err);
		rc = RC_OK;
		w->asked_at = 0;
	}
	tell(w, state_of(rc, &fault), &err);
	if (away.rc == RC_OK)
		store(w, db);
}

void identity_watch_look(struct identity_watch *w, bool (*stop)(void *arg), void *arg)
{
	aws_client_stop_when(w->client, stop, arg);
	look(w);
	w->found_first = strcmp(w->state, "found") == 0;
	snprintf(w->account_first, sizeof(w->account_first), "%s", w->account);
}

static bool late(void *arg)
{
	struct identity_watch *w = arg;

	return clock_mono() > w->deadline || told_to_stop(w);
}

static bool wait(struct identity_watch *w)
{
	int64_t pause =
		strcmp(w->state, "found") == 0 && w->account[0] ? AGAIN_FOUND : AGAIN_MISSING;
	int64_t until = clock_mono() + pause;
	bool stop;

	lock_take(&w->lock);
	while (!w->synced.stop && clock_mono() < until)
		(void)lock_cond_wait(&w->wake, &w->lock, until);
	stop = w->synced.stop;
	lock_drop(&w->lock);
	return !stop;
}

static void *run(void *arg)
{
	struct identity_watch *w = arg;

	aws_client_stop_when(w->client, late, w);
	while (wait(w)) {
		w->deadline = clock_mono() + LOOK_MOST;
		look(w);
	}
	return NULL;
}

enum rc identity_watch_start(struct identity_watch *w, struct err *err)
{
	int code = pthread_create(&w->thread, NULL, run, w);

	if (code != 0)
		return err_set(err, RC_BROKEN, "no_thread", "a thread cannot be started: %s",
			       strerrordesc_np(code));
	w->started = true;
	return RC_OK;
}
