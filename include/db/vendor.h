/* The AWS account of the deployment itself, as its workers found it: the server refuses roles in it. */
#ifndef DB_VENDOR_H
#define DB_VENDOR_H

#include "db/db.h"

enum { VENDOR_ACCOUNT_MAX = 13 };

/* RC_OK: ret_account is "" while no worker has found it yet. */
MUST_CHECK enum rc vendor_load(struct db *db, char ret_account[VENDOR_ACCOUNT_MAX],
			       struct err *err);
/* For workers. The last one that found it is right; the same account again writes nothing. */
MUST_CHECK enum rc vendor_store(struct db *db, const char *account, struct err *err);

#endif
