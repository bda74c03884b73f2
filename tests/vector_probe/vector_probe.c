/* Answers vectors of tests/system/test_vectors.py, one a line: "ok" and what came out in hex, or the code of the refusal.
 *   vector_probe json              TEXT
 *   vector_probe hmac              KEY MESSAGE
 *   vector_probe open KEY_FILE     ORGANIZATION CONNECTION FIELD ENVELOPE
 *   vector_probe close PUBLIC_FILE ORGANIZATION CONNECTION FIELD SECRET
 *   vector_probe jwt KEY_SET_FILE  TOKEN
 * Bytes are in hex with "-" for none, the rest is as it is. It is no part of the product. */
#include "base/mem.h"
#include "base/seal.h"
#include "base/text.h"
#include "server/jwt.h"
#include "workers/aws/digest.h"

#include <sodium.h>
#include <stdio.h>

enum { LINE_BYTES = 1 << 20 };

struct probe {
	const char *file;
	struct digest *digest;
	struct seal_public public;
	struct seal_keyring *keys;
	struct jwt *jwt;
};

typedef enum rc answer_fn(struct probe *p, struct str line, struct err *err);

static enum rc put_ok(struct str bytes)
{
	AUTO(buf) struct buf hex = BUF_INIT(2 * LINE_BYTES);
	enum rc rc = text_hex(&hex, bytes);

	if (rc == RC_OK)
		printf("ok %s", buf_c(&hex));
	return rc;
}

/* The next word of the line, which is hex, as bytes. */
static enum rc take_bytes(struct str *line, struct buf *ret, struct err *err)
{
	static unsigned char bytes[LINE_BYTES];
	struct str hex = str_cut(line, ' ');
	size_t n = 0;

	if (str_eq(hex, S("-")))
		return RC_OK;
	if (sodium_hex2bin(bytes, sizeof(bytes), hex.p, hex.n, NULL, &n, NULL) != 0)
		return err_set(err, RC_INVALID, "probe", "that is not hex");
	return buf_put(ret, str_n(bytes, n));
}

static enum rc answer_json(struct probe *p, struct str line, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT(LINE_BYTES);
	AUTO_JSON json_t *tree = NULL;
	enum rc rc = take_bytes(&line, &text, err);

	(void)p;
	if (rc == RC_OK)
		rc = json_parse(buf_str(&text), JSON_DEPTH_MAX, &tree, err);
	return rc == RC_OK ? put_ok(S("")) : rc;
}

/* Both of ours must say the same: "ok" and one, or "differ". */
static enum rc answer_hmac(struct probe *p, struct str line, struct err *err)
{
	AUTO(buf) struct buf key = BUF_INIT(LINE_BYTES);
	AUTO(buf) struct buf message = BUF_INIT(LINE_BYTES);
	unsigned char one[TEXT_SHA256], other[TEXT_SHA256];
	enum rc rc = take_bytes(&line, &key, err);

	if (rc == RC_OK)
		rc = take_bytes(&line, &message, err);
	if (rc != RC_OK)
		return rc;
	text_hmac_sha256(buf_str(&key), buf_str(&message), one);
	digest_hmac(p->digest, str_n(buf_c(&key), key.n), buf_str(&message), other);
	if (memcmp(one, other, sizeof(one)) != 0)
		return err_set(err, RC_BROKEN, "differ", "two HMACs of one message");
	return put_ok(str_n(one, sizeof(one)));
}

static struct seal_place take_place(struct str *line)
{
	struct str org = str_cut(line, ' '), connection = str_cut(line, ' ');

	return (struct seal_place){ .org_id = org,
				    .connection_id = connection,
				    .field = str_cut(line, ' ') };
}

static enum rc answer_open(struct probe *p, struct str line, struct err *err)
{
	AUTO(buf) struct buf envelope = BUF_INIT(LINE_BYTES);
	AUTO(secret) struct secret *plain = NULL;
	const struct seal_place place = take_place(&line);
	enum rc rc = take_bytes(&line, &envelope, err);

	if (rc == RC_OK)
		rc = seal_open(p->keys, &place, buf_str(&envelope), &plain, err);
	return rc == RC_OK ? put_ok(secret_str(plain)) : rc;
}

static enum rc answer_close(struct probe *p, struct str line, struct err *err)
{
	AUTO(buf) struct buf plain = BUF_INIT(LINE_BYTES);
	AUTO_TEXT char *envelope = NULL;
	const struct seal_place place = take_place(&line);
	size_t n = 0;
	enum rc rc = take_bytes(&line, &plain, err);

	if (rc == RC_OK)
		rc = seal_close(&p->public, &place, buf_str(&plain), &envelope, &n, err);
	return rc == RC_OK ? put_ok(str_n(envelope, n)) : rc;
}

static enum rc answer_jwt(struct probe *p, struct str line, struct err *err)
{
	struct jwt_claims claims;
	enum rc rc = jwt_verify(p->jwt, line, &claims, err);

	return rc == RC_OK ? put_ok(S("")) : rc;
}

static enum rc begin(struct probe *p, const char *what, answer_fn **ret, struct err *err)
{
	const struct jwt_settings jwt = { .issuer = "https://issuer.example/realm",
					  .audience = "connectord-tests",
					  .algorithms = "RS256,ES256",
					  .org_claim = "org_id",
					  .scope_claim = "scope",
					  .role_claim = "",
					  .leeway_s = 60,
					  .keys = { .url = "",
						    .file = p->file,
						    .ca_file = "",
						    .ttl_s = 3600,
						    .min_s = 3600,
						    .stale_s = 3600 } };

	*ret = strcmp(what, "json") == 0    ? answer_json
	       : strcmp(what, "hmac") == 0  ? answer_hmac
	       : strcmp(what, "open") == 0  ? answer_open
	       : strcmp(what, "close") == 0 ? answer_close
					    : answer_jwt;
	if (*ret == answer_hmac)
		p->digest = digest_new();
	if (*ret == answer_open)
		return seal_keyring_load(p->file, &p->keys, err);
	if (*ret == answer_close)
		return seal_public_load(p->file, &p->public, err);
	return *ret == answer_jwt ? jwt_new(&jwt, &p->jwt, err) : RC_OK;
}

int main(int argc, char **argv)
{
	static char bytes[LINE_BYTES];
	struct probe p = { .file = argc > 2 ? argv[2] : "" };
	struct err err = { 0 };
	answer_fn *answer = NULL;
	enum rc rc = RC_OK;

	json_setup();
	secret_harden_process();
	rc = begin(&p, argc > 1 ? argv[1] : "", &answer, &err);
	if (rc != RC_OK) {
		fprintf(stderr, "vector_probe: %s %s\n", err.code, err.text);
		return 1;
	}
	while (fgets(bytes, sizeof(bytes), stdin)) {
		struct str line = str_c(bytes);

		err_clear(&err);
		if (answer(&p, str_sub(line, 0, line.n - str_ends(line, S("\n"))), &err) != RC_OK)
			printf("%s", err.code);
		printf("\n");
	}
	jwt_free(p.jwt);
	seal_keyring_free(p.keys);
	digest_free(p.digest);
	return 0;
}
