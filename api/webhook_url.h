/* The address of a webhook receiver, as far as its text can be judged. Where it leads to is judged by
 * the worker, at every connect. */
#ifndef API_WEBHOOK_URL_H
#define API_WEBHOOK_URL_H

#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>

enum { WEBHOOK_URL_MAX = 2048 };

/* RC_INVALID says which rule it breaks: scheme, user, fragment, host, port, characters, length. */
MUST_CHECK enum rc webhook_url_judge(struct str url, bool allow_http, struct err *err);

#endif
