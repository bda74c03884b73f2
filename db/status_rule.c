/* What a person should know first about a connection. What a person decided, what happens now, what somebody must do, what is
 * skipped, what has not happened yet. Never reads or writes anything. */
#include "db/status_rule.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/permission.h"

#include <stdio.h>

enum {
	NAMES_MAX = 6, /* actions that a sentence names */
	PATCH_MAX = 48
};

struct remedy {
	const char *code, *text;
	bool blocks; /* nothing works until it is done, also where the verdict is an older one */
};

#define OPERATOR "The operator of connectord has to act; nothing of yours needs to change."
static const struct remedy REMEDIES[] = {
	{ "role_not_assumable",
	  "Make sure that the role exists, that it trusts our account and that the external ID in "
	  "its "
	  "trust policy is your organization ID; then check the connection.",
	  false },
	{ "external_id_not_enforced",
	  "Add the condition StringEquals sts:ExternalId = your organization ID to the role's "
	  "trust "
	  "policy, then check the connection.",
	  false },
	{ "external_id_shared",
	  "Let the role's trust policy demand one external ID alone, by StringEquals: your "
	  "organization ID; then check the connection. Its report holds the corrected statement.",
	  false },
	{ "external_id_inexact",
	  "Let the role's trust policy compare the external ID by StringEquals with your "
	  "organization ID, no pattern and nothing regardless of case; then check the connection. "
	  "Its report holds the corrected statement.",
	  false },
	{ "account_mismatch",
	  "Give the connection credentials of its own account, or make another connection.",
	  false },
	{ "own_account", "Connect a role of one of your own accounts.", false },
	{ "access_key_refused", "Activate the access key, or store another one.", false },
	{ "secret_damaged", "Store the secret access key again.", true },
	{ "base_identity_missing", OPERATOR, true },
	{ "base_identity_unavailable", OPERATOR, true },
	{ "base_identity_refused", OPERATOR, true },
	{ "base_identity_denied", OPERATOR, true },
	{ "session_policy_too_large", OPERATOR, true },
	{ "session_policy_malformed", OPERATOR, true },
	{ "vendor_account_unknown", OPERATOR, true },
	{ "sealing_key_missing", OPERATOR, true },
	{ "sealing_key_unknown", OPERATOR, true },
	{ "clock_wrong", OPERATOR, true },
};

static const struct remedy *remedy_of(struct str code)
{
	for (size_t i = 0; i < COUNT_OF(REMEDIES); i++)
		if (str_eq(code, str_c(REMEDIES[i].code)))
			return &REMEDIES[i];
	return NULL;
}

bool status_rule_blocks(struct str code)
{
	const struct remedy *remedy = remedy_of(code);

	return remedy && remedy->blocks;
}

static void say(struct status_rule *r, const char *state, struct str code, struct str text,
		const char *remedy)
{
	r->state = state;
	(void)snprintf(r->code, sizeof(r->code), "%.*s", STR_FMT(code));
	(void)snprintf(r->text, sizeof(r->text), "%.*s", STR_FMT(text));
	(void)snprintf(r->remedy, sizeof(r->remedy), "%s", remedy);
}

static struct str or_else(struct str s, const char *otherwise)
{
	return s.n > 0 ? s : str_c(otherwise);
}

/* What a cut sentence loses is named elsewhere in full: by the check and by coverage. */
static void add(struct buf *out, const char *text)
{
	(void)!buf_put(out, str_c(text));
}

struct choice {
	const struct status_facts *facts;
	bool needed; /* those without which nothing works, or the others */
};

static bool chosen(const struct choice *c, size_t i)
{
	return c->facts->denials[i].needed == c->needed;
}

static size_t count(const struct choice *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->facts->n; i++)
		n += chosen(c, i);
	return n;
}

/* "implicit" is also what a silent refusal most likely is. */
static bool has_cause(const struct status_denial *d, const char *cause)
{
	if (strcmp(cause, "implicit") == 0)
		return d->cause.n == 0 || str_eq(d->cause, S("implicit"));
	return str_eq(d->cause, str_c(cause));
}

/* "iam:ListUsers, iam:ListRoles and 3 more"; cause NULL = all. */
static void put_names(struct buf *out, const struct choice *c, const char *cause)
{
	int n = 0, more = 0;

	for (size_t i = 0; i < c->facts->n; i++) {
		const struct status_denial *d = &c->facts->denials[i];

		if (!chosen(c, i) || (cause && !has_cause(d, cause)))
			continue;
		if (n == NAMES_MAX)
			more++;
		else
			(void)!buf_printf(out, "%s%.*s", n++ ? ", " : "", STR_FMT(d->action));
	}
	if (more > 0)
		(void)!buf_printf(out, " and %d more", more);
}

static bool any_cause(const struct choice *c, const char *cause)
{
	for (size_t i = 0; i < c->facts->n; i++)
		if (chosen(c, i) && has_cause(&c->facts->denials[i], cause))
			return true;
	return false;
}

static void put_patch(struct buf *out, const struct choice *c)
{
	const struct permission_places places = { .partition =
							  or_else(c->facts->partition, "aws") };
	const char *actions[PATCH_MAX];
	char *owned[PATCH_MAX];
	AUTO_JSON json_t *policy = NULL;
	AUTO_TEXT char *text = NULL;
	struct err err = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < c->facts->n && n < PATCH_MAX; i++) {
		const struct status_denial *d = &c->facts->denials[i];

		if (!chosen(c, i) || !has_cause(d, "implicit") || !permission_find(d->action))
			continue;
		owned[n] = str_dup(d->action);
		actions[n] = owned[n];
		n++;
	}
	if (n > 0 && permission_policy(actions, n, &places, &policy, &err) == RC_OK) {
		text = json_text(policy);
		(void)!buf_printf(out, "%s", text);
	}
	for (size_t i = 0; i < n; i++)
		mem_free(owned[i]);
}

static const struct {
	const char *cause, *before, *after;
} BY_CAUSE[] = {
	{ "explicit", "Remove the explicit Deny of ", " from the policies of what is connected. " },
	{ "scp", "Have the service control policies of your AWS Organization allow ", ". " },
	{ "rcp", "Have the resource control policies of your AWS Organization allow ", ". " },
	{ "boundary", "Allow in the permissions boundary of what is connected ", ". " },
	{ "vpc_endpoint", "Have the policy of the VPC endpoint allow ", ". " },
	{ "session", "Tell the operator of connectord: its own session policy forbids ", ". " },
};

static void put_remedy(struct buf *out, const struct choice *c)
{
	for (size_t i = 0; i < COUNT_OF(BY_CAUSE); i++) {
		if (!any_cause(c, BY_CAUSE[i].cause))
			continue;
		add(out, BY_CAUSE[i].before);
		put_names(out, c, BY_CAUSE[i].cause);
		add(out, BY_CAUSE[i].after);
	}
	if (!any_cause(c, "implicit"))
		return;
	add(out, "Allow ");
	put_names(out, c, "implicit");
	add(out, " with this policy on what is connected, then check the connection: ");
	put_patch(out, c);
}

/* The first chosen action that the catalogue knows says what is lost. */
static const struct permission_capability *capability_of(const struct choice *c)
{
	for (size_t i = 0; i < c->facts->n; i++) {
		const struct permission_action *row =
			chosen(c, i) ? permission_find(c->facts->denials[i].action) : NULL;

		if (row)
			return row->capability;
	}
	return NULL;
}

static void put_affected(struct buf *out, const struct choice *c)
{
	int n = 0;

	for (size_t i = 0; i < c->facts->n && n < NAMES_MAX; i++)
		if (chosen(c, i))
			(void)!buf_printf(out, "%s%.*s", n++ ? ", " : "",
					  STR_FMT(c->facts->denials[i].what));
}

static void say_denied(struct status_rule *r, const char *state, const char *code,
		       const struct choice *c)
{
	const struct permission_capability *capability = capability_of(c);
	AUTO(buf) struct buf text = BUF_INIT(STATUS_TEXT_MAX - 1);
	AUTO(buf) struct buf remedy = BUF_INIT(STATUS_REMEDY_MAX - 1);

	add(&text, "AWS denies ");
	put_names(&text, c, NULL);
	if (capability)
		(void)!buf_printf(&text, " (tier %d, %s)", capability->tier, capability->title);
	add(&text, "; skipped for want of it: ");
	put_affected(&text, c);
	add(&text, ".");
	put_remedy(&remedy, c);
	say(r, state, str_c(code), buf_str(&text), buf_c(&remedy));
}

static bool action_required(const struct status_facts *f, struct status_rule *r)
{
	const struct choice needed = { .facts = f, .needed = true };
	const struct remedy *remedy = remedy_of(f->verify_code);
	const struct permission_capability *capability;

	if (str_eq(f->verify_state, S("refused")) || status_rule_blocks(f->verify_code)) {
		say(r, "action_required", or_else(f->verify_code, "refused"),
		    or_else(f->verify_text, "The credentials were refused."),
		    remedy ? remedy->text : "");
		return true;
	}
	if (count(&needed) == 0)
		return false;
	capability = capability_of(&needed);
	say_denied(r, "action_required",
		   capability && capability->tier == 2 ? "identity_center_permission_missing"
						       : "permission_missing",
		   &needed);
	return true;
}

static bool sync_fell_short(const struct status_facts *f)
{
	return str_eq(f->last_sync_state, S("partial")) || str_eq(f->last_sync_state, S("failed"));
}

/* The external ID is right, and something else than it opens the role, too. */
static bool is_loose(struct str verify_code)
{
	return str_eq(verify_code, S("external_id_not_enforced")) ||
	       str_eq(verify_code, S("external_id_shared")) ||
	       str_eq(verify_code, S("external_id_inexact"));
}

static bool degraded(const struct status_facts *f, struct status_rule *r)
{
	const struct choice others = { .facts = f, .needed = false };

	if (str_eq(f->last_sync_state, S("canceled"))) {
		say(r, "degraded", S("sync_canceled"),
		    S("The last sync was canceled; what it had not reached is as old as before."),
		    "Start a sync, or wait for the next one.");
	} else if (count(&others) > 0) {
		say_denied(r, "degraded", "permission_optional_missing", &others);
	} else if (sync_fell_short(f) && f->granted_since) {
		say(r, "degraded", S("sync_due"),
		    S("What the last sync was denied has been granted since; the next sync reads "
		      "it."),
		    "Start a sync, or wait for the next one.");
	} else if (sync_fell_short(f)) {
		say(r, "degraded", or_else(f->reason_code, "sync_incomplete"),
		    or_else(f->reason, "The last sync did not see everything."),
		    "It is tried again by the next sync; coverage says what is missing.");
	} else if (str_eq(f->verify_state, S("verified")) && is_loose(f->verify_code)) {
		say(r, "degraded", f->verify_code, f->verify_text, remedy_of(f->verify_code)->text);
	} else {
		return false;
	}
	return true;
}

void status_rule_judge(const struct status_facts *f, struct status_rule *ret)
{
	*ret = (struct status_rule){ .state = NULL };
	if (f->paused)
		say(ret, "paused", S("paused"), S("Paused by a person; nothing is scheduled."),
		    "Set paused to false when it is to go on.");
	else if (f->sync_active)
		say(ret, "running", S("sync_active"), S("A sync is under way."), "");
	else if (action_required(f, ret) || degraded(f, ret))
		return;
	else if (!str_eq(f->verify_state, S("verified")))
		say(ret, "pending", or_else(f->verify_code, "not_verified"),
		    or_else(f->verify_text, "The credentials have not been verified yet."), "");
	else if (!f->complete_once)
		say(ret, "pending", S("never_synced"), S("No sync has finished yet."), "");
	else
		say(ret, "synced", S("synced"), S("The last sync was complete."), "");
}

void status_rule_first(bool paused, struct status_rule *ret)
{
	const struct status_facts facts = { .paused = paused, .verify_state = S("pending") };

	status_rule_judge(&facts, ret);
}
