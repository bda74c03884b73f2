/* The signer. Chosen over libcurl's own, which mis-signs queries, S3 sub-resources and encoded
 * paths in the versions we build on. Never logs, never keeps a secret: only derived day keys. */
#include "workers/aws/sigv4.h"
#include "base/clock.h"
#include "base/mem.h"
#include "workers/aws/sigv4_order.h"
#include <openssl/crypto.h>

struct day_key {
	uint64_t id; /* 0 = free */
	char day[CLOCK_TEXT_MAX];
	char region[32];
	char service[32];
	unsigned char key[TEXT_SHA256];
};

struct sigv4 {
	struct digest *digest;
	struct day_key keys[SIGV4_KEYS_MAX];
	size_t next; /* the slot that is overwritten next */
	struct buf canonical;
	struct buf text;
};

void sigv4_free(struct sigv4 *s)
{
	if (s == NULL)
		return;
	digest_free(s->digest);
	buf_done(&s->canonical);
	buf_done(&s->text);
	OPENSSL_cleanse(s->keys, sizeof(s->keys));
	mem_free(s);
}

struct sigv4 *sigv4_new(void)
{
	struct sigv4 *s = MEM_NEW(struct sigv4);

	s->digest = digest_new();
	s->canonical = (struct buf)BUF_INIT(SIGV4_TEXT_MAX);
	s->text = (struct buf)BUF_INIT(SIGV4_TEXT_MAX);
	return s;
}

struct digest *sigv4_digest(struct sigv4 *s)
{
	return s->digest;
}

static enum rc too_long(struct err *err)
{
	return err_set(err, RC_LIMIT, "request_too_long",
		       "a request to sign has more than %d headers or parameters, or %d bytes",
		       SIGV4_PAIRS_MAX, SIGV4_TEXT_MAX);
}

/* RFC 3986 5.2.4, and empty segments go as well: the form in which AWS verifies. */
static enum rc normal_path(struct buf *out, struct str path)
{
	struct str rest = path;
	size_t kept[SIGV4_PAIRS_MAX]; /* where each kept segment begins */
	size_t n = 0;
	enum rc rc = buf_putc(out, '/');

	while (rest.n > 0 && rc == RC_OK) {
		struct str part = str_cut(&rest, '/');

		if (part.n == 0 || str_eq(part, S(".")))
			continue;
		if (str_eq(part, S(".."))) {
			if (n > 0)
				buf_cut(out, kept[--n]);
			continue;
		}
		if (n == SIGV4_PAIRS_MAX)
			return RC_LIMIT;
		kept[n++] = out->n;
		rc = buf_put(out, part);
		if (rc == RC_OK)
			rc = buf_putc(out, '/');
	}
	if (rc == RC_OK && n > 0 && path.p[path.n - 1] != '/')
		buf_cut(out, out->n - 1);
	return rc;
}

static enum rc put_path(const struct sigv4_request *r, struct buf *out)
{
	AUTO(buf) struct buf normal = BUF_INIT(SIGV4_TEXT_MAX);
	enum rc rc;

	if (r->path_as_is)
		return r->path.n == 0 ? buf_putc(out, '/') : buf_put(out, r->path);
	rc = normal_path(&normal, r->path);
	return rc == RC_OK ? text_percent_encode(out, buf_str(&normal), true) : rc;
}

static enum rc put_query(const struct sigv4_request *r, struct buf *out)
{
	AUTO(buf) struct buf coded = BUF_INIT(SIGV4_TEXT_MAX);
	struct sigv4_order order[SIGV4_PAIRS_MAX];
	enum rc rc = sigv4_order_query(r->query, r->query_n, &coded, order);

	for (size_t i = 0; i < r->query_n && rc == RC_OK; i++) {
		if (i > 0)
			rc = buf_putc(out, '&');
		if (rc == RC_OK)
			rc = buf_put(out, order[i].name);
		if (rc == RC_OK)
			rc = buf_putc(out, '=');
		if (rc == RC_OK)
			rc = buf_put(out, order[i].value);
	}
	return rc;
}

/* Trimmed, and inner runs of white space become one space. */
static enum rc put_value(struct buf *out, struct str value)
{
	enum rc rc = RC_OK;
	bool gap = false;

	value = str_trim(value);
	for (size_t i = 0; i < value.n && rc == RC_OK; i++) {
		bool space = value.p[i] == ' ' || (value.p[i] >= '\t' && value.p[i] <= '\r');

		if (!space)
			rc = buf_putc(out, value.p[i]);
		else if (!gap)
			rc = buf_putc(out, ' ');
		gap = space;
	}
	return rc;
}

/* A header given twice is one line with the values joined by commas. */
static enum rc put_headers(const struct sigv4_order *order, size_t n, struct buf *out)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		bool again = i > 0 && str_eq(order[i].name, order[i - 1].name);

		if (i > 0)
			rc = buf_putc(out, again ? ',' : '\n');
		if (rc == RC_OK && !again)
			rc = buf_put(out, order[i].name);
		if (rc == RC_OK && !again)
			rc = buf_putc(out, ':');
		if (rc == RC_OK)
			rc = put_value(out, order[i].value);
	}
	return rc == RC_OK ? buf_putc(out, '\n') : rc;
}

static enum rc put_names(const struct sigv4_order *order, size_t n, struct buf *out)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		if (i > 0 && str_eq(order[i].name, order[i - 1].name))
			continue;
		if (i > 0)
			rc = buf_putc(out, ';');
		if (rc == RC_OK)
			rc = buf_put(out, order[i].name);
	}
	return rc;
}

enum rc sigv4_signed_headers(const struct sigv4_request *r, struct buf *out, struct err *err)
{
	struct sigv4_order order[SIGV4_PAIRS_MAX];

	if (sigv4_order_headers(r->headers, r->headers_n, order) != RC_OK ||
	    put_names(order, r->headers_n, out) != RC_OK)
		return too_long(err);
	return RC_OK;
}

enum rc sigv4_canonical(const struct sigv4_request *r, struct buf *out, struct err *err)
{
	struct sigv4_order order[SIGV4_PAIRS_MAX];
	enum rc rc = sigv4_order_headers(r->headers, r->headers_n, order);

	if (rc == RC_OK)
		rc = buf_printf(out, "%s\n", r->method);
	if (rc == RC_OK)
		rc = put_path(r, out);
	if (rc == RC_OK)
		rc = buf_putc(out, '\n');
	if (rc == RC_OK)
		rc = put_query(r, out);
	if (rc == RC_OK)
		rc = buf_putc(out, '\n');
	if (rc == RC_OK)
		rc = put_headers(order, r->headers_n, out);
	if (rc == RC_OK)
		rc = buf_putc(out, '\n');
	if (rc == RC_OK)
		rc = put_names(order, r->headers_n, out);
	if (rc == RC_OK)
		rc = buf_putc(out, '\n');
	if (rc == RC_OK)
		rc = buf_put(out, r->payload_hash);
	return rc == RC_OK ? RC_OK : too_long(err);
}

enum rc sigv4_string_to_sign(struct digest *d, const struct sigv4_scope *scope,
			     struct str canonical, struct buf *out, struct err *err)
{
	char hash[TEXT_SHA256_HEX];
	char stamp[CLOCK_TEXT_MAX];
	char day[CLOCK_TEXT_MAX];

	digest_sha256_hex(d, canonical, hash);
	clock_amz(scope->wall, stamp);
	clock_amz_date(scope->wall, day);
	if (buf_printf(out, "AWS4-HMAC-SHA256\n%s\n%s/%.*s/%.*s/aws4_request\n%s", stamp, day,
		       STR_FMT(scope->region), STR_FMT(scope->service), hash) != RC_OK)
		return too_long(err);
	return RC_OK;
}

static enum rc derive(struct sigv4 *s, const struct sigv4_scope *scope,
		      const struct sigv4_keys *keys, const char *day,
		      unsigned char out[TEXT_SHA256])
{
	AUTO(buf) struct buf seed = BUF_INIT(SIGV4_TEXT_MAX);
	unsigned char a[TEXT_SHA256];
	enum rc rc = buf_put(&seed, S("AWS4"));

	if (rc == RC_OK)
		rc = buf_put(&seed, keys->secret);
	if (rc == RC_OK) {
		digest_hmac(s->digest, buf_str(&seed), str_c(day), a);
		digest_hmac(s->digest, str_n(a, sizeof(a)), scope->region, out);
		digest_hmac(s->digest, str_n(out, TEXT_SHA256), scope->service, a);
		digest_hmac(s->digest, str_n(a, sizeof(a)), S("aws4_request"), out);
	}
	OPENSSL_cleanse(a, sizeof(a));
	buf_wipe(&seed);
	return rc;
}

static bool is_key_of(const struct day_key *k, const struct sigv4_scope *scope, uint64_t id,
		      const char *day)
{
	return k->id == id && str_eq(str_c(k->day), str_c(day)) &&
	       str_eq(str_c(k->region), scope->region) && str_eq(str_c(k->service), scope->service);
}

/* The signing key, from the cache when the four things it depends on are the same. */
static enum rc day_key(struct sigv4 *s, const struct sigv4_scope *scope,
		       const struct sigv4_keys *keys, unsigned char out[TEXT_SHA256])
{
	char day[CLOCK_TEXT_MAX];
	struct day_key *k;
	enum rc rc;

	clock_amz_date(scope->wall, day);
	for (size_t i = 0; keys->id != 0 && i < SIGV4_KEYS_MAX; i++) {
		if (is_key_of(&s->keys[i], scope, keys->id, day)) {
			memcpy(out, s->keys[i].key, TEXT_SHA256);
			return RC_OK;
		}
	}
	rc = derive(s, scope, keys, day, out);
	if (rc != RC_OK || keys->id == 0 || scope->region.n >= sizeof(k->region) ||
	    scope->service.n >= sizeof(k->service))
		return rc;
	k = &s->keys[s->next];
	s->next = (s->next + 1) % SIGV4_KEYS_MAX;
	*k = (struct day_key){ .id = keys->id };
	memcpy(k->day, day, sizeof(k->day));
	memcpy(k->region, scope->region.p, scope->region.n);
	memcpy(k->service, scope->service.p, scope->service.n);
	memcpy(k->key, out, TEXT_SHA256);
	return RC_OK;
}

enum rc sigv4_authorize(struct sigv4 *s, const struct sigv4_request *r,
			const struct sigv4_scope *scope, const struct sigv4_keys *keys,
			struct buf *out, struct err *err)
{
	unsigned char key[TEXT_SHA256];
	unsigned char mac[TEXT_SHA256];
	char day[CLOCK_TEXT_MAX];
	enum rc rc;

	buf_cut(&s->canonical, 0);
	buf_cut(&s->text, 0);
	rc = sigv4_canonical(r, &s->canonical, err);
	if (rc == RC_OK)
		rc = sigv4_string_to_sign(s->digest, scope, buf_str(&s->canonical), &s->text, err);
	if (rc != RC_OK)
		return rc;
	clock_amz_date(scope->wall, day);
	rc = day_key(s, scope, keys, key);
	if (rc == RC_OK)
		digest_hmac(s->digest, str_n(key, sizeof(key)), buf_str(&s->text), mac);
	OPENSSL_cleanse(key, sizeof(key));
	if (rc == RC_OK)
		rc = buf_printf(out,
				"AWS4-HMAC-SHA256 Credential=%.*s/%s/%.*s/%.*s/aws4_request, "
				"SignedHeaders=",
				STR_FMT(keys->access_key_id), day, STR_FMT(scope->region),
				STR_FMT(scope->service));
	if (rc != RC_OK)
		return too_long(err);
	rc = sigv4_signed_headers(r, out, err);
	if (rc == RC_OK && (buf_put(out, S(", Signature=")) != RC_OK ||
			    text_hex(out, str_n(mac, sizeof(mac))) != RC_OK))
		return too_long(err);
	return rc;
}
