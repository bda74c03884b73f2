/* The table of parts, and the sentences of coverage: what happened, and what is therefore unknown.
 * Never decides to stop: a fault belongs to its part alone. */
#include "workers/sync/part.h"
#include "base/mem.h"

#include <stdio.h>

struct row {
	const char *name;
	const char *unknown; /* completes "..., so " */
	const char *keeps;   /* attributes, and the kind that has them */
	const char *keeps_kind;
};

static const struct row ROWS[PART_COUNT] = {
	[PART_REGIONS] = { "regions", "which regions the account uses is not known", "regions",
			   "aws.account" },
	[PART_USERS] = { "users",
			 "users, their groups and their policies are shown as they were last seen",
			 NULL, NULL },
	[PART_GROUPS] = { "groups", "groups and their policies are shown as they were last seen",
			  NULL, NULL },
	[PART_ROLES] = { "roles",
			 "roles, their trust and their policies are shown as they were last seen",
			 NULL, NULL },
	[PART_POLICIES] = { "policies",
			    "customer managed policies are shown as they were last seen",
			    "versions,document,document_state,document_version", "aws.iam_policy" },
	[PART_AWS_POLICIES] = { "aws_policies",
				"versions of the attached AWS managed policies may be out of date",
				NULL, NULL },
	[PART_POLICY_DOCUMENTS] = { "policy_documents",
				    "what some attached AWS managed policies allow is not known",
				    "document,document_state,document_version", "aws.iam_policy" },
	[PART_USER_DETAILS] = { "user_details", "when users last signed in may be out of date",
				"password_last_used", "aws.iam_user" },
	[PART_ROLE_DETAILS] = { "role_details",
				"descriptions and session lengths of roles may be out of date",
				"description,max_session_duration", "aws.iam_role" },
	[PART_REPORT] = { "credential_report",
			  "password state and MFA of users and of the root user may be out of date",
			  "password_enabled,password_last_used,password_last_changed,password_next_"
			  "rotation,mfa_active,cert_1_active,cert_2_active",
			  "aws.iam_user" },
	[PART_SAML] = { "saml_providers", "SAML providers are shown as they were last seen",
			"entity_id,certificates,valid_until,metadata_state,unique_id,tags",
			"aws.saml_provider" },
	[PART_OIDC] = { "oidc_providers", "OIDC providers are shown as they were last seen",
			"url,client_ids,thumbprints,created,tags", "aws.oidc_provider" },
	[PART_ALIAS] = { "alias", "the account's alias may be out of date", "alias",
			 "aws.account" },
	[PART_SUMMARY] = { "summary", "the counts could not be checked against AWS's own",
			   "summary", "aws.account" },
	[PART_PASSWORD_POLICY] = { "password_policy",
				   "the account's password policy may be out of date",
				   "password_policy", "aws.account" },
	[PART_INSTANCE_PROFILES] = { "instance_profiles",
				     "tags of instance profiles may be out of date, and those "
				     "without "
				     "a role are shown as they were last seen",
				     "tags", "aws.instance_profile" },
	[PART_ACCESS_KEYS] = { "access_keys", "access keys are shown as they were last seen", NULL,
			       NULL },
	[PART_KEY_LAST_USED] = { "key_last_used",
				 "when some access keys were last used may be out of date",
				 "last_used", "aws.access_key" },
	[PART_MFA] = { "mfa", "MFA devices are shown as they were last seen", NULL, NULL },
};

static const char *const STATES[] = {
	[PART_UNTRIED] = "not_attempted",
	[PART_OK] = "ok",
	[PART_PARTIAL] = "partial",
	[PART_DENIED] = "denied",
	[PART_REGION_DISABLED] = "region_disabled",
	[PART_UNSUPPORTED] = "unsupported",
	[PART_NOT_ENABLED] = "not_enabled",
	[PART_THROTTLED] = "throttled",
	[PART_ERROR] = "error",
};

const char *part_name(enum part_id id)
{
	return ROWS[id].name;
}

enum rc part_keep(enum part_id id, struct buf *list)
{
	struct str rest = str_c(ROWS[id].keeps);
	enum rc rc = RC_OK;

	while (rc == RC_OK && rest.n > 0) {
		struct str attribute = str_cut(&rest, ',');

		rc = buf_printf(list, "%s%s:%.*s", list->n == 0 ? "{" : ",", ROWS[id].keeps_kind,
				STR_FMT(attribute));
	}
	return rc;
}

static enum part_state state_of(enum aws_class class)
{
	switch (class) {
	case AWS_OK: return PART_OK;
	case AWS_DENIED: return PART_DENIED;
	case AWS_REGION_DISABLED: return PART_REGION_DISABLED;
	case AWS_UNSUPPORTED: return PART_UNSUPPORTED;
	case AWS_NOT_ENABLED: return PART_NOT_ENABLED;
	case AWS_THROTTLED: return PART_THROTTLED;
	case AWS_CREDS_INVALID:
	case AWS_CREDS_EXPIRED:
	case AWS_NOT_FOUND:
	case AWS_TRANSIENT:
	case AWS_BAD_REQUEST:
	case AWS_PAGER:
	case AWS_CANCELED: break;
	}
	return PART_ERROR;
}

static const char *action_of(const struct aws_fault *f)
{
	return f->op && f->op->iam_action ? f->op->iam_action : "";
}

static void describe(struct part *p, enum part_id id)
{
	const struct aws_fault *f = &p->fault;

	if (f->class == AWS_DENIED)
		snprintf(p->reason, sizeof(p->reason), "AWS denied %s%s%s, so %s.", action_of(f),
			 f->deny_cause[0] ? "; cause: " : "", f->deny_cause, ROWS[id].unknown);
	else
		snprintf(p->reason, sizeof(p->reason), "%s failed (%s: %.160s), so %s.",
			 f->op ? f->op->action : "A call",
			 f->code[0] ? f->code : aws_class_name(f->class), f->message,
			 ROWS[id].unknown);
	snprintf(p->reason_code, sizeof(p->reason_code), "%s", aws_class_name(f->class));
}

void part_fault(struct part *p, enum part_id id, const struct aws_fault *fault)
{
	if (fault != &p->fault) /* a listing's own fault outweighs that of one object */
		p->fault = *fault;
	p->state = state_of(fault->class);
	describe(p, id);
}

void part_object_fault(struct part *p, const struct aws_fault *fault)
{
	p->failed++;
	p->denied_in_row = fault->class == AWS_DENIED ? p->denied_in_row + 1 : 0;
	if (p->fault.class == AWS_OK)
		p->fault = *fault;
}

void part_say(struct part *p, enum part_id id, enum part_state state, const char *code,
	      const char *what)
{
	if (p->state != PART_UNTRIED && p->state != PART_OK)
		return;
	p->state = state;
	snprintf(p->reason_code, sizeof(p->reason_code), "%s", code);
	snprintf(p->reason, sizeof(p->reason), "%s, so %s.", what, ROWS[id].unknown);
}

/* What is asked item by item is never more complete than the list of the items. */
static const struct {
	enum part_id part, feeder;
} FED[] = {
	{ PART_POLICY_DOCUMENTS, PART_AWS_POLICIES },
	{ PART_KEY_LAST_USED, PART_ACCESS_KEYS },
};

void part_feed(struct part parts[PART_COUNT])
{
	for (size_t i = 0; i < COUNT_OF(FED); i++) {
		struct part *p = &parts[FED[i].part];
		const struct part *feeder = &parts[FED[i].feeder];

		if (p->state != PART_OK || feeder->state == PART_OK ||
		    feeder->state == PART_UNTRIED)
			continue;
		part_say(p, FED[i].part, PART_PARTIAL, "list_incomplete",
			 "What it is asked for could not be listed to the end");
		p->fault = feeder->fault;
		if (p->fault.class != AWS_OK)
			describe(p, FED[i].part);
	}
}

void part_done(struct part *p, enum part_id id)
{
	if (p->state != PART_UNTRIED)
		return;
	if (p->failed == 0) {
		p->state = PART_OK;
		return;
	}
	part_fault(p, id, &p->fault);
	if (p->read > 0)
		p->state = PART_PARTIAL;
}

json_t *part_row(const struct part *p, enum part_id id, int64_t held)
{
	json_t *j = json_object();
	char text[ERR_TEXT_MAX];

	json_object_set_new(j, "part", json_string(ROWS[id].name));
	json_object_set_new(j, "state", json_string(STATES[p->state]));
	json_object_set_new(j, "reason_code", json_text_value(str_c(p->reason_code)));
	json_object_set_new(j, "reason", json_text_value(str_c(p->reason)));
	if (held > 0) {
		snprintf(text, sizeof(text),
			 "%lld rows vanished at once; they are kept until a second complete "
			 "listing agrees.",
			 (long long)held);
		json_object_set_new(j, "reason_code", json_string("mass_vanishing_held"));
		json_object_set_new(j, "reason", json_string(text));
	}
	json_object_set_new(j, "action",
			    json_string(p->fault.class == AWS_DENIED ? action_of(&p->fault) : ""));
	json_object_set_new(j, "deny_cause", json_text_value(str_c(p->fault.deny_cause)));
	json_object_set_new(j, "aws_code", json_text_value(str_c(p->fault.code)));
	json_object_set_new(j, "aws_request_id", json_text_value(str_c(p->fault.request_id)));
	json_object_set_new(j, "via", json_string(p->via ? p->via : ""));
	json_object_set_new(j, "items", json_integer(p->items));
	json_object_set_new(j, "pages", json_integer(p->tally.pages));
	json_object_set_new(j, "calls", json_integer(p->tally.calls));
	json_object_set_new(j, "throttles", json_integer(p->tally.throttles));
	json_object_set_new(j, "held", json_integer(held));
	return j;
}
