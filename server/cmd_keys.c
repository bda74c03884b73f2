/* connectord keys new|status|rotate: the key files, and what the database holds under each key. Prints ids of keys and rows,
 * never a key or a value. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/sealring.h"
#include "base/text.h"
#include "server/cmd.h"
#include "server/keyfiles.h"
#include "server/rewrap.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
	OPERANDS_MAX = 2,
	KEY_TEXT = 2 * SEAL_KEY_ID_BYTES + 1,
	PASSES_MAX = 60, /* of which one ends it, unless some server never takes the new key */
	TRIES_MAX = 20   /* of a database that is away for a moment, in a row */
};
/* Servers and workers look at their key files once a second. */
#define SETTLE (3 * CLOCK_S)
#define AGAIN  (500 * CLOCK_MS)
/* No transaction of ours is open for that long: a statement has 30 s, a pause between two 10 s. */
#define WRITERS_MAX (120 * CLOCK_S)

struct keys {
	char *key_path, *pub_path;
	bool retire, add_only, single_host;
	int64_t grace; /* how long a request may go on that has sealed with an old key */
	struct db *db;
	struct seal_keyring *ring;
	int64_t published_at; /* mono: since when servers can know the newest key */
};

static void keys_done(struct keys *k)
{
	mem_free(k->key_path);
	mem_free(k->pub_path);
	db_free(k->db);
	seal_keyring_free(k->ring);
}
DEFINE_AUTO_VALUE(keys, keys_done)

static void key_text(const unsigned char id[SEAL_KEY_ID_BYTES], char ret[KEY_TEXT])
{
	static const unsigned char none[SEAL_KEY_ID_BYTES];

	if (memcmp(id, none, sizeof(none)) == 0) {
		snprintf(ret, KEY_TEXT, "none");
		return;
	}
	for (size_t i = 0; i < SEAL_KEY_ID_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", id[i]);
}

static void nap(int64_t ns)
{
	const struct timespec t = { ns / CLOCK_S, ns % CLOCK_S };

	(void)nanosleep(&t, NULL);
}

/* Where the files are: in the folder named, else where the settings say. */
static enum rc find_files(struct keys *k, const struct config *c, const char *dir, struct err *err)
{
	const char *key = config_text(c, "seal_key_file"),
		   *pub = config_text(c, "seal_public_file");

	k->key_path = dir ? mem_text("%s/seal.key", dir) : mem_copy(key);
	k->pub_path = dir ? mem_text("%s/seal.pub", dir) : mem_copy(pub);
	if (!k->key_path[0] || !k->pub_path[0])
		return err_set(err, RC_INVALID, "keys",
			       "name the folder of seal.key and seal.pub, or set seal_key_file and "
			       "seal_public_file");
	return RC_OK;
}

static enum rc open_all(struct keys *k, const struct config *c, const char *dir, struct err *err)
{
	enum rc rc = find_files(k, c, dir, err);

	if (rc == RC_OK && !config_text(c, "database_url")[0])
		rc = err_set(err, RC_INVALID, "no_database",
			     "database_url is not set; give the connection string of the role "
			     "connectord_worker");
	if (rc == RC_OK)
		rc = seal_keyring_load(k->key_path, &k->ring, err);
	return rc == RC_OK ? db_open(config_text(c, "database_url"), "connectord keys", &k->db, err)
			   : rc;
}

static enum rc load_public(const struct keys *k, struct seal_public *ret, struct err *err)
{
	enum rc rc = seal_public_load(k->pub_path, ret, err);

	for (size_t i = 0; rc == RC_OK && i < seal_keyring_count(k->ring); i++) {
		struct seal_public one = seal_keyring_public(k->ring, i);

		if (memcmp(one.bytes, ret->bytes, sizeof(one.bytes)) == 0)
			return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	return err_set(err, RC_INVALID, "not_a_pair",
		       "%s has no secret half in %s: what servers seal with it nobody opens",
		       k->pub_path, k->key_path);
}

static void print_stuck(const struct rewrap_stucks *s)
{
	if (s->n == 0)
		return;
	printf("%lld cannot be opened; store the secrets of these again:\n", (long long)s->n);
	for (int64_t i = 0; i < s->n && i < REWRAP_STUCK_SHOWN; i++) {
		const struct rewrap_stuck *one = &s->shown[i];
		char org[ID_UUID_TEXT], id[ID_TEXT_MAX], key[KEY_TEXT];

		id_uuid(one->org_id, org);
		id_text(one->id, one->column->prefix, id);
		key_text(one->key_id, key);
		printf("  %s  organization %s  %s  key %s  %s\n", id, org, one->column->name, key,
		       one->why);
	}
	if (s->n > REWRAP_STUCK_SHOWN)
		printf("  and %lld more\n", (long long)(s->n - REWRAP_STUCK_SHOWN));
}

static bool has_retired(const struct keys *k)
{
	AUTO_TEXT char *path = sealring_retired(k->key_path);

	return access(path, F_OK) == 0;
}

/* --- status --- */

static int64_t values_under(const struct rewrap_count *count,
			    const unsigned char key_id[SEAL_KEY_ID_BYTES])
{
	int64_t n = 0;

	for (size_t i = 0; i < count->n; i++)
		if (memcmp(count->by[i].key_id, key_id, SEAL_KEY_ID_BYTES) == 0)
			n += count->by[i].values;
	return n;
}

static void print_status(const struct keys *k, const struct seal_public *pub,
			 const struct rewrap_count *count)
{
	char key[KEY_TEXT];

	printf("%s\n", k->key_path);
	for (size_t i = 0; i < seal_keyring_count(k->ring); i++) {
		struct seal_public one = seal_keyring_public(k->ring, i);

		key_text(one.key_id, key);
		printf("  key %s  %s  %lld values%s\n", key, i == 0 ? "newest" : "old   ",
		       (long long)values_under(count, one.key_id),
		       memcmp(one.bytes, pub->bytes, sizeof(one.bytes)) == 0 ? "  (seal.pub)" : "");
	}
	printf("%lld sealed values\n", (long long)count->values);
	for (size_t i = 0; i < count->n; i++) {
		key_text(count->by[i].key_id, key);
		printf("  key %s  %s  %lld\n", key, count->by[i].column->name,
		       (long long)count->by[i].values);
	}
	print_stuck(&count->stuck);
}

static int status(struct config *c, const char *dir)
{
	AUTO(keys) struct keys k = { 0 };
	struct seal_public pub = { 0 };
	struct rewrap_count count = { 0 };
	struct err err = { 0 };
	enum rc rc = open_all(&k, c, dir, &err);

	if (rc == RC_OK)
		rc = load_public(&k, &pub, &err);
	if (rc == RC_OK)
		rc = rewrap_count(k.db, k.ring, &count, &err);
	if (rc != RC_OK)
		return cmd_fail("keys status", &err);
	print_status(&k, &pub, &count);
	if (has_retired(&k))
		printf("%s.retired: old keys are being dropped; connectord keys rotate goes on\n",
		       k.key_path);
	return count.stuck.n == 0 ? CMD_OK : CMD_FAILED;
}

/* --- rotate --- */

static enum rc reload(struct keys *k, struct err *err)
{
	seal_keyring_free(TAKE(k->ring));
	return seal_keyring_load(k->key_path, &k->ring, err);
}

static bool is_published(const struct keys *k, const struct seal_public *pub)
{
	const struct seal_public newest = seal_keyring_public(k->ring, 0);

	return memcmp(newest.bytes, pub->bytes, sizeof(pub->bytes)) == 0;
}

/* A ring of several keys is a rotation that has begun: it is finished before there is another one. */
static enum rc add_key(struct keys *k, struct seal_public *ret_pub, bool *ret_fresh,
		       struct err *err)
{
	enum rc rc = load_public(k, ret_pub, err);

	*ret_fresh = seal_keyring_count(k->ring) == 1;
	if (rc != RC_OK)
		return rc;
	/* Nobody elsewhere can have the new key before this command has ended. */
	if (k->retire && !k->single_host && (*ret_fresh || !is_published(k, ret_pub)))
		return err_set(
			err, RC_INVALID, "retire_too_early",
			"old keys are not dropped by the run that gives out the new one: run "
			"keys rotate, see that every machine has its files, then add "
			"--retire; where all processes read the same files, add "
			"--single-host, too");
	if (*ret_fresh)
		rc = sealring_add(k->key_path, err);
	return rc == RC_OK && *ret_fresh ? reload(k, err) : rc;
}

static enum rc add_only(struct keys *k, struct err *err)
{
	struct seal_public pub = { 0 };
	char key[KEY_TEXT];
	bool fresh = false;
	enum rc rc = add_key(k, &pub, &fresh, err);

	if (rc != RC_OK)
		return rc;
	key_text(seal_keyring_public(k->ring, 0).key_id, key);
	printf("key %s is the newest in %s%s\nWhen all workers have that file:\n"
	       "connectord keys rotate   gives it to servers and seals everything anew\n",
	       key, k->key_path, fresh ? "" : " (of a rotation that had begun)");
	return RC_OK;
}

/* Workers get the key before servers do, so that nothing is ever sealed with a key that nobody opens. */
static enum rc bring_key(struct keys *k, struct err *err)
{
	struct seal_public pub = { 0 };
	char key[KEY_TEXT];
	bool fresh = false;
	enum rc rc = add_key(k, &pub, &fresh, err);

	if (rc == RC_OK && !is_published(k, &pub))
		rc = sealring_publish(k->ring, k->pub_path, err);
	if (rc != RC_OK)
		return rc;
	k->published_at = clock_mono();
	key_text(seal_keyring_public(k->ring, 0).key_id, key);
	printf("key %s is the newest in %s and %s%s\n", key, k->key_path, k->pub_path,
	       fresh ? "" : " (a rotation that had begun goes on)");
	fflush(stdout);
	return RC_OK;
}

/* A pass, whatever moments the database is away for. */
static enum rc pass(struct keys *k, struct rewrap_sum *sum, struct err *err)
{
	for (int i = 0;; i++) {
		struct err away = { 0 };
		enum rc rc = rewrap_pass(k->db, k->ring, sum, &away);

		if (rc != RC_RETRY || i == TRIES_MAX)
			return rc == RC_OK ? rc : err_set(err, rc, away.code, "%s", away.text);
		nap(AGAIN);
	}
}

/* Until a pass that began after everybody could know the newest key finds nothing. */
static enum rc rewrap_all(struct keys *k, struct rewrap_sum *ret_last, struct err *err)
{
	int64_t total = 0;
	enum rc rc = RC_OK;

	for (int i = 0; i < PASSES_MAX; i++) {
		bool settled = clock_mono() - k->published_at >= SETTLE;

		rc = pass(k, ret_last, err);
		if (rc != RC_OK)
			return rc;
		total += ret_last->rewrapped;
		if (ret_last->rewrapped > 0)
			printf("%lld values rewrapped\n", (long long)total);
		fflush(stdout);
		if (settled && ret_last->rewrapped == 0 && ret_last->raced == 0)
			return RC_OK;
		nap(AGAIN);
	}
	return err_set(err, RC_RETRY, "still_sealing",
		       "values are still being sealed with an old key: some server has not got the "
		       "new %s; give it to all of them and run this again",
		       k->pub_path);
}

static enum rc no_stuck(const struct rewrap_sum *last, const char *path, struct err *err)
{
	if (last->stuck.n == 0)
		return RC_OK;
	print_stuck(&last->stuck);
	return err_set(err, RC_CONFLICT, "stuck",
		       "%lld values do not open, so the old keys stay in %s; store those secrets "
		       "again, then run this again",
		       (long long)last->stuck.n, path);
}

/* A server seals before its transaction begins, and nobody sees what is not committed. */
static enum rc wait_for_writers(struct keys *k, struct err *err)
{
	int64_t until = k->published_at + SETTLE + k->grace;
	bool over = false, told = false;
	int64_t mark = 0;
	enum rc rc = RC_OK;

	printf("waiting for what was under way when the key was new\n");
	fflush(stdout);
	if (clock_mono() < until)
		nap(until - clock_mono());
	rc = sealed_mark(k->db, &mark, err);
	until = clock_mono() + WRITERS_MAX;
	while (rc == RC_OK && clock_mono() < until) {
		rc = sealed_is_over(k->db, mark, &over, err);
		if (rc != RC_OK || over)
			return rc;
		if (!told)
			printf("a transaction is still writing\n");
		told = true;
		fflush(stdout);
		nap(AGAIN);
	}
	return rc != RC_OK ? rc
			   : err_set(err, RC_RETRY, "still_writing",
				     "a transaction has been writing to the database for minutes, "
				     "so the old keys stay; run this again when it has ended");
}

/* seal.key has the newest key only. Once more with the old ones, which stay on the disk until nothing was found for them. */
static enum rc drop_old(struct keys *k, struct err *err)
{
	AUTO_TEXT char *retired = sealring_retired(k->key_path);
	struct rewrap_sum last = { 0 };
	enum rc rc;

	k->published_at = clock_mono();
	rc = rewrap_all(k, &last, err);
	if (rc == RC_OK)
		rc = no_stuck(&last, retired, err);
	if (rc == RC_OK)
		rc = sealring_forget(k->key_path, err);
	if (rc == RC_OK)
		printf("%zu old keys are gone from %s; destroy its old backups, too\n",
		       seal_keyring_count(k->ring) - 1, k->key_path);
	return rc;
}

static enum rc retire(struct keys *k, struct err *err)
{
	struct rewrap_sum last = { 0 };
	enum rc rc = wait_for_writers(k, err);

	if (rc == RC_OK)
		rc = rewrap_all(k, &last, err);
	if (rc == RC_OK)
		rc = no_stuck(&last, k->key_path, err);
	if (rc == RC_OK)
		rc = sealring_set_aside(k->key_path, err);
	if (rc == RC_OK)
		rc = sealring_keep_newest(k->key_path, err);
	return rc == RC_OK ? drop_old(k, err) : rc;
}

/* A run that ended while it dropped the old keys. */
static enum rc resume(struct keys *k, struct err *err)
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

static enum rc rotate_locked(struct keys *k, struct err *err)
{
	struct rewrap_sum last = { 0 };
	enum rc rc = reload(k, err); /* as it is now that nobody else changes it */

	if (rc != RC_OK)
		return rc;
	if (seal_keyring_count(k->ring) == 1 && has_retired(k))
		return resume(k, err);
	if (k->add_only)
		return add_only(k, err);
	rc = bring_key(k, err);
	if (rc == RC_OK)
		rc = rewrap_all(k, &last, err);
	if (rc == RC_OK)
		rc = no_stuck(&last, k->key_path, err);
	if (rc == RC_OK && k->retire)
		return retire(k, err);
	if (rc == RC_OK)
		printf("every value is under the newest key. When all servers have the new "
		       "seal.pub:\nconnectord keys rotate --retire   drops the old keys\n");
	return rc;
}

static int rotate(struct config *c, const char *dir, const struct keys *asked)
{
	AUTO(keys) struct keys k = *asked;
	struct err err = { 0 };
	int lock = -1;
	enum rc rc = open_all(&k, c, dir, &err);

	k.grace = config_i64(c, "keys_grace_s") * CLOCK_S;
	if (rc == RC_OK)
		rc = sealring_lock(k.key_path, &lock, &err);
	if (rc == RC_OK)
		rc = rotate_locked(&k, &err);
	if (lock >= 0)
		close(lock);
	return rc == RC_OK ? CMD_OK : cmd_fail("keys rotate", &err);
}

/* --- new --- */

static int make(const char *dir)
{
	struct err err = { 0 };

	if (keyfiles_make(dir, NULL, &err) != RC_OK)
		return cmd_fail("keys new", &err);
	printf("%s: seal.key for workers (back it up), seal.pub and operator.key for servers\n",
	       dir);
	return CMD_OK;
}

static int usage(void)
{
	fprintf(stderr, "connectord keys: say what to do and name the folder: keys new DIR, keys "
			"status DIR, "
			"keys rotate DIR [--add-only | --retire [--single-host]]\n");
	return CMD_USAGE;
}

int cmd_keys(struct config *c, int argc, char **argv)
{
	const char *operands[OPERANDS_MAX] = { NULL, NULL };
	struct keys asked = { 0 };
	int n = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--retire") == 0)
			asked.retire = true;
		else if (strcmp(argv[i], "--add-only") == 0)
			asked.add_only = true;
		else if (strcmp(argv[i], "--single-host") == 0)
			asked.single_host = true;
		else if (n < OPERANDS_MAX)
			operands[n++] = argv[i];
	}
	if (n == 0 || (asked.retire && asked.add_only) || (asked.single_host && !asked.retire))
		return usage();
	if (strcmp(operands[0], "rotate") == 0)
		return rotate(c, operands[1], &asked);
	if (asked.retire || asked.add_only)
		return usage();
	if (strcmp(operands[0], "status") == 0)
		return status(c, operands[1]);
	if (strcmp(operands[0], "new") == 0)
		return n == 2 ? make(operands[1]) : usage();
	/* `keys DIR`, as it was before there was more than one thing to do. */
	return n == 1 ? make(operands[0]) : usage();
}
