/* Drops old sealing keys. The order is what makes it safe: the database refuses them; whoever was still let through has
 * committed; nothing is left under them; seal.key loses them, while seal.key.retired keeps them through one more pass. */
#include "server/retirement.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sealring.h"
#include "db/sealed.h"
#include "server/passes.h"

#include <stdio.h>

#define AGAIN (500 * CLOCK_MS)
/* No transaction of ours is open for that long: a statement has 30 s, a pause between two 10 s. */
#define WRITERS_MAX (120 * CLOCK_S)

static enum rc withdraw(const struct keyset *k, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 1; i < seal_keyring_count(k->ring) && rc == RC_OK; i++) {
		struct seal_public old = seal_keyring_public(k->ring, i);

		rc = sealed_withdraw(k->db, str_n(old.key_id, sizeof(old.key_id)), err);
	}
	return rc;
}

/* Nobody sees what is not committed. */
static enum rc wait_for_writers(const struct keyset *k, struct err *err)
{
	const int64_t until = clock_mono() + WRITERS_MAX;
	bool over = false, told = false;
	int64_t mark = 0;
	enum rc rc = sealed_mark(k->db, &mark, err);

	while (rc == RC_OK && clock_mono() < until) {
		rc = sealed_is_over(k->db, mark, &over, err);
		if (rc != RC_OK || over)
			return rc;
		if (!told)
			printf("a transaction is still writing\n");
		told = true;
		fflush(stdout);
		clock_sleep(AGAIN);
	}
	return rc != RC_OK ? rc
			   : err_set(err, RC_RETRY, "still_writing",
				     "a transaction has been writing to the database for minutes, "
				     "so the old keys stay; run this again when it has ended");
}

/* seal.key has the newest key only. */
static enum rc drop_old(struct keyset *k, struct err *err)
{
	AUTO_TEXT char *retired = sealring_retired(k->key_path);
	enum rc rc;

	k->published_at = clock_mono();
	rc = passes_run(k, retired, err);
	if (rc == RC_OK)
		rc = sealring_forget(k->key_path, err);
	if (rc == RC_OK)
		printf("%zu old keys are gone from %s; destroy its old backups, too\n",
		       seal_keyring_count(k->ring) - 1, k->key_path);
	return rc;
}

enum rc retirement_run(struct keyset *k, struct err *err)
{
	enum rc rc = withdraw(k, err);

	if (rc == RC_OK)
		rc = wait_for_writers(k, err);
	if (rc == RC_OK)
		rc = passes_run(k, k->key_path, err);
	if (rc == RC_OK)
		rc = sealring_set_aside(k->key_path, err);
	if (rc == RC_OK)
		rc = sealring_keep_newest(k->key_path, err);
	return rc == RC_OK ? drop_old(k, err) : rc;
}

enum rc retirement_resume(struct keyset *k, struct err *err)
{
	AUTO_TEXT char *retired = sealring_retired(k->key_path);
	AUTO(seal_keyring) struct seal_keyring *all = NULL;
	struct seal_public newest = seal_keyring_public(k->ring, 0), was;
	enum rc rc = seal_keyring_load(retired, &all, err);

	if (rc != RC_OK)
		return rc;
	was = seal_keyring_public(all, 0);
	if (memcmp(was.bytes, newest.bytes, sizeof(was.bytes)) != 0)
		return err_set(err, RC_INVALID, "not_a_pair",
			       "%s is not of this seal.key: its newest key is another one; put the "
			       "two that belong together here",
			       retired);
	printf("dropping the old keys had begun and goes on\n");
	seal_keyring_free(TAKE(k->ring));
	k->ring = TAKE(all);
	return drop_old(k, err);
}
