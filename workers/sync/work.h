/* Calls that are made one by one over many names: the list of what to ask, and one engine that asks. */
#ifndef WORKERS_SYNC_WORK_H
#define WORKERS_SYNC_WORK_H

#include "workers/sync/sync.h"

enum {
	WORK_ITEMS_MAX = 200000,
	WORK_DENIED_MAX = 20, /* so many denials in a row, and the rest is not asked */
	WORK_SLOTS = 2,
};

struct work_item {
	struct id id; /* the entity it is about */
	char *arn, *name;
	char *extra; /* a policy's name or version, ... ; NULL = none */
	const char *part;
	char *slots
		[WORK_SLOTS]
		[4]; /* the report's key columns: created, used_at, region, service; NULL = none */
};

struct work {
	struct work_item *items;
	size_t n, cap;
};
void work_done(struct work *w);
DEFINE_AUTO_VALUE(work, work_done)

/* Adds an item; the texts are copied. RC_LIMIT past WORK_ITEMS_MAX. */
MUST_CHECK enum rc work_add(struct work *w, struct id id, struct str arn, struct str name,
			    struct str extra, const char *part, struct err *err);
/* Every row of a page of names (entity_id, key or arn, name); sets *ret_last to the last id. */
MUST_CHECK enum rc work_add_rows(struct work *w, const struct db_rows *rows, const char *arn_column,
				 const char *part, struct id *ret_last, struct err *err);

/* One call per item. name_param takes item->name, or item->arn when by_arn; extra_param takes item->extra (NULL = none).
 * found() gets each page of each answer. NOT_FOUND: it vanished meanwhile, nothing happens; must_exist: it may have been
 * renamed as well, and what belongs to it is not gone on that ground, so this counts as a fault. Faults are counted at
 * `part`. */
struct work_op {
	enum part_id part;
	const struct aws_op *op;
	const char *name_param, *extra_param;
	bool by_arn, must_exist;
	enum rc (*found)(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			 struct err *err);
	void *arg;
};
MUST_CHECK enum rc work_run(struct sync *s, struct work *w, const struct work_op *op,
			    struct err *err);

#endif
