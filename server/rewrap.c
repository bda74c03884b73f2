/* Walks organizations, columns and rows in the order of their ids, so that a run that was killed is simply begun again. A plain
 * secret lives in guarded memory, until the next one takes its place. */
#include "server/rewrap.h"
#include "base/mem.h"

#include <stdio.h>

enum { ORGANIZATIONS_PAGE = 500 };

struct walk {
	struct db *db;
	struct str but_key;
	enum rc (*page)(struct walk *w, const struct sealed_column *c, struct id org_id,
			const struct db_rows *rows, struct err *err);
	const struct seal_keyring *keys;
	struct rewrap_count *count;
	struct rewrap_sum *sum;
	struct secret *room; /* of the one value that is open */
};

static enum rc walk_column(struct walk *w, const struct sealed_column *c, struct id org_id,
			   struct err *err)
{
	struct id after = { { 0 } };
	enum rc rc = RC_OK;
	int n = REWRAP_BATCH;

	while (rc == RC_OK && n == REWRAP_BATCH) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		rc = sealed_list(w->db, c, org_id, after, w->but_key, REWRAP_BATCH, &rows, err);
		n = rc == RC_OK ? db_rows_count(rows) : 0;
		if (n > 0) {
			after = db_rows_id(rows, n - 1, "id");
			rc = w->page(w, c, org_id, rows, err);
		}
	}
	return rc;
}

static enum rc walk_all(struct walk *w, struct err *err)
{
	AUTO(secret) struct secret *room = secret_new(SEAL_PLAIN_MAX);
	struct id after = { { 0 } };
	enum rc rc = RC_OK;
	int n = ORGANIZATIONS_PAGE;

	w->room = room;
	while (rc == RC_OK && n == ORGANIZATIONS_PAGE) {
		AUTO(db_rows) struct db_rows *rows = NULL;

		rc = sealed_organizations(w->db, after, ORGANIZATIONS_PAGE, &rows, err);
		n = rc == RC_OK ? db_rows_count(rows) : 0;
		for (int i = 0; i < n && rc == RC_OK; i++) {
			after = db_rows_id(rows, i, "org_id");
			for (size_t k = 0; sealed_column_at(k) && rc == RC_OK; k++)
				rc = walk_column(w, sealed_column_at(k), after, err);
		}
	}
	return rc;
}

static void add_stuck(struct rewrap_stucks *s, const struct sealed_column *c, struct id org_id,
		      struct id id, struct str envelope, const char *why)
{
	struct rewrap_stuck *one = &s->shown[s->n < REWRAP_STUCK_SHOWN ? s->n : 0];

	if (s->n++ >= REWRAP_STUCK_SHOWN)
		return;
	*one = (struct rewrap_stuck){ .column = c, .org_id = org_id, .id = id };
	snprintf(one->why, sizeof(one->why), "%s", why);
	(void)seal_key_id(envelope, one->key_id);
}

/* A row's value, opened; where it belongs to is told by whose row it is, never by the value. */
static enum rc open_value(const struct walk *w, const struct sealed_column *c, struct id org_id,
			  struct id id, struct str envelope, const struct seal_public *close_with,
			  char **ret_envelope, size_t *ret_n, struct err *err)
{
	struct str plain;
	char org[ID_UUID_TEXT], row[ID_UUID_TEXT];
	const struct seal_place place = { .org_id = { org, ID_UUID_TEXT - 1 },
					  .connection_id = { row, ID_UUID_TEXT - 1 },
					  .field = str_c(c->field) };
	enum rc rc;

	id_uuid(org_id, org);
	id_uuid(id, row);
	rc = seal_open_into(w->keys, &place, envelope, w->room, &plain, err);
	if (rc != RC_OK || !close_with)
		return rc;
	return seal_close(close_with, &place, plain, ret_envelope, ret_n, err);
}

/* --- counting --- */

static enum rc add_to(struct rewrap_count *count, const struct sealed_column *c,
		      const unsigned char key_id[SEAL_KEY_ID_BYTES], struct err *err)
{
	size_t i = 0;

	while (i < count->n && (count->by[i].column != c ||
				memcmp(count->by[i].key_id, key_id, SEAL_KEY_ID_BYTES) != 0))
		i++;
	if (i == REWRAP_KEYS_MAX)
		return err_set(err, RC_LIMIT, "too_many_keys",
			       "the sealed values name more than %d keys", (int)REWRAP_KEYS_MAX);
	if (i == count->n) {
		count->by[i].column = c;
		memcpy(count->by[i].key_id, key_id, SEAL_KEY_ID_BYTES);
		count->n++;
	}
	count->by[i].values++;
	count->values++;
	return RC_OK;
}

static enum rc count_page(struct walk *w, const struct sealed_column *c, struct id org_id,
			  const struct db_rows *rows, struct err *err)
{
	enum rc rc = RC_OK;

	for (int i = 0; i < db_rows_count(rows) && rc == RC_OK; i++) {
		unsigned char key_id[SEAL_KEY_ID_BYTES] = { 0 };
		struct err why = { 0 };
		size_t n = 0;
		AUTO_TEXT char *bytes = db_rows_bytes(rows, i, "sealed", &n);
		struct str envelope = str_n(bytes, n);
		struct id id = db_rows_id(rows, i, "id");

		(void)seal_key_id(envelope, key_id);
		rc = add_to(w->count, c, key_id, err);
		if (open_value(w, c, org_id, id, envelope, NULL, NULL, NULL, &why) != RC_OK)
			add_stuck(&w->count->stuck, c, org_id, id, envelope, why.code);
	}
	return rc;
}

enum rc rewrap_count(struct db *db, const struct seal_keyring *keys, struct rewrap_count *ret,
		     struct err *err)
{
	struct walk w = { .db = db, .keys = keys, .page = count_page, .count = ret };

	*ret = (struct rewrap_count){ 0 };
	return walk_all(&w, err);
}

/* --- rewrapping --- */

struct batch {
	struct sealed_swap swaps[REWRAP_BATCH];
	char *from[REWRAP_BATCH], *to[REWRAP_BATCH];
	size_t n;
};

static void batch_done(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		mem_free(b->from[i]);
		mem_free(b->to[i]);
	}
}
DEFINE_AUTO_VALUE(batch, batch_done)

static enum rc rewrap_page(struct walk *w, const struct sealed_column *c, struct id org_id,
			   const struct db_rows *rows, struct err *err)
{
	const struct seal_public newest = seal_keyring_public(w->keys, 0);
	AUTO(batch) struct batch b = { .n = 0 };
	int64_t replaced = 0;
	enum rc rc = RC_OK;

	for (int i = 0; i < db_rows_count(rows); i++) {
		struct err why = { 0 };
		size_t n = 0, to_n = 0;
		AUTO_TEXT char *bytes = db_rows_bytes(rows, i, "sealed", &n);
		struct id id = db_rows_id(rows, i, "id");
		char *to = NULL;

		if (open_value(w, c, org_id, id, str_n(bytes, n), &newest, &to, &to_n, &why) !=
		    RC_OK) {
			add_stuck(&w->sum->stuck, c, org_id, id, str_n(bytes, n), why.code);
			continue;
		}
		b.from[b.n] = TAKE(bytes);
		b.to[b.n] = to;
		b.swaps[b.n] = (struct sealed_swap){ id, str_n(b.from[b.n], n), str_n(to, to_n) };
		b.n++;
	}
	if (b.n > 0)
		rc = sealed_replace(w->db, c, org_id, b.swaps, b.n, &replaced, err);
	if (rc == RC_OK) {
		w->sum->rewrapped += replaced;
		w->sum->raced += (int64_t)b.n - replaced;
	}
	return rc;
}

enum rc rewrap_pass(struct db *db, const struct seal_keyring *keys, struct rewrap_sum *ret,
		    struct err *err)
{
	const struct seal_public newest = seal_keyring_public(keys, 0);
	struct walk w = { .db = db,
			  .but_key = str_n(newest.key_id, sizeof(newest.key_id)),
			  .page = rewrap_page,
			  .keys = keys,
			  .sum = ret };

	*ret = (struct rewrap_sum){ 0 };
	return walk_all(&w, err);
}
