/* From method and raw path to a row of the route table. Matches whole segments of the raw path only:
 * nothing is decoded, so nothing can be hidden in an escape. */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/http.h"

enum router_found { ROUTER_OK, ROUTER_NO_PATH, ROUTER_NO_METHOD };

/* Fills route and segments of req (views into path). ROUTER_NO_METHOD: *ret_allow (static for the
 * life of the process) names the methods that this path has. */
enum router_found router_match(const struct http_route *table, enum http_listener listener,
			       struct str method, struct str path, struct http_request *req,
			       const char **ret_allow);
/* Splits and decodes the query string; every name must be in the route's table, each at most once and
 * with a value that its row takes.
 * RC_INVALID with field "?name". */
MUST_CHECK enum rc router_query(struct str raw, struct http_request *req, struct err *err);

/* The table (routes.c). */
extern const struct http_route ROUTES[];

#endif
