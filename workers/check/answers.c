/* Folds what simulation and calls say into one answer an action. Never guesses: what nobody answered stays unknown. */
#include "workers/check/answers.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

/* Without this one call the actions below take its place; with it nobody misses them. */
static const char BULK[] = "iam:GetAccountAuthorizationDetails";
static const char *const INSTEAD[] = {
	"iam:GetUser",
	"iam:ListGroups",
	"iam:GetGroup",
	"iam:GetRole",
	"iam:ListPolicyVersions",
	"iam:ListUserPolicies",
	"iam:GetUserPolicy",
	"iam:ListAttachedUserPolicies",
	"iam:ListGroupPolicies",
	"iam:GetGroupPolicy",
	"iam:ListAttachedGroupPolicies",
	"iam:ListRolePolicies",
	"iam:GetRolePolicy",
	"iam:ListAttachedRolePolicies",
};

void answers_done(struct answers *a)
{
	mem_free(a->all);
	*a = (struct answers){ .n = 0 };
}

static const struct permission_capability *capability_of(const struct answer *one)
{
	return one->rows->capability;
}

static void say(struct answer *one, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct answer *one, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(one->text, sizeof(one->text), fmt, ap);
	va_end(ap);
}

static bool has_tier(const json_t *wanted, int tier)
{
	json_t *v;
	size_t i;

	json_array_foreach (json_object_get(wanted, "tiers"), i, v)
		if (json_integer_value(v) == tier)
			return true;
	return false;
}

static bool has_name(const json_t *wanted, const char *name)
{
	json_t *v;
	size_t i;

	json_array_foreach (json_object_get(wanted, "capabilities"), i, v)
		if (json_is_string(v) && strcmp(json_string_value(v), name) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct permission_capability *c, const json_t *wanted)
{
	return has_name(wanted, c->name) || (!c->by_name && has_tier(wanted, c->tier));
}

static bool is_offered(const struct permission_capability *c, const char *partition)
{
	struct str rest = str_c(c->partitions);

	if (rest.n == 0 || !*partition)
		return true;
	while (rest.n > 0)
		if (str_eq(str_cut(&rest, '|'), str_c(partition)))
			return true;
	return false;
}

static bool is_required(const struct permission_capability *c, bool organization)
{
	switch (c->need) {
	case PERMISSION_REQUIRED: return true;
	case PERMISSION_ORGANIZATION: return organization;
	case PERMISSION_IDENTITY_CENTER: /* once an instance is found */
	case PERMISSION_OPTIONAL: break;
	}
	return false;
}

static void not_applicable(struct answer *one, const char *why)
{
	one->state = ANSWERS_NOT_APPLICABLE;
	one->by = ANSWERS_BY_NONE;
	one->required = false;
	one->cause[0] = one->request_id[0] = '\0';
	say(one, "%s", why);
}

static void begin(struct answers *a, struct answer *one, const struct answers_scope *scope)
{
	const struct permission_capability *c = capability_of(one);
	const char *hole = NULL;

	for (size_t i = 0; i < one->n && !hole; i++)
		hole = permission_hole(one->rows[i].resource, &a->places);
	one->required = is_required(c, scope->organization);
	if (c->organization_only && !scope->organization)
		not_applicable(one, "Only a connection of a whole AWS Organization needs it.");
	else if (!is_offered(c, scope->partition))
		not_applicable(one, "AWS does not offer it in this partition.");
	else if (hole && (strcmp(hole, "BUCKET") == 0 || strcmp(hole, "TRAIL_PREFIX") == 0))
		not_applicable(one, "The connection names no CloudTrail bucket.");
	else if (hole && strcmp(hole, "KEY_ARN") == 0)
		not_applicable(one, "Which key encrypts the trail is not known.");
}

void answers_init(struct answers *a, const struct answers_scope *scope)
{
	*a = (struct answers){
		.all = mem_array(PERMISSION_ACTIONS_N, sizeof(struct answer)),
		.places = { .partition = str_c(scope->partition),
			    .prefix = str_c(scope->name_prefix),
			    .bucket = str_c(scope->bucket),
			    .trail_prefix = str_c(scope->trail_prefix) },
	};
	for (size_t i = 0; i < PERMISSION_ACTIONS_N; i++) {
		const struct permission_action *row = &PERMISSION_ACTIONS[i];
		struct answer *last = a->n > 0 ? &a->all[a->n - 1] : NULL;

		if (!is_wanted(row->capability, scope->wanted))
			continue;
		if (last && capability_of(last) == row->capability &&
		    strcmp(last->rows->action, row->action) == 0)
			last->n++;
		else
			a->all[a->n++] = (struct answer){ .rows = row, .n = 1 };
	}
	for (size_t i = 0; i < a->n; i++)
		begin(a, &a->all[i], scope);
}

static bool applies(const struct answer *one, const char *action)
{
	return one->state != ANSWERS_NOT_APPLICABLE && strcmp(one->rows->action, action) == 0;
}

/* What one call shows holds for its own resource; only an action that is wanted on everything is answered by it. */
static bool is_shown_by_call(const struct answer *one, const char *action)
{
	return applies(one, action) && one->n == 1 && strcmp(one->rows->resource, "*") == 0;
}

bool answers_want(const struct answers *a, const char *action)
{
	for (size_t i = 0; i < a->n; i++)
		if (is_shown_by_call(&a->all[i], action))
			return true;
	return false;
}

static void grant(struct answer *one, enum answers_by by, const char *request_id)
{
	one->state = ANSWERS_GRANTED;
	one->by = by;
	one->cause[0] = '\0';
	(void)snprintf(one->request_id, sizeof(one->request_id), "%s", request_id);
	say(one, by == ANSWERS_BY_CALL ? "AWS let the call through."
				       : "IAM's simulation lets the call through.");
}

static const struct {
	const char *cause, *text;
} SENTENCES[] = {
	{ "implicit", "No policy of what is connected allows %s." },
	{ "explicit", "A policy of what is connected denies %s explicitly." },
	{ "scp", "A service control policy of the AWS Organization denies %s." },
	{ "rcp", "A resource control policy of the AWS Organization denies %s." },
	{ "boundary", "The permissions boundary of what is connected does not allow %s." },
	{ "session",
	  "connectord's own session policy forbids %s; that is for its operator to mend." },
	{ "vpc_endpoint", "The policy of the VPC endpoint denies %s." },
	{ "resource", "The policy of the resource denies %s." },
	{ "", "AWS denies %s and does not say which policy does." },
};

static void denied(struct answer *one, enum answers_by by, const char *cause,
		   const char *request_id)
{
	const char *text = SENTENCES[COUNT_OF(SENTENCES) - 1].text;

	for (size_t i = 0; i < COUNT_OF(SENTENCES); i++)
		if (strcmp(SENTENCES[i].cause, cause) == 0)
			text = SENTENCES[i].text;
	one->state = ANSWERS_DENIED;
	one->by = by;
	(void)snprintf(one->cause, sizeof(one->cause), "%s", cause);
	(void)snprintf(one->request_id, sizeof(one->request_id), "%s", request_id);

	const struct str whole = str_c(text);
	struct str rest = whole;
	struct str head = str_cut(&rest, '%');

	say(one, "%.*s%s%.*s", STR_FMT(head), one->rows->action, (int)(rest.n - 1), rest.p + 1);
}

/* A thing that is not there proves the permission to look for it. */
static bool is_let_through(const struct aws_fault *fault)
{
	return fault->class == AWS_OK || fault->class == AWS_NOT_FOUND;
}

void answers_fault(struct answers *a, const char *action, const struct aws_fault *fault)
{
	for (size_t i = 0; i < a->n; i++) {
		struct answer *one = &a->all[i];

		if (!is_shown_by_call(one, action))
			continue;
		if (is_let_through(fault))
			grant(one, ANSWERS_BY_CALL, fault->request_id);
		else if (fault->class == AWS_DENIED)
			denied(one, ANSWERS_BY_CALL, fault->deny_cause, fault->request_id);
		else if (one->by == ANSWERS_BY_NONE)
			say(one, "AWS gave no answer to %s (%.60s).", action, fault->code);
	}
}

static bool has_resource(const struct answer *one, const char *resource)
{
	for (size_t i = 0; i < one->n; i++)
		if (strcmp(one->rows[i].resource, resource) == 0)
			return true;
	return false;
}

/* The layer that says no alone is the one to mend first; AWS tells of the organization and of the boundary apart. */
static const char *cause_of(const struct answers_decision *d)
{
	if (d->organizations == 0)
		return "scp";
	if (d->boundary == 0)
		return "boundary";
	return d->forbidden ? "explicit" : "implicit";
}

void answers_decide(struct answers *a, const struct answers_decision *d)
{
	for (size_t i = 0; i < a->n; i++) {
		struct answer *one = &a->all[i];

		if (!applies(one, d->action) || !has_resource(one, d->resource) ||
		    one->by > ANSWERS_BY_SIMULATION || one->state == ANSWERS_DENIED)
			continue;
		one->simulated++;
		if (!d->allowed && d->conditional)
			say(one,
			    "A policy that concerns %s has a condition that a simulation cannot "
			    "judge.",
			    d->action);
		else if (!d->allowed)
			denied(one, ANSWERS_BY_SIMULATION, cause_of(d), d->request_id);
		else if (one->simulated == one->n && !one->text[0])
			grant(one, ANSWERS_BY_SIMULATION, d->request_id);
	}
}

void answers_drop(struct answers *a, const char *capability, const char *reason)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(capability_of(&a->all[i])->name, capability) == 0)
			not_applicable(&a->all[i], reason);
}

void answers_require(struct answers *a, const char *capability)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(capability_of(&a->all[i])->name, capability) == 0)
			a->all[i].required = true;
}

static bool is_instead(const char *action)
{
	for (size_t i = 0; i < COUNT_OF(INSTEAD); i++)
		if (strcmp(INSTEAD[i], action) == 0)
			return true;
	return false;
}

static bool bulk_is_granted(const struct answers *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->all[i].rows->action, BULK) == 0 && a->all[i].state == ANSWERS_GRANTED)
			return true;
	return false;
}

void answers_close(struct answers *a, const char *why)
{
	bool bulk = bulk_is_granted(a);

	for (size_t i = 0; i < a->n; i++) {
		struct answer *one = &a->all[i];

		if (bulk && one->required && capability_of(one)->tier == 1 &&
		    is_instead(one->rows->action))
			one->required = false;
		if (one->state == ANSWERS_UNKNOWN && !one->text[0])
			say(one, "%s", why);
	}
}
