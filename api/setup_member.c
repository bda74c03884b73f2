/* slashid-member-account-setup.yaml: the template that a customer deploys as a StackSet over the member accounts, so that the
 * management account need not let us deploy anything. One role of one name everywhere; the policies are inline, for a role
 * takes only ten managed ones. Never grants what reads the tree of the organization: that is the management account's. */
#include "api/setup_forms.h"
#include "base/mem.h"

#include <stdio.h>

enum { WORD_MAX = 48 };

static json_t *ref(const char *name)
{
	return json_pack("{s:s}", "Ref", name);
}

/* "Include" + "secretsmanager" -> "IncludeSecretsmanager". */
static void name_of(const char *first, const char *capability, char out[WORD_MAX])
{
	size_t n = (size_t)snprintf(out, WORD_MAX, "%s", first);

	snprintf(out + n, WORD_MAX - n, "%s", capability);
	if (out[n] >= 'a' && out[n] <= 'z')
		out[n] = (char)(out[n] - 'a' + 'A');
}

static bool is_base(const struct permission_capability *c)
{
	return c->tier == 1 && !c->organization_only && !c->by_name &&
	       strcmp(c->where, "management") != 0;
}

/* The name of the parameter that switches it on; false: it is not of this template. */
static bool is_choice(const struct permission_capability *c, char parameter[WORD_MAX])
{
	if (strcmp(c->name, "activity_live_poll") == 0) {
		snprintf(parameter, WORD_MAX, "EnableActivity");
		return true;
	}
	name_of("Include", c->name, parameter);
	return c->tier == 3;
}

/* The document of the tier 1 capabilities (only NULL), or of one. */
static enum rc document(const struct setup_plan *plan, const struct permission_capability *only,
			json_t **ret, struct err *err)
{
	const struct permission_action **rows = mem_array(PERMISSION_ACTIONS_N, sizeof(*rows));
	size_t n = 0;
	enum rc rc;

	for (size_t i = 0; i < PERMISSION_ACTIONS_N; i++) {
		const struct permission_capability *c = PERMISSION_ACTIONS[i].capability;

		if (only ? c == only : is_base(c))
			rows[n++] = &PERMISSION_ACTIONS[i];
	}
	rc = permission_policy_of(rows, n, &plan->options.places, ret, err);
	mem_free(rows);
	return rc;
}

static json_t *policy(const char *name, const char *condition, json_t *doc)
{
	json_t *made =
		json_pack("{s:s, s:{s:s, s:o, s:[o]}}", "Type", "AWS::IAM::Policy", "Properties",
			  "PolicyName", name, "PolicyDocument", doc, "Roles", ref("MemberRole"));

	if (condition)
		json_object_set_new(made, "Condition", json_string(condition));
	return made;
}

static json_t *switch_of(const char *title)
{
	AUTO_TEXT char *text = mem_text("Whether to read: %s.", title);

	return json_pack("{s:s, s:s, s:s, s:[s, s]}", "Type", "String", "Description", text,
			 "Default", "false", "AllowedValues", "true", "false");
}

static json_t *parameters(const struct setup_plan *plan)
{
	return json_pack(
		"{s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s, s:s%, "
		"s:s}}",
		"ManagementRoleArn", "Type", "String", "Description",
		"The role of your management account, through which member accounts are entered. "
		"Empty: they are entered directly by TrustedPrincipalArn.",
		"Default", "", "TrustedPrincipalArn", "Type", "String", "Description",
		"Who may assume the role when ManagementRoleArn is empty.", "Default",
		plan->principal, "ExternalId", "Type", "String", "Description",
		"Your organization ID. It never changes, and the role must demand it.", "Default",
		plan->external_id, "AllowedPattern", "[0-9a-f-]{36}", "NamePrefix", "Type",
		"String", "Description", "The role is named with it: PREFIX-member-read.",
		"Default", plan->options.places.prefix.p, plan->options.places.prefix.n,
		"AllowedPattern", "[A-Za-z][A-Za-z0-9-]{0,30}[A-Za-z0-9]");
}

static json_t *role(void)
{
	json_t *principal = json_pack("{s:[s, o, o]}", "Fn::If", "ViaManagement",
				      ref("ManagementRoleArn"), ref("TrustedPrincipalArn"));

	return json_pack("{s:s, s:{s:{s:s}, s:s, s:o}}", "Type", "AWS::IAM::Role", "Properties",
			 "RoleName", "Fn::Sub", "${NamePrefix}-member-read", "Description",
			 "Lets connectord read this member account.", "AssumeRolePolicyDocument",
			 setup_plan_trust(principal, ref("ExternalId")));
}

struct template
{
	json_t *parameters, *conditions, *resources;
};

static enum rc add_choices(const struct setup_plan *plan, struct template *t, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < PERMISSION_CAPABILITIES_N; i++) {
		const struct permission_capability *c = &PERMISSION_CAPABILITIES[i];
		char parameter[WORD_MAX], condition[WORD_MAX], resource[WORD_MAX];
		json_t *doc = NULL;

		if (!is_choice(c, parameter) ||
		    !setup_plan_is_in(c, plan->options.places.partition))
			continue;
		rc = document(plan, c, &doc, err);
		if (rc != RC_OK)
			return rc;
		name_of("Has", parameter, condition);
		name_of("Read", parameter, resource);
		json_object_set_new(t->parameters, parameter, switch_of(c->title));
		json_object_set_new(t->conditions, condition,
				    json_pack("{s:[o, s]}", "Fn::Equals", ref(parameter), "true"));
		json_object_set_new(t->resources, resource, policy(parameter, condition, doc));
	}
	return rc;
}

enum rc setup_member_tree(const struct setup_plan *plan, json_t **ret, struct err *err)
{
	json_t *doc = NULL;
	struct template t = { 0 };
	enum rc rc = document(plan, NULL, &doc, err);

	if (rc != RC_OK)
		return rc;
	t.parameters = parameters(plan);
	t.conditions = json_pack("{s:{s:[{s:[o, s]}]}}", "ViaManagement", "Fn::Not", "Fn::Equals",
				 ref("ManagementRoleArn"), "");
	t.resources = json_pack("{s:o, s:o}", "MemberRole", role(), "ReadIdentities",
				policy("Identities", NULL, doc));
	rc = add_choices(plan, &t, err);
	*ret = json_pack("{s:s, s:s, s:{s:s}, s:o, s:o, s:o, s:{s:{s:s, s:o}, s:{s:s, s:s}}}",
			 "AWSTemplateFormatVersion", "2010-09-09", "Description",
			 "Lets connectord read a member account of an AWS Organization. Deploy it "
			 "as a StackSet with CAPABILITY_NAMED_IAM.",
			 "Metadata", "ConnectordTemplateVersion", SETUP_FORMS_TEMPLATE_VERSION,
			 "Parameters", t.parameters, "Conditions", t.conditions, "Resources",
			 t.resources, "Outputs", "RoleArn", "Description",
			 "The role of this member account.", "Value",
			 json_pack("{s:[s, s]}", "Fn::GetAtt", "MemberRole", "Arn"),
			 "TemplateVersion", "Description", "The version of this template.", "Value",
			 SETUP_FORMS_TEMPLATE_VERSION);
	if (rc != RC_OK)
		json_decref(TAKE(*ret));
	return rc;
}
