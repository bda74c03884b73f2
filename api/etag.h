/* Versions as entity tags: written into replies, read from If-Match. */
#ifndef API_ETAG_H
#define API_ETAG_H

#include "api/http.h"

void etag_write(struct http_reply *reply, int64_t version);
/* The version that If-Match demands; 0 when any will do (absent or "*"). False: it names none that a
 * thing of ours could have, so that nothing matches. */
MUST_CHECK bool etag_asked(const struct http_request *req, int64_t *ret_version);
/* 412 for whoever asked for another version of the thing: connection, webhook. */
struct http_reply etag_stale(const struct http_request *req, const char *thing);

#endif
