/* Standard Webhooks signatures: v1, HMAC-SHA256 over "id.timestamp.body". */
#ifndef WORKERS_NOTIFY_SIGN_H
#define WORKERS_NOTIFY_SIGN_H

#include "base/buf.h"

enum { SIGN_SECRET_MIN = 24, SIGN_SECRET_MAX = 64, SIGN_HEADER_MAX = 160 };

/* Appends one signature, preceded by a space when out has one already. secret: the text
 * "whsec_<base64>". RC_INVALID: not such a secret. */
MUST_CHECK enum rc sign_add(struct buf *out, struct str secret, struct str id, int64_t timestamp_s,
			    struct str body, struct err *err);

#endif
