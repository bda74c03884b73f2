/* Where a service lives: the table of services by partition, and the operator's overrides.
 * Hosts are only ever built here, from a known region, and must end in the partition's DNS suffix;
 * nothing that a customer typed becomes part of a host. */
#ifndef WORKERS_AWS_ENDPOINT_H
#define WORKERS_AWS_ENDPOINT_H

#include "base/awsname.h"

enum { ENDPOINT_HOST_MAX = 128, ENDPOINT_REGION_MAX = 32, ENDPOINT_URL_MAX = 256 };

/* Which table of hosts a service follows. */
enum endpoint_kind {
	ENDPOINT_REGIONAL,     /* {prefix}.{region}.{suffix} */
	ENDPOINT_IAM,          /* partition-wide, its own hosts */
	ENDPOINT_GLOBAL_IN,    /* partition-wide, {prefix}.{global region}.{suffix} */
	ENDPOINT_ACCOUNT_HOST, /* {account}.{prefix}.{region}.{suffix} */
};

struct endpoint_service {
	const char *id;     /* op->service */
	const char *prefix; /* first label(s) of the host */
	const char *signing_name;
	const char *env; /* AWS's own suffix of AWS_ENDPOINT_URL_ */
	enum endpoint_kind kind;
};
const struct endpoint_service *endpoint_service(const char *id); /* NULL: unknown */
const struct endpoint_service *endpoint_service_at(size_t i);    /* NULL past the end */

struct endpoint {
	char base[ENDPOINT_URL_MAX];  /* "https://iam.amazonaws.com", no trailing slash */
	char host[ENDPOINT_HOST_MAX]; /* value of the Host header, with a port if not the default */
	char region[ENDPOINT_REGION_MAX]; /* signing region, and the limiter's */
	const char *signing_name;
	bool overridden; /* the operator's own address: private networks and http are allowed */
};

/* Overrides, read once from the environment of the process. */
struct endpoint_overrides;
void endpoint_overrides_free(struct endpoint_overrides *o);
DEFINE_AUTO(endpoint_overrides)
/* get is getenv, or a test's. RC_INVALID names the variable that is not an http(s) origin. */
MUST_CHECK enum rc endpoint_overrides_new(const char *(*get)(const char *name),
					  struct endpoint_overrides **ret, struct err *err);

/* account: only for services whose host carries it. RC_INVALID: unknown service or region. */
MUST_CHECK enum rc endpoint_find(const struct endpoint_overrides *o, const char *service,
				 struct str region, struct str account, struct endpoint *ret,
				 struct err *err);

#endif
