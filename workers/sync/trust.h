/* Trust policies as edges: who may ask to become a role, and under which conditions. */
#ifndef WORKERS_SYNC_TRUST_H
#define WORKERS_SYNC_TRUST_H

#include "workers/sync/emit.h"
#include "workers/sync/policy.h"

/* What a principal element means; a pure function of its text, for the tables of the tests. */
enum trust_kind {
	TRUST_ACCOUNT,  /* account id or root ARN */
	TRUST_IAM,      /* user or role ARN */
	TRUST_SESSION,  /* assumed-role ARN: a role known by name only */
	TRUST_SERVICE,  /* ec2.amazonaws.com */
	TRUST_PROVIDER, /* saml or oidc ARN */
	TRUST_PUBLIC,   /* "*" */
	TRUST_UNRESOLVED, /* unique id of something deleted, federated user, canonical user, anything else */
};
struct trust_principal {
	enum trust_kind kind;
	struct str text;      /* the element */
	struct str account;   /* 12 digits, or "" */
	struct str partition; /* "" = the role's own */
	struct str role_name; /* TRUST_SESSION */
};
/* type: "AWS", "Service", "Federated", "CanonicalUser". */
struct trust_principal trust_classify(struct str type, struct str element);

/* Whether a statement's conditions demand a certain external ID: a plain equality, or a pattern that is not all stars. */
bool trust_needs_external_id(const json_t *statement);
/* The properties of every edge of a statement; new reference. */
json_t *trust_attrs(const json_t *statement, size_t index, const char *document_sha);

MUST_CHECK enum rc trust_emit(struct emit *e, struct id role, const struct policy *document,
			      struct err *err);

#endif
