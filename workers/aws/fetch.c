/* One function a kind of source. Secrets are wiped on the way; no message says one. */
#include "workers/aws/fetch.h"
#include "aws/sts.h"
#include "base/mem.h"
#include "workers/aws/agent.h"
#include "workers/aws/assume.h"
#include "workers/aws/aws_client.h"
#include "workers/aws/aws_session.h"
#include <stdio.h>

enum {
	TRIES = 3,
	HTTP_OK = 200,
	HTTP_FORBIDDEN = 403,
	HTTP_MISSING = 404,
	HTTP_NOT_ALLOWED = 405,
	ROLE_NAME_MAX = 128,
	SAID_MAX = 80,
	JSON_DEPTH = 4
};
#define FETCH_MOST (6 * CLOCK_S) /* all questions to an agent together */

struct fetch {
	const struct source *s;
	struct aws_env *env;
	struct aws_client *c;
	int64_t deadline;
};

static enum rc broken(struct aws_fault *fault, enum aws_class class, const struct err *why,
		      const char *where, struct err *err)
{
	*fault = (struct aws_fault){ .class = class };
	snprintf(fault->code, sizeof(fault->code), "%s", why->code);
	snprintf(fault->message, sizeof(fault->message), "%s: %s", where, why->text);
	return err_set(err, class == AWS_TRANSIENT ? RC_RETRY : RC_INVALID, why->code,
		       "connectord's AWS credentials cannot be had from %s: %s", where, why->text);
}

/* This was the last place of the chain. */
static enum rc none(const struct fetch *f, const char *why, struct aws_fault *fault,
		    struct err *err)
{
	AUTO_TEXT char *found = mem_text("instance metadata at %s (%s)", f->s->url, why);

	*fault = (struct aws_fault){ .class = AWS_CREDS_INVALID };
	snprintf(fault->code, sizeof(fault->code), "no_base_credentials");
	return source_none(f->s, found, err);
}

/* --- agents --- */

static bool stopped(const void *arg)
{
	const struct fetch *f = arg;

	return clock_mono() > f->deadline || aws_client_stopped(f->c);
}

/* Asks until there is an answer that is not the agent's own trouble. */
static enum rc ask(struct fetch *f, struct agent_call *call, struct buf *body, int *ret_status,
		   struct err *err)
{
	enum rc rc = RC_RETRY;

	call->ca_file = f->env->ca_file;
	call->stop = stopped;
	call->stop_arg = f;
	for (int i = 0; i < TRIES; i++) {
		struct err why = { 0 };

		buf_wipe(body);
		*ret_status = 0;
		rc = agent_ask(call, body, ret_status, &why);
		if (rc == RC_OK && *ret_status < 500 && *ret_status != 429)
			return RC_OK;
		if (rc == RC_OK)
			rc = err_set(&why, RC_RETRY, "agent_failed", "it answers with status %d",
				     *ret_status);
		/* Nobody there, or as good as nobody: asking again at once meets the same. */
		if (i + 1 == TRIES || stopped(f) || strcmp(why.code, "agent_away") == 0)
			return err_set(err, rc, why.code, "%s", why.text);
	}
	return rc;
}

static enum rc read_json(struct fetch *f, struct str text, struct creds **ret, struct err *err)
{
	AUTO_JSON json_t *j = NULL;
	struct err why = { 0 };
	struct str code;
	enum rc rc;

	if (json_parse(text, JSON_DEPTH, &j, &why) != RC_OK)
		return err_set(err, RC_INVALID, "unparsable_reply", "its answer is no JSON object");
	code = json_str(j, "Code");
	if (code.n > 0 && !str_eq(code, S("Success"))) {
		rc = err_set(err, RC_INVALID, "agent_refused", "it answers %.*s",
			     STR_FMT(str_sub(code, 0, SAID_MAX)));
	} else {
		rc = creds_read(j, "Token", aws_env_wall(f->env), ret, err);
	}
	creds_wipe(j);
	return rc;
}

/* The token that Kubernetes renews in a file, else the variable's. */
static enum rc container_token(const struct source *s, struct secret **ret, struct err *err)
{
	enum rc rc;

	if (s->token_file == NULL) {
		*ret = s->authorization == NULL ? NULL : secret_copy(secret_str(s->authorization));
		rc = RC_OK;
	} else {
		rc = secret_read_file(s->token_file, ret, err);
	}
	for (size_t i = 0; rc == RC_OK && *ret != NULL && i < (*ret)->n; i++)
		if ((*ret)->bytes[i] < ' ' || (*ret)->bytes[i] > '~')
			return err_set(err, RC_INVALID, "container_token",
				       "its authorization token has characters that none has");
	return rc;
}

static enum rc ask_container(struct fetch *f, struct buf *body, struct creds **ret, struct err *err)
{
	AUTO(secret) struct secret *token = NULL;
	struct agent_call call = { "GET", .url = f->s->url, .door = NETGUARD_CONTAINER };
	int status = 0;
	enum rc rc = container_token(f->s, &token, err);

	if (rc != RC_OK)
		return RC_INVALID;
	if (token != NULL) {
		call.header = "Authorization";
		call.value = secret_str(token);
	}
	rc = ask(f, &call, body, &status, err);
	if (rc != RC_OK)
		return rc;
	if (status != HTTP_OK)
		return err_set(err, RC_INVALID, "agent_refused", "it answers with status %d",
			       status);
	return read_json(f, buf_str(body), ret, err);
}

static enum rc from_container(struct fetch *f, struct creds **ret, struct aws_fault *fault,
			      struct err *err)
{
	struct buf body = BUF_INIT(AGENT_BODY_MAX);
	struct err why = { 0 };
	enum rc rc = ask_container(f, &body, ret, &why);

	buf_wipe(&body);
	if (rc == RC_OK)
		return rc;
	return broken(fault, rc == RC_RETRY ? AWS_TRANSIENT : AWS_CREDS_INVALID, &why,
		      "the container's endpoint", err);
}

/* --- instance metadata, version 2 only: the token cannot be had through a proxy or a tricked server --- */

static enum rc instance_get(struct fetch *f, const char *path, struct str tail, struct str token,
			    struct buf *body, int *ret_status, struct err *err)
{
	AUTO_TEXT char *url = mem_text("%s%s%.*s", f->s->url, path, STR_FMT(tail));
	struct agent_call call = { "GET", url, NETGUARD_INSTANCE, "x-aws-ec2-metadata-token",
				   token };

	return ask(f, &call, body, ret_status, err);
}

static enum rc instance_token(struct fetch *f, struct buf *body, int *ret_status, struct err *err)
{
	AUTO_TEXT char *url = mem_text("%s/latest/api/token", f->s->url);
	struct agent_call call = { "PUT", url, NETGUARD_INSTANCE,
				   "x-aws-ec2-metadata-token-ttl-seconds", S("21600") };
	enum rc rc = ask(f, &call, body, ret_status, err);

	if (rc == RC_OK && *ret_status == HTTP_OK && !creds_may_sign(str_trim(buf_str(body))))
		return err_set(err, RC_INVALID, "unparsable_reply", "its token is none");
	return rc;
}

static bool is_role_name(struct str s)
{
	bool good = s.n > 0 && s.n <= ROLE_NAME_MAX;

	for (size_t i = 0; i < s.n && good; i++)
		good = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		       (s.p[i] >= '0' && s.p[i] <= '9') || strchr("_+=,.@-", s.p[i]) != NULL;
	return good;
}

/* RC_NOT_FOUND: there is no such service, or the instance has no role; *why says which. */
static enum rc ask_instance(struct fetch *f, struct buf *token, struct buf *body,
			    struct creds **ret, struct err *why)
{
	static const char ROLES[] = "/latest/meta-data/iam/security-credentials/";
	char role[ROLE_NAME_MAX + 1] = "";
	struct str rest;
	int status = 0;
	enum rc rc = instance_token(f, token, &status, why);

	if (rc == RC_RETRY && strcmp(why->code, "agent_away") == 0)
		return RC_NOT_FOUND;
	if (rc == RC_OK &&
	    (status == HTTP_FORBIDDEN || status == HTTP_MISSING || status == HTTP_NOT_ALLOWED))
		return err_set(why, RC_NOT_FOUND, "instance_off", "it is switched off");
	if (rc == RC_OK && status == HTTP_OK)
		rc = instance_get(f, ROLES, S(""), str_trim(buf_str(token)), body, &status, why);
	if (rc == RC_OK && status == HTTP_MISSING)
		return err_set(why, RC_NOT_FOUND, "instance_no_role", "the instance has no role");
	rest = buf_str(body);
	rest = str_trim(str_cut(&rest, '\n'));
	if (rc == RC_OK && status == HTTP_OK && !is_role_name(rest))
		rc = err_set(why, RC_INVALID, "unparsable_reply", "it names no role");
	if (rc == RC_OK && status == HTTP_OK) {
		snprintf(role, sizeof(role), "%.*s", STR_FMT(rest));
		rc = instance_get(f, ROLES, str_c(role), str_trim(buf_str(token)), body, &status,
				  why);
	}
	if (rc == RC_OK && status != HTTP_OK)
		rc = err_set(why, RC_INVALID, "agent_refused", "it answers with status %d", status);
	return rc == RC_OK ? read_json(f, buf_str(body), ret, why) : rc;
}

static enum rc from_instance(struct fetch *f, struct creds **ret, struct aws_fault *fault,
			     struct err *err)
{
	struct buf token = BUF_INIT(AGENT_BODY_MAX), body = BUF_INIT(AGENT_BODY_MAX);
	struct err why = { 0 };
	enum rc rc = ask_instance(f, &token, &body, ret, &why);

	buf_wipe(&token);
	buf_wipe(&body);
	if (rc == RC_OK)
		return rc;
	if (rc == RC_NOT_FOUND)
		return none(f, why.text, fault, err);
	return broken(fault, rc == RC_RETRY ? AWS_TRANSIENT : AWS_CREDS_INVALID, &why,
		      "instance metadata", err);
}

/* --- STS --- */

static enum rc too_deep(struct aws_fault *fault, struct err *err)
{
	*fault = (struct aws_fault){ .class = AWS_BAD_REQUEST };
	snprintf(fault->code, sizeof(fault->code), "role_chain");
	return err_set(err, RC_INVALID, "role_chain", "roles are chained too deep");
}

static enum rc from_web_identity(struct fetch *f, struct creds **ret, struct aws_fault *fault,
				 struct err *err)
{
	const struct source *s = f->s;
	const struct aws_target target = { NULL, "base", s->region, NULL };
	AUTO(secret) struct secret *token = NULL;
	AUTO_JSON json_t *params = json_object();
	AUTO_JSON json_t *reply = NULL;
	struct aws_client *inner = aws_client_inner(f->c);
	struct err why = { 0 };
	struct str sent;
	enum rc rc = secret_read_file(s->token_file, &token, &why);

	if (rc == RC_OK && !creds_may_sign(secret_str(token)))
		rc = err_set(&why, RC_INVALID, "web_identity_token", "%s holds no token",
			     s->token_file);
	if (rc != RC_OK)
		return broken(fault, AWS_CREDS_INVALID, &why, s->where, err);
	if (inner == NULL)
		return too_deep(fault, err);
	json_object_set_new(params, "RoleArn", json_string(s->role_arn));
	json_object_set_new(params, "RoleSessionName", json_string(s->session_name));
	json_object_set_new(params, "WebIdentityToken",
			    json_stringn((const char *)token->bytes, token->n));
	rc = aws_call(inner, &target, &STS_ASSUME_ROLE_WITH_WEB_IDENTITY, params, &reply, fault,
		      NULL, err);
	sent = json_str(params, "WebIdentityToken");
	creds_wipe_text(sent);
	return rc == RC_OK ? assume_read(s->role_arn, f->env, reply, ret, fault, err) : rc;
}

static enum rc from_role(struct fetch *f, struct creds **ret, struct aws_fault *fault,
			 struct err *err)
{
	const struct source *s = f->s;
	const struct aws_role role = { .role_arn = s->role_arn,
				       .external_id = s->external_id,
				       .session_name = s->session_name,
				       .region = s->region,
				       .duration_s = s->duration_s };
	AUTO(assume) struct assume *a = assume_new(&role, "base");
	AUTO(aws_session) struct aws_session *via = NULL;
	struct aws_client *inner = aws_client_inner(f->c);
	struct creds *creds = NULL;
	enum rc rc = fetch_creds(s->via, f->env, f->c, &creds, fault, err);

	if (rc != RC_OK)
		return rc;
	via = aws_session_of(f->env, creds);
	if (inner == NULL)
		return too_deep(fault, err);
	a->ours = true;
	return assume_call(a, f->env, via, inner, ret, fault, err);
}

static enum rc from_keys(struct fetch *f, struct creds **ret, struct aws_fault *fault,
			 struct err *err)
{
	(void)fault;
	(void)err;
	*ret = creds_ref(f->s->keys);
	return RC_OK;
}

enum rc fetch_creds(const struct source *s, struct aws_env *env, struct aws_client *c,
		    struct creds **ret, struct aws_fault *fault, struct err *err)
{
	static enum rc (*const FETCH[])(struct fetch * f, struct creds * *ret,
					struct aws_fault * fault, struct err * err) = {
		[SOURCE_KEYS] = from_keys,
		[SOURCE_ROLE] = from_role,
		[SOURCE_WEB_IDENTITY] = from_web_identity,
		[SOURCE_CONTAINER] = from_container,
		[SOURCE_INSTANCE] = from_instance,
	};
	struct fetch f = { s, env, c, clock_mono() + FETCH_MOST };
	AUTO(creds) struct creds *creds = NULL;
	struct err why = { 0 };
	enum rc rc;

	*fault = (struct aws_fault){ .class = AWS_OK };
	rc = FETCH[s->kind](&f, &creds, fault, err);
	if (rc != RC_OK)
		return rc;
	if (creds->expires_wall != 0 && creds->expires_wall <= aws_env_wall(env)) {
		err_set(&why, RC_INVALID, "creds_expired", "they have ended already");
		return broken(fault, AWS_TRANSIENT, &why, s->where, err);
	}
	*ret = TAKE(creds);
	return RC_OK;
}
