/* Encodings and text hygiene: UTF-8, percent, hex, base64, and SHA-256 over what was encoded.
 * Never guesses: a malformed input is refused or replaced, by the rule in the header. */
#include "base/text.h"
#include "base/mem.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>

size_t text_next(struct str s, uint32_t *ret)
{
	/* By the number of bytes: the marker bits of the lead byte, and the least code point that
	 * needs so many (below it the form is overlong). */
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} FORMS[] = { { 0x80, 0x00, 0 },
		      { 0xe0, 0xc0, 0x80 },
		      { 0xf0, 0xe0, 0x800 },
		      { 0xf8, 0xf0, 0x10000 } };
	unsigned char first = s.n ? (unsigned char)s.p[0] : 0xff;

	for (size_t n = 1; n <= COUNT_OF(FORMS); n++) {
		uint32_t point = first & (uint32_t)(unsigned char)~FORMS[n - 1].mask;

		if ((first & FORMS[n - 1].mask) != FORMS[n - 1].lead)
			continue;
		if (s.n < n)
			return 0;
		for (size_t i = 1; i < n; i++) {
			if (((unsigned char)s.p[i] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | ((unsigned char)s.p[i] & 0x3f);
		}
		if (point < FORMS[n - 1].least || point > 0x10ffff ||
		    (point >= 0xd800 && point <= 0xdfff))
			return 0;
		*ret = point;
		return n;
	}
	return 0;
}

/* Bytes at the head that are printable or white-space ASCII: nearly everything, so it is skipped
 * in one go. */
static size_t plain_run(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] > 0 && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

bool text_is_utf8(struct str s)
{
	uint32_t point = 0;

	while (s.n) {
		size_t n = plain_run(s);

		if (n == 0)
			n = text_next(s, &point);
		if (n == 0 || (n == 1 && s.p[0] == '\0'))
			return false;
		s = str_sub(s, n, s.n - n);
	}
	return true;
}

/* The content that a failed call leaves behind is the content before it. */
static enum rc undo(struct buf *out, size_t before, enum rc rc)
{
	buf_cut(out, before);
	return rc;
}

enum rc text_clean(struct buf *out, struct str s)
{
	const size_t before = out->n;
	uint32_t point = 0;

	while (s.n) {
		size_t n = plain_run(s);
		enum rc rc = RC_OK;

		if (n == 0)
			n = text_next(s, &point);
		if (n == 0)
			rc = buf_put(out, S("\xef\xbf\xbd"));
		else if (s.p[0] != '\0')
			rc = buf_put(out, str_n(s.p, n));
		if (rc != RC_OK)
			return undo(out, before, rc);
		n = n ? n : 1;
		s = str_sub(s, n, s.n - n);
	}
	return RC_OK;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum rc text_percent_decode(struct buf *out, struct str s)
{
	const size_t before = out->n;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		enum rc rc = RC_OK;

		if (c == '%') {
			int high = i + 2 < s.n ? digit(s.p[i + 1]) : -1;
			int low = i + 2 < s.n ? digit(s.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return undo(out, before, RC_INVALID);
			c = (char)(high << 4 | low);
			i += 2;
		}
		rc = buf_putc(out, c);
		if (rc != RC_OK)
			return undo(out, before, rc);
	}
	return RC_OK;
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

enum rc text_percent_encode(struct buf *out, struct str s, bool keep_slash)
{
	static const char HEX[] = "0123456789ABCDEF";
	const size_t before = out->n;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		const char escape[] = { '%', HEX[c >> 4], HEX[c & 15] };
		bool plain = is_unreserved(s.p[i]) || (keep_slash && c == '/');
		enum rc rc = buf_put(out, plain ? str_n(s.p + i, 1) : str_n(escape, 3));

		if (rc != RC_OK)
			return undo(out, before, rc);
	}
	return RC_OK;
}

enum rc text_hex(struct buf *out, struct str bytes)
{
	static const char HEX[] = "0123456789abcdef";
	const size_t before = out->n;

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];
		const char pair[] = { HEX[c >> 4], HEX[c & 15] };
		enum rc rc = buf_put(out, str_n(pair, 2));

		if (rc != RC_OK)
			return undo(out, before, rc);
	}
	return RC_OK;
}

/* sodium's base64 runs in constant time: keys pass here. */
enum rc text_base64(struct buf *out, struct str bytes)
{
	size_t room = 0;
	char *text = NULL;
	enum rc rc = RC_OK;

	if (bytes.n > out->max)
		return RC_LIMIT;
	room = sodium_base64_ENCODED_LEN(bytes.n, sodium_base64_VARIANT_ORIGINAL);
	text = mem_alloc(room);
	sodium_bin2base64(text, room, (const unsigned char *)bytes.p, bytes.n,
			  sodium_base64_VARIANT_ORIGINAL);
	rc = buf_put(out, str_n(text, room - 1));
	sodium_memzero(text, room);
	mem_free(text);
	return rc;
}

enum rc text_base64_decode(struct buf *out, struct str s)
{
	int variant = str_has(s, S("=")) ? sodium_base64_VARIANT_ORIGINAL
					 : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	size_t room = s.n / 4 * 3 + 3, n = 0;
	unsigned char *bytes = NULL;
	enum rc rc = RC_INVALID;

	if (s.n == 0)
		return buf_put(out, s);
	bytes = mem_alloc(room);
	if (sodium_base642bin(bytes, room, s.p, s.n, " \t\r\n\v\f", &n, NULL, variant) == 0)
		rc = buf_put(out, str_n(bytes, n));
	sodium_memzero(bytes, room);
	mem_free(bytes);
	return rc;
}

/* Fetched once: looking an algorithm up by name on every call is most of the cost in OpenSSL 3. */
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256; /* immutable after sha256_once */

static void fetch_sha256(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	assert(sha256);
}

void text_sha256(struct str s, unsigned char out[TEXT_SHA256])
{
	unsigned n = 0;
	int ok = 0;

	pthread_once(&sha256_once, fetch_sha256);
	ok = EVP_Digest(s.n ? s.p : "", s.n, out, &n, sha256, NULL);
	assert(ok == 1 && n == TEXT_SHA256);
}

void text_sha256_hex(struct str s, char out[TEXT_SHA256_HEX])
{
	unsigned char hash[TEXT_SHA256];

	text_sha256(s, hash);
	sodium_bin2hex(out, TEXT_SHA256_HEX, hash, sizeof(hash));
}

void text_hmac_sha256(struct str key, struct str msg, unsigned char out[TEXT_SHA256])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)(key.n ? key.p : ""), key.n);
	if (msg.n)
		crypto_auth_hmacsha256_update(&state, (const unsigned char *)msg.p, msg.n);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}
