/* connectord up: PostgreSQL, server and worker as children of one process.
 * Starts them in order, starts again what dies, ends them in the reverse order. The only process
 * here that knows all keys' places; it opens none of them but the operator's, once. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/childenv.h"
#include "server/cluster.h"
#include "server/cmd.h"
#include "server/firstorg.h"
#include "server/keyfiles.h"
#include "server/notify.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { POSTGRES, SERVER, WORKER, CHILDREN };
enum {
	RECOVERY_S = 600, /* PostgreSQL replaying its log after a crash */
	START_S = 60,     /* the server's first answer */
	MIGRATE_S = 600,
	DRAIN_MAX_S = 22, /* of the 30 s that stopping may take; the rest is PostgreSQL's */
	DRAIN_GRACE_S = 3,
	POSTGRES_STOP_S = 4,
	PORT_MAX = 65535
};
#define TICK (100 * CLOCK_MS)

struct up {
	struct config *config;
	struct identities ids;
	struct places *places;
	struct cluster cluster;
	struct child child[CHILDREN];
	char drain[24], port[24], worker_metrics_port[24];
	sigset_t signals;
	int asked; /* how often we were asked to stop */
};

/* Waits up to ns for a signal; counts requests to stop. */
static void wait_signal(struct up *up, int64_t ns)
{
	const struct timespec limit = { ns / CLOCK_S, ns % CLOCK_S };
	int got = sigtimedwait(&up->signals, NULL, &limit);

	if (got == SIGTERM || got == SIGINT || got == SIGHUP)
		up->asked++;
}

static enum rc was_asked(struct err *err)
{
	return err_set(err, RC_RETRY, "stopped", "asked to stop before everything was up");
}

/* A free port of our own choice when the setting is 0, so that the address can be printed. */
static enum rc choose_port(struct up *up, struct err *err)
{
	int64_t port = config_i64(up->config, "listen_port");
	struct sockaddr_in any = { .sin_family = AF_INET };
	socklen_t n = sizeof(any);
	int fd = -1;
	bool good = true;

	if (port == 0) {
		any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		good = fd >= 0 && bind(fd, (const struct sockaddr *)&any, n) == 0 &&
		       getsockname(fd, (struct sockaddr *)&any, &n) == 0;
		port = ntohs(any.sin_port);
		if (fd >= 0)
			close(fd);
	}
	if (!good)
		return err_set(err, RC_RETRY, "no_port", "no free port: %s",
			       strerrordesc_np(errno));
	snprintf(up->port, sizeof(up->port), "%lld", (long long)port);
	return RC_OK;
}

static void set_up_child(struct up *up, int which, const char *command, bool keep_aws,
			 const char *drop, const struct childenv_set *set)
{
	struct child *c = &up->child[which];

	c->name = command;
	c->death_signal = SIGKILL; /* leases and fences make that safe for a worker */
	c->stop_signal = SIGTERM;
	c->output_fd = -1;
	c->env = childenv_make(up->config, keep_aws, drop, set);
	child_arg(c, "connectord");
	child_arg(c, "%s", command);
}

/* The two halves that must not know each other's secrets. */
static void set_up_children(struct up *up)
{
	const struct places *p = up->places;
	AUTO_TEXT char *app = cluster_conninfo(&up->cluster, "connectord_app");
	AUTO_TEXT char *worker = cluster_conninfo(&up->cluster, "connectord_worker");
	int64_t drain = config_i64(up->config, "drain_s");
	int64_t metrics = config_i64(up->config, "metrics_listen_port");
	const struct childenv_set for_server[] = {
		{ "database_url", app },
		{ "admin_socket", p->admin_socket },
		{ "operator_key_file", p->operator_key },
		{ "seal_public_file", p->seal_public },
		{ "listen_port", up->port },
		{ "drain_s", up->drain },
		{ NULL, NULL },
	};
	const struct childenv_set for_worker[] = {
		{ "database_url", worker },
		{ "seal_key_file", p->seal_key },
		{ "drain_s", up->drain },
		{ "metrics_listen_port", up->worker_metrics_port },
		{ NULL, NULL },
	};

	/* Two processes cannot listen on one port: the worker's is the next. */
	snprintf(up->worker_metrics_port, sizeof(up->worker_metrics_port), "%lld",
		 (long long)(metrics > 0 && metrics < PORT_MAX ? metrics + 1 : 0));
	snprintf(up->drain, sizeof(up->drain), "%lld",
		 (long long)(drain < DRAIN_MAX_S ? drain : DRAIN_MAX_S));
	set_up_child(up, SERVER, "server", false, "|seal_key_file|data_dir|pg_bin_dir|up_user|",
		     for_server);
	up->child[SERVER].as = &up->ids.server;
	/* As ourselves: base credentials may lie in our own home. */
	set_up_child(
		up, WORKER, "worker", true,
		"|operator_key_file|admin_socket|seal_public_file|data_dir|pg_bin_dir|up_user|",
		for_worker);
}

static enum rc start_postgres(struct up *up, struct err *err)
{
	struct child *postgres = &up->child[POSTGRES];
	int64_t deadline = clock_mono() + RECOVERY_S * CLOCK_S;
	char end[CHILD_END_MAX];
	enum rc rc = child_start(postgres, err);

	if (rc != RC_OK)
		return rc;
	while (!cluster_is_ready(&up->cluster, postgres->pid)) {
		if (child_reap(postgres)) {
			child_end_text(postgres, end);
			return err_set(err, RC_RETRY, "postgres",
				       "PostgreSQL ended with %s; %s says why", end,
				       up->places->log);
		}
		if (clock_mono() > deadline)
			return err_set(err, RC_RETRY, "postgres",
				       "PostgreSQL is not ready after %d s; %s says why",
				       RECOVERY_S, up->places->log);
		if (up->asked)
			return was_asked(err);
		wait_signal(up, TICK);
	}
	return RC_OK;
}

static enum rc migrate(struct up *up, struct err *err)
{
	AUTO_TEXT char *owner = cluster_conninfo(&up->cluster, "connectord_owner");
	const struct childenv_set set[] = { { "database_url", owner }, { NULL, NULL } };
	struct child child = { .name = "connectord migrate",
			       .death_signal = SIGKILL,
			       .output_fd = STDERR_FILENO };
	enum rc rc = RC_OK;

	child.env = childenv_make(up->config, false, "|seal_key_file|operator_key_file|", set);
	child_arg(&child, "connectord");
	child_arg(&child, "migrate");
	rc = child_run(&child, MIGRATE_S, err);
	child_done(&child);
	return rc;
}

/* Until the server answers; a child that ends now is an error, not something to start again. */
static enum rc start_programs(struct up *up, struct err *err)
{
	int64_t deadline = clock_mono() + START_S * CLOCK_S;
	char end[CHILD_END_MAX];
	enum rc rc = RC_OK;

	unlink(up->places->admin_socket);
	rc = child_start(&up->child[SERVER], err);
	if (rc == RC_OK)
		rc = child_start(&up->child[WORKER], err);
	while (rc == RC_OK && !firstorg_server_answers(up->places->admin_socket)) {
		for (int i = SERVER; i <= WORKER; i++) {
			if (!child_reap(&up->child[i]))
				continue;
			child_end_text(&up->child[i], end);
			return err_set(err, RC_RETRY, "child_failed",
				       "the %s ended with %s; its own message stands above",
				       up->child[i].name, end);
		}
		if (clock_mono() > deadline)
			return err_set(err, RC_RETRY, "server_away",
				       "the server does not answer after %d s", START_S);
		if (up->asked)
			return was_asked(err);
		wait_signal(up, TICK);
	}
	return rc;
}

/* Once in the life of a data folder. A failure is said and tried again at the next start: the
 * installation works without. */
static void make_first_org(struct up *up)
{
	struct firstorg made = { 0 };
	struct err err = { 0 };
	FILE *marker = NULL;

	if (access(up->places->first_org, F_OK) == 0)
		return;
	if (firstorg_make(up->places->admin_socket, up->places->operator_key, &made, &err) !=
	    RC_OK) {
		log_error("first_organization", &err);
		firstorg_done(&made);
		return;
	}
	marker = fopen(up->places->first_org, "we");
	if (marker) {
		fprintf(marker, "%s\n", made.org_id);
		fclose(marker);
	}
	printf("  organization   %s   (its ID is the external ID in AWS trust policies)\n"
	       "  API key        %s   (shown only now: keep it)\n",
	       made.org_id, made.key);
	firstorg_done(&made);
}

static void show(struct up *up, bool first_org)
{
	const char *host = config_text(up->config, "listen_host");
	bool v6 = strchr(host, ':') != NULL;

	printf("connectord is up\n"
	       "  API            http://%s%s%s:%s\n"
	       "  operator       socket %s, key in %s\n"
	       "  data           %s\n",
	       v6 ? "[" : "", host, v6 ? "]" : "", up->port, up->places->admin_socket,
	       up->places->operator_key, up->places->dir);
	if (first_org)
		make_first_org(up);
	printf("Ctrl-C or SIGTERM stops everything.\n");
	fflush(stdout);
	notify_send("READY=1\nSTATUS=serving");
}

static void start_again(struct up *up, int which)
{
	struct child *c = &up->child[which];
	struct err err = { 0 };

	if (which == POSTGRES)
		cluster_recover(&up->cluster);
	if (child_start(c, &err) != RC_OK) {
		log_error("child_start", &err);
		c->restart_at = clock_mono() + c->backoff;
		return;
	}
	log_event(LOG_INFO, "child_started", LOG_STR("child", c->name), LOG_I64("pid", c->pid),
		  LOG_END);
}

static void watch(struct up *up)
{
	int64_t next_beat = 0;
	int beat_ms = notify_watchdog_ms();

	while (!up->asked) {
		for (int i = 0; i < CHILDREN; i++) {
			struct child *c = &up->child[i];
			char end[CHILD_END_MAX];

			if (child_reap(c)) {
				child_end_text(c, end);
				log_event(LOG_ERROR, "child_ended", LOG_STR("child", c->name),
					  LOG_STR("how", end),
					  LOG_I64("restart_in_ms", c->backoff / CLOCK_MS), LOG_END);
			}
			if (c->pid == 0 && clock_mono() >= c->restart_at)
				start_again(up, i);
		}
		if (beat_ms && clock_mono() >= next_beat) {
			notify_send("WATCHDOG=1");
			next_beat = clock_mono() + beat_ms * CLOCK_MS;
		}
		wait_signal(up, TICK);
	}
}

/* Waits until children from..to have ended; false: not within the time, or asked a second time. */
static bool wait_gone(struct up *up, int from, int to, int64_t within_s)
{
	int64_t deadline = clock_mono() + within_s * CLOCK_S;

	for (;;) {
		bool gone = true;

		for (int i = from; i <= to; i++) {
			(void)child_reap(&up->child[i]);
			gone = gone && up->child[i].pid == 0;
		}
		if (gone || clock_mono() > deadline || up->asked > 1)
			return gone;
		wait_signal(up, TICK);
	}
}

/* Programs first, their database last. */
static void stop_all(struct up *up)
{
	int64_t drain = config_i64(up->config, "drain_s");

	notify_send("STOPPING=1");
	for (int i = SERVER; i <= WORKER; i++)
		child_signal(&up->child[i], up->child[i].stop_signal);
	drain = (drain < DRAIN_MAX_S ? drain : DRAIN_MAX_S) + DRAIN_GRACE_S;
	if (!wait_gone(up, SERVER, WORKER, drain)) {
		log_event(LOG_WARN, "drain_cut", LOG_I64("after_s", drain), LOG_END);
		for (int i = SERVER; i <= WORKER; i++)
			child_signal(&up->child[i], SIGKILL);
	}
	up->asked = 0; /* impatience with the programs is not meant for the database */
	(void)wait_gone(up, SERVER, WORKER, DRAIN_GRACE_S);
	child_signal(&up->child[POSTGRES], SIGINT);
	if (!wait_gone(up, POSTGRES, POSTGRES, POSTGRES_STOP_S))
		child_signal(&up->child[POSTGRES], SIGQUIT);
	if (!wait_gone(up, POSTGRES, POSTGRES, POSTGRES_STOP_S))
		child_signal(&up->child[POSTGRES], SIGKILL);
	(void)wait_gone(up, POSTGRES, POSTGRES, POSTGRES_STOP_S);
}

static enum rc bring_up(struct up *up, struct err *err)
{
	enum rc rc = identity_find(config_text(up->config, "up_user"), &up->ids, err);

	if (rc == RC_OK && config_text(up->config, "database_url")[0])
		rc = err_set(err, RC_INVALID, "database_url",
			     "database_url is set, but up brings its own PostgreSQL; unset it, or "
			     "run migrate, server and worker yourself");
	if (rc == RC_OK)
		rc = choose_port(up, err);
	if (rc == RC_OK)
		rc = places_open(up->config, &up->ids, &up->places, err);
	if (rc == RC_OK)
		rc = keyfiles_make(up->places->keys, &up->ids.server, err);
	if (rc != RC_OK)
		return rc;
	up->cluster = (struct cluster){ .places = up->places, .ids = &up->ids };
	rc = cluster_prepare(&up->cluster, config_text(up->config, "pg_bin_dir"), err);
	if (rc == RC_OK)
		rc = cluster_child(&up->cluster, &up->child[POSTGRES], err);
	if (rc == RC_OK)
		rc = start_postgres(up, err);
	if (rc == RC_OK)
		rc = migrate(up, err);
	if (rc == RC_OK) {
		set_up_children(up);
		rc = start_programs(up, err);
	}
	return rc;
}

static void up_done(struct up *up)
{
	for (int i = 0; i < CHILDREN; i++)
		child_done(&up->child[i]);
	cluster_done(&up->cluster);
	places_free(up->places);
}

int cmd_up(struct config *c, int argc, char **argv)
{
	struct up up = { .config = c };
	struct err err = { 0 };
	bool first_org = !(argc > 1 && strcmp(argv[1], "--no-first-organization") == 0);
	bool failed = false;
	int code = CMD_OK;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	sigemptyset(&up.signals);
	sigaddset(&up.signals, SIGTERM);
	sigaddset(&up.signals, SIGINT);
	sigaddset(&up.signals, SIGHUP);
	sigaddset(&up.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &up.signals, NULL);
	if (bring_up(&up, &err) == RC_OK) {
		show(&up, first_org);
		watch(&up);
	} else {
		failed = !up.asked;
	}
	stop_all(&up);
	/* Last, so that the reason is not followed by what the children say on their way out. */
	if (failed)
		code = cmd_fail("up", &err);
	up_done(&up);
	curl_global_cleanup();
	return code;
}
