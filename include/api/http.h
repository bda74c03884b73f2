/* What a handler sees of HTTP: a request that was guarded, authenticated and routed, and the reply it
 * returns. No library type is visible here, so a handler is called in tests without a socket. */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "base/buf.h"
#include "base/json.h"
#include "base/sealfile.h"
#include "db/db.h"

enum {
	HTTP_SEGMENTS_MAX = 8,
	HTTP_QUERY_MAX = 16,
	HTTP_TARGET_MAX = 4096,
	HTTP_REQUEST_ID_MAX = 65,
	HTTP_ACTOR_MAX = 64,
	HTTP_LOCATION_MAX = 160,
	HTTP_POLICY_MAX = 192
};

/* Who asks, and whom a route is for. Nobody is both: an organization's credential never works for the
 * operator's routes, nor the operator's for an organization's. */
enum http_party { HTTP_NONE, HTTP_ORGANIZATION, HTTP_OPERATOR };

struct http_caller {
	enum http_party party;
	uint32_t scopes;            /* of api/scope.h */
	struct id org_id, key_id;   /* zero for the operator */
	char actor[HTTP_ACTOR_MAX]; /* as the audit writes it: "key:<32 hex>" or "operator" */
};

/* Whether the workers have an AWS identity of their own, in their own words; no secret and no name in it. */
enum { HTTP_IDENTITY_STATE_MAX = 16 };
struct http_identity {
	char state
		[HTTP_IDENTITY_STATE_MAX]; /* "found", "missing", "broken", "refused", "unknown" */
	int64_t workers, without;
};

/* What all requests of a process share; immutable after start but for what locks itself. */
struct http_env {
	const char *key_prefix, *key_env; /* first two parts of an API key */
	const char *vendor_account;       /* the account that customers trust; "" = unknown */
	const char *setup_name_prefix, *setup_template_url; /* settings of the setup documents */
	int verify_every_s, worker_slots;
	bool webhook_allow_http;
	struct sealfile *seal; /* the public key: sealfile_close() */
	/* Whether the database answers with this binary's schema, as it was at most a second ago. */
	enum rc (*ready)(void *arg, struct err *err);
	void *ready_arg;
	void (*base_identity)(void *ready_arg, struct http_identity *ret);
};

struct http_pair {
	char *name, *value; /* decoded, owned by the request */
};

struct field;
struct http_request;
struct http_reply;
typedef struct http_reply http_handler(struct http_request *req);
typedef struct http_reply http_later(struct http_request *req, struct id id);

enum http_listener { HTTP_PUBLIC = 1, HTTP_ADMIN = 2 };
enum http_body { HTTP_NO_BODY, HTTP_JSON, HTTP_MERGE_PATCH, HTTP_OPTIONAL_JSON };

/* A row of the route table. pattern segments in braces match one segment each. */
struct http_route {
	const char *method, *pattern;
	int listeners;        /* HTTP_PUBLIC | HTTP_ADMIN */
	enum http_party need; /* HTTP_NONE: no credential asked */
	uint32_t scope;       /* of api/scope.h, for organizations */
	enum http_body body;
	const struct field
		*query;    /* parameters that it knows (api/fields.h), FIELD_END behind them */
	http_handler *run; /* NULL ends the table */
	bool offline;      /* runs without a database connection */
	bool if_match;     /* a request without If-Match is refused: 428 */
	bool once;         /* Idempotency-Key is honoured */
	bool rehearse;     /* ?validate_only=true undoes what the handler did */
};

struct http_request {
	const struct http_route *route;
	struct str
		segments[HTTP_SEGMENTS_MAX]; /* what the braces of the pattern matched, in order */
	struct str path;
	struct http_pair query[HTTP_QUERY_MAX];
	int query_n;
	struct str body;
	struct str if_match; /* "" when absent */
	struct http_caller caller;
	struct db *db; /* borrowed for this request */
	const struct http_env *env;
	char request_id[HTTP_REQUEST_ID_MAX];
};

struct http_reply {
	int status;
	char *body; /* owned, NULL = none */
	size_t n;
	struct str fixed;             /* static bytes in place of a body */
	const char *type;             /* static */
	char policy[HTTP_POLICY_MAX]; /* Content-Security-Policy; "" = nothing is allowed */
	char location[HTTP_LOCATION_MAX];
	char etag[40];
	const char *allow; /* static */
	int retry_after_s;
	const char
		*secret; /* static: the member of the body that is shown this once; NULL = none */
	bool replayed;   /* it is the answer to an earlier request with the same Idempotency-Key */
	bool close;      /* end the connection after this answer */
	bool own_account; /* it refuses our own account: its line in the audit outlives a rehearsal */
	struct err cause; /* what a 5xx hides from the caller; the server logs it */
	/* Not NULL: what was asked for goes on. The server may ask later() how far it is, for up to wait_s and with nothing
	 * held in between; an answer that has no later of its own takes the place of this one. */
	http_later *later;
	struct id later_id;
	int wait_s;
};

void http_request_done(struct http_request *req); /* frees the query pairs */
void http_reply_done(struct http_reply *reply);
/* The body with null in place of what is shown only once; NULL when there is no such thing. mem_free(). */
char *http_reply_hidden(const struct http_reply *reply);
/* The value of a declared query parameter, "" when it was not sent. It was judged by the route's
 * row, and ends in NUL. */
struct str http_query(const struct http_request *req, const char *name);
/* The row's rights in every statement: org, key, operator. */
struct db_who http_who(const struct http_request *req);

#endif
