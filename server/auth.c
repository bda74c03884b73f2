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

static enum rc settle_named(const struct auth_request *request, struct id *ret, struct err *err)
{
	const struct id zero = { { 0 } };
	enum rc rc = named_org(request, ret, err);

	if (rc == RC_OK && id_eq(*ret, zero))
		return err_set(err, RC_INVALID, "organization_required",
			       "A service key acts for the organization that X-Org-Id names;"
			       " the request names none.");
	return rc;
}

static enum rc check_key(struct auth *a, const struct auth_key_asked *asked, struct dbpool *pool,
			 struct auth_found *ret, struct err *err)
{
	struct auth_key_grant grant = { .scopes = 0 };
	struct http_caller *caller = &ret->caller;
	char text[ID_TEXT_MAX];
	enum rc rc = auth_key_check(a->keys, asked, pool, &grant, err);

	if (rc != RC_OK)
		return rc;
	caller->key_id = asked->key_id;
	caller->scopes = grant.scopes;
	caller->org_id = grant.org_id;
	ret->settled = asked->kind == KEYS_ORGANIZATION;
	id_text(caller->key_id, asked->kind == KEYS_SERVICE ? "service:" : "key:", text);
	(void)snprintf(caller->actor, sizeof(caller->actor), "%.*s", HTTP_ACTOR_MAX - 1, text);
	return RC_OK;
}

static enum rc check_token(struct auth *a, struct str token, struct http_caller *ret,
			   struct err *err)
{
	struct jwt_claims claims = { .scopes = 0 };
	enum rc rc = auth_token_check(a->tokens, token, &claims, err);

	if (rc != RC_OK)
		return rc;
	ret->scopes = claims.scopes;
	ret->org_id = claims.org_id;
	ret->key_id = claims.subject;
	(void)snprintf(ret->actor, sizeof(ret->actor), "%s", claims.actor);
	return RC_OK;
}

enum rc auth_check(struct auth *a, const struct auth_request *request, struct dbpool *pool,
		   struct auth_found *ret, struct err *err)
{
	struct str token = credential(request);
	struct auth_found found = { .caller = { .party = HTTP_ORGANIZATION } };
	struct http_caller *caller = &found.caller;
	unsigned char hash[KEYS_HASH];
	struct auth_key_asked asked = { .peer = request->peer, .hash = hash };
	enum rc rc = RC_OK;

	if (token.n == 0)
		return auth_denied(err);
	if (request->listener == HTTP_ADMIN) {
		caller->party = HTTP_OPERATOR;
		(void)snprintf(caller->actor, sizeof(caller->actor), "operator");
		rc = auth_operator_check(a->operators, token, err);
	} else if (apikey_parse(a->env, KEYS_ORGANIZATION, token, &asked.key_id, hash)) {
		asked.kind = KEYS_ORGANIZATION;
		rc = check_key(a, &asked, pool, &found, err);
	} else if (apikey_parse(a->env, KEYS_SERVICE, token, &asked.key_id, hash)) {
		asked.kind = KEYS_SERVICE;
		rc = check_key(a, &asked, pool, &found, err);
	} else if (a->tokens && jwt_is_one(token)) {
		rc = check_token(a, token, caller, err);
	} else {
		rc = auth_denied(err);
	}
	if (rc == RC_OK)
		*ret = found;
	return rc;
}

enum rc auth_settle(struct auth *a, const struct auth_request *request, struct dbpool *pool,
		    struct auth_found *found, struct err *err)
{
	const struct id zero = { { 0 } };
	struct http_caller *caller = &found->caller;
	enum rc rc = RC_OK;

	if (caller->party == HTTP_OPERATOR)
		return RC_OK;
	if (id_eq(caller->org_id, zero))
		rc = settle_named(request, &caller->org_id, err);
	else
		rc = settle_own(request, caller->org_id, err);
	if (rc != RC_OK || found->settled)
		return rc;
	return auth_org_check(a->orgs, caller->org_id, pool, err);
}
