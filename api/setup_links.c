/* Links to the other forms of a plan, and to AWS's own page that deploys a template. Values are percent-encoded, all of them. */
#include "api/setup_links.h"
#include "base/awsname.h"
#include "base/text.h"

#include <stdio.h>

enum { LINK_MAX = 16 * 1024 };

/* &name=value, or ?name=value for the first. */
static enum rc put_pair(struct buf *out, const char *name, struct str value, char *separator)
{
	enum rc rc = buf_printf(out, "%c%s=", *separator, name);

	*separator = '&';
	return rc == RC_OK ? text_percent_encode(out, value, false) : rc;
}

/* The parameters of req that the other path knows, too (known NULL: all). */
static json_t *path_of(const struct http_request *req, const char *path, const char *const *known)
{
	AUTO(buf) struct buf out = BUF_INIT(LINK_MAX);
	char separator = '?';
	enum rc rc = buf_put(&out, str_c(path));

	for (int i = 0; rc == RC_OK && i < req->query_n; i++) {
		const struct http_pair *pair = &req->query[i];
		bool has = !known;

		for (const char *const *k = known; k && *k && !has; k++)
			has = strcmp(*k, pair->name) == 0;
		if (has && *pair->value)
			rc = put_pair(&out, pair->name, str_c(pair->value), &separator);
	}
	return json_string(rc == RC_OK ? buf_c(&out) : path);
}

json_t *setup_links_paths(const struct http_request *req)
{
	static const char *const MEMBER[] = { "partition", "name_prefix", NULL };

	return json_pack("{s:o, s:o, s:o, s:o, s:s}", "cloudformation",
			 path_of(req, "/v1/aws/setup/cloudformation", NULL), "terraform",
			 path_of(req, "/v1/aws/setup/terraform", NULL), "cli",
			 path_of(req, "/v1/aws/setup/cli", NULL), "member_template",
			 path_of(req, "/v1/aws/setup/slashid-member-account-setup.yaml", MEMBER),
			 "permissions", "/v1/aws/permissions");
}

/* The partition of a bucket's URL; buckets are not read across partitions. */
static struct str partition_of(struct str url)
{
	if (str_has(url, S(".amazonaws.com.cn/")))
		return S("aws-cn");
	return str_has(url, S("us-gov-")) ? S("aws-us-gov") : S("aws");
}

static const char *console_of(struct str partition)
{
	if (str_eq(partition, S("aws-cn")))
		return "https://console.amazonaws.cn";
	return str_eq(partition, S("aws-us-gov")) ? "https://console.amazonaws-us-gov.com"
						  : "https://console.aws.amazon.com";
}

json_t *setup_links_quick_create(const struct setup_plan *plan, const char *template_url)
{
	AUTO(buf) struct buf out = BUF_INIT(LINK_MAX);
	struct str partition = plan->options.places.partition;
	const struct awsname_partition *known = awsname_partition(partition);
	char separator = '?';
	enum rc rc;

	if (!*template_url || !known || !str_eq(partition_of(str_c(template_url)), partition))
		return json_null();
	rc = buf_printf(&out, "%s/cloudformation/home?region=%s#/stacks/quickcreate",
			console_of(partition), known->global_region);
	if (rc == RC_OK)
		rc = put_pair(&out, "templateURL", str_c(template_url), &separator);
	if (rc == RC_OK)
		rc = put_pair(&out, "stackName", plan->options.places.prefix, &separator);
	if (rc == RC_OK)
		rc = put_pair(&out, "param_TrustedPrincipalArn", str_c(plan->principal),
			      &separator);
	if (rc == RC_OK)
		rc = put_pair(&out, "param_ExternalId", str_c(plan->external_id), &separator);
	return rc == RC_OK ? json_string(buf_c(&out)) : json_null();
}
