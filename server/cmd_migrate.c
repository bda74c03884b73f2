/* connectord migrate: brings the database to this version and says what it did, a line a migration. Does nothing else. */
#include "db/migrate.h"
#include "server/cmd.h"
#include <stdio.h>
#include <string.h>

static void said(void *arg, const char *name)
{
	(void)arg;
	printf("applied %s\n", name);
	fflush(stdout);
}

int cmd_migrate(struct config *c, int argc, char **argv)
{
	AUTO(db) struct db *db = NULL;
	const char *url = config_text(c, "database_url");
	bool check = argc > 1 && strcmp(argv[1], "--check") == 0;
	struct err err = { 0 };
	int applied = 0;
	enum rc rc = RC_OK;

	if (!*url)
		rc = err_set(
			&err, RC_INVALID, "no_database",
			"database_url is not set; give the connection string of the owner role");
	if (rc == RC_OK)
		rc = db_open(url, "connectord migrate", &db, &err);
	if (rc == RC_OK && check)
		rc = migrate_check(db, &err);
	else if (rc == RC_OK)
		rc = migrate_up_saying(db, said, NULL, &applied, &err);
	if (rc != RC_OK)
		return cmd_fail("migrate", &err);
	if (applied == 0)
		printf("the database is up to date\n");
	return CMD_OK;
}
