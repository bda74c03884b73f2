/* The parts of an account's identity listing: each has its own coverage row, so that one missing permission costs one part.
 * part.c holds their table and turns a fault into a state and a sentence. */
#ifndef WORKERS_SYNC_PART_H
#define WORKERS_SYNC_PART_H

#include "aws/aws.h"
#include "db/inventory.h"

enum part_id {
	PART_REGIONS,
	PART_USERS,
	PART_GROUPS,
	PART_ROLES,
	PART_POLICIES,
	PART_AWS_POLICIES,
	PART_POLICY_DOCUMENTS,
	PART_USER_DETAILS,
	PART_ROLE_DETAILS,
	PART_REPORT,
	PART_SAML,
	PART_OIDC,
	PART_ALIAS,
	PART_SUMMARY,
	PART_PASSWORD_POLICY,
	PART_INSTANCE_PROFILES,
	PART_FIRST_LATE, /* merged with the second transaction, from here on */
	PART_ACCESS_KEYS = PART_FIRST_LATE,
	PART_KEY_LAST_USED,
	PART_MFA,
	PART_COUNT,
};

enum part_state {
	PART_UNTRIED,
	PART_OK,
	PART_PARTIAL,
	PART_DENIED,
	PART_REGION_DISABLED,
	PART_UNSUPPORTED,
	PART_NOT_ENABLED,
	PART_THROTTLED,
	PART_ERROR,
};

struct part {
	enum part_state state;
	struct aws_fault fault; /* the first one; class AWS_OK = none */
	char reason_code[ERR_CODE_MAX];
	char reason[ERR_TEXT_MAX];
	const char *via;
	struct aws_tally tally;
	int64_t items;
	int64_t read, failed, denied_in_row; /* per-object calls */
};

const char *part_name(enum part_id id);
/* Attributes that stay as they were when this part was not read to the end, appended as "{kind:name,..." without the brace. */
MUST_CHECK enum rc part_keep(enum part_id id, struct buf *list);
/* A whole listing failed. */
void part_fault(struct part *p, enum part_id id, const struct aws_fault *fault);
/* The call for one object failed; siblings go on. */
void part_object_fault(struct part *p, const struct aws_fault *fault);
/* Something else than AWS said no: code and what happened; the part's own sentence follows. */
void part_say(struct part *p, enum part_id id, enum part_state state, const char *code,
	      const char *what);
/* The end of a part that had no fault of its own: ok, or what its objects' faults make of it. */
void part_done(struct part *p, enum part_id id);
/* After part_done() of all: a part whose questions come from an incomplete list is partial itself. */
void part_feed(struct part parts[PART_COUNT]);
/* New reference: the object that coverage_write() takes. */
json_t *part_row(const struct part *p, enum part_id id, int64_t held);

#endif
