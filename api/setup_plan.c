/* From options to policy documents. No action is named here: the catalogue decides. Never grants what lacks its place (a
 * bucket, a key): that is left out, and said. */
#include "api/setup_plan.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>

enum { NAME_MAX_CHARS = 128, LOST_MAX = 4096, PARTS_MAX = 16 };

void setup_plan_done(struct setup_plan *plan)
{
	json_decref(plan->policies);
	plan->policies = NULL;
}

static const struct {
	const char *reason, *detail;
} REASONS[] = {
	[SETUP_PLAN_NEEDS_BUCKET] = { "needs_bucket",
				      "It is granted for one bucket only; name it with bucket." },
	[SETUP_PLAN_NEEDS_KEY] = { "needs_trail_kms_key_arn",
				   "It is granted for one key only, and needed only if the trail "
				   "is "
				   "encrypted with a KMS key; name it with trail_kms_key_arn." },
	[SETUP_PLAN_NEEDS_ORGANIZATION] = { "needs_organization",
					    "It is for AWS Organizations; ask with "
					    "mode=organization." },
	[SETUP_PLAN_DIRECT] = { "member_access_direct",
				"Member accounts are entered directly, not through the management "
				"account." },
	[SETUP_PLAN_OTHER_PARTITION] = { "not_in_partition",
					 "The service does not exist in this partition." },
	[SETUP_PLAN_BY_NAME] = { "only_by_name",
				 "It is rarely wanted; name it in capabilities to have it." },
};

bool setup_plan_is_in(const struct permission_capability *c, struct str partition)
{
	struct str rest = str_c(c->partitions);

	if (rest.n == 0)
		return true;
	while (rest.n > 0) {
		if (str_eq(str_cut(&rest, '|'), partition))
			return true;
	}
	return false;
}

static const char *first_hole(const struct permission_capability *c,
			      const struct permission_places *places)
{
	const char *hole = NULL;

	for (size_t i = 0; !hole && i < PERMISSION_ACTIONS_N; i++) {
		if (PERMISSION_ACTIONS[i].capability == c)
			hole = permission_hole(PERMISSION_ACTIONS[i].resource, places);
	}
	return hole;
}

static enum setup_plan_state judge(size_t i, const struct setup_options *o)
{
	const struct permission_capability *c = &PERMISSION_CAPABILITIES[i];
	bool named = o->named >> i & 1;
	const char *hole = NULL;

	if (!named && !o->tier[c->tier])
		return SETUP_PLAN_NOT_ASKED;
	if (!named && c->by_name)
		return SETUP_PLAN_BY_NAME;
	if (c->organization_only && !o->organization)
		return SETUP_PLAN_NEEDS_ORGANIZATION;
	if (strcmp(c->name, "member_hop") == 0 && !o->via_management)
		return SETUP_PLAN_DIRECT;
	if (!setup_plan_is_in(c, o->places.partition))
		return SETUP_PLAN_OTHER_PARTITION;
	hole = first_hole(c, &o->places);
	if (!hole)
		return SETUP_PLAN_PUBLISHED;
	return strcmp(hole, "KEY_ARN") == 0 ? SETUP_PLAN_NEEDS_KEY : SETUP_PLAN_NEEDS_BUCKET;
}

/* A policy document and the capabilities that share it, before it is known whether it fits into one. */
struct group {
	const struct setup_plan *plan;
	bool member[SETUP_PLAN_CAPABILITIES];
	const struct permission_capability *first;
	const struct permission_action **rows;
	size_t n;
};

/* In by_type, tier and word are one; else the tier. */
static bool is_together(const struct permission_capability *a,
			const struct permission_capability *b, bool by_type)
{
	return a->tier == b->tier && (!by_type || strcmp(a->document, b->document) == 0);
}

static void group_rows(struct group *g)
{
	g->n = 0;
	for (size_t i = 0; i < PERMISSION_ACTIONS_N; i++) {
		if (g->member[PERMISSION_ACTIONS[i].capability - PERMISSION_CAPABILITIES])
			g->rows[g->n++] = &PERMISSION_ACTIONS[i];
	}
}

/* The rows from..to as one document, or in halves until each fits; an action stays whole. */
static enum rc write_rows(const struct group *g, size_t from, size_t to, json_t *documents,
			  struct err *err)
{
	AUTO_JSON json_t *document = NULL;
	AUTO_TEXT char *text = NULL;
	size_t middle = from + (to - from) / 2;
	enum rc rc = permission_policy_of(g->rows + from, to - from, &g->plan->options.places,
					  &document, err);

	if (rc != RC_OK)
		return rc;
	text = json_text(document);
	if (strlen(text) <= PERMISSION_DOCUMENT_MAX) {
		json_array_append(documents, document);
		return RC_OK;
	}
	while (middle > from && strcmp(g->rows[middle]->action, g->rows[middle - 1]->action) == 0)
		middle--;
	if (middle == from || json_array_size(documents) >= PARTS_MAX)
		return err_set(err, RC_BROKEN, "document_too_long",
			       "The resources of %s do not fit into one policy.",
			       g->rows[from]->action);
	rc = write_rows(g, from, middle, documents, err);
	return rc == RC_OK ? write_rows(g, middle, to, documents, err) : rc;
}

/* planned: only those whose calls this version does not make yet. */
static json_t *names_of(const struct group *g, bool planned)
{
	json_t *names = json_array();

	for (size_t i = 0; i < PERMISSION_CAPABILITIES_N; i++) {
		const struct permission_capability *c = &PERMISSION_CAPABILITIES[i];

		if (g->member[i] && !(planned && c->landed))
			json_array_append_new(names, json_string(c->name));
	}
	return names;
}

static json_t *lost_of(const struct group *g)
{
	AUTO(buf) struct buf text = BUF_INIT(LOST_MAX);
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < PERMISSION_CAPABILITIES_N; i++) {
		if (g->member[i])
			rc = buf_printf(&text, "%s%s", text.n ? " " : "",
					PERMISSION_CAPABILITIES[i].lost);
	}
	assert(rc == RC_OK); /* the catalogue is ours */
	return json_string(buf_c(&text));
}

static void add_policy(const struct group *g, bool by_type, json_t *document, size_t part,
		       size_t parts, json_t *policies)
{
	char name[NAME_MAX_CHARS], last[32] = "";
	const struct permission_capability *c = g->first;
	const char *word = by_type ? c->document : "";
	AUTO_TEXT char *text = json_text(document);

	if (parts > 1)
		snprintf(last, sizeof(last), "-part-%zu", part + 1);
	snprintf(name, sizeof(name), "%.*s-tier-%d%s%s%s", STR_FMT(g->plan->options.places.prefix),
		 c->tier, *word ? "-" : "", word, last);
	json_array_append_new(policies,
			      json_pack("{s:s, s:i, s:o, s:o, s:o, s:O, s:I}", "name", name, "tier",
					c->tier, "capabilities", names_of(g, false), "planned",
					names_of(g, true), "lost", lost_of(g), "document", document,
					"characters", (json_int_t)strlen(text)));
}

static enum rc write_group(struct group *g, bool by_type, json_t *policies, struct err *err)
{
	AUTO_JSON json_t *documents = json_array();
	json_t *document;
	size_t i;
	enum rc rc;

	group_rows(g);
	rc = write_rows(g, 0, g->n, documents, err);
	if (rc != RC_OK)
		return rc;
	json_array_foreach (documents, i, document)
		add_policy(g, by_type, document, i, json_array_size(documents), policies);
	return RC_OK;
}

enum rc setup_plan_make(struct setup_plan *plan, bool by_type, struct err *err)
{
	struct group g = { .plan = plan };
	bool done[SETUP_PLAN_CAPABILITIES] = { false };
	enum rc rc = RC_OK;

	assert(PERMISSION_CAPABILITIES_N <= SETUP_PLAN_CAPABILITIES);
	plan->policies = json_array();
	for (size_t i = 0; i < PERMISSION_CAPABILITIES_N; i++)
		plan->state[i] = judge(i, &plan->options);
	g.rows = mem_array(PERMISSION_ACTIONS_N, sizeof(*g.rows));
	for (size_t i = 0; rc == RC_OK && i < PERMISSION_CAPABILITIES_N; i++) {
		if (done[i] || plan->state[i] != SETUP_PLAN_PUBLISHED)
			continue;
		g.first = &PERMISSION_CAPABILITIES[i];
		for (size_t k = 0; k < PERMISSION_CAPABILITIES_N; k++) {
			g.member[k] = plan->state[k] == SETUP_PLAN_PUBLISHED &&
				      is_together(g.first, &PERMISSION_CAPABILITIES[k], by_type);
			done[k] = done[k] || g.member[k];
		}
		rc = write_group(&g, by_type, plan->policies, err);
	}
	mem_free(g.rows);
	return rc;
}

json_t *setup_plan_omitted(const struct setup_plan *plan)
{
	json_t *omitted = json_array();

	for (size_t i = 0; i < PERMISSION_CAPABILITIES_N; i++) {
		const struct permission_capability *c = &PERMISSION_CAPABILITIES[i];
		enum setup_plan_state state = plan->state[i];

		if (state == SETUP_PLAN_NOT_ASKED || state == SETUP_PLAN_PUBLISHED)
			continue;
		json_array_append_new(omitted,
				      json_pack("{s:s, s:i, s:s, s:s, s:s}", "capability", c->name,
						"tier", c->tier, "reason", REASONS[state].reason,
						"detail", REASONS[state].detail, "lost", c->lost));
	}
	return omitted;
}

json_t *setup_plan_trust(json_t *principal, json_t *external_id)
{
	return json_pack("{s:s, s:[{s:s, s:{s:o}, s:s, s:{s:{s:o}}}]}", "Version", "2012-10-17",
			 "Statement", "Effect", "Allow", "Principal", "AWS", principal, "Action",
			 "sts:AssumeRole", "Condition", "StringEquals", "sts:ExternalId",
			 external_id);
}
