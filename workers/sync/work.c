/* Many small calls through aws_each. Holds names, never answers: those go to the stage as they come. */
#include "workers/sync/work.h"
#include "base/mem.h"

struct run {
	struct sync *s;
	struct work *w;
	const struct work_op *op;
	size_t next;
};

void work_done(struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct work_item *item = &w->items[i];

		mem_free(item->arn);
		mem_free(item->name);
		mem_free(item->extra);
		for (size_t k = 0; k < COUNT_OF(item->slots); k++) {
			for (size_t c = 0; c < COUNT_OF(item->slots[k]); c++)
				mem_free(item->slots[k][c]);
		}
	}
	mem_free(w->items);
	*w = (struct work){ .n = 0 };
}

enum rc work_add(struct work *w, struct id id, struct str arn, struct str name, struct str extra,
		 const char *part, struct err *err)
{
	if (w->n == WORK_ITEMS_MAX)
		return err_set(err, RC_LIMIT, "too_many_calls",
			       "more than %d single calls would be needed", WORK_ITEMS_MAX);
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 64;
		w->items = mem_resize(w->items, w->cap, sizeof(w->items[0]));
	}
	w->items[w->n++] = (struct work_item){ .id = id,
					       .arn = str_dup(arn),
					       .name = str_dup(name),
					       .extra = extra.n ? str_dup(extra) : NULL,
					       .part = part };
	return RC_OK;
}

enum rc work_add_rows(struct work *w, const struct db_rows *rows, const char *arn_column,
		      const char *part, struct id *ret_last, struct err *err)
{
	enum rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
		*ret_last = db_rows_id(rows, i, "entity_id");
		rc = work_add(w, *ret_last, db_rows_text(rows, i, arn_column),
			      db_rows_text(rows, i, "name"), S(""), part, err);
	}
	return rc;
}

static json_t *next(void *arg, void **ret_item)
{
	struct run *r = arg;
	struct work_item *item;
	json_t *params;

	if (r->next == r->w->n || r->s->parts[r->op->part].denied_in_row >= WORK_DENIED_MAX)
		return NULL;
	item = &r->w->items[r->next++];
	params = json_object();
	json_object_set_new(params, r->op->name_param,
			    json_string(r->op->by_arn ? item->arn : item->name));
	if (r->op->extra_param)
		json_object_set_new(params, r->op->extra_param,
				    json_string(item->extra ? item->extra : ""));
	*ret_item = item;
	return params;
}

static enum rc done(void *arg, void *item, json_t *reply, bool more, const struct aws_fault *fault,
		    struct err *err)
{
	struct run *r = arg;
	struct part *part = sync_part(r->s, r->op->part);

	(void)more;
	if (!reply) {
		if (fault->class != AWS_NOT_FOUND || r->op->must_exist)
			part_object_fault(part, fault);
		return RC_OK;
	}
	part->read++;
	part->denied_in_row = 0;
	return r->op->found(r->s, item, reply, r->op->arg, err);
}

enum rc work_run(struct sync *s, struct work *w, const struct work_op *op, struct err *err)
{
	struct run r = { .s = s, .w = w, .op = op };
	const struct aws_each each = { .next = next, .done = done, .arg = &r };
	struct aws_fault fault = { .class = AWS_OK };
	struct aws_tally tally = { 0 };
	struct err own = { 0 };
	enum rc rc;

	if (s->dead) { /* also with nothing to ask: who knows what there would have been */
		part_object_fault(sync_part(s, op->part), &s->dead_fault);
		return RC_OK;
	}
	if (w->n == 0)
		return RC_OK;
	sync_part(s, op->part)->denied_in_row = 0; /* another action may be allowed */
	rc = aws_each(s->run->client, &s->target, op->op, &each, &fault, &tally, &own);
	rc = sync_after(s, op->part, rc, &tally, &fault, &own, err);
	if (rc == RC_OK && fault.class != AWS_OK)
		part_object_fault(sync_part(s, op->part), &fault);
	return rc;
}
