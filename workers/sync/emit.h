/* Words of the model: entities, stubs and edges with their keys, staged for the merge. */
#ifndef WORKERS_SYNC_EMIT_H
#define WORKERS_SYNC_EMIT_H

#include "db/stage.h"

enum { EMIT_SEEN = 256, EMIT_KEY_MAX = 4096, EMIT_TIME_MAX = 40 };

struct emit {
	struct stage *stage;
	char org[ID_UUID_TEXT];
	const char *account, *partition; /* the account that is read */
	struct id account_id;            /* its entity */
	struct id seen[EMIT_SEEN];       /* stubs staged lately: most edges point to the same few */
};

void emit_init(struct emit *e, struct stage *stage, struct id org, const char *account,
	       const char *partition);
struct id emit_id(const struct emit *e, const char *kind, struct str key);

/* An entity of this account with its "contains" edge. attrs is stolen. */
struct emit_entity {
	const char *kind, *part;
	struct str key, name, incarnation, born;
	enum stage_rank rank; /* STAGE_FOUND or STAGE_EXTRA */
	bool loose;           /* no edge from the account */
	bool foreign;         /* belongs to no account (AWS's own) */
};
MUST_CHECK enum rc emit_entity(struct emit *e, const struct emit_entity *in, json_t *attrs,
			       struct err *err);
/* Attributes of the account that is read. attrs is stolen. */
MUST_CHECK enum rc emit_account(struct emit *e, json_t *attrs, struct err *err);
/* The far end of an edge; *ret_id is its id. account "" = none. */
MUST_CHECK enum rc emit_stub(struct emit *e, const char *kind, struct str key, struct str name,
			     struct str account, struct id *ret_id, struct err *err);
/* attrs is borrowed, NULL = {}. */
MUST_CHECK enum rc emit_edge(struct emit *e, const char *part, const char *kind, struct id src,
			     struct id dst, struct str qualifier, const json_t *attrs,
			     struct err *err);
/* aws:account:{partition}:{account} */
MUST_CHECK enum rc emit_account_stub(struct emit *e, struct str partition, struct str account,
				     struct id *ret_id, struct err *err);
/* Any IAM ARN as a stub of the kind that its resource says; RC_NOT_FOUND: not one that the model knows. */
MUST_CHECK enum rc emit_arn_stub(struct emit *e, struct str arn, struct id *ret_id,
				 struct err *err);
struct id emit_edge_id(const struct emit *e, const char *kind, struct id src, struct id dst,
		       struct str qualifier);

/* Values as the model writes them. All leave the object alone when there is nothing to say. */
void emit_time(json_t *attrs, const char *key,
	       struct str iso); /* UTC, whole seconds when they are whole */
struct str emit_time_text(struct str iso, char out[EMIT_TIME_MAX]); /* "" when it is no time */
void emit_int(json_t *attrs, const char *key, struct str digits);
void emit_flag(json_t *attrs, const char *key, struct str word); /* "true" and "false" */
void emit_tags(json_t *attrs, const json_t *tags);               /* [{Key, Value}] */
struct str emit_last(struct str path, char sep);                 /* behind the last sep */

#endif
