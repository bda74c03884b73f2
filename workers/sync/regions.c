/* Which regions the account uses: EC2 knows best, Account Management next, a probe of every known region after that, and
 * the list of regions that are on by default when nothing answers. */
#include "aws/account.h"
#include "aws/ec2.h"
#include "aws/sts.h"
#include "base/awsname.h"
#include "workers/sync/collect.h"

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

/* A key that a region does not know is how a region that is off answers. A dead session is not concluded from a probe. */
static enum rc from_probes(struct sync *s, json_t *names, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && !s->dead && awsname_region_at(i); i++) {
		const struct awsname_region *region = awsname_region_at(i);
		struct aws_target target = s->target;
		AUTO_JSON json_t *reply = NULL;
		struct aws_fault fault = { .class = AWS_OK };
		struct aws_tally tally = { 0 };
		struct err own = { 0 };

		if (strcmp(region->partition->name, s->emit.partition) != 0)
			continue;
		target.region = region->name;
		rc = aws_call(s->run->client, &target, &STS_GET_CALLER_IDENTITY, NULL, &reply,
			      &fault, &tally, &own);
		if (rc == RC_OK)
			add(names, str_c(region->name));
		if (fault.class == AWS_CREDS_INVALID)
			fault.class = AWS_REGION_DISABLED;
		rc = sync_after(s, PART_REGIONS, rc, &tally, &fault, &own, err);
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

enum rc regions_collect(struct sync *s, struct err *err)
{
	AUTO_JSON json_t *names = json_array();
	struct part *part = sync_part(s, PART_REGIONS);
	struct aws_fault fault = { .class = AWS_OK };
	enum rc rc = from_ec2(s, names, &fault, err);

	if (rc == RC_OK && json_array_size(names) == 0 && !s->dead)
		rc = from_account(s, names, err);
	if (rc == RC_OK && json_array_size(names) == 0 && !s->dead)
		rc = from_probes(s, names, err);
	/* Known after all; the reason keeps saying which permission would have been the short way. */
	if (rc == RC_OK && json_array_size(names) > 0 && fault.class != AWS_OK) {
		part->via = "fallback";
		part->state = PART_OK;
	}
	if (rc == RC_OK && json_array_size(names) == 0)
		from_defaults(s, names);
	return rc == RC_OK ? put(s, names, err) : rc;
}
