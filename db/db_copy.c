/* COPY FROM STDIN in text format: escapes, gathers and sends. Never holds more than one batch. */
#include "base/text.h"
#include "db/inside.h"
#include <assert.h>

enum { COPY_BATCH = 64 * 1024 };

/* The scratch of db_bind is free while a copy runs: no statement may be sent then. */
static enum rc flush(struct db *db, size_t at_least, struct err *err)
{
	if (db->scratch.n < at_least || db->scratch.n == 0)
		return RC_OK;
	if (db->scratch.n > INT32_MAX ||
	    PQputCopyData(db->conn, db->scratch.p, (int)db->scratch.n) != 1)
		return db_fault(db, NULL, "copy", err);
	buf_cut(&db->scratch, 0);
	return RC_OK;
}

enum rc db_copy_begin(struct db *db, const struct stmt *copy, struct err *err)
{
	enum rc rc = db_ready(db, err);
	PGresult *res = NULL;

	if (rc != RC_OK)
		return rc;
	if (db->in_tx) {
		rc = db_trip_end(db, err);
		if (rc != RC_OK)
			return rc;
	}
	if (db->in_tx && db->begin_due) {
		rc = db_trip(db, db_tx_settings(db, NULL), NULL, NULL, NULL, err);
		if (rc != RC_OK)
			return rc;
	}
	if (!PQsendQuery(db->conn, copy->sql))
		return db_fault(db, NULL, copy->name, err);
	res = PQgetResult(db->conn);
	if (PQresultStatus(res) != PGRES_COPY_IN) {
		rc = db_fault(db, res, copy->name, err);
		if (db->in_tx)
			db->tx_dead = true;
		PQclear(res);
		while (db->conn && (res = PQgetResult(db->conn)) != NULL)
			PQclear(res);
		return rc;
	}
	PQclear(res);
	db->copying = true;
	buf_cut(&db->scratch, 0);
	return RC_OK;
}

static enum rc put_escaped(struct buf *out, struct str s)
{
	size_t from = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < s.n && rc == RC_OK; i++) {
		char c = s.p[i];

		if (c != '\\' && c != '\n' && c != '\r' && c != '\t')
			continue;
		rc = buf_put(out, str_sub(s, from, i - from));
		if (rc == RC_OK)
			rc = buf_putc(out, '\\');
		if (rc == RC_OK)
			rc = buf_putc(out, c == '\n'   ? 'n'
					   : c == '\r' ? 'r'
					   : c == '\t' ? 't'
						       : '\\');
		from = i + 1;
	}
	return rc == RC_OK ? buf_put(out, str_sub(s, from, s.n - from)) : rc;
}

static enum rc put_column(struct buf *out, const struct arg *arg)
{
	struct str s = arg_view(arg);
	enum rc rc = RC_OK;

	if (arg->is_null)
		return buf_put(out, S("\\N"));
	if (!arg->binary)
		return put_escaped(out, s);
	rc = buf_put(out, S("\\\\x"));
	return rc == RC_OK ? text_hex(out, s) : rc;
}

enum rc db_copy_row(struct db *db, const struct arg *columns, int n, struct err *err)
{
	enum rc rc = RC_OK;

	if (!db->conn)
		return db_fault(db, NULL, "copy", err);
	assert(db->copying && n > 0);
	for (int i = 0; i < n && rc == RC_OK; i++) {
		rc = put_column(&db->scratch, &columns[i]);
		if (rc == RC_OK)
			rc = buf_putc(&db->scratch, i + 1 < n ? '\t' : '\n');
	}
	if (rc != RC_OK)
		return err_set(err, rc, "value_too_large", "copy: a row is larger than %d bytes",
			       DB_ARG_BYTES_MAX);
	return flush(db, COPY_BATCH, err);
}

/* Reads the end of the copy; with a failure the transaction is dead. */
static enum rc finish(struct db *db, struct err *err)
{
	enum rc rc = RC_OK;

	db->copying = false;
	for (PGresult *res; db->conn && (res = PQgetResult(db->conn)) != NULL;) {
		if (PQresultStatus(res) != PGRES_COMMAND_OK && rc == RC_OK)
			rc = db_fault(db, res, "copy", err);
		PQclear(res);
	}
	if (rc != RC_OK && db->in_tx)
		db->tx_dead = true;
	return rc;
}

enum rc db_copy_end(struct db *db, struct err *err)
{
	enum rc rc = RC_OK;

	if (!db->conn)
		return db_fault(db, NULL, "copy", err);
	assert(db->copying);
	rc = flush(db, 1, err);
	if (rc != RC_OK)
		return rc;
	if (PQputCopyEnd(db->conn, NULL) != 1)
		return db_fault(db, NULL, "copy", err);
	return finish(db, err);
}

void db_copy_abort(struct db *db)
{
	struct err ignored = { 0 };

	if (!db->conn || !db->copying)
		return;
	if (PQputCopyEnd(db->conn, "aborted") != 1 || finish(db, &ignored) == RC_OK)
		db_drop(db);
}
