/* The pages of the metrics listener. It asks for no credential, so it is off unless it is wanted, has an address of
 * its own, and tells nothing that names a tenant. Never serves anything of the API. */
#include "server/scrape.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "server/http_mhd_page.h"
#include "server/listen.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 8, TEXT_MAX = 512 };

struct scrape {
	struct scrape_source source;
	struct http_mhd_page_listener *http;
	int64_t began; /* wall */
};

static int64_t resident_bytes(void)
{
	long long whole = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%lld %lld", &whole, &resident) != 2)
		resident = 0;
	(void)fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

/* The one that counts is not counted. */
static int64_t open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int64_t n = 0;

	if (!d)
		return 0;
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n - 1;
}

static void fill_process(const struct scrape *s)
{
	struct timespec cpu = { 0 };
	struct rlimit fds = { 0 };

	metrics_set(METRICS_BUILD, METRICS_LABELS(CONNECTORD_VERSION), 1);
	metrics_set(METRICS_PROCESS_START, METRICS_NONE, s->began);
	metrics_set(METRICS_PROCESS_MEMORY, METRICS_NONE, resident_bytes());
	metrics_set(METRICS_PROCESS_FDS, METRICS_NONE, open_fds());
	if (getrlimit(RLIMIT_NOFILE, &fds) == 0 && fds.rlim_cur < INT64_MAX)
		metrics_set(METRICS_PROCESS_FDS_MAX, METRICS_NONE, (int64_t)fds.rlim_cur);
	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0)
		metrics_set(METRICS_PROCESS_CPU, METRICS_NONE, cpu.tv_sec * CLOCK_S + cpu.tv_nsec);
}

static struct http_mhd_page text_page(int status, const char *text)
{
	return (struct http_mhd_page){ .status = status,
				       .type = "text/plain; charset=utf-8",
				       .body = mem_copy(text),
				       .n = strlen(text) };
}

static struct http_mhd_page metrics_page(struct scrape *s)
{
	AUTO(buf) struct buf out = BUF_INIT(METRICS_TEXT_MAX);
	struct http_mhd_page page = { .status = 200, .type = METRICS_TYPE };

	s->source.fill(s->source.arg);
	fill_process(s);
	if (metrics_write(&out) != RC_OK)
		return text_page(500, "the metrics do not fit into an answer\n");
	page.n = out.n;
	page.body = buf_take(&out);
	return page;
}

static struct http_mhd_page ready_page(struct scrape *s)
{
	struct err err = { 0 };
	char text[TEXT_MAX];

	if (s->source.ready(s->source.arg, &err) == RC_OK)
		return text_page(200, "ready\n");
	(void)snprintf(text, sizeof(text), "%s: %s\n", err.code, err.text);
	return text_page(503, text);
}

static struct http_mhd_page page_of(void *scrape, struct str method, struct str target)
{
	struct scrape *s = scrape;
	struct http_mhd_page page = { 0 };
	bool metrics = str_eq(target, S("/metrics"));
	bool live = s->source.alive && str_eq(target, S("/livez"));
	bool ready = s->source.ready && str_eq(target, S("/readyz"));

	if (!metrics && !live && !ready)
		return text_page(404, "not found\n");
	if (!str_eq(method, S("GET"))) {
		page = text_page(405, "only GET\n");
		page.allow = "GET";
		return page;
	}
	if (metrics)
		return metrics_page(s);
	if (ready)
		return ready_page(s);
	return s->source.alive(s->source.arg) ? text_page(200, "live\n")
					      : text_page(503, "hangs\n");
}

enum rc scrape_start(const struct config *c, const struct scrape_source *source,
		     struct scrape **ret, struct err *err)
{
	int wanted = (int)config_i64(c, "metrics_listen_port"), port = 0;
	const char *host = config_text(c, "metrics_listen_host");
	struct http_mhd_page_settings settings = { .connections = CONNECTIONS, .page = page_of };
	struct scrape *s = NULL;
	struct err own = { 0 };
	enum rc rc = RC_OK;

	*ret = NULL;
	if (wanted == 0)
		return RC_OK;
	rc = listen_tcp(host, wanted, &settings.listen_fd, &port, &own);
	if (rc != RC_OK)
		return err_set(err, rc, own.code, "metrics listener: %s", own.text);
	s = MEM_NEW(struct scrape);
	s->source = *source;
	s->began = clock_wall();
	settings.arg = s;
	rc = http_mhd_page_start(&settings, &s->http, err);
	if (rc != RC_OK) {
		mem_free(s);
		return rc;
	}
	log_event(LOG_INFO, "metrics_ready", LOG_STR("host", host), LOG_I64("port", port), LOG_END);
	*ret = s;
	return RC_OK;
}

void scrape_sweep(struct scrape *s)
{
	if (s)
		http_mhd_page_sweep(s->http);
}

void scrape_free(struct scrape *s)
{
	if (!s)
		return;
	http_mhd_page_free(s->http);
	mem_free(s);
}
