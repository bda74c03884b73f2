/* One transaction of db/ from a shell, over a table "later" (n integer), for test_db_later.py; it is no part of the product:
 *
 *   db_probe URL STEP...    +N  inserts N by db_later      =N  inserts N by db_run     ?  counts by db_later
 *                           [ ]  a part around the steps   x  the body fails           k  ends the session by db_later
 *                           { }  a db_tx that joins, behind which the count must be there
 *
 * With parts it is a db_tx_shell, else a db_tx; a part that fails is left, and the rest goes on. Prints RC, code, the count ("-":
 * none came), and how many parts failed. */
#include "base/log.h"
#include "base/secret.h"
#include "db/db.h"
#include <stdio.h>
#include <string.h>

struct script {
	char **steps;
	int n, at, parts_failed;
	struct db_rows *count;
};

static const struct stmt INSERT = { "db_probe_insert", "INSERT INTO later VALUES ($1)", 1 };
static const struct stmt COUNT = { "db_probe_count", "SELECT count(*) AS n FROM later", 0,
				   .by_index = true };
static const struct stmt KILL = { "db_probe_kill", "SELECT pg_terminate_backend(pg_backend_pid())",
				  0 };

static db_tx_fn steps_body;

static enum rc step(struct db *db, struct script *s, const char *what, struct err *err)
{
	const struct arg number[] = { arg_c(what + 1) };
	struct err own = { 0 };
	const int from = s->at;
	enum rc rc = RC_OK;

	switch (what[0]) {
	case '+': return db_later(db, &INSERT, number, NULL, err);
	case '=': return db_run(db, NULL, &INSERT, number, NULL, err);
	case '?': return db_later(db, &COUNT, NULL, &s->count, err);
	case 'k': return db_later(db, &KILL, NULL, NULL, err);
	case '{':
		rc = db_tx(db, NULL, steps_body, s, err);
		return rc != RC_OK || s->count ? rc : err_set(err, RC_BROKEN, "late", "no count");
	case '[':
		if (db_tx(db, NULL, steps_body, s, &own) == RC_OK)
			return RC_OK;
		s->parts_failed++;
		s->at = from;
		while (s->at < s->n && s->steps[s->at][0] != ']')
			s->at++;
		s->at++;
		return db_tx_alive(db) ? RC_OK : err_set(err, RC_RETRY, own.code, "%s", own.text);
	default: return err_set(err, RC_INVALID, "told_to", "the body fails");
	}
}

static enum rc steps_body(struct db *db, void *arg, struct err *err)
{
	struct script *s = arg;
	enum rc rc = RC_OK;

	while (rc == RC_OK && s->at < s->n && !strchr("]}", s->steps[s->at][0]))
		rc = step(db, s, s->steps[s->at++], err);
	if (rc == RC_OK)
		s->at++;
	return rc;
}

static enum rc body(struct db *db, void *arg, struct err *err)
{
	struct script *s = arg;

	s->at = 0;
	return steps_body(db, s, err);
}

static bool has_parts(const struct script *s)
{
	for (int i = 0; i < s->n; i++)
		if (s->steps[i][0] == '[')
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct script s = { .steps = argv + 2, .n = argc - 2 };
	AUTO(db) struct db *db = NULL;
	struct err err = { 0 };
	enum rc rc = RC_OK;

	secret_harden_process();
	json_setup();
	log_setup("db_probe", "info", "json");
	if (argc < 3)
		return 64;
	rc = db_open(argv[1], "db probe", &db, &err);
	if (rc == RC_OK)
		rc = (has_parts(&s) ? db_tx_shell : db_tx)(db, NULL, body, &s, &err);
	printf("%s %s ", err_rc_name(rc), *err.code ? err.code : "-");
	printf(s.count ? "%ld" : "-", s.count ? (long)db_rows_i64(s.count, 0, "n") : 0);
	printf(" %d\n", s.parts_failed);
	db_rows_free(s.count);
	return 0;
}
