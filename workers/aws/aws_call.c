/* aws_call: the engine with one call and no pages. */
#include "workers/aws/engine.h"

struct once {
	const json_t *params;
	json_t *reply;
	bool asked;
};

static bool next(void *arg, json_t **ret_params, void **ret_item)
{
	struct once *o = arg;

	(void)ret_item;
	if (o->asked)
		return false;
	o->asked = true;
	*ret_params = o->params == NULL ? NULL : json_incref((json_t *)(uintptr_t)o->params);
	return true;
}

static enum rc done(void *arg, void *item, json_t *reply, bool more, const struct aws_fault *fault,
		    struct err *err)
{
	struct once *o = arg;

	(void)item;
	(void)more;
	(void)fault;
	(void)err;
	o->reply = json_incref(reply);
	return RC_OK;
}

enum rc aws_call(struct aws_client *c, const struct aws_target *t, const struct aws_op *op,
		 const json_t *params, json_t **ret_reply, struct aws_fault *fault,
		 struct aws_tally *tally, struct err *err)
{
	struct once once = { .params = params };
	const struct engine_work w = {
		.target = t,
		.op = op,
		.faults_end = true,
		.next = next,
		.done = done,
		.arg = &once,
	};
	enum rc rc = engine_run(c, &w, fault, tally, err);

	if (rc == RC_OK)
		*ret_reply = once.reply;
	else
		json_decref(once.reply);
	return rc;
}
