/* What an AWS error means: the table of codes, the cause of a denial, signs of a wrong clock.
 * Everything that looks at an error's text is here. */
#ifndef WORKERS_AWS_CLASSIFY_H
#define WORKERS_AWS_CLASSIFY_H

#include "aws/aws.h"

/* code: AWS's own, or "" when the answer had none (then status and message decide). */
enum aws_class classify(int status, const char *code, const char *message);
/* "scp", "implicit"...; "" when the message does not say. */
const char *classify_cause(const char *message);
/* The request's time was refused: worth a look at the Date header. */
bool classify_is_skew(const char *code, const char *message);

#endif
