/* What syncs tell webhooks: each is called in the transaction that makes it true, as its organization,
 * and costs one look at the endpoints when none of them wants to know. */
#ifndef DB_EMIT_H
#define DB_EMIT_H

#include "db/coverage_write.h"
#include "db/inventory.h"

/* sync.finished, after the sync was closed. */
MUST_CHECK enum rc emit_sync_finished(struct db *db, struct id org_id, struct id sync_id,
				      struct err *err);
/* coverage.lost, before w is written: the parts that were ok and will not be. What a person switched
 * off is not lost. */
MUST_CHECK enum rc emit_coverage_lost(struct db *db, const struct coverage_write *w,
				      struct err *err);
/* entity.changed, after a merge: one event for all that this transaction wrote into the feed. */
MUST_CHECK enum rc emit_entity_changed(struct db *db, const struct inventory_merge *m,
				       struct err *err);

#endif
