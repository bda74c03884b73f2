/* From columns to JSON without a tree between.
 * Never decides what a caller may see: handlers choose the columns. */
#include "api/row_out.h"

enum { TIME_MIN = 20, TIME_MAX = 40, TIME_SPACE = 10 };

static const struct str NOTHING = { "null", 4 };

void row_out_text(struct json_out *o, const char *key, const struct db_rows *rows, int row,
		  const char *column)
{
	struct str s = S("");

	if (db_rows_cell(rows, row, column, &s))
		json_out_text(o, key, s);
	else
		json_out_raw(o, key, NOTHING);
}

void row_out_raw(struct json_out *o, const char *key, const struct db_rows *rows, int row,
		 const char *column)
{
	struct str s = S("");

	json_out_raw(o, key, db_rows_cell(rows, row, column, &s) ? s : NOTHING);
}

void row_out_bool(struct json_out *o, const char *key, const struct db_rows *rows, int row,
		  const char *column)
{
	struct str s = S("");

	if (db_rows_cell(rows, row, column, &s))
		json_out_bool(o, key, str_eq(s, S("t")));
	else
		json_out_raw(o, key, NOTHING);
}

/* "2026-11-24 07:32:27.12+00" -> "2026-11-24T07:32:27.12Z"; another offset is kept, as "+02:00". */
void row_out_time(struct json_out *o, const char *key, const struct db_rows *rows, int row,
		  const char *column)
{
	struct str s = db_rows_text(rows, row, column), offset = S("");
	char text[TIME_MAX + 4];

	if (s.n < TIME_MIN || s.n > TIME_MAX || s.p[TIME_SPACE] != ' ') {
		json_out_raw(o, key, NOTHING); /* NULL or infinity */
		return;
	}
	if (str_ends(s, S("+00"))) {
		s.n -= 3;
		offset = S("Z");
	} else if (s.p[s.n - 3] != ':') {
		offset = S(":00");
	}
	memcpy(text, s.p, s.n);
	text[TIME_SPACE] = 'T';
	memcpy(text + s.n, offset.p, offset.n);
	json_out_text(o, key, str_n(text, s.n + offset.n));
}

void row_out_id(struct json_out *o, const char *key, const struct db_rows *rows, int row,
		const char *column, const char *prefix)
{
	char text[ID_TEXT_MAX];
	struct str s = S("");

	if (!db_rows_cell(rows, row, column, &s)) {
		json_out_raw(o, key, NOTHING);
		return;
	}
	if (*prefix) {
		id_text(db_rows_id(rows, row, column), prefix, text);
		s = str_c(text);
	}
	json_out_text(o, key, s); /* a bare uuid is what the database writes */
}
