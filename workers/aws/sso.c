/* IAM Identity Center rows. */
#include "aws/sso.h"

#define SSO(op)                                                                                    \
	.service = "sso-admin", .proto = AWS_JSON11, .target = "SWBExternalService", .action = op, \
	.iam_action = "sso:" op, .next_in = "NextToken", .next_out = "NextToken",                  \
	.limit_in = "MaxResults", .limit = 100

const struct aws_op SSO_LIST_INSTANCES = { SSO("ListInstances"), .lists = "Instances" };
const struct aws_op SSO_LIST_PERMISSION_SETS = {
	SSO("ListPermissionSets"),
	.lists = "PermissionSets",
};
