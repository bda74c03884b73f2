/* Endpoint table. Facts: botocore's endpoint rule sets. */
#include "workers/aws/endpoint.h"
#include "base/mem.h"
#include <stdio.h>

static const struct endpoint_service SERVICES[] = {
	{ "iam", "iam", "iam", "IAM", ENDPOINT_IAM },
	{ "sts", "sts", "sts", "STS", ENDPOINT_REGIONAL },
	{ "organizations", "organizations", "organizations", "ORGANIZATIONS", ENDPOINT_GLOBAL_IN },
	{ "account", "account", "account", "ACCOUNT", ENDPOINT_GLOBAL_IN },
	{ "sso-admin", "sso", "sso", "SSO_ADMIN", ENDPOINT_REGIONAL },
	{ "identitystore", "identitystore", "identitystore", "IDENTITYSTORE", ENDPOINT_REGIONAL },
	{ "ec2", "ec2", "ec2", "EC2", ENDPOINT_REGIONAL },
	{ "s3", "s3", "s3", "S3", ENDPOINT_REGIONAL },
	{ "s3control", "s3-control", "s3", "S3_CONTROL", ENDPOINT_ACCOUNT_HOST },
	{ "rds", "rds", "rds", "RDS", ENDPOINT_REGIONAL },
	{ "eks", "eks", "eks", "EKS", ENDPOINT_REGIONAL },
	{ "lambda", "lambda", "lambda", "LAMBDA", ENDPOINT_REGIONAL },
	{ "secretsmanager", "secretsmanager", "secretsmanager", "SECRETS_MANAGER",
	  ENDPOINT_REGIONAL },
	{ "kms", "kms", "kms", "KMS", ENDPOINT_REGIONAL },
	{ "dynamodb", "dynamodb", "dynamodb", "DYNAMODB", ENDPOINT_REGIONAL },
	{ "dynamodbstreams", "streams.dynamodb", "dynamodb", "DYNAMODB_STREAMS",
	  ENDPOINT_REGIONAL },
	{ "bedrock", "bedrock", "bedrock", "BEDROCK", ENDPOINT_REGIONAL },
	{ "bedrock-agent", "bedrock-agent", "bedrock", "BEDROCK_AGENT", ENDPOINT_REGIONAL },
	{ "cloudtrail", "cloudtrail", "cloudtrail", "CLOUDTRAIL", ENDPOINT_REGIONAL },
	{ "cloudformation", "cloudformation", "cloudformation", "CLOUDFORMATION",
	  ENDPOINT_REGIONAL },
	{ "events", "events", "events", "EVENTBRIDGE", ENDPOINT_REGIONAL },
	{ "sqs", "sqs", "sqs", "SQS", ENDPOINT_REGIONAL },
	{ "sns", "sns", "sns", "SNS", ENDPOINT_REGIONAL },
	{ "kinesis", "kinesis", "kinesis", "KINESIS", ENDPOINT_REGIONAL },
	{ "firehose", "firehose", "firehose", "FIREHOSE", ENDPOINT_REGIONAL },
};

/* Partition-wide services: IAM's hosts follow no pattern, the others name the region they live in.
 * A partition that is not here has IAM in its own region, by the regional pattern. */
static const struct {
	const char *partition;
	const char *iam_host;
	const char *iam_region;
	const char *other_region; /* organizations, account */
} GLOBALS[] = {
	{ "aws", "iam.amazonaws.com", "us-east-1", "us-east-1" },
	{ "aws-cn", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1", "cn-northwest-1" },
	{ "aws-us-gov", "iam.us-gov.amazonaws.com", "us-gov-west-1", "us-gov-west-1" },
	{ "aws-iso", "iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", NULL },
	{ "aws-iso-b", "iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", NULL },
};

struct endpoint_overrides {
	char base[COUNT_OF(SERVICES)][ENDPOINT_URL_MAX]; /* "" = none */
};

const struct endpoint_service *endpoint_service_at(size_t i)
{
	return i < COUNT_OF(SERVICES) ? &SERVICES[i] : NULL;
}

const struct endpoint_service *endpoint_service(const char *id)
{
	for (size_t i = 0; i < COUNT_OF(SERVICES); i++)
		if (strcmp(SERVICES[i].id, id) == 0)
			return &SERVICES[i];
	return NULL;
}

void endpoint_overrides_free(struct endpoint_overrides *o)
{
	mem_free(o);
}

/* An origin and nothing else: no user, path, query or fragment. */
static bool is_origin(struct str url)
{
	struct str rest;

	if (str_starts(url, S("https://")))
		rest = str_sub(url, 8, url.n - 8);
	else if (str_starts(url, S("http://")))
		rest = str_sub(url, 7, url.n - 7);
	else
		return false;
	if (rest.n == 0 || rest.n >= ENDPOINT_HOST_MAX)
		return false;
	for (size_t i = 0; i < rest.n; i++) {
		char c = rest.p[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '[' ||
			  c == ']';
		if (!ok)
			return false;
	}
	return true;
}

static enum rc read_override(const char *name, const char *value, char out[ENDPOINT_URL_MAX],
			     struct err *err)
{
	struct str url = str_c(value);

	if (str_ends(url, S("/")))
		url.n--;
	if (!is_origin(url))
		return err_set(err, RC_INVALID, "invalid_endpoint",
			       "%s is not an http:// or https:// origin (scheme, host and port "
			       "only)",
			       name);
	memcpy(out, url.p, url.n);
	out[url.n] = '\0';
	return RC_OK;
}

enum rc endpoint_overrides_new(const char *(*get)(const char *name),
			       struct endpoint_overrides **ret, struct err *err)
{
	AUTO(endpoint_overrides) struct endpoint_overrides *o = MEM_NEW(struct endpoint_overrides);
	const char *ignore = get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	const char *all = get("AWS_ENDPOINT_URL");
	bool off = ignore != NULL && str_eq_nocase(str_c(ignore), S("true"));

	for (size_t i = 0; i < COUNT_OF(SERVICES) && !off; i++) {
		char name[64];
		const char *value;

		snprintf(name, sizeof(name), "AWS_ENDPOINT_URL_%s", SERVICES[i].env);
		value = get(name);
		if (value == NULL || *value == '\0') {
			snprintf(name, sizeof(name), "AWS_ENDPOINT_URL");
			value = all;
		}
		if (value == NULL || *value == '\0')
			continue;
		if (read_override(name, value, o->base[i], err) != RC_OK)
			return RC_INVALID;
	}
	*ret = TAKE(o);
	return RC_OK;
}

static void set_region(struct endpoint *e, const char *region)
{
	snprintf(e->region, sizeof(e->region), "%s", region);
}

static void regional(const struct endpoint_service *s, const struct awsname_partition *p,
		     const char *region, struct endpoint *e)
{
	set_region(e, region);
	snprintf(e->host, sizeof(e->host), "%s.%s.%s", s->prefix, region, p->dns_suffix);
}

static void partition_wide(const struct endpoint_service *s, const struct awsname_region *r,
			   struct endpoint *e)
{
	for (size_t i = 0; i < COUNT_OF(GLOBALS); i++) {
		if (strcmp(GLOBALS[i].partition, r->partition->name) != 0)
			continue;
		if (s->kind == ENDPOINT_IAM) {
			set_region(e, GLOBALS[i].iam_region);
			snprintf(e->host, sizeof(e->host), "%s", GLOBALS[i].iam_host);
			return;
		}
		if (GLOBALS[i].other_region != NULL) {
			regional(s, r->partition, GLOBALS[i].other_region, e);
			return;
		}
	}
	regional(s, r->partition, r->name, e);
}

static bool is_under(struct str host, struct str suffix)
{
	return host.n > suffix.n && str_ends(host, suffix) && host.p[host.n - suffix.n - 1] == '.';
}

static enum rc put_host(const struct endpoint_service *s, const struct awsname_region *r,
			struct str account, struct endpoint *ret, struct err *err)
{
	char host[ENDPOINT_HOST_MAX];

	switch (s->kind) {
	case ENDPOINT_IAM:
	case ENDPOINT_GLOBAL_IN: partition_wide(s, r, ret); break;
	case ENDPOINT_REGIONAL: regional(s, r->partition, r->name, ret); break;
	case ENDPOINT_ACCOUNT_HOST:
		if (!awsname_is_account(account))
			return err_set(err, RC_INVALID, "invalid_account",
				       "%s needs a 12-digit account ID in its host name", s->id);
		regional(s, r->partition, r->name, ret);
		memcpy(host, ret->host, sizeof(host));
		snprintf(ret->host, sizeof(ret->host), "%.*s.%.*s", STR_FMT(account),
			 ENDPOINT_HOST_MAX - 14, host);
		break;
	}
	if (!is_under(str_c(ret->host), str_c(r->partition->dns_suffix)))
		return err_set(err, RC_BROKEN, "foreign_host",
			       "the host built for %s in %s is not under %s", s->id, r->name,
			       r->partition->dns_suffix);
	return RC_OK;
}

enum rc endpoint_find(const struct endpoint_overrides *o, const char *service, struct str region,
		      struct str account, struct endpoint *ret, struct err *err)
{
	const struct endpoint_service *s = endpoint_service(service);
	const struct awsname_region *r = awsname_region(region);
	const char *base;
	enum rc rc;

	if (s == NULL)
		return err_set(err, RC_INVALID, "unknown_service",
			       "no endpoint is known for the service %s", service);
	if (r == NULL)
		return err_set(err, RC_INVALID, "unknown_region", "%.*s is not an AWS region",
			       region.n > 40 ? 40 : (int)region.n, region.p);
	memset(ret, 0, sizeof(*ret));
	ret->signing_name = s->signing_name;
	rc = put_host(s, r, account, ret, err);
	if (rc != RC_OK)
		return rc;
	base = o == NULL ? "" : o->base[s - SERVICES];
	if (*base == '\0') {
		snprintf(ret->base, sizeof(ret->base), "https://%s", ret->host);
		return RC_OK;
	}
	ret->overridden = true;
	snprintf(ret->base, sizeof(ret->base), "%s", base);
	snprintf(ret->host, sizeof(ret->host), "%.*s", ENDPOINT_HOST_MAX - 1,
		 strstr(base, "://") + 3);
	return RC_OK;
}
