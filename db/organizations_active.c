/* Whether an organization takes requests. */
#include "db/organizations.h"

static const struct stmt ACTIVE = {
	"organizations_active", "SELECT FROM organization WHERE org_id = $1 AND state = 'active'", 1
};

enum rc organizations_active(struct db *db, struct id org_id, bool *ret, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct db_who who = { .org_id = org_id };
	const struct arg args[] = { arg_id(org_id) };
	enum rc rc = db_run(db, &who, &ACTIVE, args, &rows, err);

	if (rc == RC_OK)
		*ret = db_rows_count(rows) == 1;
	return rc;
}
