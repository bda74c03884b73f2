/* Filters and cursors of lists of connections; values were judged by the route's table.
 * Never reads a row. */
#include "api/connection_query.h"

enum rc connection_query_read(const struct http_request *req, struct cursor *ret_cursor,
			      struct connection_filter *ret, struct err *err)
{
	enum rc rc = cursor_read(req, ret_cursor, err);

	*ret = (struct connection_filter){
		.status = http_query(req, "status"),
		.aws_account_id = http_query(req, "aws_account_id"),
		.authoritative_status = http_query(req, "authoritative_status"),
		.name_prefix = http_query(req, "name_prefix"),
		.limit = ret_cursor->limit + 1,
	};
	return rc == RC_OK ? cursor_id(ret_cursor, "conn_", &ret->after, err) : rc;
}

void connection_query_next(const struct http_request *req, const struct db_rows *rows, int row,
			   char out[CURSOR_TEXT_MAX])
{
	char last[ID_TEXT_MAX];

	id_text(db_rows_id(rows, row, "connection_id"), "conn_", last);
	cursor_text(req, str_c(last), out);
}
