/* Account Management rows. */
#ifndef AWS_ACCOUNT_H
#define AWS_ACCOUNT_H
#include "aws/op.h"
extern const struct aws_op ACCOUNT_LIST_REGIONS;
#endif
