/* Whether a role's trust policy lets us in with more external IDs than ours. Pure: a function of the document's text. */
#ifndef WORKERS_SHARING_H
#define WORKERS_SHARING_H

#include "base/json.h"

enum {
	SHARING_SHOWN_MAX = 8,   /* of the other IDs */
	SHARING_TRIED_MAX = 256, /* of those that a document names */
	SHARING_ID_MAX = 1224,   /* AWS's own limit */
};

enum sharing_kind {
	SHARING_NONE,    /* ours alone */
	SHARING_INEXACT, /* what resembles ours: a pattern, or whatever its case */
	SHARING_OTHERS,  /* one that is not ours at all */
};

struct sharing {
	enum sharing_kind kind;
	json_t *ids; /* what else lets us in, as the document says it; at most SHARING_SHOWN_MAX */
	json_t *statement; /* the one that lets us in, corrected; NULL = none does */
};
void sharing_done(struct sharing *s);
DEFINE_AUTO_VALUE(sharing, sharing_done)

/* Who asks to be let in. */
struct sharing_caller {
	const char *external_id;
	bool (*is_ours)(void *arg, struct str account);
	void *arg;
};
void sharing_judge(const json_t *document, const struct sharing_caller *us, struct sharing *ret);

#endif
