/* IAM Identity Center rows (service sso-admin, action prefix sso:), asked in its home region. */
#ifndef AWS_SSO_H
#define AWS_SSO_H
#include "aws/op.h"
extern const struct aws_op SSO_LIST_INSTANCES;
extern const struct aws_op
	SSO_LIST_PERMISSION_SETS; /* only for who owns or administers the instance */
#endif
