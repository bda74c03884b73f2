/* Idempotency-Key: a change that is sent again is answered with what it got the first time. */
#ifndef SERVER_ONCE_H
#define SERVER_ONCE_H

#include "api/http.h"

enum { ONCE_KEY_MAX = 255 };

/* 1 to ONCE_KEY_MAX printable characters of ASCII without spaces. */
bool once_is_key(struct str key);
/* Runs the handler of req, or repeats what is stored for this key and this request. target: as it was
 * sent, query and all. req->db is set; the answer is the caller's. */
struct http_reply once_run(struct http_request *req, struct str key, struct str target);

#endif
