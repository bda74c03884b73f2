/* IAM rows (global service, query protocol, version 2010-05-08). Documents in replies are
 * percent-encoded JSON. */
#ifndef AWS_IAM_H
#define AWS_IAM_H
#include "aws/op.h"
extern const struct aws_op IAM_GENERATE_CREDENTIAL_REPORT;
extern const struct aws_op IAM_GET_CREDENTIAL_REPORT;
extern const struct aws_op
	IAM_GET_ACCOUNT_AUTHORIZATION_DETAILS; /* Filter: ["User", "Group"] ... */
extern const struct aws_op IAM_LIST_USERS;
extern const struct aws_op IAM_LIST_GROUPS;
extern const struct aws_op IAM_LIST_ROLES;
extern const struct aws_op IAM_LIST_POLICIES;
extern const struct aws_op IAM_LIST_POLICY_VERSIONS;
extern const struct aws_op IAM_GET_POLICY_VERSION;
extern const struct aws_op IAM_GET_GROUP; /* paged Users */
extern const struct aws_op IAM_GET_USER;
extern const struct aws_op IAM_GET_ROLE;
extern const struct aws_op IAM_LIST_USER_POLICIES;
extern const struct aws_op IAM_LIST_GROUP_POLICIES;
extern const struct aws_op IAM_LIST_ROLE_POLICIES;
extern const struct aws_op IAM_GET_USER_POLICY;
extern const struct aws_op IAM_GET_GROUP_POLICY;
extern const struct aws_op IAM_GET_ROLE_POLICY;
extern const struct aws_op IAM_LIST_ATTACHED_USER_POLICIES;
extern const struct aws_op IAM_LIST_ATTACHED_GROUP_POLICIES;
extern const struct aws_op IAM_LIST_ATTACHED_ROLE_POLICIES;
extern const struct aws_op IAM_LIST_ACCESS_KEYS;
extern const struct aws_op IAM_GET_ACCESS_KEY_LAST_USED;
extern const struct aws_op IAM_LIST_VIRTUAL_MFA_DEVICES;
extern const struct aws_op IAM_LIST_MFA_DEVICES;
extern const struct aws_op IAM_LIST_SAML_PROVIDERS;
extern const struct aws_op IAM_GET_SAML_PROVIDER;
extern const struct aws_op IAM_LIST_OIDC_PROVIDERS; /* ListOpenIDConnectProviders */
extern const struct aws_op IAM_GET_OIDC_PROVIDER;   /* GetOpenIDConnectProvider */
extern const struct aws_op IAM_LIST_ACCOUNT_ALIASES;
extern const struct aws_op IAM_GET_ACCOUNT_SUMMARY;
extern const struct aws_op IAM_GET_ACCOUNT_PASSWORD_POLICY;
extern const struct aws_op IAM_LIST_INSTANCE_PROFILES;
extern const struct aws_op IAM_SIMULATE_PRINCIPAL_POLICY; /* ActionNames: [..], up to 50 or so */
#endif
