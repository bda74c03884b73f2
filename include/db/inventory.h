/* The merge: staged rows become entities, edges, tombstones and change rows, by set, inside the caller's transaction.
 * What equals the row that is there is not written. */
#ifndef DB_INVENTORY_H
#define DB_INVENTORY_H

#include "db/db.h"

/* A listing of this merge. complete: it ended ok, so what it did not show may be tombstoned. */
struct inventory_part {
	const char *name;
	bool complete;
	int64_t held; /* set: vanished rows kept back by the mass-deletion guard */
};

struct inventory_merge {
	struct id org_id, connection_id, sync_id;
	const char *scope, *account_id, *region;
	struct inventory_part *parts;
	size_t n;
	/* Attributes whose source was not read to the end: the old value stays when there is no new one.
	 * "{aws.iam_user:mfa_active,...}". */
	const char *keep;
};

struct inventory_counts {
	int64_t seen, added, changed, removed; /* entities; edges are not counted */
};

enum {
	INVENTORY_GUARD_ROWS = 20, /* more than this many vanished rows ... */
	INVENTORY_GUARD_PERCENT =
		50, /* ... and more than this share wait for a second complete listing */
	INVENTORY_PARTS_MAX = 64,
};

/* Until the transaction ends. Merges of an organization share its inventory; a purge must own it, else it would delete the
 * documents and the ends of edges that a merge has just found to be there. share waits for one step of a purge, so it comes
 * before the fence: waiting must not keep the heartbeat from the task. own never waits: RC_RETRY inventory_busy. */
MUST_CHECK enum rc inventory_share(struct db *db, struct id org_id, struct err *err);
MUST_CHECK enum rc inventory_own(struct db *db, struct id org_id, struct err *err);

/* Joins the caller's transaction (which has called tasks_fence); stage_flush() came before. */
MUST_CHECK enum rc inventory_merge(struct db *db, const struct inventory_merge *m,
				   struct inventory_counts *ret, struct err *err);

#endif
