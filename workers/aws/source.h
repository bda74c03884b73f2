/* Where the operator's own credentials come from. The order is that of AWS's own tools (read in botocore 1.29,
 * create_credential_resolver):
 *
 * 	1 environment         AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 * 	2 role of the profile role_arn with source_profile or credential_source
 * 	3 web identity        AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, or the profile's web_identity_token_file
 * 	4 keys of the profile credentials file before config file
 * 	5 container           AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, else _FULL_URI
 * 	6 instance metadata   IMDSv2, unless AWS_EC2_METADATA_DISABLED=true
 *
 * The profile is AWS_PROFILE's, else "default". Not supported, and said so: credential_process, SSO, MFA. Finding reads the
 * environment and files and calls nobody; base.c gets the credentials. */
#ifndef WORKERS_AWS_SOURCE_H
#define WORKERS_AWS_SOURCE_H

#include "base/buf.h"
#include "workers/aws/creds.h"

enum {
	SOURCE_LOOKED_MAX = 1024,
	SOURCE_DEPTH_MAX = 4, /* roles behind roles */
	SOURCE_WHERE_MAX = 96,
	SOURCE_REGION_MAX = 32,
	SOURCE_SESSION_S = 3600
};

enum source_kind {
	SOURCE_KEYS,
	SOURCE_ROLE,
	SOURCE_WEB_IDENTITY,
	SOURCE_CONTAINER,
	SOURCE_INSTANCE
};

/* A place that has, or should have, credentials, with all it takes to get them. */
struct source {
	enum source_kind kind;
	char where[SOURCE_WHERE_MAX];   /* for people: "environment", "profile vendor" */
	char region[SOURCE_REGION_MAX]; /* whose STS is asked */
	struct creds *keys;             /* KEYS */
	struct source *via;             /* ROLE: who asks for it */
	char *role_arn, *session_name;  /* ROLE, WEB_IDENTITY */
	char *external_id;              /* ROLE; NULL = none */
	int duration_s;                 /* ROLE */
	char *token_file;               /* WEB_IDENTITY, CONTAINER; read anew each time */
	char *url;                      /* CONTAINER: to ask; INSTANCE: origin */
	struct secret *authorization;   /* CONTAINER; NULL = none */
	char *looked;                   /* where nothing was found before this one */
};
void source_free(struct source *s);
DEFINE_AUTO(source)

/* The first source that has credentials or should. RC_NOT_FOUND no_base_credentials names every place; other codes: a
 * source is there and broken. get is getenv, or a test's. */
MUST_CHECK enum rc source_find(const char *(*get)(const char *name), struct source **ret,
			       struct err *err);
/* The same sentence when the last place, instance metadata, turned out to have none. */
enum rc source_none(const struct source *s, const char *found, struct err *err);

#endif
