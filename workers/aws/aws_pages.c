/* aws_pages: the engine with one call, followed to its last page. */
#include "workers/aws/engine.h"
#include <assert.h>

struct listing {
	const json_t *params;
	bool asked;
	aws_page_fn *page;
	void *arg;
};

static bool next(void *arg, json_t **ret_params, void **ret_item)
{
	struct listing *l = arg;

	(void)ret_item;
	if (l->asked)
		return false;
	l->asked = true;
	*ret_params = l->params == NULL ? NULL : json_incref((json_t *)(uintptr_t)l->params);
	return true;
}

static enum rc done(void *arg, void *item, json_t *reply, bool more, const struct aws_fault *fault,
		    struct err *err)
{
	struct listing *l = arg;

	(void)item;
	(void)more;
	(void)fault;
	return l->page(l->arg, reply, err);
}

enum rc aws_pages(struct aws_client *c, const struct aws_target *t, const struct aws_op *op,
		  const json_t *params, aws_page_fn *page, void *arg, struct aws_fault *fault,
		  struct aws_tally *tally, struct err *err)
{
	struct listing l = { .params = params, .page = page, .arg = arg };
	const struct engine_work w = {
		.target = t,
		.op = op,
		.paged = op->next_in != NULL,
		.faults_end = true,
		.next = next,
		.done = done,
		.arg = &l,
	};

	assert(page != NULL);
	return engine_run(c, &w, fault, tally, err);
}
