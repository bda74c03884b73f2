/* Opaque page cursors: a position and a hash over (organization, route, filters, position), so that
 * a cursor of another list, filter or organization is refused instead of misread. */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "api/http.h"

enum {
	CURSOR_POSITION_MAX = 512,
	CURSOR_TEXT_MAX = 2 * (CURSOR_POSITION_MAX + 16) + 1,
	CURSOR_LIMIT = 50,
	CURSOR_LIMIT_MAX = 500
};

struct cursor {
	int limit;                              /* rows of a page */
	char position[CURSOR_POSITION_MAX + 1]; /* after this one; "" = from the start */
};

/* Reads limit and cursor of the request. RC_INVALID with field "?limit" or "?cursor". */
MUST_CHECK enum rc cursor_read(const struct http_request *req, struct cursor *ret, struct err *err);
/* The position as an id; zero at the start. */
MUST_CHECK enum rc cursor_id(const struct cursor *c, const char *prefix, struct id *ret,
			     struct err *err);
/* A position "<microseconds>:<number>"; zeros at the start. */
MUST_CHECK enum rc cursor_moment(const struct cursor *c, int64_t *ret_us, int64_t *ret_id,
				 struct err *err);
/* The text that continues after position: text of at most CURSOR_POSITION_MAX bytes without control
 * characters other than line ends. */
void cursor_text(const struct http_request *req, struct str position, char out[CURSOR_TEXT_MAX]);

/* A page of a list by id: the rows of it by as_json, and a cursor behind the last when there is one row more than its limit.
 * column, prefix: of the ids. */
typedef json_t *cursor_json(const struct db_rows *rows, int row);
struct http_reply cursor_page(const struct http_request *req, const struct cursor *c,
			      const struct db_rows *rows, cursor_json *as_json, const char *column,
			      const char *prefix);

#endif
