/* The search for our own credentials, row by row. Calls nobody and executes nothing. */
#include "workers/aws/source.h"
#include "base/awsname.h"
#include "base/mem.h"
#include "workers/aws/profiles.h"
#include "workers/aws/source_url.h"
#include <stdio.h>

enum { DURATION_MIN_S = 900, DURATION_MAX_S = 43200, RELATIVE_MAX = 1024 };
static const char INSTANCE_V4[] = "http://169.254.169.254",
		  INSTANCE_V6[] = "http://[fd00:ec2::254]",
		  CONTAINER_ORIGIN[] = "http://169.254.170.2", SESSION_NAME[] = "connectord";

struct search {
	const char *(*get)(const char *name);
	struct profiles *profiles;
	struct str name; /* of the profile */
	struct profile profile;
	struct buf looked;
};

void source_free(struct source *s)
{
	if (s == NULL)
		return;
	creds_free(s->keys);
	source_free(s->via);
	mem_free(s->role_arn);
	mem_free(s->session_name);
	mem_free(s->external_id);
	mem_free(s->token_file);
	mem_free(s->url);
	secret_free(s->authorization);
	mem_free(s->looked);
	mem_free(s);
}

/* A variable that is set to something. */
static struct str var(const struct search *s, const char *name)
{
	return str_trim(str_c(s->get(name)));
}

static char *dup_or_null(struct str s)
{
	return s.n > 0 ? str_dup(s) : NULL;
}

static struct source *source_new(enum source_kind kind, const char *what, struct str name)
{
	struct source *s = MEM_NEW(struct source);

	s->kind = kind;
	snprintf(s->where, sizeof(s->where), "%s%s%.*s", what, name.n > 0 ? " " : "",
		 STR_FMT(str_sub(name, 0, PROFILES_NAME_SHOWN)));
	return s;
}

/* AWS_REGION, the profile's, else the home of the role's partition: STS is asked regionally. */
static void set_region(const struct search *s, const struct profile *p, struct source *ret)
{
	const struct str asked[] = { var(s, "AWS_REGION"), var(s, "AWS_DEFAULT_REGION"),
				     p->region };
	struct awsname_arn arn;
	const char *region = "us-east-1";

	if (ret->role_arn != NULL && awsname_arn_parse(str_c(ret->role_arn), &arn) == RC_OK)
		region = awsname_partition(arn.partition)->global_region;
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		if (awsname_region(asked[i]) == NULL)
			continue;
		region = awsname_region(asked[i])->name;
		break;
	}
	snprintf(ret->region, sizeof(ret->region), "%s", region);
}

static enum rc half_a_key(struct err *err, const char *where)
{
	return err_set(err, RC_INVALID, "half_a_key",
		       "%s has only one of access key ID and secret access key", where);
}

static enum rc keys_source(const char *what, struct str name, struct str id, struct str secret,
			   struct str token, struct source **ret, struct err *err)
{
	AUTO(source) struct source *s = source_new(SOURCE_KEYS, what, name);

	if (id.n == 0 && secret.n == 0)
		return RC_NOT_FOUND;
	if (id.n == 0 || secret.n == 0)
		return half_a_key(err, s->where);
	if (!creds_may_sign(id) || !creds_may_sign(secret) ||
	    (token.n > 0 && !creds_may_sign(token)))
		return err_set(err, RC_INVALID, "invalid_keys",
			       "%s has a key or token with characters that none has", s->where);
	s->keys = creds_new(id, secret, token);
	*ret = TAKE(s);
	return RC_OK;
}

static enum rc from_environment(struct search *s, struct source **ret, struct err *err)
{
	return keys_source("environment", S(""), var(s, "AWS_ACCESS_KEY_ID"),
			   var(s, "AWS_SECRET_ACCESS_KEY"), var(s, "AWS_SESSION_TOKEN"), ret, err);
}

static enum rc web_source(const struct search *s, const char *what, struct str name,
			  const struct profile *p, struct source **ret, struct err *err)
{
	AUTO(source) struct source *w = source_new(SOURCE_WEB_IDENTITY, what, name);

	if (p->role_arn.n == 0)
		return err_set(err, RC_INVALID, "web_identity_without_role",
			       "%s names a web identity token but no role (AWS_ROLE_ARN, role_arn)",
			       w->where);
	w->role_arn = str_dup(p->role_arn);
	w->token_file = str_dup(p->token_file);
	w->session_name = str_dup(p->session_name.n > 0 ? p->session_name : str_c(SESSION_NAME));
	set_region(s, p, w);
	*ret = TAKE(w);
	return RC_OK;
}

/* Each of the three comes from the environment or, where that is silent, from the profile. */
static enum rc from_web_identity(struct search *s, struct source **ret, struct err *err)
{
	struct profile p = s->profile;
	struct str token_file = var(s, "AWS_WEB_IDENTITY_TOKEN_FILE");
	struct str role = var(s, "AWS_ROLE_ARN"), session = var(s, "AWS_ROLE_SESSION_NAME");
	bool of_profile = token_file.n == 0;

	if (!of_profile)
		p.token_file = token_file;
	if (role.n > 0)
		p.role_arn = role;
	if (session.n > 0)
		p.session_name = session;
	if (p.token_file.n == 0)
		return buf_put(&s->looked, S(", AWS_WEB_IDENTITY_TOKEN_FILE")) == RC_OK
			       ? RC_NOT_FOUND
			       : RC_LIMIT;
	return web_source(s, of_profile ? "web identity of profile" : "web identity",
			  of_profile ? s->name : S(""), &p, ret, err);
}

/* --- container and instance --- */

static enum rc from_container(struct search *s, struct source **ret, struct err *err)
{
	AUTO(source) struct source *c = source_new(SOURCE_CONTAINER, "container", S(""));
	struct str relative = var(s, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	struct str full = var(s, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct str token = var(s, "AWS_CONTAINER_AUTHORIZATION_TOKEN");

	if (relative.n == 0 && full.n == 0)
		return buf_put(&s->looked, S(", AWS_CONTAINER_CREDENTIALS_*")) == RC_OK
			       ? RC_NOT_FOUND
			       : RC_LIMIT;
	if (relative.n > RELATIVE_MAX || (relative.n > 0 && relative.p[0] != '/'))
		return err_set(err, RC_INVALID, "invalid_container_uri",
			       "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path");
	c->url = relative.n > 0 ? mem_text("%s%.*s", CONTAINER_ORIGIN, STR_FMT(relative))
				: str_dup(full);
	if (!source_url_may_ask(c->url, NETGUARD_CONTAINER))
		return err_set(err, RC_INVALID, "invalid_container_uri",
			       "AWS_CONTAINER_CREDENTIALS_%s_URI is neither https nor http to "
			       "this host, 169.254.170.2, 169.254.170.23 or fd00:ec2::23",
			       relative.n > 0 ? "RELATIVE" : "FULL");
	c->token_file = dup_or_null(var(s, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
	c->authorization = token.n > 0 && token.n <= SECRET_MAX ? secret_copy(token) : NULL;
	*ret = TAKE(c);
	return RC_OK;
}

static enum rc from_instance(struct search *s, struct source **ret, struct err *err)
{
	AUTO(source) struct source *i = source_new(SOURCE_INSTANCE, "instance metadata", S(""));
	struct str asked = var(s, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	bool v6 = str_eq_nocase(var(s, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), S("ipv6"));

	if (str_eq_nocase(var(s, "AWS_EC2_METADATA_DISABLED"), S("true")))
		return buf_put(&s->looked, S(", instance metadata (disabled)")) == RC_OK
			       ? RC_NOT_FOUND
			       : RC_LIMIT;
	if (asked.n > 0 && str_ends(asked, S("/")))
		asked.n--;
	i->url = asked.n > 0 ? str_dup(asked) : mem_copy(v6 ? INSTANCE_V6 : INSTANCE_V4);
	if (!source_url_may_ask(i->url, NETGUARD_INSTANCE))
		return err_set(err, RC_INVALID, "invalid_metadata_endpoint",
			       "AWS_EC2_METADATA_SERVICE_ENDPOINT is neither https nor http to "
			       "this host, 169.254.169.254 or fd00:ec2::254");
	*ret = TAKE(i);
	return RC_OK;
}

/* --- profiles --- */

static enum rc unsupported(const struct profile *p, const char *where, struct err *err)
{
	if (p->process.n > 0)
		return err_set(err, RC_INVALID, "credential_process",
			       "%s names a credential_process, which connectord never runs; give "
			       "it a role, keys or a container's credentials",
			       where);
	if (p->sso.n > 0)
		return err_set(err, RC_INVALID, "sso_profile",
			       "%s is an SSO profile, whose sessions a person has to renew; give "
			       "connectord a role or keys",
			       where);
	return RC_NOT_FOUND;
}

static enum rc from_profile_keys(struct search *s, struct source **ret, struct err *err)
{
	const struct profile *p = &s->profile;
	enum rc rc = keys_source("profile", s->name, p->id, p->secret, p->token, ret, err);
	char where[SOURCE_WHERE_MAX];

	if (rc != RC_NOT_FOUND)
		return rc;
	snprintf(where, sizeof(where), "profile \"%.*s\"",
		 STR_FMT(str_sub(s->name, 0, PROFILES_NAME_SHOWN)));
	if (unsupported(p, where, err) != RC_NOT_FOUND)
		return RC_INVALID;
	return buf_printf(&s->looked, ", %s in %s and %s", where, s->profiles->credentials_path,
			  s->profiles->config_path) == RC_OK
		       ? RC_NOT_FOUND
		       : RC_LIMIT;
}

static enum rc role_source(struct search *s, struct str name, const struct profile *p, int depth,
			   struct source **ret, struct err *err);

/* What credential_source names. */
static enum rc named_source(struct search *s, struct str name, struct source **ret, struct err *err)
{
	static const struct {
		const char *name;
		enum rc (*find)(struct search *s, struct source **ret, struct err *err);
	} NAMED[] = {
		{ "Environment", from_environment },
		{ "EcsContainer", from_container },
		{ "Ec2InstanceMetadata", from_instance },
	};

	for (size_t i = 0; i < COUNT_OF(NAMED); i++)
		if (str_eq(name, str_c(NAMED[i].name)))
			return NAMED[i].find(s, ret, err);
	return RC_NOT_FOUND;
}

/* Whose credentials ask for the role of profile `name`. */
static enum rc find_via(struct search *s, struct str name, const struct profile *p, int depth,
			struct source **ret, struct err *err)
{
	struct profile from = { 0 };
	enum rc rc = RC_NOT_FOUND;

	if (p->credential_source.n > 0)
		return named_source(s, p->credential_source, ret, err);
	if (!profiles_find(s->profiles, p->source_profile, &from))
		return RC_NOT_FOUND;
	/* A profile may be its own source only with keys of its own. */
	if (from.role_arn.n > 0 && from.token_file.n == 0 && !str_eq(p->source_profile, name) &&
	    from.id.n == 0)
		return role_source(s, p->source_profile, &from, depth + 1, ret, err);
	rc = keys_source("profile", p->source_profile, from.id, from.secret, from.token, ret, err);
	if (rc == RC_NOT_FOUND && from.token_file.n > 0)
		return web_source(s, "web identity of profile", p->source_profile, &from, ret, err);
	return rc == RC_NOT_FOUND ? unsupported(&from, "the source_profile", err) : rc;
}

static int duration_of(const struct profile *p)
{
	int64_t s = 0;

	if (!str_to_i64(p->duration, &s) || s < DURATION_MIN_S || s > DURATION_MAX_S)
		return SOURCE_SESSION_S;
	return (int)s;
}

static enum rc role_source(struct search *s, struct str name, const struct profile *p, int depth,
			   struct source **ret, struct err *err)
{
	AUTO(source) struct source *r = source_new(SOURCE_ROLE, "role of profile", name);
	enum rc rc;

	if (depth == SOURCE_DEPTH_MAX)
		return err_set(err, RC_INVALID, "profile_loop",
			       "%s: source_profile leads in a circle, or over more than %d roles",
			       r->where, SOURCE_DEPTH_MAX);
	if (p->mfa_serial.n > 0)
		return err_set(err, RC_INVALID, "profile_mfa",
			       "%s asks for MFA, which a server cannot give; use a role without "
			       "it",
			       r->where);
	if ((p->source_profile.n > 0) == (p->credential_source.n > 0))
		return err_set(err, RC_INVALID, "profile_source",
			       "%s must have one of source_profile and credential_source",
			       r->where);
	rc = find_via(s, name, p, depth, &r->via, err);
	if (rc == RC_NOT_FOUND)
		return err_set(err, RC_INVALID, "profile_source",
			       "%s: its source_profile or credential_source has no credentials",
			       r->where);
	if (rc != RC_OK)
		return rc;
	r->role_arn = str_dup(p->role_arn);
	r->external_id = dup_or_null(p->external_id);
	r->session_name = str_dup(p->session_name.n > 0 ? p->session_name : str_c(SESSION_NAME));
	r->duration_s = duration_of(p);
	set_region(s, p, r);
	*ret = TAKE(r);
	return RC_OK;
}

static enum rc from_profile_role(struct search *s, struct source **ret, struct err *err)
{
	const struct profile *p = &s->profile;

	if (p->role_arn.n == 0 || p->token_file.n > 0)
		return RC_NOT_FOUND;
	/* Only web identity's own variables may be what completes it. */
	if (p->source_profile.n == 0 && p->credential_source.n == 0 &&
	    var(s, "AWS_WEB_IDENTITY_TOKEN_FILE").n > 0)
		return RC_NOT_FOUND;
	return role_source(s, s->name, p, 0, ret, err);
}

/* --- the chain --- */

typedef enum rc find_fn(struct search *s, struct source **ret, struct err *err);
static find_fn *const CHAIN[] = {
	from_environment,  from_profile_role, from_web_identity,
	from_profile_keys, from_container,    from_instance,
};

/* A profile that somebody named and that is nowhere is a mistake, not a reason to be somebody else. */
static enum rc open_profile(struct search *s, struct err *err)
{
	struct str asked = var(s, "AWS_PROFILE");
	enum rc rc = profiles_open(s->get, &s->profiles, err);

	s->name = asked.n > 0 ? asked : S("default");
	if (rc != RC_OK || profiles_find(s->profiles, s->name, &s->profile) || asked.n == 0)
		return rc;
	return err_set(err, RC_INVALID, "profile_not_found",
		       "AWS_PROFILE is \"%.*s\", but neither %s nor %s has that profile",
		       STR_FMT(str_sub(asked, 0, PROFILES_NAME_SHOWN)),
		       s->profiles->credentials_path, s->profiles->config_path);
}

static enum rc walk(struct search *s, struct source **ret, struct err *err)
{
	enum rc rc = RC_NOT_FOUND;

	for (size_t i = 0; i < COUNT_OF(CHAIN) && rc == RC_NOT_FOUND; i++) {
		if (i == 1) /* the environment needs no files, not even readable ones */
			rc = open_profile(s, err);
		if (i != 1 || rc == RC_OK)
			rc = CHAIN[i](s, ret, err);
	}
	return rc;
}

enum rc source_none(const struct source *s, const char *found, struct err *err)
{
	return err_set(err, RC_NOT_FOUND, "no_base_credentials",
		       "connectord has no AWS identity of its own; looked at: %s%s%s",
		       s->looked == NULL ? "" : s->looked, s->looked == NULL ? "" : ", ", found);
}

enum rc source_find(const char *(*get)(const char *name), struct source **ret, struct err *err)
{
	struct search s = { .get = get, .looked = BUF_INIT(SOURCE_LOOKED_MAX) };
	enum rc rc = buf_put(&s.looked, S("AWS_ACCESS_KEY_ID"));

	if (rc == RC_OK)
		rc = walk(&s, ret, err);
	if (rc == RC_OK)
		(*ret)->looked = str_dup(buf_str(&s.looked));
	if (rc == RC_NOT_FOUND)
		err_set(err, rc, "no_base_credentials",
			"connectord has no AWS identity of its own; looked at: %s",
			buf_c(&s.looked));
	if (rc == RC_LIMIT)
		err_set(err, rc, "no_base_credentials",
			"connectord has no AWS identity of its own; the paths of the shared "
			"files are too long");
	buf_done(&s.looked);
	profiles_free(s.profiles);
	return rc;
}
