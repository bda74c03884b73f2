/* STS rows. Always the regional endpoint: tokens of the global one fail in opt-in regions. */
#include "aws/sts.h"

#define STS .service = "sts", .proto = AWS_QUERY, .version = "2011-06-15"

const struct aws_op STS_GET_CALLER_IDENTITY = { STS, .action = "GetCallerIdentity" };
const struct aws_op STS_ASSUME_ROLE = {
	STS,
	.action = "AssumeRole",
	.iam_action = "sts:AssumeRole",
	.secret = true,
};
/* Signed by nobody: the token is the proof. Ours only, never a customer's. */
const struct aws_op STS_ASSUME_ROLE_WITH_WEB_IDENTITY = {
	STS,
	.action = "AssumeRoleWithWebIdentity",
	.secret = true,
	.anonymous = true,
};
