/* The filters of lists of connections. */
#ifndef API_CONNECTION_QUERY_H
#define API_CONNECTION_QUERY_H

#include "api/cursor.h"
#include "db/connections.h"

/* What the request asks for, one row more than the page has; *ret_cursor is the page. */
MUST_CHECK enum rc connection_query_read(const struct http_request *req, struct cursor *ret_cursor,
					 struct connection_filter *ret, struct err *err);
/* The cursor behind row i of what was read. */
void connection_query_next(const struct http_request *req, const struct db_rows *rows, int row,
			   char out[CURSOR_TEXT_MAX]);

#endif
