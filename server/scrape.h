/* The operator's own listener: GET /metrics, and /livez and /readyz of a process that has no API. */
#ifndef SERVER_SCRAPE_H
#define SERVER_SCRAPE_H

#include "base/config.h"

struct scrape_source {
	/* Sets the gauges that are not kept up to date by themselves; any thread. */
	void (*fill)(void *arg);
	/* NULL both: /livez and /readyz are elsewhere. */
	bool (*alive)(void *arg);
	enum rc (*ready)(void *arg, struct err *err);
	void *arg;
};

struct scrape;
void scrape_free(struct scrape *s); /* ends its threads */
DEFINE_AUTO(scrape)
/* As metrics_listen_host and metrics_listen_port say; *ret NULL: it is off. */
MUST_CHECK enum rc scrape_start(const struct config *c, const struct scrape_source *source,
				struct scrape **ret, struct err *err);
/* Call about once a second. NULL-safe. */
void scrape_sweep(struct scrape *s);

#endif
