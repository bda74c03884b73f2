/* The permission catalogue as JSON: every capability with its actions, why each is asked for, and what is lost without it. */
#include "api/catalogue.h"
#include "api/problem.h"
#include "api/reply.h"
#include "base/permission.h"

/* Rows of one action stand next to each other. */
static json_t *actions_of(const struct permission_capability *c)
{
	json_t *actions = json_array(), *last = NULL;

	for (size_t i = 0; i < PERMISSION_ACTIONS_N; i++) {
		const struct permission_action *row = &PERMISSION_ACTIONS[i];

		if (row->capability != c)
			continue;
		if (!last || !str_eq(json_str(last, "action"), str_c(row->action))) {
			last = json_pack("{s:s, s:s, s:[]}", "action", row->action, "why", row->why,
					 "resources");
			json_array_append_new(actions, last);
		}
		json_array_append_new(json_object_get(last, "resources"),
				      json_string(row->resource));
	}
	return actions;
}

static json_t *capability(const struct permission_capability *c)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:o}", "capability",
			 c->name, "tier", c->tier, "title", c->title, "need",
			 permission_need_name(c->need), "where", c->where, "lost", c->lost,
			 "in_use", (int)c->landed, "organization_only", (int)c->organization_only,
			 "only_by_name", (int)c->by_name, "actions", actions_of(c));
}

struct http_reply catalogue_show(struct http_request *req)
{
	AUTO(problem) struct problem p = { 0 };
	struct str tier = http_query(req, "tier"), name = http_query(req, "capability");
	json_t *data = NULL;

	if (tier.n > 0 && (tier.n != 1 || tier.p[0] < '1' || tier.p[0] > '4'))
		problem_field(&p, "?tier", "unknown_tier", "tier is 1, 2, 3 or 4.");
	if (name.n > 0 && !permission_capability_find(name))
		problem_field(&p, "?capability", "unknown_capability",
			      "There is no such capability.");
	if (p.status)
		return problem_reply(req, &p);
	data = json_array();
	for (size_t i = 0; i < PERMISSION_CAPABILITIES_N; i++) {
		const struct permission_capability *c = &PERMISSION_CAPABILITIES[i];

		if ((tier.n == 0 || c->tier == tier.p[0] - '0') &&
		    (name.n == 0 || str_eq(name, str_c(c->name))))
			json_array_append_new(data, capability(c));
	}
	return reply_json(200, json_pack("{s:o}", "data", data));
}
