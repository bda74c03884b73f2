/* Which regions the account uses: EC2 knows best, Account Management next, a probe of every known region after that, and
 * the list of regions that are on by default when nothing answers and nothing was known before.
 * Never drops a region that did not say that it is off. */
#include "aws/account.h"
#include "aws/ec2.h"
#include "aws/sts.h"
#include "base/awsname.h"
#include "db/stage_read.h"
#include "workers/sync/collect.h"

#include <stdio.h>
#include <stdlib.h>

enum { REGIONS_MAX = 128 };

struct regions {
	struct sync *s;
	json_t *names;
};

static void add(json_t *names, struct str name)
{
	if (name.n > 0 && json_array_size(names) < REGIONS_MAX)
		json_array_append_new(names, json_text_value(name));
}

static enum rc from_ec2(struct sync *s, json_t *names, struct aws_fault *fault, struct err *err)
{
	AUTO_JSON json_t *params = json_pack("{s:s}", "AllRegions", "true");
	AUTO_JSON json_t *reply = NULL;
	json_t *item;
	size_t i;
	enum rc rc = sync_call(s, PART_REGIONS, &EC2_DESCRIBE_REGIONS, params, &reply, fault, err);

	json_array_foreach (json_object_get(reply, "regionInfo"), i, item) {
		if (!str_eq(json_str(item, "optInStatus"), S("not-opted-in")))
			add(names, json_str(item, "regionName"));
	}
	return rc;
}

static enum rc account_page(void *arg, json_t *reply, struct err *err)
{
	struct regions *r = arg;
	json_t *item;
	size_t i;

	(void)err;
	json_array_foreach (json_object_get(reply, "Regions"), i, item) {
		struct str status = json_str(item, "RegionOptStatus");

		if (str_eq(status, S("ENABLED")) || str_eq(status, S("ENABLED_BY_DEFAULT")))
			add(r->names, json_str(item, "RegionName"));
	}
	return RC_OK;
}

static enum rc from_account(struct sync *s, json_t *names, struct err *err)
{
	struct regions r = { .s = s, .names = names };
	struct aws_fault fault = { .class = AWS_OK };
	struct aws_tally tally = { 0 };
	struct err own = { 0 };
	enum rc rc;

	if (s->dead)
		return RC_OK;
	rc = aws_pages(s->run->client, &s->target, &ACCOUNT_LIST_REGIONS, NULL, account_page, &r,
		       &fault, &tally, &own);
	if (fault.class != AWS_OK)
		json_array_clear(names);
	return sync_after(s, PART_REGIONS, rc, &tally, &fault, &own, err);
}

struct probes {
	const json_t *known;
	json_t *names;
	struct aws_fault fault; /* the first one */
	int on;                 /* regions that let us in */
};

static bool knows(const json_t *names, const char *name)
{
	json_t *v;
	size_t i;

	json_array_foreach (names, i, v) {
		if (json_is_string(v) && strcmp(json_string_value(v), name) == 0)
			return true;
	}
	return false;
}

/* A key that a region does not know is how a region that is off answers. A dead session is not concluded from a probe. */
static enum rc probe(struct sync *s, const char *region, struct aws_fault *fault, struct err *err)
{
	struct aws_target target = s->target;
	AUTO_JSON json_t *reply = NULL;
	struct aws_tally tally = { 0 };
	struct err own = { 0 };
	enum rc rc;

	if (s->dead) {
		*fault = s->dead_fault;
		return RC_OK;
	}
	target.region = region;
	target.home_region = NULL; /* the key is not in doubt: no second look at home */
	rc = aws_call(s->run->client, &target, &STS_GET_CALLER_IDENTITY, NULL, &reply, fault,
		      &tally, &own);
	if (fault->class == AWS_CREDS_INVALID)
		fault->class = AWS_REGION_DISABLED;
	return sync_after(s, PART_REGIONS, rc, &tally, fault, &own, err);
}

/* A region that did not answer stays what it was. */
static enum rc from_probes(struct sync *s, struct probes *p, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && awsname_region_at(i); i++) {
		const struct awsname_region *region = awsname_region_at(i);
		struct aws_fault fault = { .class = AWS_OK };
		bool off;

		if (strcmp(region->partition->name, s->emit.partition) != 0)
			continue;
		rc = probe(s, region->name, &fault, err);
		off = fault.class == AWS_REGION_DISABLED || fault.class == AWS_UNSUPPORTED;
		if (fault.class == AWS_OK)
			p->on++;
		else if (!off && p->fault.class == AWS_OK)
			p->fault = fault;
		if (fault.class == AWS_OK || (!off && knows(p->known, region->name)))
			add(p->names, str_c(region->name));
	}
	return rc;
}

static void from_defaults(struct sync *s, json_t *names)
{
	for (size_t i = 0; awsname_region_at(i); i++) {
		const struct awsname_region *region = awsname_region_at(i);

		if (!region->opt_in && strcmp(region->partition->name, s->emit.partition) == 0)
			add(names, str_c(region->name));
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(json_string_value(*(json_t *const *)a),
		      json_string_value(*(json_t *const *)b));
}

static json_t *sorted(const json_t *names)
{
	json_t *list[REGIONS_MAX], *out = json_array(), *v;
	size_t i, n = 0;

	json_array_foreach (names, i, v) {
		if (n < REGIONS_MAX)
			list[n++] = v;
	}
	qsort(list, n, sizeof(list[0]), by_name);
	for (i = 0; i < n; i++)
		json_array_append(out, list[i]);
	return out;
}

static enum rc put(struct sync *s, const json_t *names, struct err *err)
{
	json_t *attrs = json_object();

	sync_part(s, PART_REGIONS)->items = (int64_t)json_array_size(names);
	if (json_array_size(names) > 0) {
		json_object_set_new(attrs, "regions", sorted(names));
	}
	return emit_account(&s->emit, attrs, err);
}

/* Known after all: the part says by which way. */
static void settle(struct sync *s, const struct aws_fault *ec2, const char *source,
		   const struct aws_fault *probes)
{
	struct part *part = sync_part(s, PART_REGIONS);

	part->via = "fallback";
	part->state = PART_OK;
	snprintf(part->reason_code, sizeof(part->reason_code), "fallback");
	snprintf(part->reason, sizeof(part->reason), "%s %s, so the regions were read from %s.",
		 EC2_DESCRIBE_REGIONS.iam_action,
		 ec2->class == AWS_DENIED ? "was denied" : "gave no regions", source);
	if (probes->class != AWS_OK)
		part_say(part, PART_REGIONS, PART_PARTIAL, aws_class_name(probes->class),
			 "Some regions did not answer when they were asked one by one");
}

static enum rc other_ways(struct sync *s, const struct aws_fault *ec2, json_t *names,
			  struct err *err)
{
	AUTO_JSON json_t *known = NULL;
	struct probes probes = { .names = names, .fault = { .class = AWS_OK } };
	enum rc rc = stage_read_regions(s->run->db, s->run->task->org_id, s->emit.account_id,
					&known, err);

	probes.known = known;
	if (rc == RC_OK)
		rc = from_account(s, names, err);
	if (rc == RC_OK && json_array_size(names) > 0) {
		settle(s, ec2, "Account Management", &probes.fault);
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = from_probes(s, &probes, err);
	if (rc != RC_OK)
		return rc;
	if (probes.on > 0) {
		settle(s, ec2, "each region's own answer", &probes.fault);
		return RC_OK;
	}
	json_array_clear(names); /* not one region answered: that is no finding */
	part_say(sync_part(s, PART_REGIONS), PART_REGIONS, PART_PARTIAL, "no_regions",
		 "Nobody named a region");
	if (json_array_size(known) == 0)
		from_defaults(s, names);
	return RC_OK;
}

enum rc regions_collect(struct sync *s, struct err *err)
{
	AUTO_JSON json_t *names = json_array();
	struct aws_fault fault = { .class = AWS_OK };
	enum rc rc = from_ec2(s, names, &fault, err);

	if (rc == RC_OK && json_array_size(names) == 0 && !s->dead)
		rc = other_ways(s, &fault, names, err);
	return rc == RC_OK ? put(s, names, err) : rc;
}
