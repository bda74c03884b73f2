/* Columns of a row, written as members of a JSON object. SQL NULL becomes null. */
#ifndef API_ROW_OUT_H
#define API_ROW_OUT_H

#include "base/json_out.h"
#include "db/db.h"

void row_out_text(struct json_out *o, const char *key, const struct db_rows *rows, int row,
		  const char *column);
/* timestamptz as RFC 3339. */
void row_out_time(struct json_out *o, const char *key, const struct db_rows *rows, int row,
		  const char *column);
/* Whole numbers, and jsonb, which the database has checked. */
void row_out_raw(struct json_out *o, const char *key, const struct db_rows *rows, int row,
		 const char *column);
void row_out_bool(struct json_out *o, const char *key, const struct db_rows *rows, int row,
		  const char *column);
/* A uuid with the prefix of the API; "" = bare. */
void row_out_id(struct json_out *o, const char *key, const struct db_rows *rows, int row,
		const char *column, const char *prefix);

#endif
