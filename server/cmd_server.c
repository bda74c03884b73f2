/* connectord server: builds the listeners and what they share, serves until SIGTERM, drains.
 * Never calls AWS and holds no key that opens a secret. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/cmd.h"
#include "server/http_mhd.h"
#include "server/listen.h"
#include "server/notify.h"
#include "server/readiness.h"
#include "server/scrape.h"
#include "server/waiters.h"

#include <curl/curl.h>
#include <signal.h>
#include <unistd.h>

enum { TICK_MS = 500, ADMIN_CONNECTIONS = 64, STATEMENT_MS = 5000 };

struct parts {
	struct http_env env;
	struct auth *auth;
	struct dbpool *pool;
	struct waiters *waiters;
	struct rate *rate;
	struct readiness *readiness;
	struct http_mhd *public, *admin;
	struct scrape *scrape;
	const char *admin_socket;
	struct listen_mark admin_mark;
	int port;
};

static void parts_done(struct parts *p)
{
	listen_remove(p->admin_socket, &p->admin_mark);
	http_mhd_free(p->public);
	http_mhd_free(p->admin);
	scrape_free(p->scrape);
	auth_free(p->auth);
	rate_free(p->rate);
	readiness_free(p->readiness);
	waiters_free(p->waiters);
	dbpool_free(p->pool);
	sealfile_free(p->env.seal);
}
DEFINE_AUTO_VALUE(parts, parts_done)

static enum rc need(const struct config *c, const char *name, const char *what, struct err *err)
{
	if (*config_text(c, name))
		return RC_OK;
	return err_set(err, RC_INVALID, "config", "%s is not set: %s", name, what);
}

/* A quarter of the connections, and one at least, is always left to the others. */
static int share_of(int size)
{
	int others = size / 4 > 0 ? size / 4 : 1;

	return size > others ? size - others : 1;
}

/* A database that is away is waited for by serving; a schema that is not ours is not served. */
static enum rc check_schema(struct parts *p, struct err *err)
{
	struct err away = { 0 };
	enum rc rc = readiness_check(p->readiness, &away);

	if (rc == RC_OK || rc == RC_RETRY)
		return RC_OK;
	return err_set(err, rc, away.code, "%s", away.text);
}

static enum rc build_pool(struct parts *p, const struct config *c, struct err *err)
{
	int size = (int)config_i64(c, "db_pool");
	const struct dbpool_settings settings = { .conninfo = config_text(c, "database_url"),
						  .purpose = "connectord server",
						  .size = size,
						  .per_org = share_of(size),
						  .statement_ms = STATEMENT_MS };

	p->waiters = waiters_new();
	p->pool = dbpool_new(&settings);
	p->rate = rate_new((int)config_i64(c, "api_rate_per_key"),
			   (int)config_i64(c, "api_rate_per_org"));
	p->readiness = readiness_new(p->pool);
	p->env.ready = readiness_check;
	p->env.ready_arg = p->readiness;
	p->env.base_identity = readiness_identity;
	return check_schema(p, err);
}

static enum rc build_auth(struct parts *p, const struct config *c, struct err *err)
{
	const struct jwt_settings tokens = {
		.issuer = config_text(c, "jwt_issuer"),
		.audience = config_text(c, "jwt_audience"),
		.algorithms = config_text(c, "jwt_algorithms"),
		.org_claim = config_text(c, "jwt_org_claim"),
		.scope_claim = config_text(c, "jwt_scope_claim"),
		.role_claim = config_text(c, "jwt_role_claim"),
		.leeway_s = (int)config_i64(c, "jwt_leeway_s"),
		.keys = { .url = config_text(c, "jwt_jwks_url"),
			  .file = config_text(c, "jwt_jwks_file"),
			  .ca_file = config_text(c, "jwt_ca_file"),
			  .allow_http = config_bool(c, "jwt_allow_http"),
			  .ttl_s = (int)config_i64(c, "jwt_jwks_ttl_s"),
			  .min_s = (int)config_i64(c, "jwt_jwks_min_s"),
			  .stale_s = (int)config_i64(c, "jwt_jwks_stale_s") },
	};
	const struct auth_settings settings = { .env = &p->env,
						.operator_key_file =
							config_text(c, "operator_key_file"),
						.tokens = *tokens.issuer ? &tokens : NULL };

	return auth_new(&settings, &p->auth, err);
}

static enum rc build(struct parts *p, const struct config *c, struct err *err)
{
	enum rc rc =
		need(c, "database_url", "the PostgreSQL connection string of the app role", err);

	if (rc == RC_OK)
		rc = need(c, "seal_public_file",
			  "without the public sealing key no secret can be stored;"
			  " make keys with connectord keys",
			  err);
	if (rc == RC_OK && *config_text(c, "admin_socket"))
		rc = need(c, "operator_key_file", "admin_socket needs the operator's key", err);
	if (rc == RC_OK)
		rc = sealfile_public(config_text(c, "seal_public_file"), &p->env.seal, err);
	if (rc == RC_OK)
		rc = build_auth(p, c, err);
	if (rc != RC_OK)
		return rc;
	p->env.key_prefix = config_text(c, "key_prefix");
	p->env.key_env = config_text(c, "key_env");
	p->env.vendor_account = config_text(c, "vendor_account");
	p->env.setup_name_prefix = config_text(c, "setup_name_prefix");
	p->env.setup_template_url = config_text(c, "setup_template_url");
	p->env.verify_every_s = (int)config_i64(c, "verify_every_s");
	p->env.webhook_allow_http = config_bool(c, "webhook_allow_http");
	p->env.worker_slots = (int)config_i64(c, "worker_slots_default");
	p->admin_socket = config_text(c, "admin_socket");
	return build_pool(p, c, err);
}

static struct http_mhd_settings settings_of(const struct parts *p, const struct config *c,
					    enum http_listener listener)
{
	bool is_public = listener == HTTP_PUBLIC;

	return (struct http_mhd_settings){
		.place = { .listener = listener,
			   .env = &p->env,
			   .auth = p->auth,
			   .pool = p->pool,
			   .rate = p->rate,
			   .waiters = p->waiters,
			   .body_max = (size_t)config_i64(c, "http_body_max") },
		.connections =
			is_public ? (int)config_i64(c, "http_connections") : ADMIN_CONNECTIONS,
		.per_ip = is_public ? (int)config_i64(c, "http_per_ip") : 0,
	};
}

static enum rc start(struct parts *p, const struct config *c, struct err *err)
{
	AUTO(tls) struct tls *tls = NULL;
	struct http_mhd_settings s = settings_of(p, c, HTTP_PUBLIC);
	enum rc rc = tls_load(config_text(c, "tls_cert_file"), config_text(c, "tls_key_file"), &tls,
			      err);

	s.tls = tls;
	if (rc == RC_OK)
		rc = listen_tcp(config_text(c, "listen_host"), (int)config_i64(c, "listen_port"),
				&s.listen_fd, &p->port, err);
	if (rc == RC_OK)
		rc = http_mhd_start(&s, &p->public, err);
	if (rc != RC_OK || !*p->admin_socket)
		return rc;
	s = settings_of(p, c, HTTP_ADMIN);
	rc = listen_unix(p->admin_socket, &s.listen_fd, &p->admin_mark, err);
	return rc == RC_OK ? http_mhd_start(&s, &p->admin, err) : rc;
}

static void fill_metrics(void *parts)
{
	struct parts *p = parts;
	struct dbpool_state pool = dbpool_state(p->pool);

	metrics_set(METRICS_POOL_SIZE, METRICS_NONE, pool.size);
	metrics_set(METRICS_POOL_OPEN, METRICS_NONE, pool.open);
	metrics_set(METRICS_POOL_IN_USE, METRICS_NONE, pool.in_use);
	metrics_set(METRICS_POOL_WAITING, METRICS_NONE, pool.waiting);
	metrics_add(METRICS_HTTP_IN_FLIGHT, METRICS_NONE, 0);
}

static enum rc start_scrape(struct parts *p, const struct config *c, struct err *err)
{
	const struct scrape_source source = { .fill = fill_metrics, .arg = p };

	return scrape_start(c, &source, &p->scrape, err);
}

static void tick(struct parts *p)
{
	scrape_sweep(p->scrape);
	http_mhd_sweep(p->public);
	if (p->admin)
		http_mhd_sweep(p->admin);
}

static int active(struct parts *p)
{
	return http_mhd_active(p->public) + (p->admin ? http_mhd_active(p->admin) : 0);
}

/* True when one of the signals came within TICK_MS. */
static bool told_to_stop(const sigset_t *set)
{
	const struct timespec wait = { .tv_nsec = TICK_MS * CLOCK_MS };
	int number = sigtimedwait(set, NULL, &wait);

	return number == SIGTERM || number == SIGINT;
}

static void serve(struct parts *p, const sigset_t *set)
{
	int every_ms = notify_watchdog_ms();
	int64_t beat_at = 0;

	notify_send("READY=1");
	while (!told_to_stop(set)) {
		tick(p);
		if (every_ms > 0 && clock_mono() >= beat_at) {
			notify_send("WATCHDOG=1");
			beat_at = clock_mono() + every_ms * CLOCK_MS;
		}
	}
}

static void drain(struct parts *p, const sigset_t *set, int64_t drain_s)
{
	int64_t deadline = clock_mono() + drain_s * CLOCK_S;

	notify_send("STOPPING=1");
	waiters_stop(p->waiters);
	http_mhd_quiesce(p->public);
	if (p->admin)
		http_mhd_quiesce(p->admin);
	/* At once: a successor may listen under the name while we still answer. */
	listen_remove(p->admin_socket, &p->admin_mark);
	/* A second signal ends the patience. */
	while (active(p) > 0 && clock_mono() < deadline && !told_to_stop(set))
		tick(p);
}

int cmd_server(struct config *c, int argc, char **argv)
{
	AUTO(parts) struct parts p = { 0 };
	struct err err = { 0 };
	sigset_t set;

	(void)argc;
	(void)argv;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	/* Before any thread: all inherit it, and this one takes the signals when it chooses. */
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	if (build(&p, c, &err) != RC_OK || start(&p, c, &err) != RC_OK ||
	    start_scrape(&p, c, &err) != RC_OK)
		return cmd_fail("server", &err);
	log_event(LOG_INFO, "server_ready", LOG_STR("host", config_text(c, "listen_host")),
		  LOG_I64("port", p.port), LOG_STR("admin_socket", p.admin_socket), LOG_END);
	serve(&p, &set);
	log_event(LOG_INFO, "server_draining", LOG_I64("requests", active(&p)), LOG_END);
	drain(&p, &set, config_i64(c, "drain_s"));
	log_event(LOG_INFO, "server_stopped", LOG_END);
	return CMD_OK;
}
