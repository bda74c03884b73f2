/* Migrations: db/migrations/NNNN_name.sql, linked into the binary, applied in order under an advisory lock. */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "db/db.h"

/* Applies what is missing, each file in one transaction, and records its checksum; then makes the partitions that the coming
 * year needs. A table that is in use is waited for 2 s at a time, so that readers never queue up behind us. *ret_applied
 * counts. RC_CONFLICT: a file that was applied differs from ours, or the database is newer than this binary. */
MUST_CHECK enum rc migrate_up(struct db *db, int *ret_applied, struct err *err);
/* The same; said(arg, name) after each file. */
typedef void migrate_said(void *arg, const char *name);
MUST_CHECK enum rc migrate_up_saying(struct db *db, migrate_said *said, void *arg, int *ret_applied,
				     struct err *err);
/* RC_OK: database and binary agree. RC_CONFLICT: says which side is behind and what to run. For server and worker start. */
MUST_CHECK enum rc migrate_check(struct db *db, struct err *err);

#endif
