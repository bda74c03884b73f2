/* STS rows. GetCallerIdentity needs no permission and works under explicit deny: the health probe
 * and account pin. */
#ifndef AWS_STS_H
#define AWS_STS_H
#include "aws/op.h"
extern const struct aws_op STS_GET_CALLER_IDENTITY;
extern const struct aws_op STS_ASSUME_ROLE;
extern const struct aws_op STS_ASSUME_ROLE_WITH_WEB_IDENTITY;
#endif
