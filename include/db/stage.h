/* The stage: what one run found, in temporary tables of this connection, until inventory_merge() takes it over by set.
 * Rows are packed in memory and leave by COPY, so that neither the account nor a transaction stays open between pages.
 * The tables live as long as the physical connection: after a reconnect every call fails until stage_reset(). */
#ifndef DB_STAGE_H
#define DB_STAGE_H

#include "db/db.h"

/* What a staged row knows about its entity. One entity may be staged many times; attributes are united, later ones win. */
enum stage_rank {
	STAGE_FOUND = 0, /* the listing that decides whether it exists */
	STAGE_EXTRA = 1, /* attributes from a second source; makes nothing exist */
	STAGE_STUB = 2,  /* the far end of an edge */
};

struct stage_entity {
	struct id id;
	const char *kind, *part, *region;
	struct str key, name, account_id, incarnation;
	struct str
		born; /* STAGE_EXTRA is dropped when both sides say when it was made and differ; "" = unknown */
	enum stage_rank rank;
	const json_t *attrs; /* borrowed; NULL = {} */
};

struct stage_edge {
	struct id id, src, dst;
	const char *kind, *part;
	struct str qualifier;
	const json_t *attrs; /* borrowed; NULL = {} */
};

/* An edge of which one end is known by its name only; resolved when the names were listed. */
struct stage_link {
	struct id known;
	bool known_is_src;
	const char *kind, *part, *want_kind;
	struct str want_name, qualifier;
	struct str
		otherwise; /* key of the aws.principal_unresolved that stands in when the name is unknown; "" = no edge */
	const json_t *attrs;
};

struct stage_document {
	unsigned char sha256[32];
	struct str body;
	bool malformed;
};

enum { STAGE_KEY_SLOTS = 2 };

/* One user as the credential report shows it, for the listings that are made per user. */
struct stage_report {
	struct str arn, born;
	bool mfa_active;
	struct stage_report_key {
		struct str created, used_at, used_region, used_service; /* "" = none */
	} keys[STAGE_KEY_SLOTS];
};

struct stage;
void stage_free(struct stage *s);
DEFINE_AUTO(stage)
struct stage *stage_new(struct db *db) NEVER_NULL;

/* Makes the tables when they are missing and empties them. */
MUST_CHECK enum rc stage_reset(struct stage *s, struct err *err);
/* Rows go out by themselves when STAGE_FLUSH_BYTES are waiting; flush before anything reads the tables. */
MUST_CHECK enum rc stage_put_entity(struct stage *s, const struct stage_entity *e, struct err *err);
MUST_CHECK enum rc stage_put_edge(struct stage *s, const struct stage_edge *e, struct err *err);
MUST_CHECK enum rc stage_put_link(struct stage *s, const struct stage_link *l, struct err *err);
MUST_CHECK enum rc stage_put_document(struct stage *s, const struct stage_document *d,
				      struct err *err);
MUST_CHECK enum rc stage_put_report(struct stage *s, const struct stage_report *r, struct err *err);
MUST_CHECK enum rc stage_flush(struct stage *s, struct err *err);

#endif
