/* All sealed values of the database: counted by key, or sealed anew under the newest one while servers and workers run. */
#ifndef SERVER_REWRAP_H
#define SERVER_REWRAP_H

#include "base/seal.h"
#include "db/sealed.h"

enum { REWRAP_KEYS_MAX = 64, REWRAP_BATCH = 100, REWRAP_STUCK_SHOWN = 20 };

/* A value that no key here opens, or that is damaged. */
struct rewrap_stuck {
	const struct sealed_column *column;
	struct id org_id, id;
	char why[ERR_CODE_MAX];
	unsigned char key_id[SEAL_KEY_ID_BYTES];
};

struct rewrap_stucks {
	int64_t n;                                     /* of them all */
	struct rewrap_stuck shown[REWRAP_STUCK_SHOWN]; /* the first */
};

struct rewrap_count {
	struct {
		const struct sealed_column *column;
		unsigned char key_id[SEAL_KEY_ID_BYTES]; /* zeros: names none */
		int64_t values;
	} by[REWRAP_KEYS_MAX];
	size_t n;
	int64_t values;
	struct rewrap_stucks stuck;
};
/* Opens every value to see whether it opens. RC_LIMIT: more keys than anybody can have. */
MUST_CHECK enum rc rewrap_count(struct db *db, const struct seal_keyring *keys,
				struct rewrap_count *ret, struct err *err);

struct rewrap_sum {
	int64_t rewrapped;
	int64_t raced; /* changed by somebody else meanwhile; another pass sees them */
	struct rewrap_stucks stuck;
};
/* One pass over what is not under the newest key, in short transactions. Done when a pass finds nothing to rewrap. */
MUST_CHECK enum rc rewrap_pass(struct db *db, const struct seal_keyring *keys,
			       struct rewrap_sum *ret, struct err *err);

#endif
