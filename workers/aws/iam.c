/* IAM rows. One service for a partition; every listing is paged by Marker, a thousand items at
 * once. */
#include "aws/iam.h"

#define IAM(op)                                                                                    \
	.service = "iam", .proto = AWS_QUERY, .version = "2010-05-08", .action = op,               \
	.iam_action = "iam:" op
#define PAGED                                                                                      \
	.next_in = "Marker", .next_out = "Marker", .more = "IsTruncated", .limit_in = "MaxItems",  \
	.limit = 1000

const struct aws_op IAM_GENERATE_CREDENTIAL_REPORT = { IAM("GenerateCredentialReport") };
const struct aws_op IAM_GET_CREDENTIAL_REPORT = { IAM("GetCredentialReport") };
const struct aws_op IAM_GET_ACCOUNT_AUTHORIZATION_DETAILS = {
	IAM("GetAccountAuthorizationDetails"),
	PAGED,
	.lists = "UserDetailList|GroupDetailList|RoleDetailList|Policies",
	.xml_lists = "UserDetailList/UserPolicyList UserDetailList/GroupList "
		     "UserDetailList/AttachedManagedPolicies UserDetailList/Tags "
		     "GroupDetailList/GroupPolicyList GroupDetailList/AttachedManagedPolicies "
		     "RoleDetailList/InstanceProfileList RoleDetailList/InstanceProfileList/Roles "
		     "RoleDetailList/InstanceProfileList/Roles/Tags "
		     "RoleDetailList/InstanceProfileList/Tags RoleDetailList/RolePolicyList "
		     "RoleDetailList/AttachedManagedPolicies RoleDetailList/Tags "
		     "Policies/PolicyVersionList",
};
const struct aws_op IAM_LIST_USERS = {
	IAM("ListUsers"),
	PAGED,
	.lists = "Users",
	.xml_lists = "Users/Tags",
};
const struct aws_op IAM_LIST_GROUPS = { IAM("ListGroups"), PAGED, .lists = "Groups" };
const struct aws_op IAM_LIST_ROLES = {
	IAM("ListRoles"),
	PAGED,
	.lists = "Roles",
	.xml_lists = "Roles/Tags",
};
const struct aws_op IAM_LIST_POLICIES = {
	IAM("ListPolicies"),
	PAGED,
	.lists = "Policies",
	.xml_lists = "Policies/Tags",
};
const struct aws_op IAM_LIST_POLICY_VERSIONS = {
	IAM("ListPolicyVersions"),
	PAGED,
	.lists = "Versions",
};
const struct aws_op IAM_GET_POLICY_VERSION = { IAM("GetPolicyVersion") };
const struct aws_op IAM_GET_GROUP = {
	IAM("GetGroup"),
	PAGED,
	.lists = "Users",
	.xml_lists = "Users/Tags",
};
const struct aws_op IAM_GET_USER = { IAM("GetUser"), .xml_lists = "User/Tags" };
const struct aws_op IAM_GET_ROLE = { IAM("GetRole"), .xml_lists = "Role/Tags" };
const struct aws_op IAM_LIST_USER_POLICIES = {
	IAM("ListUserPolicies"),
	PAGED,
	.lists = "PolicyNames",
};
const struct aws_op IAM_LIST_GROUP_POLICIES = {
	IAM("ListGroupPolicies"),
	PAGED,
	.lists = "PolicyNames",
};
const struct aws_op IAM_LIST_ROLE_POLICIES = {
	IAM("ListRolePolicies"),
	PAGED,
	.lists = "PolicyNames",
};
const struct aws_op IAM_GET_USER_POLICY = { IAM("GetUserPolicy") };
const struct aws_op IAM_GET_GROUP_POLICY = { IAM("GetGroupPolicy") };
const struct aws_op IAM_GET_ROLE_POLICY = { IAM("GetRolePolicy") };
const struct aws_op IAM_LIST_ATTACHED_USER_POLICIES = {
	IAM("ListAttachedUserPolicies"),
	PAGED,
	.lists = "AttachedPolicies",
};
const struct aws_op IAM_LIST_ATTACHED_GROUP_POLICIES = {
	IAM("ListAttachedGroupPolicies"),
	PAGED,
	.lists = "AttachedPolicies",
};
const struct aws_op IAM_LIST_ATTACHED_ROLE_POLICIES = {
	IAM("ListAttachedRolePolicies"),
	PAGED,
	.lists = "AttachedPolicies",
};
const struct aws_op IAM_LIST_ACCESS_KEYS = {
	IAM("ListAccessKeys"),
	PAGED,
	.lists = "AccessKeyMetadata",
};
const struct aws_op IAM_GET_ACCESS_KEY_LAST_USED = { IAM("GetAccessKeyLastUsed") };
const struct aws_op IAM_LIST_VIRTUAL_MFA_DEVICES = {
	IAM("ListVirtualMFADevices"),
	PAGED,
	.lists = "VirtualMFADevices",
	.xml_lists = "VirtualMFADevices/User/Tags VirtualMFADevices/Tags",
	.drop = "Base32StringSeed QRCodePNG",
};
const struct aws_op IAM_LIST_MFA_DEVICES = { IAM("ListMFADevices"), PAGED, .lists = "MFADevices" };
const struct aws_op IAM_LIST_SAML_PROVIDERS = {
	IAM("ListSAMLProviders"),
	.lists = "SAMLProviderList",
};
const struct aws_op IAM_GET_SAML_PROVIDER = { IAM("GetSAMLProvider"), .xml_lists = "Tags" };
const struct aws_op IAM_LIST_OIDC_PROVIDERS = {
	IAM("ListOpenIDConnectProviders"),
	.lists = "OpenIDConnectProviderList",
};
const struct aws_op IAM_GET_OIDC_PROVIDER = {
	IAM("GetOpenIDConnectProvider"),
	.xml_lists = "ClientIDList ThumbprintList Tags",
};
const struct aws_op IAM_LIST_ACCOUNT_ALIASES = {
	IAM("ListAccountAliases"),
	PAGED,
	.lists = "AccountAliases",
};
const struct aws_op IAM_GET_ACCOUNT_SUMMARY = { IAM("GetAccountSummary") };
const struct aws_op IAM_GET_ACCOUNT_PASSWORD_POLICY = { IAM("GetAccountPasswordPolicy") };
const struct aws_op IAM_LIST_INSTANCE_PROFILES = {
	IAM("ListInstanceProfiles"),
	PAGED,
	.lists = "InstanceProfiles",
	.xml_lists = "InstanceProfiles/Roles InstanceProfiles/Roles/Tags InstanceProfiles/Tags",
};
const struct aws_op IAM_SIMULATE_PRINCIPAL_POLICY = {
	IAM("SimulatePrincipalPolicy"),
	PAGED,
	.lists = "EvaluationResults",
	.xml_lists = "EvaluationResults/MatchedStatements EvaluationResults/MissingContextValues "
		     "EvaluationResults/ResourceSpecificResults",
};
