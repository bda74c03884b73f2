/* aws_session: whose credentials sign. Shared between threads; whoever finds the credentials old
 * refreshes them while the others go on with what is left, or wait when too little is left. */
#include "workers/aws/aws_session.h"
#include "base/lock.h"
#include "base/mem.h"
#include "workers/aws/assume.h"
#include "workers/aws/fetch.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_SLICE     (100 * CLOCK_MS) /* between looks at the stop flag */
#define ADVISORY_MAX   (900 * CLOCK_S)  /* try to refresh when less is left */
#define MANDATORY_MAX  (600 * CLOCK_S)  /* nothing is signed when less is left */
#define ADVISORY_AGAIN (60 * CLOCK_S)   /* after a refresh that failed in time */
#define BASE_AGAIN     (5 * CLOCK_S)    /* between searches for an identity that is not there */
/* A session shorter than an hour has the same shares of its life. */
#define ADVISORY_SHARE  4
#define MANDATORY_SHARE 6

enum session_kind { SESSION_KEYS, SESSION_BASE, SESSION_ROLE };

struct aws_session {
	int refs; /* atomic */
	enum session_kind kind;
	struct aws_env *env;     /* borrowed */
	struct aws_session *via; /* ROLE: owned reference */
	struct assume *assume;   /* ROLE */
	struct lock lock;
	struct cond changed;
	struct {
		struct creds *creds;
		bool refreshing;
		uint64_t rounds;             /* refreshes that have ended */
		int64_t not_before;          /* monotonic: no advisory refresh earlier */
		int64_t base_not_before;     /* BASE: no other refresh earlier; until then, fault */
		char origin[AWS_ORIGIN_MAX]; /* BASE: where the credentials came from */
		struct aws_fault fault; /* why the last round failed; class AWS_OK = it did not */
		struct err err;
	} synced;
};

void aws_session_free(struct aws_session *s)
{
	if (s == NULL || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	aws_session_free(s->via);
	assume_free(s->assume);
	creds_free(s->synced.creds);
	lock_cond_destroy(&s->changed);
	lock_destroy(&s->lock);
	mem_free(s);
}

struct aws_session *aws_session_ref(struct aws_session *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

static struct aws_session *session_new(struct aws_env *env, enum session_kind kind,
				       struct creds *creds)
{
	struct aws_session *s = MEM_NEW(struct aws_session);

	s->refs = 1;
	s->kind = kind;
	s->env = env;
	s->synced.creds = creds;
	lock_init(&s->lock);
	lock_cond_init(&s->changed);
	return s;
}

static const char *from_process(const char *name)
{
	return getenv(name);
}

struct aws_session *aws_session_base(struct aws_env *env)
{
	return session_new(env, SESSION_BASE, NULL);
}

struct aws_session *aws_session_of(struct aws_env *env, struct creds *creds)
{
	return session_new(env, SESSION_KEYS, creds);
}

struct aws_session *aws_session_keys(struct aws_env *env, struct str access_key_id,
				     struct str secret)
{
	return aws_session_of(env, creds_new(access_key_id, secret, S("")));
}

/* The account whose quota an AssumeRole through via uses. Its name only has to be the same for the
 * same signer. */
static struct str signer_name(const struct aws_session *via)
{
	struct awsname_arn arn;

	if (via->kind == SESSION_ROLE &&
	    awsname_arn_parse(str_c(via->assume->role_arn), &arn) == RC_OK)
		return arn.account;
	return S("base");
}

struct aws_session *aws_session_role(struct aws_env *env, struct aws_session *via,
				     const struct aws_role *role)
{
	struct aws_session *s = session_new(env, SESSION_ROLE, NULL);
	AUTO_TEXT char *signer = str_dup(signer_name(via));

	s->via = aws_session_ref(via);
	s->assume = assume_new(role, signer);
	return s;
}

/* Searched for anew each time: the operator may have put them somewhere else since. */
static enum rc load_base(struct aws_session *s, struct aws_client *c, struct creds **ret,
			 struct aws_fault *fault, struct err *err)
{
	AUTO(source) struct source *source = NULL;
	struct err why = { 0 };
	enum rc rc = source_find(from_process, &source, &why);

	if (rc == RC_OK)
		rc = fetch_creds(source, s->env, c, ret, fault, err);
	/* What was denied was our own way to credentials, and not what they were wanted for. */
	if (rc != RC_OK && fault->class != AWS_TRANSIENT && fault->class != AWS_THROTTLED &&
	    fault->class != AWS_CANCELED)
		fault->class = AWS_CREDS_INVALID;
	if (source != NULL) {
		lock_take(&s->lock);
		snprintf(s->synced.origin, sizeof(s->synced.origin), "%s", source->where);
		lock_drop(&s->lock);
		return rc;
	}
	snprintf(fault->code, sizeof(fault->code), "%s", why.code);
	snprintf(fault->message, sizeof(fault->message), "%s", why.text);
	return err_set(err, rc, why.code, "%s", why.text);
}

/* New credentials from where this session has them. No lock is held. */
static enum rc load(struct aws_session *s, struct aws_client *c, struct creds **ret,
		    struct aws_fault *fault, struct err *err)
{
	struct aws_client *inner;

	*fault = (struct aws_fault){ .class = AWS_OK };
	switch (s->kind) {
	case SESSION_ROLE:
		inner = aws_client_inner(c);
		if (inner != NULL)
			return assume_call(s->assume, s->env, s->via, inner, ret, fault, err);
		fault->class = AWS_BAD_REQUEST;
		snprintf(fault->code, sizeof(fault->code), "role_chain");
		return err_set(err, RC_INVALID, "role_chain", "roles are chained too deep");
	case SESSION_BASE: return load_base(s, c, ret, fault, err);
	case SESSION_KEYS: break;
	}
	fault->class = AWS_CREDS_EXPIRED;
	snprintf(fault->code, sizeof(fault->code), "creds_expired");
	return err_set(err, RC_DENIED, "creds_expired",
		       "AWS calls the stored access key expired; give a new one");
}

static int64_t share(int64_t life, int64_t parts, int64_t most)
{
	return life / parts < most ? life / parts : most;
}

enum freshness { FRESH, FADING, STALE };

static enum freshness judge(const struct creds *creds, int64_t wall, uint64_t refused_id)
{
	int64_t life, left;

	if (creds == NULL || creds->id == refused_id)
		return STALE;
	if (creds->expires_wall == 0)
		return FRESH;
	life = creds->expires_wall - creds->born_wall;
	left = creds->expires_wall - wall;
	if (left <= share(life, MANDATORY_SHARE, MANDATORY_MAX))
		return STALE;
	return left <= share(life, ADVISORY_SHARE, ADVISORY_MAX) ? FADING : FRESH;
}

/* One refresh: drops the lock for the call and takes it again. */
static void refresh_synced(struct aws_session *s, struct aws_client *c) REQUIRES(s->lock);
static void refresh_synced(struct aws_session *s, struct aws_client *c)
{
	struct creds *creds = NULL;
	struct aws_fault fault = { 0 };
	struct err err = { 0 };
	enum rc rc;

	lock_assert_held(&s->lock);
	s->synced.refreshing = true;
	lock_drop(&s->lock);
	rc = load(s, c, &creds, &fault, &err);
	lock_take(&s->lock);
	s->synced.refreshing = false;
	s->synced.rounds++;
	s->synced.fault = fault;
	s->synced.err = err;
	if (rc == RC_OK) {
		s->synced.fault.class = AWS_OK;
		creds_free(s->synced.creds);
		s->synced.creds = creds;
	} else {
		s->synced.not_before = clock_mono() + ADVISORY_AGAIN;
	}
	s->synced.base_not_before = 0;
	if (rc != RC_OK && s->kind == SESSION_BASE && fault.class != AWS_CANCELED)
		s->synced.base_not_before = clock_mono() + BASE_AGAIN;
	lock_cond_wake_all(&s->changed);
}

static enum rc canceled(struct aws_fault *fault, struct err *err)
{
	*fault = (struct aws_fault){ .class = AWS_CANCELED };
	snprintf(fault->code, sizeof(fault->code), "canceled");
	return aws_fault_err(fault, err);
}

/* Until there are credentials to hand out, or a round has failed. A stop ends the wait. */
static enum rc settle_synced(struct aws_session *s, struct aws_client *c, uint64_t refused_id,
			     struct aws_fault *fault, struct err *err) REQUIRES(s->lock);
static enum rc settle_synced(struct aws_session *s, struct aws_client *c, uint64_t refused_id,
			     struct aws_fault *fault, struct err *err)
{
	uint64_t first = s->synced.rounds;

	for (;;) {
		enum freshness f = judge(s->synced.creds, aws_env_wall(s->env), refused_id);

		if (f == FRESH)
			return RC_OK;
		if (f == FADING && (s->synced.refreshing || clock_mono() < s->synced.not_before))
			return RC_OK;
		if (f == STALE &&
		    (s->synced.rounds != first || clock_mono() < s->synced.base_not_before)) {
			if (s->synced.fault.class != AWS_OK) {
				*fault = s->synced.fault;
				return err_set(err, s->synced.err.rc, s->synced.err.code, "%s",
					       s->synced.err.text);
			}
			/* Fresh from the source and already refused or too old to use. */
			*fault = (struct aws_fault){ .class = AWS_CREDS_EXPIRED };
			snprintf(fault->code, sizeof(fault->code), "creds_expired");
			return aws_fault_err(fault, err);
		}
		if (!s->synced.refreshing) {
			refresh_synced(s, c);
			continue;
		}
		(void)lock_cond_wait(&s->changed, &s->lock, clock_mono() + WAIT_SLICE);
		if (aws_client_stopped(c))
			return canceled(fault, err);
	}
}

enum rc aws_session_creds(struct aws_session *s, struct aws_client *c, uint64_t refused_id,
			  struct creds **ret, struct aws_fault *fault, struct err *err)
{
	enum rc rc;

	lock_take(&s->lock);
	rc = settle_synced(s, c, refused_id, fault, err);
	if (rc == RC_OK)
		*ret = creds_ref(s->synced.creds);
	lock_drop(&s->lock);
	return rc;
}

static bool is_same(const struct creds *a, const struct creds *b)
{
	struct str none = S("");

	return str_eq(str_c(a->access_key_id), str_c(b->access_key_id)) &&
	       secret_eq(secret_str(a->secret), secret_str(b->secret)) &&
	       str_eq(a->token == NULL ? none : secret_str(a->token),
		      b->token == NULL ? none : secret_str(b->token));
}

bool aws_session_reload(struct aws_session *s, uint64_t refused_id)
{
	AUTO(source) struct source *source = NULL;
	struct err ignored = { 0 };
	bool changed;

	if (s->kind != SESSION_BASE || source_find(from_process, &source, &ignored) != RC_OK ||
	    source->kind != SOURCE_KEYS)
		return false;
	lock_take(&s->lock);
	changed = s->synced.creds != NULL && s->synced.creds->id != refused_id;
	if (!changed && !s->synced.refreshing && !is_same(s->synced.creds, source->keys)) {
		creds_free(s->synced.creds);
		s->synced.creds = creds_ref(source->keys);
		changed = true;
	}
	lock_drop(&s->lock);
	return changed;
}

enum rc aws_session_warm(struct aws_session *s, struct aws_client *client, struct aws_fault *fault,
			 struct err *err)
{
	AUTO(creds) struct creds *creds = NULL;

	*fault = (struct aws_fault){ .class = AWS_OK };
	return aws_session_creds(s, client, 0, &creds, fault, err);
}

void aws_session_origin(struct aws_session *s, char ret[AWS_ORIGIN_MAX])
{
	lock_take(&s->lock);
	memcpy(ret, s->synced.origin, AWS_ORIGIN_MAX);
	lock_drop(&s->lock);
}
