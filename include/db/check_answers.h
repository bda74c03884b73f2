/* The last answers of checks: what each action of the permission catalogue was found to be, per account of a connection. */
#ifndef DB_CHECK_ANSWERS_H
#define DB_CHECK_ANSWERS_H

#include "db/db.h"

/* Rows: account_id, capability, action, tier, state, cause, known_by, required, text, aws_request_id, check_id, checked_at; in
 * the order of account, tier, capability, action, after the given position. */
struct check_answers_filter {
	struct id connection_id;
	int64_t tier;             /* 0 = any */
	struct str state;         /* "" = any */
	struct str after_account; /* "" = from the start; the others say where in it */
	int64_t after_tier;
	struct str after_capability, after_action;
	int limit;
};
MUST_CHECK enum rc check_answers_list(struct db *db, const struct db_who *who,
				      const struct check_answers_filter *f, struct db_rows **ret,
				      struct err *err);
/* Per capability over all accounts: tier, capability, accounts, granted, denied, unknown, not_applicable (numbers of answers),
 * denied_actions (comma separated), checked_at. */
MUST_CHECK enum rc check_answers_capabilities(struct db *db, const struct db_who *who,
					      struct id connection_id, struct db_rows **ret,
					      struct err *err);
/* Forgets those of a connection, for they are about other credentials. Joins the caller's transaction. */
MUST_CHECK enum rc check_answers_forget(struct db *db, struct id org_id, struct id connection_id,
					struct err *err);

#endif
