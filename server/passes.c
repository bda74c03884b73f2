/* Repeats rewrap_pass() and says so. Never opens or seals a value itself. */
#include "server/passes.h"
#include "base/clock.h"
#include "server/keystatus.h"
#include "server/rewrap.h"

#include <stdio.h>

enum {
	PASSES_MAX = 60, /* of which one ends it, unless some server never takes the new key */
	TRIES_MAX = 20   /* of a database that is away for a moment, in a row */
};
/* Servers and workers look at their key files once a second. */
#define SETTLE (3 * CLOCK_S)
#define AGAIN  (500 * CLOCK_MS)

static enum rc pass(const struct keyset *k, struct rewrap_sum *sum, struct err *err)
{
	for (int i = 0;; i++) {
		struct err away = { 0 };
		enum rc rc = rewrap_pass(k->db, k->ring, sum, &away);

		if (rc != RC_RETRY || i == TRIES_MAX)
			return rc == RC_OK ? rc : err_set(err, rc, away.code, "%s", away.text);
		clock_sleep(AGAIN);
	}
}

static enum rc until_nothing(const struct keyset *k, struct rewrap_sum *last, struct err *err)
{
	int64_t total = 0;

	for (int i = 0; i < PASSES_MAX; i++) {
		bool settled = clock_mono() - k->published_at >= SETTLE;
		enum rc rc = pass(k, last, err);

		if (rc != RC_OK)
			return rc;
		total += last->rewrapped;
		if (last->rewrapped > 0)
			printf("%lld values rewrapped\n", (long long)total);
		fflush(stdout);
		if (settled && last->rewrapped == 0 && last->raced == 0)
			return RC_OK;
		clock_sleep(AGAIN);
	}
	return err_set(err, RC_RETRY, "still_sealing",
		       "values are still being sealed with an old key: some server has not got the "
		       "new %s; give it to all of them and run this again",
		       k->pub_path);
}

enum rc passes_run(const struct keyset *k, const char *path, struct err *err)
{
	struct rewrap_sum last = { 0 };
	enum rc rc = until_nothing(k, &last, err);

	if (rc != RC_OK || last.stuck.n == 0)
		return rc;
	keystatus_stuck(&last.stuck);
	return err_set(err, RC_CONFLICT, "stuck",
		       "%lld values do not open, so the old keys stay in %s; store those secrets "
		       "again, then run this again",
		       (long long)last.stuck.n, path);
}
