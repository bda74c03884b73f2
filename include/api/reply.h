/* Successful replies. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/http.h"

/* Takes body (a new reference). */
struct http_reply reply_json(int status, json_t *body);
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
