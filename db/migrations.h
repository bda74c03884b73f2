/* The migration files as they are in the source tree, linked in by cmake/migrations.cmake. */
#ifndef DB_MIGRATIONS_H
#define DB_MIGRATIONS_H

struct migrations_file {
	const char *name; /* "0001_foundation"; NULL ends the table */
	const char *sql;  /* ends in NUL at end */
	const char *end;
};
extern const struct migrations_file MIGRATIONS[];

#endif
