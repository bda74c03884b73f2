/* The credential report's columns as values; pure, for report.c and the tables of its tests. */
#ifndef WORKERS_SYNC_REPORT_H
#define WORKERS_SYNC_REPORT_H

#include "base/json.h"
#include "db/stage.h"
#include "workers/sync/csv.h"
#include "workers/sync/emit.h"

enum report_column {
	REPORT_USER,
	REPORT_ARN,
	REPORT_CREATED,
	REPORT_PASSWORD_ENABLED,
	REPORT_PASSWORD_USED,
	REPORT_PASSWORD_CHANGED,
	REPORT_PASSWORD_ROTATION,
	REPORT_MFA,
	REPORT_KEY1_ACTIVE,
	REPORT_KEY1_ROTATED,
	REPORT_KEY1_USED,
	REPORT_KEY1_REGION,
	REPORT_KEY1_SERVICE,
	REPORT_KEY2_ACTIVE,
	REPORT_KEY2_ROTATED,
	REPORT_KEY2_USED,
	REPORT_KEY2_REGION,
	REPORT_KEY2_SERVICE,
	REPORT_CERT1_ACTIVE,
	REPORT_CERT2_ACTIVE,
	REPORT_COLUMNS,
};

/* Where each column is; columns are found by their names, for AWS appends new ones. -1 = missing. */
struct report_header {
	int at[REPORT_COLUMNS];
	size_t n; /* columns in all */
};
/* RC_INVALID: no user, arn or creation time, so this is no credential report. */
MUST_CHECK enum rc report_header(const struct csv *row, struct report_header *ret);
/* "" for a missing column and for N/A, no_information, not_supported. */
struct str report_value(const struct report_header *h, const struct csv *row, enum report_column c);
/* Says who it is about, and has every column: a row that was cut reads as a user without anything. */
bool report_is_whole(const struct report_header *h, const struct csv *row);
bool report_is_root(const struct report_header *h, const struct csv *row);
/* Attributes of the user; new reference. with_sign_in: also when the password was last used, which ListUsers knows better. */
json_t *report_attrs(const struct report_header *h, const struct csv *row, bool with_sign_in);

#endif
