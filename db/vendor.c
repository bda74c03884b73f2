/* The one row that says which AWS account the workers' own identity is of. Knows no organization. */
#include "db/vendor.h"

#include <stdio.h>

static const struct stmt LOAD = { "vendor_load", "SELECT account_id FROM vendor", 0,
				  .by_index = true };

enum rc vendor_load(struct db *db, char ret_account[VENDOR_ACCOUNT_MAX], struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	enum rc rc = db_run(db, NULL, &LOAD, NULL, &rows, err);

	ret_account[0] = '\0';
	if (rc == RC_OK && db_rows_count(rows) > 0)
		snprintf(ret_account, VENDOR_ACCOUNT_MAX, "%.*s",
			 STR_FMT(db_rows_text(rows, 0, "account_id")));
	return rc;
}

static const struct stmt STORE = {
	"vendor_store",
	"INSERT INTO vendor AS v (account_id) VALUES ($1) ON CONFLICT (one) DO UPDATE"
	" SET account_id = excluded.account_id, learned_at = now()"
	" WHERE v.account_id <> excluded.account_id",
	1
};

enum rc vendor_store(struct db *db, const char *account, struct err *err)
{
	return db_run(db, NULL, &STORE, (const struct arg[]){ arg_c(account) }, NULL, err);
}
