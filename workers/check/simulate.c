/* iam:SimulatePrincipalPolicy over everything that a check wants to know: one call for each set of resources and fifty actions.
 * Knows nothing of sessions: what it says is the principal's own policies, its boundary and its AWS Organization. */
#include "workers/check/simulate.h"
#include "aws/iam.h"
#include "base/buf.h"
#include "base/mem.h"

#include <stdio.h>

static void put_part(struct buf *out, struct str part, const char *star)
{
	while (part.n > 0) {
		struct str rest = part;
		struct str head = str_cut(&rest, '*');
		bool starred = head.n < part.n;

		(void)!buf_put(out, head);
		if (starred)
			(void)!buf_put(out, str_c(star));
		part = starred ? rest : S("");
	}
}

void simulate_resource(const char *pattern, const char *account, const char *region,
		       char out[ANSWERS_PLACE_MAX])
{
	AUTO(buf) struct buf text = BUF_INIT(ANSWERS_PLACE_MAX - 1);
	struct str rest = str_c(pattern);

	for (int i = 0; i < 5; i++) {
		put_part(&text, str_cut(&rest, ':'), i == 3 ? region : i == 4 ? account : "x");
		(void)!buf_putc(&text, ':');
	}
	put_part(&text, rest, "check");
	(void)snprintf(out, ANSWERS_PLACE_MAX, "%s", buf_c(&text));
}

/* One resource as the policies would name it, and what is wanted on it. */
struct batch {
	const char *resource; /* as in the catalogue */
	const char *actions[SIMULATE_BATCH];
	size_t n;
};

struct simulation {
	const struct simulate_target *t;
	struct answers *a;
	struct aws_fault *fault;
	struct batch *batch;
	int calls;
};

/* The holes filled: what a policy of this one row grants. */
static bool concrete(const struct simulation *s, const char *resource, char out[ANSWERS_PLACE_MAX])
{
	const struct permission_action *row = NULL;
	AUTO_JSON json_t *policy = NULL;
	struct err err = { 0 };
	const json_t *value;

	for (size_t i = 0; i < PERMISSION_ACTIONS_N && !row; i++)
		if (strcmp(PERMISSION_ACTIONS[i].resource, resource) == 0)
			row = &PERMISSION_ACTIONS[i];
	if (!row || permission_policy_of(&row, 1, &s->a->places, &policy, &err) != RC_OK)
		return false;
	value = json_object_get(json_array_get(json_object_get(policy, "Statement"), 0),
				"Resource");
	if (json_is_array(value))
		value = json_array_get(value, 0);
	if (!json_is_string(value))
		return false;
	simulate_resource(json_string_value(value), s->t->account, s->t->aws->region, out);
	return true;
}

static int flag(const json_t *result, const char *detail, const char *name)
{
	struct str value = json_str(json_object_get(result, detail), name);

	return value.n == 0 ? -1 : str_eq(value, S("true"));
}

static void read_result(struct simulation *s, const json_t *result)
{
	struct str decision = json_str(result, "EvalDecision");
	struct str action = json_str(result, "EvalActionName");
	AUTO_TEXT char *name = str_dup(action);
	const json_t *missing = json_object_get(result, "MissingContextValues");

	answers_decide(s->a, &(struct answers_decision){
				     .action = name,
				     .resource = s->batch->resource,
				     .request_id = "",
				     .allowed = str_eq_nocase(decision, S("allowed")),
				     .forbidden = str_eq_nocase(decision, S("explicitDeny")),
				     .organizations = flag(result, "OrganizationsDecisionDetail",
							   "AllowedByOrganizations"),
				     .boundary = flag(result, "PermissionsBoundaryDecisionDetail",
						      "AllowedByPermissionsBoundary"),
				     .conditional = json_array_size(missing) > 0 });
}

static enum rc page(void *arg, json_t *reply, struct err *err)
{
	struct simulation *s = arg;
	json_t *result;
	size_t i;

	(void)err;
	json_array_foreach (json_object_get(reply, "EvaluationResults"), i, result)
		read_result(s, result);
	return RC_OK;
}

static json_t *params_of(const struct simulation *s)
{
	json_t *params = json_object(), *actions = json_array();
	char arn[ANSWERS_PLACE_MAX];

	for (size_t i = 0; i < s->batch->n; i++)
		json_array_append_new(actions, json_string(s->batch->actions[i]));
	json_set_text(params, "PolicySourceArn", str_c(s->t->principal_arn));
	json_object_set_new(params, "ActionNames", actions);
	if (strcmp(s->batch->resource, "*") != 0 && concrete(s, s->batch->resource, arn))
		json_object_set_new(params, "ResourceArns", json_pack("[s]", arn));
	return params;
}

static enum rc ask(struct simulation *s, struct err *err)
{
	AUTO_JSON json_t *params = NULL;
	struct err own = { 0 };
	enum rc rc;

	if (s->batch->n == 0 || s->calls == SIMULATE_CALLS_MAX) {
		s->batch->n = 0;
		return RC_OK;
	}
	s->calls++;
	params = params_of(s);
	rc = aws_pages(s->t->client, s->t->aws, &IAM_SIMULATE_PRINCIPAL_POLICY, params, page, s,
		       s->fault, s->t->tally, &own);
	s->batch->n = 0;
	if (rc != RC_OK && s->fault->class == AWS_OK)
		return err_set(err, own.rc, own.code, "%s", own.text);
	return RC_OK;
}

static bool has_action(const struct batch *b, const char *action)
{
	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->actions[i], action) == 0)
			return true;
	return false;
}

static bool is_on(const struct answer *one, const char *resource)
{
	for (size_t i = 0; i < one->n; i++)
		if (strcmp(one->rows[i].resource, resource) == 0)
			return one->state != ANSWERS_NOT_APPLICABLE;
	return false;
}

static enum rc ask_on(struct simulation *s, const char *resource, struct err *err)
{
	enum rc rc = RC_OK;

	s->batch->resource = resource;
	s->batch->n = 0;
	for (size_t i = 0; rc == RC_OK && s->fault->class == AWS_OK && i < s->a->n; i++) {
		const struct answer *one = &s->a->all[i];

		if (!is_on(one, resource) || has_action(s->batch, one->rows->action))
			continue;
		s->batch->actions[s->batch->n++] = one->rows->action;
		if (s->batch->n == SIMULATE_BATCH)
			rc = ask(s, err);
	}
	return rc == RC_OK && s->fault->class == AWS_OK ? ask(s, err) : rc;
}

/* True: the resource was met at an earlier row of the catalogue. */
static bool is_old(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(PERMISSION_ACTIONS[k].resource, PERMISSION_ACTIONS[i].resource) == 0)
			return true;
	return false;
}

enum rc simulate_all(const struct simulate_target *t, struct answers *a,
		     struct aws_fault *ret_fault, struct err *err)
{
	struct batch batch = { .n = 0 };
	struct simulation s = { .t = t, .a = a, .fault = ret_fault, .batch = &batch };
	enum rc rc = RC_OK;

	*ret_fault = (struct aws_fault){ .class = AWS_OK };
	for (size_t i = 0; rc == RC_OK && ret_fault->class == AWS_OK && i < PERMISSION_ACTIONS_N;
	     i++)
		if (!is_old(i))
			rc = ask_on(&s, PERMISSION_ACTIONS[i].resource, err);
	return rc;
}
