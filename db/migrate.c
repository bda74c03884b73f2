/* Applies migrations in order, one transaction a file, and refuses a database whose history is not ours. Never edits or
 * reverts: forward only. */
#include "db/migrate.h"
#include "base/clock.h"
#include "base/text.h"
#include "db/inside.h"
#include "db/migrations.h"
#include <sodium.h>

enum { MIGRATE_TRIES = 60, MIGRATE_PAUSE_MS = 500, MIGRATE_MONTHS = 12 };

/* By a scan and not by to_regclass(), which may answer from a cache that was filled before we waited for the lock. */
static const struct stmt EXISTS = {
	"migrate_exists",
	"SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
	" ON n.oid = c.relnamespace WHERE c.relname = 'schema_migration'"
	" AND n.nspname = current_schema()) AS there",
	0
};
static const struct stmt APPLIED = { "migrate_applied",
				     "SELECT name, checksum FROM schema_migration ORDER BY name",
				     0 };
/* lock_timeout bounds the wait for the advisory lock too; statement_timeout would cut a long index build. */
static const struct stmt LIMITS = {
	"migrate_limits",
	"SELECT set_config('lock_timeout', '2s', true), set_config('statement_timeout', '0', true)",
	0
};
static const struct stmt LOCK = { "migrate_lock", "SELECT pg_advisory_xact_lock(4736205118)", 0 };
static const struct stmt RECORD = {
	"migrate_record",
	"UPDATE schema_migration SET checksum = $2 WHERE name = $1 RETURNING name", 2
};
static const struct stmt PARTITIONS = {
	"migrate_partitions",
	"SELECT change_partition((date_trunc('month', now()) + make_interval(months => n))::date)"
	" FROM generate_series(0, $1::int) AS n",
	1
};

static void checksum_of(const struct migrations_file *file, char out[TEXT_SHA256_HEX])
{
	text_sha256_hex(str_n(file->sql, (size_t)(file->end - file->sql)), out);
}

static const struct migrations_file *file_named(struct str name)
{
	for (const struct migrations_file *f = MIGRATIONS; f->name; f++) {
		if (str_eq(str_c(f->name), name))
			return f;
	}
	return NULL;
}

/* *ret: the rows of schema_migration, or NULL when there is no such table yet. */
static enum rc read_applied(struct db *db, struct db_rows **ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *there = NULL;
	enum rc rc = db_run(db, NULL, &EXISTS, NULL, &there, err);

	if (rc != RC_OK || !db_rows_bool(there, 0, "there"))
		return rc;
	return db_run(db, NULL, &APPLIED, NULL, ret, err);
}

static bool is_applied(const struct db_rows *rows, const char *name)
{
	for (int i = 0; i < db_rows_count(rows); i++) {
		if (str_eq(db_rows_text(rows, i, "name"), str_c(name)))
			return true;
	}
	return false;
}

/* Every applied migration is one of ours and has not changed since. */
static enum rc compare(const struct db_rows *rows, struct err *err)
{
	for (int i = 0; i < db_rows_count(rows); i++) {
		struct str name = db_rows_text(rows, i, "name");
		const struct migrations_file *file = file_named(name);
		char sum[TEXT_SHA256_HEX];

		if (!file)
			return err_set(
				err, RC_CONFLICT, "schema_newer",
				"the database has migration %.*s, which this binary does not "
				"know: it is newer; install the newer connectord",
				STR_FMT(name));
		checksum_of(file, sum);
		if (!str_eq(db_rows_text(rows, i, "checksum"), str_c(sum)))
			return err_set(
				err, RC_CONFLICT, "schema_changed",
				"migration %s was applied from a different file; "
				"shipped migrations are never edited: install the connectord "
				"that applied it",
				file->name);
	}
	return RC_OK;
}

enum rc migrate_check(struct db *db, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = read_applied(db, &rows, err);

	if (rc == RC_OK && rows)
		rc = compare(rows, err);
	if (rc != RC_OK)
		return rc;
	for (const struct migrations_file *f = MIGRATIONS; f->name; f++) {
		if (!is_applied(rows, f->name))
			return err_set(err, RC_CONFLICT, "schema_older",
				       "the database lacks migration %s; run: connectord migrate",
				       f->name);
	}
	return RC_OK;
}

struct apply {
	const struct migrations_file *file;
	bool done; /* false: somebody else was faster */
};

static enum rc apply_body(struct db *db, void *arg, struct err *err)
{
	struct apply *apply = arg;
	AUTO(db_rows) struct db_rows *rows = NULL, *recorded = NULL;
	char sum[TEXT_SHA256_HEX];
	enum rc rc = db_run(db, NULL, &LIMITS, NULL, NULL, err);

	apply->done = false;
	checksum_of(apply->file, sum);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &LOCK, NULL, NULL, err);
	if (rc == RC_OK)
		rc = read_applied(db, &rows, err);
	if (rc != RC_OK || is_applied(rows, apply->file->name))
		return rc;
	rc = db_script(db, apply->file->name, apply->file->sql, true, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &RECORD,
			    (const struct arg[]){ arg_c(apply->file->name), arg_c(sum) }, &recorded,
			    err);
	if (rc == RC_OK && db_rows_count(recorded) != 1)
		return err_set(err, RC_BROKEN, "migration_unregistered",
			       "migration %s does not register itself by schema_step",
			       apply->file->name);
	apply->done = rc == RC_OK;
	return rc;
}

static enum rc partitions_body(struct db *db, void *arg, struct err *err)
{
	enum rc rc = db_run(db, NULL, &LIMITS, NULL, NULL, err);

	(void)arg;
	if (rc == RC_OK)
		rc = db_run(db, NULL, &LOCK, NULL, NULL, err);
	if (rc == RC_OK)
		rc = db_run(db, NULL, &PARTITIONS, (const struct arg[]){ arg_i64(MIGRATE_MONTHS) },
			    NULL, err);
	return rc;
}

/* A table in use: give way, let those who waited behind us pass, and come again. */
static enum rc patiently(struct db *db, db_tx_fn *body, void *arg, struct err *err)
{
	for (int tries = 1;; tries++) {
		struct err own = { 0 };
		enum rc rc = db_tx(db, NULL, body, arg, &own);

		if (rc == RC_RETRY && strcmp(own.code, "database_busy") == 0 &&
		    tries < MIGRATE_TRIES) {
			clock_sleep((MIGRATE_PAUSE_MS + randombytes_uniform(MIGRATE_PAUSE_MS)) *
				    CLOCK_MS);
			continue;
		}
		return rc == RC_OK ? rc : err_set(err, rc, own.code, "%s", own.text);
	}
}

enum rc migrate_up_saying(struct db *db, migrate_said *said, void *arg, int *ret_applied,
			  struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = read_applied(db, &rows, err);

	*ret_applied = 0;
	if (rc == RC_OK && rows)
		rc = compare(rows, err);
	for (const struct migrations_file *f = MIGRATIONS; f->name && rc == RC_OK; f++) {
		struct apply apply = { .file = f };

		if (is_applied(rows, f->name))
			continue;
		rc = patiently(db, apply_body, &apply, err);
		if (rc != RC_OK || !apply.done)
			continue;
		*ret_applied += 1;
		if (said)
			said(arg, f->name);
	}
	if (rc == RC_OK)
		rc = patiently(db, partitions_body, NULL, err);
	/* Two binaries of different versions may have run at once: the end must be ours. */
	return rc == RC_OK ? migrate_check(db, err) : rc;
}

enum rc migrate_up(struct db *db, int *ret_applied, struct err *err)
{
	return migrate_up_saying(db, NULL, NULL, ret_applied, err);
}
