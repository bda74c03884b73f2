/* What a run reads back from its own stage: names for calls that are made one by one. Rows of names, never documents. */
#ifndef DB_STAGE_READ_H
#define DB_STAGE_READ_H

#include "db/db.h"

enum { STAGE_READ_BATCH = 2000 };

/* Distinct entities of a kind that `part` staged: entity_id, key, name; in order of id, after the given one. */
MUST_CHECK enum rc stage_read_names(struct db *db, const char *kind, const char *part,
				    struct id after, struct db_rows **ret, struct err *err);
/* Links with the id and key of the entity that has the wanted name, matched without case: known_id, known_is_src, part, kind,
 * qualifier, attrs, otherwise, found_id (NULL = nobody has it); in order of ord, after the given one. */
MUST_CHECK enum rc stage_read_links(struct db *db, int64_t after, struct db_rows **ret,
				    struct err *err);
/* AWS managed policies in the stage whose document for their default version we do not hold: entity_id, key, version. The
 * others get the document that the inventory holds as an extra row. Call once. */
MUST_CHECK enum rc stage_read_missing_documents(struct db *db, struct id org_id,
						struct db_rows **ret, struct err *err);
/* Policies that something staged is attached to or bounded by, and that no listing showed: key. */
MUST_CHECK enum rc stage_read_unlisted_policies(struct db *db, const char *key_like,
						struct db_rows **ret, struct err *err);
/* How many entities of each kind the listings showed: kind, n. */
MUST_CHECK enum rc stage_read_counts(struct db *db, struct db_rows **ret, struct err *err);

/* Notes the users for the second merge, which needs them after the stage was emptied. */
MUST_CHECK enum rc stage_read_keep_users(struct db *db, struct err *err);
MUST_CHECK enum rc stage_read_clear(struct db *db, struct err *err);
/* Whose inventory to hold against the stage. */
struct stage_scope {
	struct id org_id, connection_id;
	const char *account_id;
};
/* Users whose access keys have to be listed: entity_id, arn, name and the report's key columns ("" without a row). has_report
 * false: all users. */
MUST_CHECK enum rc stage_read_key_users(struct db *db, const struct stage_scope *of,
					bool has_report, struct id after, struct db_rows **ret,
					struct err *err);
/* All users once the virtual MFA devices are staged: entity_id, arn, name, and turn: 0 = to be asked for other devices in
 * any case, 1 = has MFA and a virtual device, 2 = has no MFA as far as the report knows. */
MUST_CHECK enum rc stage_read_mfa_users(struct db *db, const struct stage_scope *of,
					bool has_report, struct id after, struct db_rows **ret,
					struct err *err);
/* *ret_n: MFA devices in the stage that are somebody's, and one more for a root user that has MFA but no virtual device. */
MUST_CHECK enum rc stage_read_mfa_count(struct db *db, struct id root, const char *root_arn,
					int64_t *ret_n, struct err *err);
/* The regions that the inventory has for an account; new reference, NULL = none. */
MUST_CHECK enum rc stage_read_regions(struct db *db, struct id org_id, struct id account,
				      json_t **ret, struct err *err);

#endif
