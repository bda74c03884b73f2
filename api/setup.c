/* Handlers of /v1/aws/setup and its variants: the caller's options, our account, one plan, one form of it.
 * Writes nothing and asks AWS nothing. */
#include "api/setup.h"
#include "api/reply.h"
#include "api/setup_forms.h"
#include "api/setup_links.h"
#include "api/setup_yaml.h"
#include "base/awsname.h"
#include "base/mem.h"
#include "db/vendor.h"

#include <stdio.h>

enum { VENDOR_RETRY_S = 30 };

/* What is shown when a request names nothing: a person picks from the documents, but a template is applied as it comes, so it
 * holds only what reads. */
static const char MENU[] = "1,2,3,4", APPLIED[] = "1,2,3";

static struct http_reply vendor_unknown(const struct http_request *req)
{
	struct http_reply reply = problem_of(
		req, 503, "vendor_unknown",
		"It is not known yet which AWS account customers have to trust. The operator sets "
		"CONNECTORD_VENDOR_ACCOUNT on the server, or starts a worker that has an AWS "
		"identity.");

	reply.retry_after_s = VENDOR_RETRY_S;
	return reply;
}

/* The plan without its policies. False: *reply says why. */
static bool begin(struct http_request *req, const char *tiers, struct setup_plan *plan,
		  struct http_reply *reply)
{
	struct err err = { 0 };
	AUTO(problem) struct problem p = { 0 };
	char vendor[VENDOR_ACCOUNT_MAX] = "";

	if (!setup_options_read(req, tiers, &plan->options, &p)) {
		*reply = problem_reply(req, &p);
		return false;
	}
	if (*req->env->vendor_account) {
		snprintf(vendor, sizeof(vendor), "%s", req->env->vendor_account);
	} else if (vendor_load(req->db, vendor, &err) != RC_OK) {
		*reply = problem_err(req, &err);
		return false;
	}
	if (!*vendor) {
		*reply = vendor_unknown(req);
		return false;
	}
	snprintf(plan->principal, sizeof(plan->principal), "arn:%.*s:iam::%s:root",
		 STR_FMT(plan->options.places.partition), vendor);
	id_uuid(req->caller.org_id, plan->external_id);
	return true;
}

static struct http_reply text(const struct http_request *req, enum rc rc, struct buf *out,
			      const char *type)
{
	struct err err = { 0 };
	struct http_reply reply = { .status = 200, .type = type, .n = out->n };

	if (rc != RC_OK) {
		(void)err_set(&err, RC_BROKEN, "setup_too_long", "A setup text has over %d bytes.",
			      SETUP_FORMS_TEXT_MAX);
		return problem_err(req, &err);
	}
	reply.body = buf_take(out);
	return reply;
}

struct http_reply setup_show(struct http_request *req)
{
	AUTO(setup_plan) struct setup_plan plan = { 0 };
	struct http_reply reply = { 0 };
	struct err err = { 0 };

	if (!begin(req, MENU, &plan, &reply))
		return reply;
	if (setup_plan_make(&plan, true, &err) != RC_OK)
		return problem_err(req, &err);
	return reply_json(200,
			  json_pack("{s:s, s:s, s:s, s:s%, s:o, s:O, s:o, s:o, s:o}", "principal",
				    plan.principal, "external_id", plan.external_id, "partition",
				    awsname_partition(plan.options.places.partition)->name,
				    "role_name", plan.options.places.prefix.p,
				    plan.options.places.prefix.n, "trust_policy",
				    setup_plan_trust(json_string(plan.principal),
						     json_string(plan.external_id)),
				    "policies", plan.policies, "omitted", setup_plan_omitted(&plan),
				    "links", setup_links_paths(req), "quick_create_url",
				    setup_links_quick_create(&plan, req->env->setup_template_url)));
}

static struct http_reply yaml(const struct http_request *req, json_t *tree)
{
	AUTO(buf) struct buf out = BUF_INIT(SETUP_FORMS_TEXT_MAX);
	enum rc rc = setup_yaml_put(&out, tree);

	json_decref(tree);
	return text(req, rc, &out, "application/yaml");
}

struct http_reply setup_cloudformation(struct http_request *req)
{
	AUTO(setup_plan) struct setup_plan plan = { 0 };
	struct http_reply reply = { 0 };
	struct err err = { 0 };

	if (!begin(req, APPLIED, &plan, &reply))
		return reply;
	if (setup_plan_make(&plan, false, &err) != RC_OK)
		return problem_err(req, &err);
	return yaml(req, setup_cloudformation_tree(&plan));
}

typedef enum rc form_fn(struct buf *out, const struct setup_plan *plan);

static struct http_reply form(struct http_request *req, form_fn *put, const char *type)
{
	AUTO(setup_plan) struct setup_plan plan = { 0 };
	AUTO(buf) struct buf out = BUF_INIT(SETUP_FORMS_TEXT_MAX);
	struct http_reply reply = { 0 };
	struct err err = { 0 };

	if (!begin(req, APPLIED, &plan, &reply))
		return reply;
	if (setup_plan_make(&plan, false, &err) != RC_OK)
		return problem_err(req, &err);
	return text(req, put(&out, &plan), &out, type);
}

struct http_reply setup_terraform(struct http_request *req)
{
	return form(req, setup_terraform_put, "text/plain");
}

struct http_reply setup_cli(struct http_request *req)
{
	return form(req, setup_cli_put, "text/x-shellscript");
}

struct http_reply setup_member_template(struct http_request *req)
{
	AUTO(setup_plan) struct setup_plan plan = { 0 };
	struct http_reply reply = { 0 };
	struct err err = { 0 };
	json_t *tree = NULL;

	if (!begin(req, APPLIED, &plan, &reply))
		return reply;
	if (setup_member_tree(&plan, &tree, &err) != RC_OK)
		return problem_err(req, &err);
	return yaml(req, tree);
}
