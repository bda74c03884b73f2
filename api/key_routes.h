/* What the three kinds of key routes do: the operator's for an organization's keys, the owners' for their own,
 * and the operator's for service keys. */
#ifndef API_KEY_ROUTES_H
#define API_KEY_ROUTES_H

#include "api/http.h"
#include "db/keys.h"

struct http_reply key_routes_create(struct http_request *req, enum keys_kind kind);
struct http_reply key_routes_list(struct http_request *req, enum keys_kind kind);
struct http_reply key_routes_show(struct http_request *req, enum keys_kind kind);
struct http_reply key_routes_revoke(struct http_request *req, enum keys_kind kind);
struct http_reply key_routes_rotate(struct http_request *req, enum keys_kind kind);

#endif
