/* Verifies tokens. The only file that includes jose.h: it checks the signature, and nothing that it
 * would decide by itself is left to it: the algorithm is one of ours and fits the key's type.
 * Never uses a key, an address or a certificate that the token itself carries. */
#include "server/jwt.h"
#include "base/clock.h"
#include "base/mem.h"
#include "server/jwt_claims.h"

#include <assert.h>
#include <jose/jose.h>
#include <sodium.h>

enum { HEADER_MAX = 2048, DEPTH_MAX = 8, KID_MAX = 256 };

struct algorithm {
	const char *name, *kty, *crv;
};
/* There is none that is symmetric, and none that is none. */
static const struct algorithm ALGORITHMS[] = {
	{ "RS256", "RSA", "" },     { "RS384", "RSA", "" },     { "RS512", "RSA", "" },
	{ "PS256", "RSA", "" },     { "PS384", "RSA", "" },     { "PS512", "RSA", "" },
	{ "ES256", "EC", "P-256" }, { "ES384", "EC", "P-384" }, { "ES512", "EC", "P-521" },
};

struct jwt {
	struct jwt_settings settings; /* immutable; the texts are ours */
	const struct algorithm *allowed[JWT_ALGORITHMS_MAX];
	int allowed_n;
	struct jwks *keys;
};

/* A token's parts as they were sent. */
struct parts {
	struct str header, payload, signature;
};

void jwt_free(struct jwt *j)
{
	struct jwt_settings *s = j ? &j->settings : NULL;

	if (!j)
		return;
	jwks_free(j->keys);
	mem_free((void *)(uintptr_t)s->issuer);
	mem_free((void *)(uintptr_t)s->audience);
	mem_free((void *)(uintptr_t)s->org_claim);
	mem_free((void *)(uintptr_t)s->scope_claim);
	mem_free((void *)(uintptr_t)s->role_claim);
	mem_free(j);
}

static const struct algorithm *algorithm_of(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(ALGORITHMS); i++)
		if (str_eq(name, str_c(ALGORITHMS[i].name)))
			return &ALGORITHMS[i];
	return NULL;
}

static enum rc read_algorithms(struct jwt *j, const char *list, struct err *err)
{
	struct str rest = str_c(list);

	while (rest.n > 0) {
		struct str name = str_trim(str_cut(&rest, ','));
		const struct algorithm *one = algorithm_of(name);

		if (!one || j->allowed_n == JWT_ALGORITHMS_MAX)
			return err_set(err, RC_INVALID, "config",
				       "jwt_algorithms: %.20s is not one of RS, PS or ES with 256,"
				       " 384 or 512, or there are too many",
				       one ? one->name : "a name in it");
		j->allowed[j->allowed_n++] = one;
	}
	if (j->allowed_n == 0)
		return err_set(err, RC_INVALID, "config", "jwt_algorithms names none");
	return RC_OK;
}

static enum rc need(const char *value, const char *name, struct err *err)
{
	if (*value)
		return RC_OK;
	return err_set(err, RC_INVALID, "config", "%s is not set; jwt_issuer needs it", name);
}

enum rc jwt_new(const struct jwt_settings *s, struct jwt **ret, struct err *err)
{
	AUTO(jwt) struct jwt *j = MEM_NEW(struct jwt);
	enum rc rc = RC_OK;

	j->settings = (struct jwt_settings){ .issuer = mem_copy(s->issuer),
					     .audience = mem_copy(s->audience),
					     .org_claim = mem_copy(s->org_claim),
					     .scope_claim = mem_copy(s->scope_claim),
					     .role_claim = mem_copy(s->role_claim),
					     .leeway_s = s->leeway_s };
	rc = read_algorithms(j, s->algorithms, err);
	if (rc == RC_OK)
		rc = need(s->audience, "jwt_audience", err);
	if (rc == RC_OK)
		rc = need(s->org_claim, "jwt_org_claim", err);
	if (rc == RC_OK)
		rc = jwks_new(&s->keys, &j->keys, err);
	if (rc == RC_OK)
		*ret = TAKE(j);
	return rc;
}

static bool split(struct str token, struct parts *ret)
{
	size_t dots = 0;

	for (size_t i = 0; i < token.n; i++)
		dots += token.p[i] == '.';
	ret->header = str_cut(&token, '.');
	ret->payload = str_cut(&token, '.');
	ret->signature = token;
	return dots == 2;
}

bool jwt_is_one(struct str token)
{
	struct parts parts = { .header = S("") };

	return split(token, &parts);
}

static enum rc refuse(struct err *err, const char *code, const char *text)
{
	return err_set(err, RC_DENIED, code, "%s", text);
}

/* Strict base64url, no padding, and a JSON object in it. */
static enum rc decode_object(struct str part, json_t **ret, struct err *err)
{
	char bytes[JWT_TEXT_MAX];
	size_t n = 0;
	AUTO_JSON json_t *tree = NULL;

	if (part.n == 0 ||
	    sodium_base642bin((unsigned char *)bytes, sizeof(bytes), part.p, part.n, NULL, &n, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return refuse(err, "not_base64url", "a part of the token is not base64url");
	if (json_parse(str_n(bytes, n), DEPTH_MAX, &tree, NULL) != RC_OK || !json_is_object(tree))
		return refuse(err, "not_json",
			      "a part of the token is no JSON object, or names a member twice");
	*ret = TAKE(tree);
	return RC_OK;
}

static bool is_base64url(struct str part)
{
	unsigned char bytes[JWT_TEXT_MAX];
	size_t n = 0;

	return part.n > 0 && sodium_base642bin(bytes, sizeof(bytes), part.p, part.n, NULL, &n, NULL,
					       sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
}

/* A token that the issuer made for another purpose says so. */
static bool is_type(const json_t *header)
{
	struct str typ = json_str(header, "typ");

	return !json_object_get(header, "typ") || str_eq_nocase(typ, S("JWT")) ||
	       str_eq_nocase(typ, S("at+jwt")) || str_eq_nocase(typ, S("application/at+jwt"));
}

static enum rc check_header(const struct jwt *j, const json_t *header, const struct algorithm **ret,
			    struct err *err)
{
	struct str alg = json_str(header, "alg");
	const json_t *kid = json_object_get(header, "kid");

	for (int i = 0; i < j->allowed_n; i++)
		if (str_eq(alg, str_c(j->allowed[i]->name)))
			*ret = j->allowed[i];
	if (!*ret)
		return refuse(err, "algorithm", "the token's algorithm is not allowed");
	if (json_object_get(header, "crit") || json_object_get(header, "b64"))
		return refuse(err, "critical", "the token demands an extension");
	if (!is_type(header))
		return refuse(err, "type", "the token is of another type");
	if (kid && (!json_is_string(kid) || json_string_length(kid) == 0 ||
		    json_string_length(kid) > KID_MAX))
		return refuse(err, "kid", "the token's kid is no name of a key");
	return RC_OK;
}

/* jose prints its errors unless it is told not to. */
static void be_silent(void *misc, const char *file, int line, uint64_t code, const char *fmt,
		      va_list ap)
{
	(void)misc;
	(void)file;
	(void)line;
	(void)code;
	(void)fmt;
	(void)ap;
}

static bool is_signed(const struct parts *parts, const json_t *key)
{
	AUTO_JSON json_t *jws =
		json_pack("{s:s%, s:s%, s:s%}", "protected", parts->header.p, parts->header.n,
			  "payload", parts->payload.p, parts->payload.n, "signature",
			  parts->signature.p, parts->signature.n);
	jose_cfg_t *cfg = jose_cfg();
	bool good = false;

	assert(cfg);
	jose_cfg_set_err_func(cfg, be_silent, NULL);
	good = jws && jose_jws_ver(cfg, jws, NULL, key, false);
	jose_cfg_decref(cfg);
	return good;
}

static enum rc check_signature(const struct jwt *j, const struct parts *parts, const json_t *header,
			       const struct algorithm *alg, struct err *err)
{
	AUTO_JSON json_t *key = NULL;
	const struct jwks_wanted wanted = { json_str(header, "kid"), alg->kty, alg->crv };
	enum rc rc = jwks_find(j->keys, &wanted, &key, err);

	if (rc != RC_OK)
		return rc;
	if (json_object_get(key, "alg") && !str_eq(json_str(key, "alg"), str_c(alg->name)))
		return refuse(err, "key_algorithm", "the key is for another algorithm");
	if (!is_signed(parts, key))
		return refuse(err, "signature", "the signature is not the key's");
	return RC_OK;
}

enum rc jwt_verify(struct jwt *j, struct str token, struct jwt_claims *ret, struct err *err)
{
	AUTO_JSON json_t *header = NULL;
	AUTO_JSON json_t *payload = NULL;
	const struct algorithm *alg = NULL;
	struct parts parts = { .header = S("") };
	enum rc rc = RC_OK;

	if (token.n > JWT_TEXT_MAX)
		return refuse(err, "too_long", "the token is too long");
	if (!split(token, &parts) || parts.header.n > HEADER_MAX || !is_base64url(parts.signature))
		return refuse(err, "form", "the token is not header.payload.signature");
	rc = decode_object(parts.header, &header, err);
	if (rc == RC_OK)
		rc = check_header(j, header, &alg, err);
	if (rc == RC_OK)
		rc = check_signature(j, &parts, header, alg, err);
	if (rc == RC_OK)
		rc = decode_object(parts.payload, &payload, err);
	if (rc != RC_OK)
		return rc;
	return jwt_claims_read(&j->settings, payload, (double)clock_wall() / (double)CLOCK_S, ret,
			       err);
}
