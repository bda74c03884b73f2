/* The order of a rotation, so that at every moment what is sealed can be opened. Says what it did; never prints a key. */
#include "server/rotation.h"
#include "base/clock.h"
#include "base/sealring.h"
#include "server/passes.h"
#include "server/retirement.h"

#include <stdio.h>
#include <unistd.h>

/* A ring of several keys is a rotation that has begun: it is finished before there is another one. */
static enum rc add_key(struct keyset *k, const struct rotation_order *order,
		       struct seal_public *ret_pub, bool *ret_fresh, struct err *err)
{
	enum rc rc = keyset_public(k, ret_pub, err);

	*ret_fresh = seal_keyring_count(k->ring) == 1;
	if (rc != RC_OK)
		return rc;
	/* Nobody elsewhere can have the new key before this command has ended. */
	if (order->retire && !order->single_host &&
	    (*ret_fresh || !keyset_is_published(k, ret_pub)))
		return err_set(
			err, RC_INVALID, "retire_too_early",
			"old keys are not dropped by the run that gives out the new one: run "
			"keys rotate, see that every machine has its files, then add "
			"--retire; where all processes read the same files, add "
			"--single-host, too");
	if (*ret_fresh)
		rc = sealring_add(k->key_path, err);
	return rc == RC_OK && *ret_fresh ? keyset_reload(k, err) : rc;
}

static enum rc add_only(struct keyset *k, const struct rotation_order *order, struct err *err)
{
	struct seal_public pub = { 0 };
	char key[KEYSET_TEXT];
	bool fresh = false;
	enum rc rc = add_key(k, order, &pub, &fresh, err);

	if (rc != RC_OK)
		return rc;
	keyset_text(seal_keyring_public(k->ring, 0).key_id, key);
	printf("key %s is the newest in %s%s\nWhen all workers have that file:\n"
	       "connectord keys rotate   gives it to servers and seals everything anew\n",
	       key, k->key_path, fresh ? "" : " (of a rotation that had begun)");
	return RC_OK;
}

/* Workers get the key before servers do, so that nothing is ever sealed with a key that nobody opens. */
static enum rc bring_key(struct keyset *k, const struct rotation_order *order, struct err *err)
{
	struct seal_public pub = { 0 };
	char key[KEYSET_TEXT];
	bool fresh = false;
	enum rc rc = add_key(k, order, &pub, &fresh, err);

	if (rc == RC_OK && !keyset_is_published(k, &pub))
		rc = sealring_publish(k->ring, k->pub_path, err);
	if (rc != RC_OK)
		return rc;
	k->published_at = clock_mono();
	keyset_text(seal_keyring_public(k->ring, 0).key_id, key);
	printf("key %s is the newest in %s and %s%s\n", key, k->key_path, k->pub_path,
	       fresh ? "" : " (a rotation that had begun goes on)");
	fflush(stdout);
	return RC_OK;
}

static enum rc run_locked(struct keyset *k, const struct rotation_order *order, struct err *err)
{
	enum rc rc = keyset_reload(k, err); /* as it is now that nobody else changes it */

	if (rc != RC_OK)
		return rc;
	if (seal_keyring_count(k->ring) == 1 && keyset_has_retired(k))
		return retirement_resume(k, err);
	if (order->add_only)
		return add_only(k, order, err);
	rc = bring_key(k, order, err);
	if (rc == RC_OK)
		rc = passes_run(k, k->key_path, err);
	if (rc == RC_OK && order->retire)
		return retirement_run(k, err);
	if (rc == RC_OK)
		printf("every value is under the newest key. When all servers have the new "
		       "seal.pub:\nconnectord keys rotate --retire   drops the old keys\n");
	return rc;
}

enum rc rotation_run(struct keyset *k, const struct rotation_order *order, struct err *err)
{
	int lock = -1;
	enum rc rc = sealring_lock(k->key_path, &lock, err);

	if (rc == RC_OK)
		rc = run_locked(k, order, err);
	if (lock >= 0)
		close(lock);
	return rc;
}
