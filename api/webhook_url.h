/* The address of a webhook receiver, as far as its text can be judged. Where it leads to is judged by
 * the worker, at every connect. */
#ifndef API_WEBHOOK_URL_H
#define API_WEBHOOK_URL_H

#include "base/err.h"
#include "base/str.h"

enum { WEBHOOK_URL_MAX = 2048 };

/* https and http; whether the latter is allowed is the caller's to judge. RC_INVALID says which rule it
 * breaks: scheme, user, fragment, host, port, characters, length. */
MUST_CHECK enum rc webhook_url_judge(struct str url, struct err *err);

#endif
