/* The report of a check. Says what AWS said and what follows from it; never more. */
#include "workers/check/findings.h"
#include "base/awsname.h"
#include "base/mem.h"

#include <stdio.h>

static const char *const STATES[] = {
	[ANSWERS_UNKNOWN] = "unknown",
	[ANSWERS_GRANTED] = "granted",
	[ANSWERS_DENIED] = "denied",
	[ANSWERS_NOT_APPLICABLE] = "not_applicable",
};

/* A refusal in whose words the policy was named is known by those words. */
static const char *known_by(const struct answer *one)
{
	switch (one->by) {
	case ANSWERS_BY_CALL:
		return one->state == ANSWERS_DENIED && one->cause[0] ? "error_text" : "live_call";
	case ANSWERS_BY_SIMULATION: return "simulation";
	case ANSWERS_BY_NONE: break;
	}
	return "none";
}

static void set(json_t *to, const char *key, json_t *value)
{
	(void)json_object_set_new(to, key, value);
}

static void set_text(json_t *to, const char *key, const char *text)
{
	set(to, key, json_text_value(str_c(text)));
}

static void set_or_null(json_t *to, const char *key, const char *text)
{
	set(to, key, *text ? json_text_value(str_c(text)) : json_null());
}

json_t *findings_rows(const struct answers *a)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < a->n; i++) {
		const struct answer *one = &a->all[i];
		json_t *row = json_object();

		set_text(row, "capability", one->rows->capability->name);
		set_text(row, "action", one->rows->action);
		set(row, "tier", json_integer(one->rows->capability->tier));
		set_text(row, "state", STATES[one->state]);
		set_text(row, "cause", one->cause);
		set_text(row, "known_by", known_by(one));
		set(row, "required", json_boolean(one->required));
		set_text(row, "text", one->text);
		set_text(row, "aws_request_id", one->request_id);
		(void)json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *shown(const struct answer *one)
{
	json_t *row = json_object();

	set_text(row, "action", one->rows->action);
	set_text(row, "capability", one->rows->capability->name);
	set(row, "tier", json_integer(one->rows->capability->tier));
	set_text(row, "state", STATES[one->state]);
	set_or_null(row, "cause", one->cause);
	set_text(row, "known_by", known_by(one));
	set(row, "required", json_boolean(one->required));
	set_text(row, "text", one->text);
	set_or_null(row, "aws_request_id", one->request_id);
	return row;
}

struct tally {
	int of[COUNT_OF(STATES)];
};

/* The worst of what applies; one thing that is not known makes the whole not known. */
static const char *state_of(const struct tally *t)
{
	if (t->of[ANSWERS_DENIED] > 0)
		return STATES[ANSWERS_DENIED];
	if (t->of[ANSWERS_UNKNOWN] > 0)
		return STATES[ANSWERS_UNKNOWN];
	if (t->of[ANSWERS_GRANTED] > 0)
		return STATES[ANSWERS_GRANTED];
	return STATES[ANSWERS_NOT_APPLICABLE];
}

static json_t *numbers(const struct tally *t)
{
	json_t *j = json_object();

	for (size_t i = 0; i < COUNT_OF(STATES); i++)
		set(j, STATES[i], json_integer(t->of[i]));
	return j;
}

static json_t *capability(const struct answers *a, const struct permission_capability *c)
{
	struct tally t = { { 0 } };
	json_t *j = json_object();
	bool required = false;

	for (size_t i = 0; i < a->n; i++) {
		if (a->all[i].rows->capability != c)
			continue;
		t.of[a->all[i].state]++;
		required = required || a->all[i].required;
	}
	set_text(j, "name", c->name);
	set_text(j, "title", c->title);
	set(j, "tier", json_integer(c->tier));
	set_text(j, "need", permission_need_name(c->need));
	set(j, "required", json_boolean(required));
	set_text(j, "state", state_of(&t));
	set_text(j, "lost", c->lost);
	set(j, "actions", numbers(&t));
	return j;
}

static json_t *capabilities(const struct answers *a)
{
	json_t *all = json_array();

	for (size_t i = 0; i < a->n; i++)
		if (i == 0 || a->all[i].rows->capability != a->all[i - 1].rows->capability)
			(void)json_array_append_new(all, capability(a, a->all[i].rows->capability));
	return all;
}

/* Rows of what a policy alone would grant: denied, and by this cause (NULL: by nobody else than the missing Allow). */
static json_t *policy_of(const struct answers *a, const char *cause)
{
	const struct permission_action **rows =
		mem_array(PERMISSION_ACTIONS_N, sizeof(const struct permission_action *));
	json_t *policy = NULL;
	struct err err = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct answer *one = &a->all[i];
		bool meant = cause ? strcmp(one->cause, cause) == 0
				   : one->cause[0] == '\0' || strcmp(one->cause, "implicit") == 0;

		if (one->state != ANSWERS_DENIED || !meant)
			continue;
		for (size_t k = 0; k < one->n; k++)
			if (!permission_hole(one->rows[k].resource, &a->places))
				rows[n++] = &one->rows[k];
	}
	if (n > 0 && permission_policy_of(rows, n, &a->places, &policy, &err) != RC_OK)
		policy = NULL;
	mem_free(rows);
	return policy ? policy : json_null();
}

json_t *findings_patch(const struct answers *a)
{
	json_t *by_hand = json_array(), *patch;
	int denied = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct answer *one = &a->all[i];

		if (one->state != ANSWERS_DENIED)
			continue;
		denied++;
		if (one->cause[0] && strcmp(one->cause, "implicit") != 0)
			(void)json_array_append_new(by_hand, json_text_value(str_c(one->text)));
	}
	if (denied == 0) {
		json_decref(by_hand);
		return NULL;
	}
	patch = json_object();
	set(patch, "policy", policy_of(a, NULL));
	set(patch, "boundary", policy_of(a, "boundary"));
	set(patch, "by_hand", by_hand);
	return patch;
}

static json_t *permissions(const struct findings *f)
{
	json_t *j = json_object(), *actions = json_array();
	struct tally t = { { 0 } };
	const struct aws_fault *s = f->simulation;

	for (size_t i = 0; i < f->answers->n; i++) {
		t.of[f->answers->all[i].state]++;
		(void)json_array_append_new(actions, shown(&f->answers->all[i]));
	}
	set(j, "summary", numbers(&t));
	set(j, "simulated", json_boolean(s && s->class == AWS_OK));
	set(j, "capabilities", capabilities(f->answers));
	set(j, "actions", actions);
	return j;
}

static const struct {
	const char *name, *passed, *failed;
	bool may_pass; /* that AWS lets it through is what is wanted */
} STEPS[PROBE_STEPS] = {
	[PROBE_OURS] = { "assume_role_with_external_id",
			 "The role lets us in with your organization ID as its external ID.",
			 "The role does not let us in with your organization ID as its external "
			 "ID.",
			 true },
	[PROBE_NONE] = { "assume_role_without_external_id",
			 "The role lets us in without an external ID; it must not.",
			 "The role refuses us without an external ID, as it must.", false },
	[PROBE_RANDOM] = { "assume_role_with_random_external_id",
			   "The role lets us in with a random external ID; it must not.",
			   "The role refuses us with a random external ID, as it must.", false },
	[PROBE_IDENTITY] = { "get_caller_identity",
			     "AWS says which account the credentials belong to.",
			     "AWS does not say which account the credentials belong to.", true },
};

static json_t *step(const struct probe *p, enum probe_step i)
{
	const struct probe_try *t = &p->tries[i];
	bool passed = t->fault.class == AWS_OK, denied = t->fault.class == AWS_DENIED;
	json_t *j = json_object();
	json_t *aws = t->tried && !passed ? probe_aws(&t->fault) : NULL;
	const char *state = !t->tried                     ? "not_tried"
			    : !passed && !denied          ? "unknown"
			    : passed == STEPS[i].may_pass ? "ok"
							  : "failed";

	set_text(j, "step", STEPS[i].name);
	set_text(j, "state", state);
	set_text(j, "text",
		 !t->tried                       ? "Not tried."
		 : passed                        ? STEPS[i].passed
		 : denied || i == PROBE_IDENTITY ? STEPS[i].failed
						 : "AWS gave no answer about the role.");
	set(j, "aws", aws ? aws : json_null());
	return j;
}

static json_t *role_chain(const struct probe *p)
{
	bool is_role = strcmp(p->c->auth_method, "assume_role") == 0;
	json_t *steps = json_array();

	for (int i = is_role ? PROBE_OURS : PROBE_IDENTITY; i < PROBE_STEPS; i++)
		(void)json_array_append_new(steps, step(p, (enum probe_step)i));
	return steps;
}

static json_t *verdict(const struct probe *p)
{
	json_t *j = json_object();
	json_t *aws = p->rc == RC_OK ? NULL : probe_aws(&p->fault);

	set_text(j, "state",
		 p->rc == RC_OK       ? "verified"
		 : p->rc == RC_DENIED ? "refused"
				      : "unknown");
	set_text(j, "code", p->code);
	set_text(j, "text",
		 p->text[0] ? p->text : "Everything that decides about access is right.");
	set(j, "aws", aws ? aws : json_null());
	return j;
}

static json_t *account(const struct probe *p)
{
	struct awsname_arn arn = { 0 };
	struct str wanted = str_c(p->c->aws_account_id);
	json_t *j = json_object();

	if (wanted.n == 0 && awsname_arn_parse(str_c(p->c->role_arn), &arn) == RC_OK)
		wanted = arn.account;
	set(j, "wanted", wanted.n > 0 ? json_text_value(wanted) : json_null());
	set_or_null(j, "found", p->identity.account);
	set_or_null(j, "partition", p->identity.partition);
	set(j, "matches",
	    p->identity.account[0] ? json_boolean(strcmp(p->code, "account_mismatch") != 0)
				   : json_null());
	return j;
}

static json_t *external_id(const struct probe *p)
{
	char org[ID_UUID_TEXT];
	json_t *j = json_object();
	int enforced = p->v.external_id_enforced;
	bool shared = p->looked && p->sharing.kind != SHARING_NONE;

	id_uuid(p->c->org_id, org);
	set_text(j, "wanted", org);
	set(j, "enforced", enforced < 0 ? json_null() : json_boolean(enforced));
	set(j, "shared", p->looked ? json_boolean(shared) : json_null());
	set(j, "others", p->looked ? json_incref(p->sharing.ids) : json_array());
	set_text(j, "text", p->sharing_text);
	set(j, "statement",
	    shared && p->sharing.statement ? json_incref(p->sharing.statement) : json_null());
	return j;
}

json_t *findings_report(const struct findings *f)
{
	json_t *report = json_object();
	json_t *patch = findings_patch(f->answers);

	set(report, "verdict", verdict(f->probe));
	set(report, "role_chain", role_chain(f->probe));
	set(report, "account", account(f->probe));
	set(report, "external_id", external_id(f->probe));
	set(report, "permissions", permissions(f));
	set(report, "patch", patch ? patch : json_null());
	set(report, "calls", json_integer(f->calls));
	return report;
}
