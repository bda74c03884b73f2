/* What a `connectord keys` command works on: the key files of a folder, and the database whose values they open. */
#ifndef SERVER_KEYSET_H
#define SERVER_KEYSET_H

#include "base/config.h"
#include "base/seal.h"
#include "db/db.h"

struct keyset {
	char *key_path, *pub_path;
	struct db *db;
	struct seal_keyring *ring; /* of key_path, as it was last loaded */
	int64_t published_at;      /* mono: since when servers can know the newest key */
};
void keyset_done(struct keyset *k);
DEFINE_AUTO_VALUE(keyset, keyset_done)

/* dir NULL: where the settings say. */
MUST_CHECK enum rc keyset_open(struct keyset *k, const struct config *c, const char *dir,
			       struct err *err);
MUST_CHECK enum rc keyset_reload(struct keyset *k, struct err *err);
/* What servers seal with. RC_INVALID not_a_pair: nobody here opens it. */
MUST_CHECK enum rc keyset_public(const struct keyset *k, struct seal_public *ret, struct err *err);
/* Whether that is the newest key. */
bool keyset_is_published(const struct keyset *k, const struct seal_public *pub);
/* Whether a run that dropped old keys has not ended. */
bool keyset_has_retired(const struct keyset *k);

enum { KEYSET_TEXT = 2 * SEAL_KEY_ID_BYTES + 1 };
void keyset_text(const unsigned char key_id[SEAL_KEY_ID_BYTES], char ret[KEYSET_TEXT]);

#endif
