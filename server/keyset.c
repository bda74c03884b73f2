/* Opens the key files and the database of a `connectord keys` command. Never changes a file. */
#include "server/keyset.h"
#include "base/mem.h"
#include "base/sealring.h"

#include <stdio.h>
#include <unistd.h>

void keyset_done(struct keyset *k)
{
	mem_free(k->key_path);
	mem_free(k->pub_path);
	db_free(k->db);
	seal_keyring_free(k->ring);
}

static enum rc find_files(struct keyset *k, const struct config *c, const char *dir,
			  struct err *err)
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

enum rc keyset_open(struct keyset *k, const struct config *c, const char *dir, struct err *err)
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

enum rc keyset_reload(struct keyset *k, struct err *err)
{
	seal_keyring_free(TAKE(k->ring));
	return seal_keyring_load(k->key_path, &k->ring, err);
}

enum rc keyset_public(const struct keyset *k, struct seal_public *ret, struct err *err)
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

bool keyset_is_published(const struct keyset *k, const struct seal_public *pub)
{
	const struct seal_public newest = seal_keyring_public(k->ring, 0);

	return memcmp(newest.bytes, pub->bytes, sizeof(pub->bytes)) == 0;
}

bool keyset_has_retired(const struct keyset *k)
{
	AUTO_TEXT char *path = sealring_retired(k->key_path);

	return access(path, F_OK) == 0;
}

void keyset_text(const unsigned char key_id[SEAL_KEY_ID_BYTES], char ret[KEYSET_TEXT])
{
	static const unsigned char none[SEAL_KEY_ID_BYTES];

	if (memcmp(key_id, none, sizeof(none)) == 0) {
		snprintf(ret, KEYSET_TEXT, "none");
		return;
	}
	for (size_t i = 0; i < SEAL_KEY_ID_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", key_id[i]);
}
