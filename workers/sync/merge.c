/* From the stage into the inventory, fenced by the task's lease. Never opens a transaction before everything is staged, so
 * that none is open across an AWS call. */
#include "workers/sync/merge.h"
#include "db/coverage_write.h"
#include "db/documents.h"
#include "db/inventory.h"

enum { MERGE_KEEP_MAX = 4096 };

struct merging {
	struct sync *s;
	enum part_id from, to;
	bool last;
	const char *keep;
	struct inventory_part parts[PART_COUNT];
	struct inventory_counts counts;
};

static enum rc write_coverage(struct db *db, const struct merging *m, const char *account,
			      struct err *err)
{
	AUTO_JSON json_t *rows = json_array();
	const struct coverage_write w = { .org_id = m->s->run->task->org_id,
					  .connection_id = m->s->run->task->connection_id,
					  .sync_id = m->s->run->task->sync_id,
					  .account_id = account,
					  .region = "global",
					  .scope = "iam",
					  .rows = rows };

	for (int i = (int)m->from; i < (int)m->to; i++)
		json_array_append_new(rows, part_row(&m->s->parts[i], (enum part_id)i,
						     m->parts[i - (int)m->from].held));
	return coverage_write(db, &w, err);
}

static enum rc tell(struct db *db, struct merging *m, struct err *err)
{
	const struct sync *s = m->s;
	const struct sync_progress delta = {
		.accounts_done = m->last ? 1 : 0,
		.scopes_done = m->last ? PART_COUNT : 0,
		.calls = s->total.calls - s->told.calls,
		.throttles = s->total.throttles - s->told.throttles,
		.seen = m->last ? s->seen + m->counts.seen : 0,
		.added = m->counts.added,
		.changed = m->counts.changed,
		.removed = m->counts.removed,
	};

	return syncs_progress(db, s->run->task->org_id, s->run->task->sync_id, &delta, err);
}

static void list_parts(struct merging *m)
{
	for (int i = (int)m->from; i < (int)m->to; i++)
		m->parts[i - (int)m->from] = (struct inventory_part){
			.name = part_name((enum part_id)i),
			.complete = m->s->parts[i].state == PART_OK,
		};
}

static enum rc body(struct db *db, void *arg, struct err *err)
{
	struct merging *m = arg;
	const struct task *task = m->s->run->task;
	const struct inventory_merge in = { .org_id = task->org_id,
					    .connection_id = task->connection_id,
					    .sync_id = task->sync_id,
					    .scope = "iam",
					    .account_id = m->s->who.account,
					    .region = "global",
					    .parts = m->parts,
					    .n = (size_t)m->to - (size_t)m->from,
					    .keep = m->keep };
	enum rc rc = inventory_share(db, task->org_id, err);

	if (rc == RC_OK)
		rc = tasks_fence(db, task, err);
	list_parts(m); /* again on every try: the merge writes into it */
	if (rc == RC_OK)
		rc = documents_merge(db, task->org_id, err);
	if (rc == RC_OK)
		rc = inventory_merge(db, &in, &m->counts, err);
	if (rc == RC_OK)
		rc = write_coverage(db, m, m->s->who.account, err);
	if (rc == RC_OK)
		rc = tell(db, m, err);
	if (rc != RC_OK)
		return rc;
	return m->last ? tasks_finish(db, task, err) : tasks_extend(db, task, err);
}

static enum rc gather_keep(const struct merging *m, struct buf *keep)
{
	enum rc rc = RC_OK;

	for (int i = (int)m->from; rc == RC_OK && i < (int)m->to; i++) {
		if (m->s->parts[i].state != PART_OK)
			rc = part_keep((enum part_id)i, keep);
	}
	if (rc != RC_OK)
		return rc;
	return keep->n == 0 ? buf_put(keep, S("{}")) : buf_putc(keep, '}');
}

enum rc merge_parts(struct sync *s, enum part_id from, enum part_id to, bool last, struct err *err)
{
	AUTO(buf) struct buf keep = BUF_INIT(MERGE_KEEP_MAX);
	struct merging m = { .s = s, .from = from, .to = to, .last = last };
	const struct db_who who = { .org_id = s->run->task->org_id };
	enum rc rc = stage_flush(s->stage, err);

	for (int i = (int)from; i < (int)to; i++)
		part_done(&s->parts[i], (enum part_id)i);
	part_feed(s->parts);
	if (rc == RC_OK)
		rc = gather_keep(&m, &keep);
	m.keep = buf_c(&keep);
	if (rc == RC_OK)
		rc = db_tx(s->run->db, &who, body, &m, err);
	if (rc != RC_OK)
		return rc;
	s->told = s->total;
	s->seen += m.counts.seen;
	s->run->finished = last;
	return RC_OK;
}

struct refusing {
	struct merging m;
	const char *account;
};

static enum rc nothing_body(struct db *db, void *arg, struct err *err)
{
	struct refusing *r = arg;
	enum rc rc = tasks_fence(db, r->m.s->run->task, err);

	return rc == RC_OK ? write_coverage(db, &r->m, r->account, err) : rc;
}

enum rc merge_nothing(struct sync *s, const char *account, struct err *err)
{
	struct refusing r = { .m = { .s = s, .from = 0, .to = PART_COUNT }, .account = account };
	const struct db_who who = { .org_id = s->run->task->org_id };

	return db_tx(s->run->db, &who, nothing_body, &r, err);
}
