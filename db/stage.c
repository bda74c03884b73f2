/* Temporary tables that one run fills by COPY. A row waits as length-prefixed columns in one buffer a table; nothing
 * is held per entity. Never touches an inventory table: that is inventory.c's. */
#include "db/stage.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	STAGE_FLUSH_BYTES = 512 * 1024,
	STAGE_BUFFER_MAX =
		64 * 1024 * 1024, /* one row may be as large as a page's largest document */
	STAGE_COLUMNS_MAX = 14,
};

enum table { ENTITY, EDGE, LINK, DOCUMENT, REPORT, TABLES };

static const struct stmt CREATE[] = {
	{ "stage_create_entity",
	  "CREATE TEMP TABLE IF NOT EXISTS stage_entity (ord bigint GENERATED ALWAYS AS IDENTITY,"
	  " entity_id uuid NOT NULL, kind text NOT NULL, key text NOT NULL, name text NOT NULL,"
	  " account_id text NOT NULL, region text NOT NULL, part text NOT NULL, incarnation text "
	  "NOT NULL,"
	  " born text NOT NULL, rank smallint NOT NULL, attrs jsonb NOT NULL)",
	  0 },
	{ "stage_create_edge",
	  "CREATE TEMP TABLE IF NOT EXISTS stage_edge (edge_id uuid NOT NULL, part text NOT NULL, "
	  "kind text NOT NULL,"
	  " src_id uuid NOT NULL, dst_id uuid NOT NULL, qualifier text NOT NULL, attrs jsonb NOT "
	  "NULL)",
	  0 },
	{ "stage_create_link",
	  "CREATE TEMP TABLE IF NOT EXISTS stage_link (ord bigint GENERATED ALWAYS AS IDENTITY, "
	  "known_id uuid NOT NULL,"
	  " known_is_src boolean NOT NULL, part text NOT NULL, kind text NOT NULL, want_kind text "
	  "NOT NULL,"
	  " want_name text NOT NULL, qualifier text NOT NULL, otherwise text NOT NULL, attrs jsonb "
	  "NOT NULL)",
	  0 },
	{ "stage_create_document",
	  "CREATE TEMP TABLE IF NOT EXISTS stage_document (sha256 bytea NOT NULL, malformed "
	  "boolean NOT NULL,"
	  " body text NOT NULL)",
	  0 },
	{ "stage_create_report",
	  "CREATE TEMP TABLE IF NOT EXISTS stage_report (arn text NOT NULL, born text NOT NULL, "
	  "mfa_active boolean NOT NULL,"
	  " key1_created text NOT NULL, key1_at text NOT NULL, key1_region text NOT NULL, "
	  "key1_service text NOT NULL,"
	  " key2_created text NOT NULL, key2_at text NOT NULL, key2_region text NOT NULL, "
	  "key2_service text NOT NULL)",
	  0 },
	{ "stage_create_user",
	  "CREATE TEMP TABLE IF NOT EXISTS stage_user (entity_id uuid PRIMARY KEY, arn text NOT "
	  "NULL, name text NOT NULL,"
	  " born text NOT NULL)",
	  0 },
	{ "stage_create_diff",
	  "CREATE TEMP TABLE IF NOT EXISTS stage_diff (entity_id uuid PRIMARY KEY, op text NOT "
	  "NULL, kind text NOT NULL,"
	  " key text NOT NULL, name text NOT NULL, account_id text NOT NULL, region text NOT NULL, "
	  "part text NOT NULL,"
	  " incarnation text NOT NULL, stub boolean NOT NULL, attrs jsonb NOT NULL, attrs_hash "
	  "bytea NOT NULL,"
	  " before jsonb)",
	  0 },
	{ "stage_create_edge_diff",
	  "CREATE TEMP TABLE IF NOT EXISTS stage_edge_diff (edge_id uuid PRIMARY KEY, op text NOT "
	  "NULL, part text NOT NULL,"
	  " kind text NOT NULL, src_id uuid NOT NULL, dst_id uuid NOT NULL, qualifier text NOT "
	  "NULL, attrs jsonb NOT NULL,"
	  " attrs_hash bytea NOT NULL, before jsonb)",
	  0 },
	{ "stage_create_gone",
	  "CREATE TEMP TABLE IF NOT EXISTS stage_gone (subject text NOT NULL, id uuid NOT NULL, "
	  "part text NOT NULL)",
	  0 },
};

static const struct stmt EMPTY = { "stage_empty",
				   "TRUNCATE stage_entity, stage_edge, stage_link, stage_document, "
				   "stage_report, stage_user, stage_diff,"
				   " stage_edge_diff, stage_gone",
				   0 };

static const struct stmt COPY[TABLES] = {
	[ENTITY] = { "stage_copy_entity",
		     "COPY stage_entity (entity_id, kind, key, name, account_id, region, part, "
		     "incarnation, born, rank,"
		     " attrs) FROM STDIN",
		     0 },
	[EDGE] = { "stage_copy_edge",
		   "COPY stage_edge (edge_id, part, kind, src_id, dst_id, qualifier, attrs) FROM "
		   "STDIN",
		   0 },
	[LINK] = { "stage_copy_link",
		   "COPY stage_link (known_id, known_is_src, part, kind, want_kind, want_name, "
		   "qualifier, otherwise,"
		   " attrs) FROM STDIN",
		   0 },
	[DOCUMENT] = { "stage_copy_document",
		       "COPY stage_document (sha256, malformed, body) FROM STDIN", 0 },
	[REPORT] = { "stage_copy_report",
		     "COPY stage_report (arn, born, mfa_active, key1_created, key1_at, "
		     "key1_region, key1_service,"
		     " key2_created, key2_at, key2_region, key2_service) FROM STDIN",
		     0 },
};

static const int COLUMNS[TABLES] = {
	[ENTITY] = 11, [EDGE] = 7, [LINK] = 9, [DOCUMENT] = 3, [REPORT] = 11
};

struct stage {
	struct db *db;
	struct buf rows[TABLES];
};

struct stage *stage_new(struct db *db)
{
	struct stage *s = MEM_NEW(struct stage);

	s->db = db;
	for (int t = 0; t < TABLES; t++)
		s->rows[t].max = STAGE_BUFFER_MAX;
	return s;
}

void stage_free(struct stage *s)
{
	if (!s)
		return;
	for (int t = 0; t < TABLES; t++)
		buf_done(&s->rows[t]);
	mem_free(s);
}

enum rc stage_reset(struct stage *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (int t = 0; t < TABLES; t++)
		buf_cut(&s->rows[t], 0);
	for (size_t i = 0; rc == RC_OK && i < COUNT_OF(CREATE); i++)
		rc = db_run(s->db, NULL, &CREATE[i], NULL, NULL, err);
	if (rc == RC_OK)
		rc = db_run(s->db, NULL, &EMPTY, NULL, NULL, err);
	return rc;
}

static enum rc copy_rows(struct stage *s, enum table t, struct err *err)
{
	struct arg columns[STAGE_COLUMNS_MAX] = { 0 };
	const char *p = s->rows[t].p, *end = p + s->rows[t].n;
	enum rc rc = RC_OK;

	while (rc == RC_OK && p < end) {
		for (int i = 0; i < COLUMNS[t]; i++) {
			size_t n;

			memcpy(&n, p, sizeof(n));
			columns[i] = arg_text(str_n(p + sizeof(n), n));
			p += sizeof(n) + n;
		}
		rc = db_copy_row(s->db, columns, COLUMNS[t], err);
	}
	return rc;
}

static enum rc flush_table(struct stage *s, enum table t, struct err *err)
{
	enum rc rc;

	if (s->rows[t].n == 0)
		return RC_OK;
	rc = db_copy_begin(s->db, &COPY[t], err);
	if (rc != RC_OK)
		return rc;
	rc = copy_rows(s, t, err);
	if (rc != RC_OK) {
		db_copy_abort(s->db);
		return rc;
	}
	rc = db_copy_end(s->db, err);
	if (s->rows[t].cap > 2 * STAGE_FLUSH_BYTES)
		buf_done(&s->rows[t]); /* one huge row must not stay for the thread's life */
	else
		buf_cut(&s->rows[t], 0);
	return rc;
}

enum rc stage_flush(struct stage *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (int t = 0; rc == RC_OK && t < TABLES; t++)
		rc = flush_table(s, (enum table)t, err);
	return rc;
}

static enum rc put_row(struct stage *s, enum table t, const struct str *columns, struct err *err)
{
	struct buf *b = &s->rows[t];
	size_t before = b->n;
	enum rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < COLUMNS[t]; i++) {
		size_t n = columns[i].n;

		rc = buf_put(b, str_n(&n, sizeof(n)));
		if (rc == RC_OK && n > 0)
			rc = buf_put(b, columns[i]);
	}
	if (rc != RC_OK) {
		buf_cut(b, before);
		return err_set(err, rc, "stage_full", "a row of %d MiB does not fit the stage",
			       STAGE_BUFFER_MAX >> 20);
	}
	return b->n >= STAGE_FLUSH_BYTES ? flush_table(s, t, err) : RC_OK;
}

static char *attrs_text(const json_t *attrs)
{
	return attrs ? json_text(attrs) : mem_copy("{}");
}

enum rc stage_put_entity(struct stage *s, const struct stage_entity *e, struct err *err)
{
	static const char *const RANKS[] = { "0", "1", "2" };
	AUTO_TEXT char *attrs = attrs_text(e->attrs);
	char id[ID_UUID_TEXT];

	id_uuid(e->id, id);
	return put_row(s, ENTITY,
		       (const struct str[]){ str_c(id), str_c(e->kind), e->key, e->name,
					     e->account_id, str_c(e->region ? e->region : "global"),
					     str_c(e->part), e->incarnation, e->born,
					     str_c(RANKS[e->rank]), str_c(attrs) },
		       err);
}

enum rc stage_put_edge(struct stage *s, const struct stage_edge *e, struct err *err)
{
	AUTO_TEXT char *attrs = attrs_text(e->attrs);
	char id[ID_UUID_TEXT], src[ID_UUID_TEXT], dst[ID_UUID_TEXT];

	id_uuid(e->id, id);
	id_uuid(e->src, src);
	id_uuid(e->dst, dst);
	return put_row(s, EDGE,
		       (const struct str[]){ str_c(id), str_c(e->part), str_c(e->kind), str_c(src),
					     str_c(dst), e->qualifier, str_c(attrs) },
		       err);
}

enum rc stage_put_link(struct stage *s, const struct stage_link *l, struct err *err)
{
	AUTO_TEXT char *attrs = attrs_text(l->attrs);
	char id[ID_UUID_TEXT];

	id_uuid(l->known, id);
	return put_row(s, LINK,
		       (const struct str[]){ str_c(id), l->known_is_src ? S("t") : S("f"),
					     str_c(l->part), str_c(l->kind), str_c(l->want_kind),
					     l->want_name, l->qualifier, l->otherwise,
					     str_c(attrs) },
		       err);
}

enum rc stage_put_document(struct stage *s, const struct stage_document *d, struct err *err)
{
	AUTO(buf) struct buf sha = BUF_INIT(128);
	enum rc rc = buf_put(&sha, S("\\x"));

	if (rc == RC_OK)
		rc = text_hex(&sha, str_n(d->sha256, sizeof(d->sha256)));
	if (rc != RC_OK)
		return rc;
	return put_row(
		s, DOCUMENT,
		(const struct str[]){ buf_str(&sha), d->malformed ? S("t") : S("f"), d->body },
		err);
}

enum rc stage_put_report(struct stage *s, const struct stage_report *r, struct err *err)
{
	const struct stage_report_key *k = r->keys;

	return put_row(s, REPORT,
		       (const struct str[]){ r->arn, r->born, r->mfa_active ? S("t") : S("f"),
					     k[0].created, k[0].used_at, k[0].used_region,
					     k[0].used_service, k[1].created, k[1].used_at,
					     k[1].used_region, k[1].used_service },
		       err);
}
