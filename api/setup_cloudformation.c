/* The CloudFormation template of an account that is connected by itself, or of a management account: a role and one managed
 * policy a tier. Never names a value that the customer has to change: what differs between organizations is a parameter. */
#include "api/setup_forms.h"

#include <stdio.h>

enum { LOGICAL_ID_MAX = 64 };

static json_t *ref(const char *name)
{
	return json_pack("{s:s}", "Ref", name);
}

/* "connectord-tier-3-part-2" -> "Tier3Part2": logical ids are letters and digits. */
static void logical_id(struct str name, size_t prefix_n, char out[LOGICAL_ID_MAX])
{
	bool upper = true;
	size_t n = 0;

	for (size_t i = prefix_n; i < name.n && n + 1 < LOGICAL_ID_MAX; i++) {
		char c = name.p[i];

		if (c != '-')
			out[n++] = upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
		upper = c == '-';
	}
	out[n] = '\0';
}

static json_t *parameters(const struct setup_plan *plan)
{
	return json_pack("{s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:s}}", "TrustedPrincipalArn",
			 "Type", "String", "Description", "Who may assume the role.", "Default",
			 plan->principal, "ExternalId", "Type", "String", "Description",
			 "Your organization ID. It never changes, and the role must demand it.",
			 "Default", plan->external_id, "AllowedPattern", "[0-9a-f-]{36}");
}

static json_t *role(const struct setup_plan *plan)
{
	return json_pack("{s:s, s:{s:s%, s:s, s:o}}", "Type", "AWS::IAM::Role", "Properties",
			 "RoleName", plan->options.places.prefix.p, plan->options.places.prefix.n,
			 "Description",
			 "Assumed by connectord with the external ID of one organization.",
			 "AssumeRolePolicyDocument",
			 setup_plan_trust(ref("TrustedPrincipalArn"), ref("ExternalId")));
}

static json_t *policy(const json_t *one)
{
	return json_pack("{s:s, s:{s:O, s:O, s:[o]}}", "Type", "AWS::IAM::ManagedPolicy",
			 "Properties", "ManagedPolicyName", json_object_get(one, "name"),
			 "PolicyDocument", json_object_get(one, "document"), "Roles",
			 ref("ConnectorRole"));
}

json_t *setup_cloudformation_tree(const struct setup_plan *plan)
{
	json_t *resources = json_pack("{s:o}", "ConnectorRole", role(plan)), *one;
	size_t i;

	json_array_foreach (plan->policies, i, one) {
		char id[LOGICAL_ID_MAX];

		logical_id(json_str(one, "name"), plan->options.places.prefix.n, id);
		json_object_set_new(resources, id, policy(one));
	}
	return json_pack(
		"{s:s, s:s, s:o, s:o, s:{s:{s:s, s:o}, s:{s:s, s:s}}}", "AWSTemplateFormatVersion",
		"2010-09-09", "Description",
		"Lets connectord read this account. Deploy it with CAPABILITY_NAMED_IAM, then "
		"give the role ARN of its outputs to the connection.",
		"Parameters", parameters(plan), "Resources", resources, "Outputs", "RoleArn",
		"Description", "The role ARN of the connection.", "Value",
		json_pack("{s:[s, s]}", "Fn::GetAtt", "ConnectorRole", "Arn"), "TemplateVersion",
		"Description", "The version of this template.", "Value",
		SETUP_FORMS_TEMPLATE_VERSION);
}
