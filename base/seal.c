/* Sealing: whoever holds the public key closes, only a keyring opens. A data key per secret, sealed
 * to the keyring; the secret under it, bound to its place by the associated data.
 * Never keeps a plain secret or a data key outside guarded memory, never says what was bad. */
#include "base/seal.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/newfile.h"
#include "base/text.h"

#include <assert.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum {
	SEAL_MAGIC_BYTES = 3,
	SEAL_DATA_KEY_BYTES = 32,
	SEAL_BOX_BYTES = SEAL_DATA_KEY_BYTES + crypto_box_SEALBYTES,
	SEAL_NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	SEAL_TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	SEAL_AT_KEY_ID = SEAL_MAGIC_BYTES,
	SEAL_AT_BOX = SEAL_AT_KEY_ID + SEAL_KEY_ID_BYTES,
	SEAL_AT_NONCE = SEAL_AT_BOX + SEAL_BOX_BYTES,
	SEAL_AT_TEXT = SEAL_AT_NONCE + SEAL_NONCE_BYTES,
	SEAL_KEYS_MAX = 16,
	SEAL_LABEL_MAX = 256,
	SEAL_LINE_MAX = 128,
	SEAL_AD_MAX = 5 * 4 + SEAL_MAGIC_BYTES + 3 * SEAL_LABEL_MAX + SEAL_KEY_ID_BYTES
};

_Static_assert(SEAL_OVERHEAD == SEAL_AT_TEXT + SEAL_TAG_BYTES, "the envelope in seal.h");
_Static_assert(SEAL_PUBLIC_BYTES == crypto_box_PUBLICKEYBYTES &&
		       SEAL_DATA_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
	       "the keys are libsodium's");

static const unsigned char SEAL_MAGIC[SEAL_MAGIC_BYTES] = { 'c', 's', '1' };

struct seal_keyring {
	int refs; /* atomic */
	size_t n;
	struct seal_public public[SEAL_KEYS_MAX];
	struct secret *secret[SEAL_KEYS_MAX]; /* crypto_box_SECRETKEYBYTES each */
};

void seal_keyring_free(struct seal_keyring *k)
{
	if (!k || __atomic_sub_fetch(&k->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < k->n; i++)
		secret_free(k->secret[i]);
	mem_free(k);
}

struct seal_keyring *seal_keyring_ref(struct seal_keyring *k)
{
	__atomic_add_fetch(&k->refs, 1, __ATOMIC_RELAXED);
	return k;
}

size_t seal_keyring_count(const struct seal_keyring *k)
{
	return k->n;
}

struct seal_public seal_keyring_public(const struct seal_keyring *k, size_t i)
{
	assert(i < k->n);
	return k->public[i];
}

bool seal_key_id(struct str envelope, unsigned char ret[SEAL_KEY_ID_BYTES])
{
	if (envelope.n < SEAL_OVERHEAD || memcmp(envelope.p, SEAL_MAGIC, SEAL_MAGIC_BYTES) != 0)
		return false;
	memcpy(ret, envelope.p + SEAL_AT_KEY_ID, SEAL_KEY_ID_BYTES);
	return true;
}

/* key_id: the first 8 bytes of BLAKE2b with 32 bytes of output. */
static void name_key(struct seal_public *key)
{
	unsigned char hash[crypto_generichash_BYTES];

	crypto_generichash(hash, sizeof(hash), key->bytes, sizeof(key->bytes), NULL, 0);
	memcpy(key->key_id, hash, sizeof(key->key_id));
}

/* The next line of a key file that holds one; an empty struct str at the end. */
static struct str next_key_line(struct str *rest)
{
	while (rest->n) {
		struct str line = str_trim(str_cut(rest, '\n'));

		if (line.n && line.p[0] != '#')
			return line;
	}
	return S("");
}

/* Decodes one line: the label, then base64 of exactly 32 bytes. */
static enum rc read_key(struct str line, struct str label, const char *path, struct secret **ret,
			struct err *err)
{
	struct buf key = BUF_INIT(crypto_box_SECRETKEYBYTES);
	enum rc rc = RC_INVALID;

	if (str_starts(line, label))
		rc = text_base64_decode(&key, str_sub(line, label.n, line.n));
	if (rc != RC_OK || key.n != crypto_box_SECRETKEYBYTES) {
		buf_wipe(&key);
		return err_set(err, RC_INVALID, "invalid_key_file",
			       "%s holds a line that is not %.*s and base64 of 32 bytes; servers "
			       "take seal.pub, workers seal.key",
			       path, STR_FMT(label));
	}
	*ret = secret_copy(buf_str(&key));
	buf_wipe(&key);
	return RC_OK;
}

enum rc seal_public_load(const char *path, struct seal_public *ret, struct err *err)
{
	AUTO(secret) struct secret *file = NULL;
	AUTO(secret) struct secret *key = NULL;
	struct str rest, line;
	enum rc rc = secret_read_file(path, &file, err);

	if (rc != RC_OK)
		return rc;
	rest = secret_str(file);
	line = next_key_line(&rest);
	if (line.n == 0)
		return err_set(err, RC_INVALID, "invalid_key_file", "%s holds no key", path);
	rc = read_key(line, SEAL_PUBLIC_LABEL, path, &key, err);
	if (rc != RC_OK)
		return rc;
	memcpy(ret->bytes, key->bytes, sizeof(ret->bytes));
	name_key(ret);
	return RC_OK;
}

static enum rc add_key(struct seal_keyring *keys, struct str line, const char *path,
		       struct err *err)
{
	enum rc rc = RC_OK;

	if (keys->n == SEAL_KEYS_MAX)
		return err_set(err, RC_LIMIT, "too_many_keys",
			       "%s holds more than %d keys; re-seal and drop the oldest", path,
			       (int)SEAL_KEYS_MAX);
	rc = read_key(line, SEAL_SECRET_LABEL, path, &keys->secret[keys->n], err);
	if (rc != RC_OK)
		return rc;
	crypto_scalarmult_base(keys->public[keys->n].bytes, keys->secret[keys->n]->bytes);
	name_key(&keys->public[keys->n]);
	keys->n++;
	return RC_OK;
}

enum rc seal_keyring_load(const char *path, struct seal_keyring **ret, struct err *err)
{
	AUTO(secret) struct secret *file = NULL;
	AUTO(seal_keyring) struct seal_keyring *keys = NULL;
	struct str rest, line;
	enum rc rc = secret_read_file(path, &file, err);

	if (rc != RC_OK)
		return rc;
	keys = MEM_NEW(struct seal_keyring);
	keys->refs = 1;
	rest = secret_str(file);
	for (line = next_key_line(&rest); line.n; line = next_key_line(&rest)) {
		rc = add_key(keys, line, path, err);
		if (rc != RC_OK)
			return rc;
	}
	if (keys->n == 0)
		return err_set(err, RC_INVALID, "invalid_key_file", "%s holds no key", path);
	*ret = TAKE(keys);
	return RC_OK;
}

/* Every part with its length in front, so that no two places share their bytes. */
static enum rc bind(const struct seal_place *place, const unsigned char *key_id, struct buf *ad,
		    struct err *err)
{
	const struct str parts[] = { str_n(SEAL_MAGIC, sizeof(SEAL_MAGIC)), place->org_id,
				     place->connection_id, place->field,
				     str_n(key_id, SEAL_KEY_ID_BYTES) };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < COUNT_OF(parts) && rc == RC_OK; i++) {
		const char length[] = { 0, 0, (char)(parts[i].n >> 8), (char)parts[i].n };

		if (parts[i].n > SEAL_LABEL_MAX)
			rc = RC_LIMIT;
		if (rc == RC_OK)
			rc = buf_put(ad, str_n(length, sizeof(length)));
		if (rc == RC_OK)
			rc = buf_put(ad, parts[i]);
	}
	if (rc == RC_OK)
		return RC_OK;
	return err_set(err, RC_INVALID, "invalid_seal_place",
		       "a part of the secret's place is longer than %d bytes", (int)SEAL_LABEL_MAX);
}

/* Of one value, for one call, within which libsodium keeps as much on the stack as well. Guarded pages, which what is sealed is kept
 * in, would cost more than all the sealing: a rotation goes through every value there is. */
struct data_key {
	unsigned char bytes[SEAL_DATA_KEY_BYTES];
};

static void data_key_done(struct data_key *k)
{
	sodium_memzero(k, sizeof(*k));
}
DEFINE_AUTO_VALUE(data_key, data_key_done)

enum rc seal_close(const struct seal_public *key, const struct seal_place *place, struct str plain,
		   char **ret_envelope, size_t *ret_n, struct err *err)
{
	AUTO(data_key) struct data_key data_key = { { 0 } };
	AUTO(buf) struct buf ad = BUF_INIT(SEAL_AD_MAX);
	AUTO_TEXT char *envelope = NULL;
	unsigned char *out = NULL;
	enum rc rc = RC_OK;

	if (plain.n > SEAL_PLAIN_MAX)
		return err_set(err, RC_LIMIT, "secret_too_long",
			       "a secret of more than %d bytes cannot be sealed",
			       (int)SEAL_PLAIN_MAX);
	rc = bind(place, key->key_id, &ad, err);
	if (rc != RC_OK)
		return rc;
	randombytes_buf(data_key.bytes, sizeof(data_key.bytes));
	envelope = mem_alloc(SEAL_OVERHEAD + plain.n);
	out = (unsigned char *)envelope;
	memcpy(out, SEAL_MAGIC, SEAL_MAGIC_BYTES);
	memcpy(out + SEAL_AT_KEY_ID, key->key_id, SEAL_KEY_ID_BYTES);
	if (crypto_box_seal(out + SEAL_AT_BOX, data_key.bytes, sizeof(data_key.bytes),
			    key->bytes) != 0)
		return err_set(err, RC_BROKEN, "seal_failed",
			       "the public sealing key is unusable; make a new pair");
	randombytes_buf(out + SEAL_AT_NONCE, SEAL_NONCE_BYTES);
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(
		    out + SEAL_AT_TEXT, NULL, (const unsigned char *)(plain.n ? plain.p : ""),
		    plain.n, (const unsigned char *)ad.p, ad.n, NULL, out + SEAL_AT_NONCE,
		    data_key.bytes) != 0)
		return err_set(err, RC_BROKEN, "seal_failed", "the secret could not be sealed");
	*ret_n = SEAL_OVERHEAD + plain.n;
	*ret_envelope = TAKE(envelope);
	return RC_OK;
}

static bool find_key(const struct seal_keyring *keys, const unsigned char *key_id, size_t *ret)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (memcmp(keys->public[i].key_id, key_id, SEAL_KEY_ID_BYTES) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* One sentence for every way in which an envelope fails to authenticate. */
static enum rc damaged(struct err *err)
{
	return err_set(err, RC_BROKEN, "seal_broken",
		       "the sealed secret is damaged or belongs to another place; enter it again");
}

enum rc seal_open(const struct seal_keyring *keys, const struct seal_place *place,
		  struct str envelope, struct secret **ret, struct err *err)
{
	/* What is too long is refused before it is looked at. */
	size_t n = envelope.n < SEAL_OVERHEAD ? 0 : envelope.n - SEAL_OVERHEAD;
	AUTO(secret) struct secret *plain = secret_new(n > SEAL_PLAIN_MAX ? 0 : n);
	struct str view;
	enum rc rc = seal_open_into(keys, place, envelope, plain, &view, err);

	if (rc == RC_OK)
		*ret = TAKE(plain);
	return rc;
}

enum rc seal_open_into(const struct seal_keyring *keys, const struct seal_place *place,
		       struct str envelope, struct secret *room, struct str *ret, struct err *err)
{
	AUTO(data_key) struct data_key data_key = { { 0 } };
	AUTO(buf) struct buf ad = BUF_INIT(SEAL_AD_MAX);
	const unsigned char *in = (const unsigned char *)envelope.p;
	size_t i = 0, n = 0;
	enum rc rc = RC_OK;

	if (envelope.n < SEAL_OVERHEAD || envelope.n > SEAL_OVERHEAD + SEAL_PLAIN_MAX ||
	    memcmp(in, SEAL_MAGIC, SEAL_MAGIC_BYTES) != 0)
		return err_set(err, RC_INVALID, "not_an_envelope",
			       "what is stored is no sealed secret of this version");
	if (!find_key(keys, in + SEAL_AT_KEY_ID, &i))
		return err_set(err, RC_NOT_FOUND, "seal_key_unknown",
			       "the secret is sealed to a key that this keyring lacks; add the old "
			       "key behind the new one in the key file");
	rc = bind(place, in + SEAL_AT_KEY_ID, &ad, err);
	if (rc != RC_OK)
		return rc;
	if (crypto_box_seal_open(data_key.bytes, in + SEAL_AT_BOX, SEAL_BOX_BYTES,
				 keys->public[i].bytes, keys->secret[i]->bytes) != 0)
		return damaged(err);
	n = envelope.n - SEAL_OVERHEAD;
	assert(n <= room->n);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    room->bytes, NULL, NULL, in + SEAL_AT_TEXT, n + SEAL_TAG_BYTES,
		    (const unsigned char *)ad.p, ad.n, in + SEAL_AT_NONCE, data_key.bytes) != 0)
		return damaged(err);
	*ret = str_n(room->bytes, n);
	return RC_OK;
}

/* A new file of one line; an existing one is never touched. */
static enum rc write_key(const char *path, mode_t mode, struct str label, struct str key,
			 struct err *err)
{
	const struct newfile file = { .path = path, .mode = mode };
	struct buf line = BUF_INIT(SEAL_LINE_MAX);
	enum rc rc = buf_put(&line, label);

	if (rc == RC_OK)
		rc = text_base64(&line, key);
	if (rc == RC_OK)
		rc = buf_putc(&line, '\n');
	if (rc == RC_OK)
		rc = newfile_write(&file, buf_str(&line), err);
	else
		rc = err_set(err, RC_BROKEN, "key_not_written",
			     "a key is longer than %d characters", (int)SEAL_LINE_MAX);
	buf_wipe(&line);
	return rc;
}

enum rc seal_keys_make(const char *dir, struct err *err)
{
	AUTO(secret) struct secret *secret = secret_new(crypto_box_SECRETKEYBYTES);
	AUTO_TEXT char *key_path = mem_text("%s/seal.key", dir);
	AUTO_TEXT char *pub_path = mem_text("%s/seal.pub", dir);
	struct seal_public public = { 0 };
	enum rc rc = RC_OK;

	crypto_box_keypair(public.bytes, secret->bytes);
	rc = write_key(key_path, 0600, SEAL_SECRET_LABEL, secret_str(secret), err);
	if (rc != RC_OK)
		return rc;
	rc = write_key(pub_path, 0644, SEAL_PUBLIC_LABEL, str_n(public.bytes, sizeof(public.bytes)),
		       err);
	/* A secret key without its public half would never be used and would block the next try. */
	if (rc != RC_OK)
		unlink(key_path);
	return rc;
}
