/* The AWS client.
 *
 * 	struct aws_env      one a process, shared by all threads: endpoints, limiter, clock offset
 * 	struct aws_session  whose credentials sign: base identity, assumed role or access key. Shared,
 * 	                    refreshed early, one refresh in flight
 * 	struct aws_client   one a thread: a curl_multi with a bounded number of requests in flight
 *
 * Nothing here knows Postgres. Every failure becomes a struct aws_fault with one class; callers
 * switch on the class and never on strings. Facts: shared catalogue of AWS calls §1 (botocore
 * models and documented limits). */
#ifndef AWS_AWS_H
#define AWS_AWS_H

#include "aws/op.h"
#include "base/json.h"
#include "base/secret.h"

enum aws_class {
	AWS_OK,
	AWS_DENIED,          /* the permission is missing; fault.deny_cause says where */
	AWS_CREDS_INVALID,   /* the key or the signature is refused everywhere */
	AWS_CREDS_EXPIRED,   /* and a refreshed session expired as well */
	AWS_REGION_DISABLED, /* the credentials work, this region does not */
	AWS_UNSUPPORTED,     /* the service or operation does not exist in this region */
	AWS_NOT_ENABLED,     /* the account does not use the service */
	AWS_NOT_FOUND,       /* the object named is not there */
	AWS_THROTTLED,       /* throttled until the deadline or the retry quota ran out */
	AWS_TRANSIENT,       /* 5xx, timeout, reset, cut or unparsable body until retries ran out */
	AWS_BAD_REQUEST,     /* AWS calls the request wrong: our bug or an unknown capability */
	AWS_PAGER,           /* repeated token, or more pages than the cap */
	AWS_CANCELED,        /* the caller's stop flag was raised */
};
const char *aws_class_name(enum aws_class c); /* "denied" */
/* RC_OK, RC_DENIED, RC_NOT_FOUND, RC_RETRY, RC_LIMIT, RC_INVALID. */
enum rc aws_class_rc(enum aws_class c);

enum {
	AWS_CODE_MAX = 80,
	AWS_MESSAGE_MAX = 512,
	AWS_REQUEST_ID_MAX = 80,
	AWS_CAUSE_MAX = 32,
	AWS_PAGES_MAX = 10000
};

struct aws_fault {
	enum aws_class class;
	int http_status;               /* 0: no answer */
	char code[AWS_CODE_MAX];       /* AWS's own ("AccessDenied") or ours ("connect_timeout") */
	char message[AWS_MESSAGE_MAX]; /* cleaned, bounded */
	char request_id[AWS_REQUEST_ID_MAX];
	char deny_cause[AWS_CAUSE_MAX]; /* implicit, explicit, scp, rcp, boundary, session,
					   vpc_endpoint, resource, "" */
	const struct aws_op *op;
};

/* What a piece of work cost; callers add tallies up. */
struct aws_tally {
	int64_t calls; /* requests sent, retries included */
	int64_t pages;
	int64_t throttles; /* answers that said throttled */
	int64_t retries;
};
void aws_tally_add(struct aws_tally *sum, const struct aws_tally *part);

/* --- environment --- */

struct aws_settings {
	int in_flight;     /* requests in flight of one client, 1..64; 0 = 32 */
	const char *rates; /* "iam=5,sts=20": requests/s that replace the table's start rates; "" =
			      none */
	const char *ca_file;             /* "" = the system's */
	int call_timeout_s;              /* one request; 0 = 60 */
	int scope_deadline_s;            /* longest time without a good page, retries and waits for
					    the limiter included; 0 = 900 */
	const char *const *own_accounts; /* NULL-ended; roles there are never assumed */
};

struct aws_env;
void aws_env_free(struct aws_env *env);
DEFINE_AUTO(aws_env)
/* Reads AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE> (the only way to a plain-http or non-AWS
 * host). Call after aws_setup(). RC_INVALID: an endpoint or a rate that cannot be parsed. */
MUST_CHECK enum rc aws_env_new(const struct aws_settings *settings, struct aws_env **ret,
			       struct err *err);
void aws_setup(void); /* curl_global_init; once, in main, before threads */
/* The operator's own accounts, settings.own_accounts first: roles there are never assumed. One that
 * becomes known later holds from then on, for all threads. RC_INVALID: not 12 digits. RC_LIMIT. */
MUST_CHECK enum rc aws_env_own_account(struct aws_env *env, struct str account, struct err *err);
bool aws_env_is_own_account(struct aws_env *env, struct str account);
bool aws_env_knows_own_account(struct aws_env *env); /* at least one */

/* --- sessions --- */

struct aws_session;
struct aws_client;
void aws_session_free(struct aws_session *s); /* drops a reference */
DEFINE_AUTO(aws_session)
struct aws_session *aws_session_ref(struct aws_session *s) NEVER_NULL;

/* The operator's own identity, from where AWS's own tools look (workers/aws/source.h). Nothing is looked for yet: the first
 * use does (or aws_session_warm). Without any, uses fail with AWS_CREDS_INVALID and the code no_base_credentials, and it is
 * looked for again a few seconds later. */
struct aws_session *aws_session_base(struct aws_env *env) NEVER_NULL;
enum { AWS_ORIGIN_MAX = 96 };
/* Where the base identity's credentials were found: "environment", "profile vendor"; "" = nowhere yet. */
void aws_session_origin(struct aws_session *base, char ret[AWS_ORIGIN_MAX]);
/* A stored access key. The secret is copied into guarded memory. */
struct aws_session *aws_session_keys(struct aws_env *env, struct str access_key_id,
				     struct str secret) NEVER_NULL;

struct aws_role {
	const char *role_arn;
	const char *external_id;    /* NULL only for the probe that proves it is needed */
	const char *session_name;   /* 2..64 of [\w+=,.@-] */
	const char *session_policy; /* JSON <= 2048 characters, or NULL */
	const char *region;         /* regional STS */
	int duration_s;             /* 0 = 3600 */
};
/* Nothing is called yet: the first use assumes the role (or aws_session_warm). Keeps a reference to
 * via. */
struct aws_session *aws_session_role(struct aws_env *env, struct aws_session *via,
				     const struct aws_role *role) NEVER_NULL;
/* Makes sure that the session holds credentials that last; RC from fault.class. A role in one of
 * the env's own accounts is AWS_DENIED with code own_account_role, and nothing is sent. */
MUST_CHECK enum rc aws_session_warm(struct aws_session *s, struct aws_client *client,
				    struct aws_fault *fault, struct err *err);

/* --- calls --- */

void aws_client_free(struct aws_client *c);
DEFINE_AUTO(aws_client)
struct aws_client *aws_client_new(struct aws_env *env) NEVER_NULL;
/* Polled at least every 200 ms; true ends all work with AWS_CANCELED. stop may be NULL. */
void aws_client_stop_when(struct aws_client *c, bool (*stop)(void *arg), void *arg);

/* Where a call goes and who signs it. account is the limiter's key: the account of the signing
 * credentials. */
struct aws_target {
	struct aws_session *session;
	const char *account;
	const char *region;      /* the connection's or resource's region; global services map it
				    themselves */
	const char *home_region; /* where an ambiguous credential error is re-checked */
};

/* Callbacks of the functions below must not use the client that calls them. */

/* One call, retried by class. RC_OK: *ret_reply is a new reference. Else *fault says why and err
 * has the sentence. params may be NULL; it is borrowed. */
MUST_CHECK enum rc aws_call(struct aws_client *c, const struct aws_target *t,
			    const struct aws_op *op, const json_t *params, json_t **ret_reply,
			    struct aws_fault *fault, struct aws_tally *tally, struct err *err);

/* A whole listing: page(reply) for every page in order, until the token ends. A page's failure is
 * retried in place. RC_OK only when the last page was read and every page() returned RC_OK. page's
 * own rc is passed on unchanged. */
typedef enum rc aws_page_fn(void *arg, json_t *reply, struct err *err);
MUST_CHECK enum rc aws_pages(struct aws_client *c, const struct aws_target *t,
			     const struct aws_op *op, const json_t *params, aws_page_fn *page,
			     void *arg, struct aws_fault *fault, struct aws_tally *tally,
			     struct err *err);

/* One call per item, up to the in-flight limit at once, answers in any order. next() returns a new
 * reference to the next parameters and sets *ret_item (handed back to done()), or NULL at the end.
 * done() gets the reply (borrowed) or NULL with the fault; a paged op delivers every page, the last
 * one with more = false. If done() returns other than RC_OK the rest is abandoned and that rc is
 * returned. Faults alone never end the run (except AWS_CREDS_INVALID, AWS_CREDS_EXPIRED and
 * AWS_CANCELED, which do: fault and err are set). */
struct aws_each {
	json_t *(*next)(void *arg, void **ret_item);
	enum rc (*done)(void *arg, void *item, json_t *reply, bool more,
			const struct aws_fault *fault, struct err *err);
	void *arg;
};
MUST_CHECK enum rc aws_each(struct aws_client *c, const struct aws_target *t,
			    const struct aws_op *op, const struct aws_each *each,
			    struct aws_fault *fault, struct aws_tally *tally, struct err *err);

/* AWS found the request's time wrong by more than could be corrected: our clock, not the key. */
bool aws_fault_is_skew(const struct aws_fault *fault);
/* "AccessDenied: User ... is not authorized to perform iam:ListUsers (request 1234)": fills err
 * from a fault. */
enum rc aws_fault_err(const struct aws_fault *fault, struct err *err);

#endif
