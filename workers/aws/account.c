/* Account Management rows. */
#include "aws/account.h"

const struct aws_op ACCOUNT_LIST_REGIONS = {
	.service = "account",
	.proto = AWS_REST_JSON,
	.action = "ListRegions",
	.path = "/listRegions",
	.iam_action = "account:ListRegions",
	.lists = "Regions",
	.next_in = "NextToken",
	.next_out = "NextToken",
	.limit_in = "MaxResults",
	.limit = 50,
};
