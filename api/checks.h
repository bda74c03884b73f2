/* Handlers of connection checks. */
#ifndef API_CHECKS_H
#define API_CHECKS_H

#include "api/http.h"
#include "db/connections.h"

struct http_reply checks_create(struct http_request *req);
struct http_reply checks_show(struct http_request *req);

/* The check of a connection that is not saved: its fields were judged as for a create; secret is not sealed yet. */
struct http_reply checks_of_draft(struct http_request *req, const struct connection_values *values,
				  struct str secret);

#endif
