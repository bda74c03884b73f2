/* Ids in paths and filters. */
#ifndef API_SEGMENT_H
#define API_SEGMENT_H

#include "api/http.h"

/* The id in the i-th hole of the pattern; prefix "" for a bare UUID. A spelling that no id has is
 * RC_NOT_FOUND, like an id that nothing has. */
MUST_CHECK enum rc segment_id(const struct http_request *req, int i, const char *prefix,
			      struct id *ret, struct err *err);
/* The id in a filter; zero when it was not sent. RC_INVALID with field "?name". */
MUST_CHECK enum rc segment_filter(const struct http_request *req, const char *name,
				  const char *prefix, struct id *ret, struct err *err);

#endif
