/* Rows of a result, read by column name. Text format only; a column that does not exist is a bug of ours and asserts. */
#include "base/mem.h"
#include "db/inside.h"
#include <assert.h>

struct db_rows *db_rows_new(PGresult *res)
{
	int n = PQnfields(res);
	struct db_rows *rows = mem_alloc(sizeof(*rows) + (size_t)n * sizeof(rows->names[0]));

	rows->res = res;
	rows->near = &rows->near_at;
	rows->columns = n;
	for (int i = 0; i < n; i++)
		rows->names[i] = PQfname(res, i);
	return rows;
}

void db_rows_free(struct db_rows *r)
{
	if (!r)
		return;
	PQclear(r->res);
	mem_free(r);
}

int db_rows_count(const struct db_rows *r)
{
	return r ? PQntuples(r->res) : 0;
}

/* Readers go through the columns in their order, more or less, some of them twice: the search begins behind
 * the last one, and then with it. */
static int column_of(const struct db_rows *r, int row, const char *column)
{
	int n = r->columns;

	assert(row >= 0 && row < PQntuples(r->res));
	for (int i = 0; i < n; i++) {
		int at = *r->near + (i < 2 ? 1 - i : i);

		if (at >= n)
			at -= n;
		if (r->names[at][0] != column[0] || strcmp(r->names[at], column) != 0)
			continue;
		*r->near = at;
		return at;
	}
	assert(false); /* the statement's result has no such column */
	return -1;
}

bool db_rows_is_null(const struct db_rows *r, int row, const char *column)
{
	return PQgetisnull(r->res, row, column_of(r, row, column)) != 0;
}

bool db_rows_cell(const struct db_rows *r, int row, const char *column, struct str *ret)
{
	int i = column_of(r, row, column);

	*ret = str_n(PQgetvalue(r->res, row, i), (size_t)PQgetlength(r->res, row, i));
	return ret->n > 0 || !PQgetisnull(r->res, row, i);
}

struct str db_rows_text(const struct db_rows *r, int row, const char *column)
{
	struct str s = S("");

	(void)db_rows_cell(r, row, column, &s);
	return s;
}

int64_t db_rows_i64(const struct db_rows *r, int row, const char *column)
{
	struct str s = db_rows_text(r, row, column);
	int64_t v = 0;
	bool good = s.n == 0 || str_to_i64(s, &v);

	assert(good);
	return v;
}

bool db_rows_bool(const struct db_rows *r, int row, const char *column)
{
	return str_eq(db_rows_text(r, row, column), S("t"));
}

struct id db_rows_id(const struct db_rows *r, int row, const char *column)
{
	struct str s = db_rows_text(r, row, column);
	struct id id = { { 0 } };
	bool good = s.n == 0 || id_parse_uuid(s, &id) == RC_OK;

	assert(good);
	return id;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c - 'a' + 10;
}

/* bytea_output is hex on every connection of ours (db.c sets it). */
char *db_rows_bytes(const struct db_rows *r, int row, const char *column, size_t *ret_n)
{
	struct str s = db_rows_text(r, row, column);
	size_t n = s.n >= 2 ? (s.n - 2) / 2 : 0;
	char *bytes = mem_alloc(n + 1);

	assert(s.n == 0 || str_starts(s, S("\\x")));
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(nibble(s.p[2 + 2 * i]) << 4 | nibble(s.p[3 + 2 * i]));
	*ret_n = n;
	return bytes;
}

json_t *db_rows_json(const struct db_rows *r, int row, const char *column)
{
	struct str s = S("");

	if (!db_rows_cell(r, row, column, &s))
		return NULL;
	/* Postgres checked it on the way in; a scalar at the top is legal there. */
	return json_loadb(s.p, s.n, JSON_DECODE_ANY, NULL);
}

int64_t db_rows_affected(const struct db_rows *r)
{
	int64_t v = 0;

	if (!str_to_i64(str_c(PQcmdTuples(r->res)), &v))
		return 0;
	return v;
}
