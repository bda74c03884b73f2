/* The rule of the status of a connection: facts in, state, code, sentence and remedy out. Pure; connection_status.c reads the
 * facts and stores what comes out. */
#ifndef DB_STATUS_RULE_H
#define DB_STATUS_RULE_H

#include "base/err.h"
#include "base/str.h"

/* An action that AWS denies, and what is known of it. */
struct status_denial {
	struct str action, cause; /* cause: "implicit", "explicit", "scp", "boundary", ... or "" */
	struct str what;          /* the listings that miss it, or the capability */
	bool needed;              /* without it the connection cannot do its work */
};

struct status_facts {
	bool paused, sync_active, complete_once;
	bool granted_since; /* something that the last sync was denied has been granted since */
	struct str verify_state, verify_code, verify_text;
	struct str last_sync_state;     /* "" = none ended */
	struct str reason_code, reason; /* of the newest sync */
	struct str partition;           /* "" = not known yet */
	const struct status_denial *denials;
	size_t n;
};

enum { STATUS_TEXT_MAX = 1200, STATUS_REMEDY_MAX = 8000 };

struct status_rule {
	const char *state;
	char code[ERR_CODE_MAX];
	char text[STATUS_TEXT_MAX];
	char remedy[STATUS_REMEDY_MAX]; /* "" = nothing to do */
};

/* Whether nothing works until this reason for no verdict is gone, whatever the verdict of before. */
bool status_rule_blocks(struct str code);
/* The first that holds of paused, running, action_required, degraded, pending, synced. */
void status_rule_judge(const struct status_facts *facts, struct status_rule *ret);
/* What a new connection starts with. */
void status_rule_first(bool paused, struct status_rule *ret);

#endif
