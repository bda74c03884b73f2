/* The engine behind aws_call, aws_pages and aws_each: runs calls of one operation, many at once,
 * each with its pages and retries, on the caller's thread. */
#ifndef WORKERS_AWS_ENGINE_H
#define WORKERS_AWS_ENGINE_H

#include "workers/aws/aws_client.h"

struct engine_work {
	const struct aws_target *target;
	const struct aws_op *op;
	bool paged;      /* follow the pager to its end */
	bool faults_end; /* a fault ends the run; else done() hears of it */
	/* False: no more. *ret_params: a new reference or NULL. */
	bool (*next)(void *arg, json_t **ret_params, void **ret_item);
	/* As aws_each's done(). */
	enum rc (*done)(void *arg, void *item, json_t *reply, bool more,
			const struct aws_fault *fault, struct err *err);
	void *arg;
};

MUST_CHECK enum rc engine_run(struct aws_client *c, const struct engine_work *w,
			      struct aws_fault *fault, struct aws_tally *tally, struct err *err);

#endif
