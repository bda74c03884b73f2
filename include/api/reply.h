/* Successful replies. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/http.h"
#include "base/json_out.h"

/* Takes body (a new reference). */
struct http_reply reply_json(int status, json_t *body);
enum { REPLY_OUT_MAX = 64 * 1024 * 1024 };
/* Takes what was written, which fits into REPLY_OUT_MAX; o is empty then. */
struct http_reply reply_out(int status, struct json_out *o);
/* Ends a page: o stands in the array of an object that began with "data". */
struct http_reply reply_page_out(struct json_out *o, const char *next_cursor);
struct http_reply reply_empty(int status);
/* One page: data (stolen) and the cursor of the next one ("" = this was the last). */
struct http_reply reply_page(json_t *data, const char *next_cursor);
/* printf into the Location header. */
void reply_location(struct http_reply *reply, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* JSON values of columns: SQL NULL becomes null. New references. */
json_t *reply_id(struct id id, const char *prefix); /* null for the zero id */
json_t *reply_text(const struct db_rows *rows, int row, const char *column);
/* timestamptz as RFC 3339. */
json_t *reply_time(const struct db_rows *rows, int row, const char *column);
json_t *reply_i64(const struct db_rows *rows, int row, const char *column);
json_t *reply_bool(const struct db_rows *rows, int row, const char *column);
json_t *reply_tree(const struct db_rows *rows, int row, const char *column);

#endif
