/* The claims of a token whose signature is good: issuer, audience, times, organization, scopes, subject.
 * Never repairs a claim: what is not exactly as it must be is refused. */
#include "server/jwt_claims.h"
#include "api/scope.h"
#include "base/clock.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>

enum { SUBJECT_SHOWN = HTTP_ACTOR_MAX - 5, HASH_SHOWN = 32 };
/* The end of the year 9999. */
static const double TIME_MAX = 253402300799.0;
/* A token that ends later (some issuers' never) ends here, for us: in the year 2255, and int64_t holds it in
 * nanoseconds. */
static const double END_MAX = 9e9;

static enum rc refuse(struct err *err, const char *code, const char *text)
{
	return err_set(err, RC_DENIED, code, "%s", text);
}

static bool is_audience(const json_t *aud, struct str wanted)
{
	const json_t *one = NULL;
	bool found = false;
	size_t i = 0;

	if (json_is_string(aud))
		return str_eq(str_n(json_string_value(aud), json_string_length(aud)), wanted);
	json_array_foreach (aud, i, one) {
		if (!json_is_string(one))
			return false;
		found |= str_eq(str_n(json_string_value(one), json_string_length(one)), wanted);
	}
	return found;
}

/* A NumericDate; *ret is NAN when the claim is absent. False: it is none. */
static bool read_time(const json_t *payload, const char *name, double *ret)
{
	const json_t *value = json_object_get(payload, name);

	*ret = value ? json_number_value(value) : (double)NAN;
	return !value || (json_is_number(value) && *ret >= 0 && *ret <= TIME_MAX);
}

static enum rc check_times(const struct jwt_settings *s, const json_t *payload, double now,
			   struct jwt_claims *ret, struct err *err)
{
	double exp = NAN, nbf = NAN, iat = NAN, leeway = s->leeway_s;

	if (!read_time(payload, "exp", &exp) || !read_time(payload, "nbf", &nbf) ||
	    !read_time(payload, "iat", &iat))
		return refuse(err, "invalid_time", "exp, nbf or iat is no time");
	if (isnan(exp))
		return refuse(err, "no_expiry", "the token has no exp");
	if (exp + leeway <= now)
		return refuse(err, "expired", "the token is expired");
	if (nbf > now + leeway)
		return refuse(err, "not_yet", "the token is not valid yet");
	if (iat > now + leeway || iat > exp)
		return refuse(err, "issued_later", "the token was issued later than can be");
	ret->expires_at = (int64_t)(exp < END_MAX ? exp : END_MAX) * CLOCK_S;
	return RC_OK;
}

static uint32_t scopes_of(const struct jwt_settings *s, const json_t *payload)
{
	const json_t *claim = json_object_get(payload, s->scope_claim), *one = NULL;
	uint32_t all = 0;
	size_t i = 0;

	if (*s->role_claim)
		return scope_of_role(json_str(payload, s->role_claim));
	if (json_is_string(claim))
		return scope_of_names(json_str(payload, s->scope_claim));
	json_array_foreach (claim, i, one)
		if (json_is_string(one))
			all |= scope_of_name(
				str_n(json_string_value(one), json_string_length(one)));
	return all;
}

/* One spelling an ID: as PostgreSQL and we write it. */
static enum rc read_org(const struct jwt_settings *s, const json_t *payload, struct id *ret,
			struct err *err)
{
	const struct id zero = { { 0 } };
	struct str text = json_str(payload, s->org_claim);
	char canonical[ID_UUID_TEXT];

	if (id_parse_uuid(text, ret) != RC_OK || id_eq(*ret, zero))
		return refuse(err, "no_organization",
			      "the claim for the organization holds no UUID");
	id_uuid(*ret, canonical);
	if (!str_eq(text, str_c(canonical)))
		return refuse(err, "no_organization",
			      "the organization's UUID is not in lower case");
	return RC_OK;
}

static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0 && s.n <= SUBJECT_SHOWN;
}

/* A subject that does not fit as it is stands as its hash: two subjects are never one actor. */
static void name_actor(struct str sub, char out[HTTP_ACTOR_MAX])
{
	char hash[TEXT_SHA256_HEX];

	text_sha256_hex(sub, hash);
	if (is_plain(sub) && !str_starts(sub, S("sha256:")))
		(void)snprintf(out, HTTP_ACTOR_MAX, "jwt:%.*s", STR_FMT(sub));
	else
		(void)snprintf(out, HTTP_ACTOR_MAX, "jwt:sha256:%.*s", HASH_SHOWN, hash);
}

enum rc jwt_claims_read(const struct jwt_settings *s, const json_t *payload, double now_s,
			struct jwt_claims *ret, struct err *err)
{
	struct str sub = json_str(payload, "sub");
	const struct str subject[] = { S("jwt"), str_c(s->issuer), sub };
	enum rc rc = RC_OK;

	if (!str_eq(json_str(payload, "iss"), str_c(s->issuer)))
		return refuse(err, "wrong_issuer", "iss is not the issuer");
	if (!is_audience(json_object_get(payload, "aud"), str_c(s->audience)))
		return refuse(err, "wrong_audience", "aud does not name us");
	if (sub.n == 0)
		return refuse(err, "no_subject", "the token has no sub");
	rc = check_times(s, payload, now_s, ret, err);
	if (rc == RC_OK)
		rc = read_org(s, payload, &ret->org_id, err);
	if (rc != RC_OK)
		return rc;
	ret->scopes = scopes_of(s, payload);
	ret->subject = id_hash(subject, COUNT_OF(subject));
	name_actor(sub, ret->actor);
	return RC_OK;
}
