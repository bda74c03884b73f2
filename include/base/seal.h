/* Sealed secrets: the server seals, only a worker opens.
 *
 * Envelope (bytes): "cs1" | key_id[8] | sealed data key (32 + crypto_box_SEALBYTES) | nonce[24] |
 * ciphertext + tag[16]. A random data key per secret is sealed to the keyring's X25519 public key;
 * the secret is encrypted under it with XChaCha20-Poly1305. The associated data binds (org,
 * connection, field, key id), so that a blob moved to another row, field or organization does not
 * open. key_id = first 8 bytes of BLAKE2b(public key). */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/secret.h"

enum {
	SEAL_KEY_ID_BYTES = 8,
	SEAL_PUBLIC_BYTES = 32,
	SEAL_OVERHEAD = 3 + 8 + 32 + 48 + 24 + 16,
	SEAL_PLAIN_MAX = 8192
};

struct seal_public {
	unsigned char bytes[SEAL_PUBLIC_BYTES];
	unsigned char key_id[SEAL_KEY_ID_BYTES];
};

/* What a sealed secret belongs to; all three are part of the associated data. */
struct seal_place {
	struct str org_id;        /* UUID text */
	struct str connection_id; /* UUID text */
	struct str field;         /* "secret_access_key" */
};

struct seal_keyring;                            /* secret keys by key id; worker only; immutable */
void seal_keyring_free(struct seal_keyring *k); /* drops a reference */
DEFINE_AUTO(seal_keyring)
struct seal_keyring *seal_keyring_ref(struct seal_keyring *k) NEVER_NULL;

/* The public halves, newest first; i < seal_keyring_count(). */
size_t seal_keyring_count(const struct seal_keyring *k);
struct seal_public seal_keyring_public(const struct seal_keyring *k, size_t i);
/* Which key an envelope names; false: it is none. Says nothing about whether it opens. */
bool seal_key_id(struct str envelope, unsigned char ret[SEAL_KEY_ID_BYTES]);

/* The two halves look alike, and swapping them would be silent: a server would hold the opening key and seal to a key that
 * nobody has. So each line of a key file says which half it is. */
#define SEAL_PUBLIC_LABEL S("seal-public:")
#define SEAL_SECRET_LABEL S("seal-secret:")

/* Makes a key pair: DIR/seal.key (0600, "seal-secret:" and base64) and DIR/seal.pub ("seal-public:"
 * and base64). RC_CONFLICT: exists. */
MUST_CHECK enum rc seal_keys_make(const char *dir, struct err *err);
/* One labelled key a line; the first line of a seal.key is the newest. RC_INVALID: not such a file, or
 * the other half of a pair. */
MUST_CHECK enum rc seal_public_load(const char *path, struct seal_public *ret, struct err *err);
MUST_CHECK enum rc seal_keyring_load(const char *path, struct seal_keyring **ret, struct err *err);

/* *ret_envelope: mem_free(); *ret_n bytes. RC_LIMIT: plain longer than SEAL_PLAIN_MAX. */
MUST_CHECK enum rc seal_close(const struct seal_public *key, const struct seal_place *place,
			      struct str plain, char **ret_envelope, size_t *ret_n,
			      struct err *err);
/* RC_INVALID: not an envelope. RC_NOT_FOUND: sealed to a key that this keyring lacks. RC_BROKEN:
 * damaged or moved. */
MUST_CHECK enum rc seal_open(const struct seal_keyring *keys, const struct seal_place *place,
			     struct str envelope, struct secret **ret, struct err *err);
/* The same into a secret of SEAL_PLAIN_MAX bytes that is used again and again; *ret views it until then. */
MUST_CHECK enum rc seal_open_into(const struct seal_keyring *keys, const struct seal_place *place,
				  struct str envelope, struct secret *room, struct str *ret,
				  struct err *err);

#endif
