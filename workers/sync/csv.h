/* CSV as the credential report is written (RFC 4180): quoted fields hold commas, quotes and line ends. */
#ifndef WORKERS_SYNC_CSV_H
#define WORKERS_SYNC_CSV_H

#include "base/buf.h"

enum { CSV_FIELDS_MAX = 64, CSV_ROW_MAX = 64 * 1024 };

/* One record: fields are views into `text`, which is reused for the next. */
struct csv {
	struct str rest;
	struct buf text;
	struct str fields[CSV_FIELDS_MAX];
	size_t n;
};
void csv_init(struct csv *c, struct str content);
void csv_done(struct csv *c);
DEFINE_AUTO_VALUE(csv, csv_done)
/* RC_OK: the next record. RC_NOT_FOUND: the end. RC_LIMIT: too many fields or a record too long. RC_INVALID: an open quote at
 * the end. Empty lines are skipped. */
MUST_CHECK enum rc csv_next(struct csv *c);

#endif
