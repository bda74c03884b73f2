/* aws_each: the engine with the caller's items. */
#include "workers/aws/engine.h"

static bool next(void *arg, json_t **ret_params, void **ret_item)
{
	const struct aws_each *each = arg;

	*ret_params = each->next(each->arg, ret_item);
	return *ret_params != NULL;
}

static enum rc done(void *arg, void *item, json_t *reply, bool more, const struct aws_fault *fault,
		    struct err *err)
{
	const struct aws_each *each = arg;

	return each->done(each->arg, item, reply, more, fault, err);
}

enum rc aws_each(struct aws_client *c, const struct aws_target *t, const struct aws_op *op,
		 const struct aws_each *each, struct aws_fault *fault, struct aws_tally *tally,
		 struct err *err)
{
	struct aws_each own = *each;
	const struct engine_work w = {
		.target = t,
		.op = op,
		.paged = op->next_in != NULL,
		.next = next,
		.done = done,
		.arg = &own,
	};

	return engine_run(c, &w, fault, tally, err);
}
