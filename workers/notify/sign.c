/* Signs what is delivered. The secret's bytes and what was made of them are wiped here; none of them
 * ever enters an error. */
#include "workers/notify/sign.h"
#include "base/text.h"

#include <sodium.h>

static const char SIGN_PREFIX[] = "whsec_";

static enum rc key_of(struct str secret, struct buf *key, struct err *err)
{
	struct str prefix = str_c(SIGN_PREFIX);

	if (str_starts(secret, prefix) &&
	    text_base64_decode(key, str_sub(secret, prefix.n, secret.n)) == RC_OK &&
	    key->n >= SIGN_SECRET_MIN && key->n <= SIGN_SECRET_MAX)
		return RC_OK;
	return err_set(err, RC_INVALID, "invalid_secret",
		       "the signing secret is not whsec_ and %d to %d bytes in base64",
		       SIGN_SECRET_MIN, SIGN_SECRET_MAX);
}

enum rc sign_add(struct buf *out, struct str secret, struct str id, int64_t timestamp_s,
		 struct str body, struct err *err)
{
	struct buf key = BUF_INIT(4 * SIGN_SECRET_MAX);
	struct buf said = BUF_INIT(id.n + body.n + 32);
	unsigned char mac[TEXT_SHA256] = { 0 };
	enum rc rc = key_of(secret, &key, err);

	if (rc == RC_OK)
		rc = buf_printf(&said, "%.*s.%lld.", STR_FMT(id), (long long)timestamp_s);
	if (rc == RC_OK)
		rc = buf_put(&said, body);
	if (rc == RC_OK) {
		text_hmac_sha256(buf_str(&key), buf_str(&said), mac);
		rc = buf_put(out, out->n > 0 ? S(" v1,") : S("v1,"));
	}
	if (rc == RC_OK)
		rc = text_base64(out, str_n(mac, sizeof(mac)));
	sodium_memzero(mac, sizeof(mac));
	buf_wipe(&key);
	buf_done(&said);
	if (rc == RC_LIMIT)
		return err_set(err, rc, "signature_too_long", "the signatures do not fit");
	return rc;
}
