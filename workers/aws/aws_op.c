/* The list of rows. A row that is missing here cannot be published, so a test counts them. */
#include "aws/account.h"
#include "aws/ec2.h"
#include "aws/iam.h"
#include "aws/op.h"
#include "aws/sso.h"
#include "aws/sts.h"
#include "base/cdefs.h"
#include <string.h>

static const struct aws_op *const OPS[] = {
	&STS_GET_CALLER_IDENTITY,
	&STS_ASSUME_ROLE,
	&STS_ASSUME_ROLE_WITH_WEB_IDENTITY,
	&IAM_GENERATE_CREDENTIAL_REPORT,
	&IAM_GET_CREDENTIAL_REPORT,
	&IAM_GET_ACCOUNT_AUTHORIZATION_DETAILS,
	&IAM_LIST_USERS,
	&IAM_LIST_GROUPS,
	&IAM_LIST_ROLES,
	&IAM_LIST_POLICIES,
	&IAM_LIST_POLICY_VERSIONS,
	&IAM_GET_POLICY_VERSION,
	&IAM_GET_GROUP,
	&IAM_GET_USER,
	&IAM_GET_ROLE,
	&IAM_LIST_USER_POLICIES,
	&IAM_LIST_GROUP_POLICIES,
	&IAM_LIST_ROLE_POLICIES,
	&IAM_GET_USER_POLICY,
	&IAM_GET_GROUP_POLICY,
	&IAM_GET_ROLE_POLICY,
	&IAM_LIST_ATTACHED_USER_POLICIES,
	&IAM_LIST_ATTACHED_GROUP_POLICIES,
	&IAM_LIST_ATTACHED_ROLE_POLICIES,
	&IAM_LIST_ACCESS_KEYS,
	&IAM_GET_ACCESS_KEY_LAST_USED,
	&IAM_LIST_VIRTUAL_MFA_DEVICES,
	&IAM_LIST_MFA_DEVICES,
	&IAM_LIST_SAML_PROVIDERS,
	&IAM_GET_SAML_PROVIDER,
	&IAM_LIST_OIDC_PROVIDERS,
	&IAM_GET_OIDC_PROVIDER,
	&IAM_LIST_ACCOUNT_ALIASES,
	&IAM_GET_ACCOUNT_SUMMARY,
	&IAM_GET_ACCOUNT_PASSWORD_POLICY,
	&IAM_LIST_INSTANCE_PROFILES,
	&IAM_SIMULATE_PRINCIPAL_POLICY,
	&EC2_DESCRIBE_REGIONS,
	&ACCOUNT_LIST_REGIONS,
	&SSO_LIST_INSTANCES,
	&SSO_LIST_PERMISSION_SETS,
};

const struct aws_op *aws_op_at(size_t i)
{
	return i < COUNT_OF(OPS) ? OPS[i] : NULL;
}

const struct aws_op *aws_op_find(const char *service, const char *action)
{
	for (size_t i = 0; i < COUNT_OF(OPS); i++)
		if (strcmp(OPS[i]->service, service) == 0 && strcmp(OPS[i]->action, action) == 0)
			return OPS[i];
	return NULL;
}
