/* What belongs to the account as a whole: alias, summary, password policy, instance profiles. AWS's own counts are held
 * against what the listings showed: a listing that came short is no ground for tombstones. */
#include "aws/iam.h"
#include "db/stage_read.h"
#include "workers/sync/collect.h"
#include "workers/sync/principal.h"

#include <stdio.h>

enum { ACCOUNT_SLACK = 3, ACCOUNT_SLACK_PERCENT = 1 }; /* changes made while we were reading */

static enum rc alias_page(void *arg, json_t *reply, struct err *err)
{
	struct sync *s = arg;
	json_t *alias = json_array_get(json_object_get(reply, "AccountAliases"), 0), *attrs;

	if (!json_is_string(alias))
		return RC_OK;
	sync_part(s, PART_ALIAS)->items++;
	attrs = json_object();
	json_set_text(attrs, "alias", str_c(json_string_value(alias)));
	return emit_account(&s->emit, attrs, err);
}

/* "AccountMFAEnabled" as "account_mfa_enabled". */
static void snake(const char *name, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; name[i] && n + 2 < size; i++) {
		bool upper = name[i] >= 'A' && name[i] <= 'Z';
		bool starts = i > 0 && (!(name[i - 1] >= 'A' && name[i - 1] <= 'Z') ||
					(name[i + 1] >= 'a' && name[i + 1] <= 'z'));

		if (upper && starts)
			out[n++] = '_';
		out[n++] = upper ? (char)(name[i] - 'A' + 'a') : name[i];
	}
	out[n] = '\0';
}

static json_t *snake_values(const json_t *object)
{
	json_t *out = json_object(), *v;
	const char *key;
	char name[80];

	json_object_foreach ((json_t *)(uintptr_t)object, key, v) {
		struct str text = str_n(json_string_value(v), json_string_length(v));

		if (!json_is_string(v))
			continue;
		snake(key, name, sizeof(name));
		emit_int(out, name, text);
		emit_flag(out, name, text);
	}
	return out;
}

static enum rc password_policy(struct sync *s, struct err *err)
{
	AUTO_JSON json_t *reply = NULL;
	struct aws_fault fault = { .class = AWS_OK };
	json_t *attrs = NULL, *policy = NULL;
	enum rc rc = sync_call(s, PART_PASSWORD_POLICY, &IAM_GET_ACCOUNT_PASSWORD_POLICY, NULL,
			       &reply, &fault, err);

	if (rc != RC_OK || (!reply && fault.class != AWS_NOT_FOUND))
		return rc;
	policy = snake_values(json_object_get(reply, "PasswordPolicy"));
	json_object_set_new(policy, "set", json_boolean(reply != NULL)); /* NoSuchEntity = none */
	sync_part(s, PART_PASSWORD_POLICY)->items = reply ? 1 : 0;
	attrs = json_object();
	json_object_set_new(attrs, "password_policy", policy);
	return emit_account(&s->emit, attrs, err);
}

/* The map comes as it is, or as entries of key and value. */
static json_t *summary_map(const json_t *reply)
{
	json_t *map = json_object_get(reply, "SummaryMap"), *out, *entry;
	size_t i;

	if (json_is_object(map) && !json_object_get(map, "entry"))
		return json_incref(map);
	if (json_is_object(map))
		map = json_object_get(map, "entry");
	out = json_object();
	json_array_foreach (map, i, entry)
		json_set_text(out, json_str(entry, "key").p, json_str(entry, "value"));
	return out;
}

static int64_t count_of(const struct db_rows *rows, const char *part)
{
	for (int i = 0; i < db_rows_count(rows); i++) {
		if (str_eq(db_rows_text(rows, i, "part"), str_c(part)))
			return db_rows_i64(rows, i, "n");
	}
	return 0;
}

static void compare(struct sync *s, const json_t *counts, const struct db_rows *rows)
{
	static const struct {
		enum part_id part;
		const char *name;
	} CHECKS[] = {
		{ PART_USERS, "users" },
		{ PART_GROUPS, "groups" },
		{ PART_ROLES, "roles" },
		{ PART_POLICIES, "policies" },
	};

	for (size_t i = 0; i < COUNT_OF(CHECKS); i++) {
		char what[120];
		int64_t theirs = json_i64(counts, CHECKS[i].name, -1);
		int64_t ours = count_of(rows, CHECKS[i].name);
		struct part *part = sync_part(s, CHECKS[i].part);

		part_done(part, CHECKS[i].part);
		if (theirs < 0 || part->state != PART_OK ||
		    theirs - ours <= ACCOUNT_SLACK + theirs * ACCOUNT_SLACK_PERCENT / 100)
			continue;
		snprintf(what, sizeof(what), "AWS counts %lld %s but listed %lld",
			 (long long)theirs, CHECKS[i].name, (long long)ours);
		part_say(part, CHECKS[i].part, PART_PARTIAL, "count_mismatch", what);
	}
}

static enum rc summary(struct sync *s, struct err *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_JSON json_t *map = NULL;
	AUTO_JSON json_t *counts = NULL;
	AUTO(db_rows) struct db_rows *rows = NULL;
	json_t *attrs = NULL;
	enum rc rc = sync_call(s, PART_SUMMARY, &IAM_GET_ACCOUNT_SUMMARY, NULL, &reply, NULL, err);

	if (rc != RC_OK || !reply)
		return rc;
	map = summary_map(reply);
	counts = snake_values(map);
	sync_part(s, PART_SUMMARY)->items = (int64_t)json_object_size(counts);
	s->mfa_in_use = json_i64(counts, "mfa_devices_in_use", -1);
	attrs = json_object();
	json_object_set(attrs, "summary", counts);
	rc = emit_account(&s->emit, attrs, err);
	if (rc == RC_OK)
		rc = stage_flush(s->stage, err);
	if (rc == RC_OK)
		rc = stage_read_counts(s->run->db, &rows, err);
	if (rc == RC_OK)
		compare(s, counts, rows);
	return rc;
}

static enum rc profiles_page(void *arg, json_t *reply, struct err *err)
{
	struct sync *s = arg;
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (json_object_get(reply, "InstanceProfiles"), i, item) {
		if (rc != RC_OK || json_str(item, "Arn").n == 0)
			continue;
		sync_part(s, PART_INSTANCE_PROFILES)->items++;
		rc = principal_profile(s, item, err);
	}
	return rc;
}

enum rc account_collect(struct sync *s, struct err *err)
{
	enum rc rc =
		sync_pages(s, PART_ALIAS, &IAM_LIST_ACCOUNT_ALIASES, NULL, alias_page, NULL, err);

	if (rc == RC_OK)
		rc = summary(s, err);
	if (rc == RC_OK)
		rc = password_policy(s, err);
	if (rc == RC_OK)
		rc = sync_pages(s, PART_INSTANCE_PROFILES, &IAM_LIST_INSTANCE_PROFILES, NULL,
				profiles_page, NULL, err);
	return rc;
}
