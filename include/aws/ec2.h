/* EC2 rows. */
#ifndef AWS_EC2_H
#define AWS_EC2_H
#include "aws/op.h"
extern const struct aws_op EC2_DESCRIBE_REGIONS;
#endif
