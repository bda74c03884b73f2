/* What the making of a connection needs beside its fields; for the handlers that create and change one. */
#ifndef API_CONNECTION_MAKE_H
#define API_CONNECTION_MAKE_H

#include "api/http.h"
#include "db/connections.h"
#include "db/vendor.h"

/* The account that runs this service: the setting, else what a worker found out about itself; "" = unknown. */
MUST_CHECK enum rc connection_make_vendor(struct http_request *req, char out[VENDOR_ACCOUNT_MAX],
					  struct err *err);
/* 403, with a line in the audit: a role in that account was named. */
struct http_reply connection_make_own_account(struct http_request *req);
/* Seals the secret ("" = there is none) for this connection alone: *ret owns what values->sealed views. */
MUST_CHECK enum rc connection_make_seal(const struct http_request *req, struct id connection_id,
					struct str secret, char **ret,
					struct connection_values *values, struct err *err);
/* values is borrowed. */
struct connection_write connection_make_write(const struct http_request *req,
					      struct id connection_id,
					      const struct connection_values *values);

#endif
