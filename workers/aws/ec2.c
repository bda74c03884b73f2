/* EC2 rows. A quota an operation, so each has its own bucket. */
#include "aws/ec2.h"

#define EC2(op)                                                                                    \
	.service = "ec2", .proto = AWS_EC2, .version = "2016-11-15", .action = op, .bucket = op,   \
	.iam_action = "ec2:" op

const struct aws_op EC2_DESCRIBE_REGIONS = { EC2("DescribeRegions"), .lists = "regionInfo" };
