/* Authentication: which kind of credential a request has, and for which organization it acts.
 * Never logs, never says why a credential was refused, never stores one. */
#include "server/auth.h"
#include "base/mem.h"
#include "server/auth_inside.h"

#include <stdio.h>

struct auth {
	const struct http_env *env;
	struct auth_key *keys;
	struct auth_org *orgs;
	struct auth_operator *operators;
	struct auth_token *tokens; /* NULL: none are taken */
};

void auth_free(struct auth *a)
{
	if (!a)
		return;
	auth_key_free(a->keys);
	auth_org_free(a->orgs);
	auth_operator_free(a->operators);
	auth_token_free(a->tokens);
	mem_free(a);
}

enum rc auth_new(const struct auth_settings *settings, struct auth **ret, struct err *err)
{
	AUTO(auth) struct auth *a = MEM_NEW(struct auth);
	enum rc rc = auth_operator_new(settings->operator_key_file, &a->operators, err);

	a->env = settings->env;
	a->keys = auth_key_new();
	a->orgs = auth_org_new();
	if (rc == RC_OK && settings->tokens)
		rc = auth_token_new(settings->tokens, &a->tokens, err);
	if (rc == RC_OK)
		*ret = TAKE(a);
	return rc;
}

enum rc auth_denied(struct err *err)
{
	return err_set(err, RC_DENIED, "unauthorized", "the credential is missing or not valid");
}

/* "" also for two credentials in one request: nobody can say which one is meant. */
static struct str credential(const struct auth_request *request)
{
	struct str rest = request->authorization, scheme = str_cut(&rest, ' ');

	if (request->authorization.n > 0 && request->key_alias.n > 0)
		return S("");
	if (request->authorization.n == 0)
		return request->key_alias;
	return str_eq_nocase(scheme, S("Bearer")) ? str_trim(rest) : S("");
}

static enum rc parse_org(struct str text, struct id *ret, struct err *err)
{
	const struct id zero = { { 0 } };

	if (id_parse_uuid(text, ret) == RC_OK && !id_eq(*ret, zero))
		return RC_OK;
	return err_set(err, RC_INVALID, "invalid_organization",
		       "X-Org-Id (or SlashID-OrgID) must be the UUID of an organization.");
}

/* The organization that the request names; zero when it names none. */
static enum rc named_org(const struct auth_request *request, struct id *ret, struct err *err)
{
	struct id other = { { 0 } };
	struct str first = request->org_id.n > 0 ? request->org_id : request->org_alias;
	enum rc rc = first.n > 0 ? parse_org(first, ret, err) : RC_OK;

	if (rc != RC_OK || request->org_id.n == 0 || request->org_alias.n == 0)
		return rc;
	rc = parse_org(request->org_alias, &other, err);
	if (rc == RC_OK && !id_eq(*ret, other))
		return err_set(err, RC_INVALID, "two_organizations",
			       "X-Org-Id and SlashID-OrgID name different organizations.");
	return rc;
}

/* The credential says whose it is; a header that says otherwise is a mistake, and told. What it names is
 * not looked up, so another's ID is answered like one that nobody has. */
static enum rc settle_own(const struct auth_request *request, struct id own, struct err *err)
{
	struct id named = { { 0 } };
	const struct id zero = { { 0 } };
	enum rc rc = named_org(request, &named, err);

	if (rc == RC_OK && !id_eq(named, zero) && !id_eq(named, own))
		return auth_org_wrong(err);
	return rc;
}

static enum rc settle_named(struct auth *a, const struct auth_request *request, struct dbpool *pool,
			    struct id *ret, struct err *err)
{
	const struct id zero = { { 0 } };
	enum rc rc = named_org(request, ret, err);

	if (rc == RC_OK && id_eq(*ret, zero))
		return err_set(err, RC_INVALID, "organization_required",
			       "A service key acts for the organization that X-Org-Id names;"
			       " the request names none.");
	return rc == RC_OK ? auth_org_check(a->orgs, *ret, pool, err) : rc;
}

static enum rc check_key(struct auth *a, const struct auth_request *request, enum apikey_kind kind,
			 const unsigned char hash[KEYS_HASH], struct dbpool *pool,
			 struct http_caller *ret, struct err *err)
{
	struct auth_key_grant grant = { .scopes = 0 };
	char text[ID_TEXT_MAX];
	enum rc rc = auth_key_check(a->keys, kind, ret->key_id, hash, pool, &grant, err);

	if (rc != RC_OK)
		return rc;
	ret->scopes = grant.scopes;
	ret->org_id = grant.org_id;
	id_text(ret->key_id, kind == APIKEY_SERVICE ? "service:" : "key:", text);
	(void)snprintf(ret->actor, sizeof(ret->actor), "%.*s", HTTP_ACTOR_MAX - 1, text);
	if (kind == APIKEY_SERVICE)
		return settle_named(a, request, pool, &ret->org_id, err);
	return settle_own(request, ret->org_id, err);
}

static enum rc check_token(struct auth *a, const struct auth_request *request, struct str token,
			   struct dbpool *pool, struct http_caller *ret, struct err *err)
{
	struct jwt_claims claims = { .scopes = 0 };
	enum rc rc = auth_token_check(a->tokens, token, &claims, err);

	if (rc != RC_OK)
		return rc;
	ret->scopes = claims.scopes;
	ret->org_id = claims.org_id;
	ret->key_id = claims.subject;
	(void)snprintf(ret->actor, sizeof(ret->actor), "%s", claims.actor);
	rc = settle_own(request, ret->org_id, err);
	return rc == RC_OK ? auth_org_check(a->orgs, ret->org_id, pool, err) : rc;
}

enum rc auth_check(struct auth *a, const struct auth_request *request, struct dbpool *pool,
		   struct http_caller *ret, struct err *err)
{
	struct str token = credential(request);
	struct http_caller caller = { .party = HTTP_ORGANIZATION };
	unsigned char hash[KEYS_HASH];
	enum rc rc = RC_OK;

	if (token.n == 0)
		return auth_denied(err);
	if (request->listener == HTTP_ADMIN) {
		caller.party = HTTP_OPERATOR;
		(void)snprintf(caller.actor, sizeof(caller.actor), "operator");
		rc = auth_operator_check(a->operators, token, err);
	} else if (apikey_parse(a->env, APIKEY_ORGANIZATION, token, &caller.key_id, hash)) {
		rc = check_key(a, request, APIKEY_ORGANIZATION, hash, pool, &caller, err);
	} else if (apikey_parse(a->env, APIKEY_SERVICE, token, &caller.key_id, hash)) {
		rc = check_key(a, request, APIKEY_SERVICE, hash, pool, &caller, err);
	} else if (a->tokens && jwt_is_one(token)) {
		rc = check_token(a, request, token, pool, &caller, err);
	} else {
		rc = auth_denied(err);
	}
	/* A caller who is refused for his organization is known all the same, to the log. */
	if (rc == RC_OK || str_eq(str_c(err->code), S("wrong_organization")))
		*ret = caller;
	return rc;
}
