/* Policy documents by content: each text is stored once an organization. */
#ifndef DB_DOCUMENTS_H
#define DB_DOCUMENTS_H

#include "db/db.h"

/* Takes over the staged documents that are not there yet. Joins the caller's transaction. */
MUST_CHECK enum rc documents_merge(struct db *db, struct id org_id, struct err *err);

#endif
