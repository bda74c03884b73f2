/* The AWS managed policies that the account uses. Their documents are the same everywhere and change rarely, so a document
 * that the inventory holds for the default version is not fetched again. */
#include "aws/iam.h"
#include "base/mem.h"
#include "db/stage_read.h"
#include "workers/sync/collect.h"
#include "workers/sync/policy.h"
#include "workers/sync/work.h"

/* Counts are left out: they are this account's, and the entity is shared by all accounts of the organization. */
static enum rc put_policy(struct sync *s, const json_t *item, struct err *err)
{
	json_t *attrs = json_object();
	const struct emit_entity e = { .kind = "aws.iam_policy",
				       .part = "",
				       .key = json_str(item, "Arn"),
				       .name = json_str(item, "PolicyName"),
				       .incarnation = json_str(item, "PolicyId"),
				       .foreign = true };

	json_object_set_new(attrs, "aws_managed", json_true());
	json_set_text(attrs, "path", json_str(item, "Path"));
	json_set_text(attrs, "unique_id", json_str(item, "PolicyId"));
	json_set_text(attrs, "default_version_id", json_str(item, "DefaultVersionId"));
	emit_time(attrs, "created", json_str(item, "CreateDate"));
	emit_time(attrs, "updated", json_str(item, "UpdateDate"));
	return emit_entity(&s->emit, &e, attrs, err);
}

static enum rc policies_page(void *arg, json_t *reply, struct err *err)
{
	struct sync *s = arg;
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (json_object_get(reply, "Policies"), i, item) {
		if (rc != RC_OK || json_str(item, "Arn").n == 0)
			continue;
		sync_part(s, PART_AWS_POLICIES)->items++;
		rc = put_policy(s, item, err);
	}
	return rc;
}

static enum rc put_document(struct sync *s, struct str arn, struct str version, struct str encoded,
			    struct err *err)
{
	AUTO(policy) struct policy document = { .json = NULL };
	const struct emit_entity e = { .kind = "aws.iam_policy",
				       .part = part_name(PART_POLICY_DOCUMENTS),
				       .key = arn,
				       .rank = STAGE_EXTRA,
				       .foreign = true };
	json_t *attrs = NULL;
	enum rc rc = policy_read(s->stage, encoded, &document, err);

	if (rc != RC_OK)
		return rc;
	sync_part(s, PART_POLICY_DOCUMENTS)->items++;
	attrs = json_object();
	policy_attrs(attrs, "document", &document);
	json_set_text(attrs, "document_version", version);
	return emit_entity(&s->emit, &e, attrs, err);
}

static enum rc version_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			     struct err *err)
{
	const json_t *version = json_object_get(reply, "PolicyVersion");

	(void)arg;
	return put_document(s, str_c(item->arn), json_str(version, "VersionId"),
			    json_str(version, "Document"), err);
}

static enum rc documents(struct sync *s, struct err *err)
{
	AUTO(work) struct work w = { .n = 0 };
	AUTO(db_rows) struct db_rows *rows = NULL;
	const struct work_op op = { .part = PART_POLICY_DOCUMENTS,
				    .op = &IAM_GET_POLICY_VERSION,
				    .name_param = "PolicyArn",
				    .by_arn = true,
				    .extra_param = "VersionId",
				    .found = version_found };
	enum rc rc = stage_flush(s->stage, err);

	if (rc == RC_OK)
		rc = stage_read_missing_documents(s->run->db, s->run->task->org_id, &rows, err);
	for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
		rc = work_add(&w, db_rows_id(rows, i, "entity_id"), db_rows_text(rows, i, "key"),
			      S(""), db_rows_text(rows, i, "version"), "", err);
	return rc == RC_OK ? work_run(s, &w, &op, err) : rc;
}

struct closing {
	struct sync *s;
	const struct db_rows *wanted;
};

static bool is_wanted(const struct db_rows *rows, struct str arn)
{
	for (int i = 0; i < db_rows_count(rows); i++) {
		if (str_eq(db_rows_text(rows, i, "key"), arn))
			return true;
	}
	return false;
}

static enum rc default_document(struct sync *s, const json_t *item, struct err *err)
{
	json_t *version;
	size_t i;

	json_array_foreach (json_object_get(item, "PolicyVersionList"), i, version) {
		if (str_eq_nocase(json_str(version, "IsDefaultVersion"), S("true")))
			return put_document(s, json_str(item, "Arn"),
					    json_str(version, "VersionId"),
					    json_str(version, "Document"), err);
	}
	return RC_OK;
}

static enum rc closing_page(void *arg, json_t *reply, struct err *err)
{
	struct closing *c = arg;
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (json_object_get(reply, "Policies"), i, item) {
		if (rc != RC_OK || !is_wanted(c->wanted, json_str(item, "Arn")))
			continue;
		sync_part(c->s, PART_AWS_POLICIES)->items++;
		rc = put_policy(c->s, item, err);
		if (rc == RC_OK)
			rc = default_document(c->s, item, err);
	}
	return rc;
}

/* An attached or bounding policy that ListPolicies did not show (a boundary may be none of its "attached" ones) comes from
 * the account details. Without that permission it stays a stub, and the part says so. */
static enum rc close_over(struct sync *s, struct err *err)
{
	AUTO(db_rows) struct db_rows *rows = NULL;
	AUTO_TEXT char *like = mem_text("arn:%s:iam::aws:policy/%%", s->emit.partition);
	AUTO_JSON json_t *params = json_pack("{s:[s]}", "Filter", "AWSManagedPolicy");
	struct closing c = { .s = s };
	struct aws_fault fault = { .class = AWS_OK };
	struct aws_tally tally = { 0 };
	struct err own = { 0 };
	enum rc rc = stage_flush(s->stage, err);

	if (rc == RC_OK)
		rc = stage_read_unlisted_policies(s->run->db, like, &rows, err);
	if (rc != RC_OK || db_rows_count(rows) == 0 || s->dead)
		return rc;
	c.wanted = rows;
	rc = aws_pages(s->run->client, &s->target, &IAM_GET_ACCOUNT_AUTHORIZATION_DETAILS, params,
		       closing_page, &c, &fault, &tally, &own);
	rc = sync_after(s, PART_AWS_POLICIES, rc, &tally, &fault, &own, err);
	if (rc == RC_OK && fault.class != AWS_OK)
		part_object_fault(sync_part(s, PART_AWS_POLICIES), &fault);
	sync_part(s, PART_AWS_POLICIES)->read++;
	return rc;
}

enum rc managed_collect(struct sync *s, struct err *err)
{
	AUTO_JSON json_t *params = json_pack("{s:s, s:s}", "Scope", "AWS", "OnlyAttached", "true");
	enum rc rc = sync_pages(s, PART_AWS_POLICIES, &IAM_LIST_POLICIES, params, policies_page,
				NULL, err);

	if (rc == RC_OK)
		rc = close_over(s, err);
	return rc == RC_OK ? documents(s, err) : rc;
}
