/* Settings: the table (config_entries.def), the INI file, the environment on top of it.
 * A name that the table lacks is an error, for a misspelt setting is a setting that silently is not
 * made. Never holds a secret, and no message shows a value: somebody may have put one there. */
#include "base/config.h"
#include "base/awsname.h"
#include "base/mem.h"
#include "base/permission.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONFIG_NAME_MAX = 64, CONFIG_VALUE_MAX = 4096, CONFIG_TYPO_MAX = 3 };
#define CONFIG_ENV "CONNECTORD_"

static const struct config_entry CONFIG_ENTRIES[] = {
#define TEXT(name, fallback, check, help)   { #name, CONFIG_TEXT, fallback, 0, 0, "", help },
#define I64(name, fallback, min, max, help) { #name, CONFIG_I64, fallback, min, max, "", help },
#define BOOL(name, fallback, help)          { #name, CONFIG_BOOL, fallback, 0, 0, "", help },
#define CHOICE(name, fallback, choices, help)                                                      \
	{ #name, CONFIG_CHOICE, fallback, 0, 0, choices, help },
#include "base/config_entries.def"
#undef TEXT
#undef I64
#undef BOOL
#undef CHOICE
};

/* What a text must be, beside UTF-8 without control characters; NULL when it is. */
static const char *check_any(struct str value)
{
	(void)value;
	return NULL;
}

static const char *check_account(struct str value)
{
	return value.n == 0 || awsname_is_account(value) ? NULL : "must be 12 digits or empty";
}

static const char *check_label(struct str value)
{
	bool good = value.n >= 1 && value.n <= 10;

	for (size_t i = 0; i < value.n && good; i++)
		good = (value.p[i] >= 'a' && value.p[i] <= 'z') ||
		       (value.p[i] >= '0' && value.p[i] <= '9');
	return good ? NULL : "must be 1 to 10 lower-case letters or digits";
}

static const char *check_prefix(struct str value)
{
	return permission_is_prefix(value)
		       ? NULL
		       : "must be a letter, then up to 31 letters, digits and single dashes";
}

static const char *check_url(struct str value)
{
	bool good = value.n == 0 || str_starts(value, S("https://"));

	for (size_t i = 0; i < value.n && good; i++)
		good = value.p[i] > ' ' && value.p[i] < 0x7f && !strchr("\"'<>\\", value.p[i]);
	return good ? NULL : "must be an https address or empty";
}

static const char *(*const CONFIG_CHECKS[])(struct str value) = {
#define TEXT(name, fallback, check, help)     check_##check,
#define I64(name, fallback, min, max, help)   check_any,
#define BOOL(name, fallback, help)            check_any,
#define CHOICE(name, fallback, choices, help) check_any,
#include "base/config_entries.def"
#undef TEXT
#undef I64
#undef BOOL
#undef CHOICE
};

struct config {
	char *value[COUNT_OF(CONFIG_ENTRIES)];
	bool in_file[COUNT_OF(CONFIG_ENTRIES)];
};

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < COUNT_OF(CONFIG_ENTRIES); i++)
		mem_free(c->value[i]);
	mem_free(c);
}

const struct config_entry *config_entry_at(size_t i)
{
	return i < COUNT_OF(CONFIG_ENTRIES) ? &CONFIG_ENTRIES[i] : NULL;
}

/* COUNT_OF(CONFIG_ENTRIES) when the table has no such name. */
static size_t find(struct str name)
{
	size_t i = 0;

	while (i < COUNT_OF(CONFIG_ENTRIES) && !str_eq(name, str_c(CONFIG_ENTRIES[i].name)))
		i++;
	return i;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions and replacements between two names, whatever their case; CONFIG_NAME_MAX when one is too long to
 * be a misspelling. */
static size_t distance(struct str a, struct str b)
{
	size_t row[CONFIG_NAME_MAX];

	if (a.n >= CONFIG_NAME_MAX || b.n >= CONFIG_NAME_MAX)
		return CONFIG_NAME_MAX;
	for (size_t k = 0; k <= b.n; k++)
		row[k] = k;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= b.n; k++) {
			size_t replaced = diagonal + ((a.p[i - 1] | 0x20) != (b.p[k - 1] | 0x20));

			diagonal = row[k];
			row[k] = least(replaced, least(row[k], row[k - 1]) + 1);
		}
	}
	return row[b.n];
}

/* origin: "connectord.ini line 3" or "the environment"; label: the name as it was written there. */
static enum rc unknown(const char *origin, struct str label, struct str name, struct err *err)
{
	const char *near = NULL;
	size_t best = CONFIG_TYPO_MAX + 1;

	for (size_t i = 0; i < COUNT_OF(CONFIG_ENTRIES); i++) {
		size_t d = distance(name, str_c(CONFIG_ENTRIES[i].name));

		if (d < best) {
			best = d;
			near = CONFIG_ENTRIES[i].name;
		}
	}
	label = str_sub(label, 0, CONFIG_NAME_MAX);
	if (near)
		return err_set(err, RC_INVALID, "unknown_setting",
			       "%s: there is no setting %.*s; did you mean %s?", origin,
			       STR_FMT(label), near);
	return err_set(err, RC_INVALID, "unknown_setting",
		       "%s: there is no setting %.*s; `connectord --help` lists them all", origin,
		       STR_FMT(label));
}

/* The clock is read before any file or command line is; a knob for tests does not belong into a file. */
static enum rc environment_only(const char *origin, const char *name, struct err *err)
{
	return err_set(err, RC_INVALID, "invalid_setting",
		       "%s: %s is read from the environment only", origin, name);
}

static bool is_environment_only(const char *name)
{
	return strcmp(name, "clock_offset_s") == 0 || strcmp(name, "webhook_retry_ppm") == 0;
}

static bool is_one_of(struct str value, const char *choices)
{
	struct str rest = str_c(choices);

	while (rest.n)
		if (str_eq(value, str_cut(&rest, '|')))
			return true;
	return false;
}

/* 1, 0, or -1 for what is neither. */
static int truth(struct str value)
{
	if (is_one_of(value, "true|yes|on|1"))
		return 1;
	return is_one_of(value, "false|no|off|0") ? 0 : -1;
}

static bool is_clean(struct str value)
{
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
			return false;
	return value.n <= CONFIG_VALUE_MAX && text_is_utf8(value);
}

static enum rc check(const char *origin, size_t i, struct str value, struct err *err)
{
	const struct config_entry *e = &CONFIG_ENTRIES[i];
	const char *rule = is_clean(value)
				   ? CONFIG_CHECKS[i](value)
				   : "must be UTF-8 text of one line, at most 4096 bytes long";
	int64_t number = 0;

	if (rule)
		return err_set(err, RC_INVALID, "invalid_setting", "%s: %s %s", origin, e->name,
			       rule);
	switch (e->kind) {
	case CONFIG_TEXT: return RC_OK;
	case CONFIG_I64:
		if (str_to_i64(value, &number) && number >= e->min && number <= e->max)
			return RC_OK;
		return err_set(err, RC_INVALID, "invalid_setting",
			       "%s: %s must be a whole number from %lld to %lld", origin, e->name,
			       (long long)e->min, (long long)e->max);
	case CONFIG_BOOL:
		if (truth(value) >= 0)
			return RC_OK;
		return err_set(err, RC_INVALID, "invalid_setting", "%s: %s must be true or false",
			       origin, e->name);
	case CONFIG_CHOICE:
		if (value.n && is_one_of(value, e->choices))
			return RC_OK;
		return err_set(err, RC_INVALID, "invalid_setting", "%s: %s must be one of %s",
			       origin, e->name, e->choices);
	}
	return RC_BROKEN;
}

static enum rc put(struct config *c, const char *origin, size_t i, struct str value,
		   struct err *err)
{
	enum rc rc = check(origin, i, value, err);

	if (rc != RC_OK)
		return rc;
	mem_free(c->value[i]);
	c->value[i] = str_dup(value);
	return RC_OK;
}

/* --- the file --------------------------------------------------------------------------------- */

struct reading {
	struct config *config;
	const char *path;
	FILE *file;
	int line;      /* of what inih has last asked for */
	bool too_long; /* that line did not fit into inih's buffer */
	struct err *err;
	enum rc rc;
};

static const char *where(const struct reading *r, char out[256])
{
	snprintf(out, 256, "%.200s line %d", r->path, r->line);
	return out;
}

/* inih's own buffer is small and it would go on with the rest of a long line as if that were a line
 * of its own. Reading stops at the first error. */
static char *read_line(char *out, int room, void *arg)
{
	struct reading *r = arg;
	char origin[256];
	size_t n = 0;

	if (r->rc != RC_OK || !fgets(out, room, r->file))
		return NULL;
	r->line++;
	n = strlen(out);
	if (n + 1 < (size_t)room || out[n - 1] == '\n')
		return out;
	r->rc = err_set(r->err, RC_INVALID, "invalid_config_file",
			"%s: the line is longer than %d bytes; put this setting into the "
			"environment",
			where(r, origin), room - 2);
	return NULL;
}

/* For inih: 1 is success. */
static int take_pair(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;
	char origin[256];
	size_t i = find(str_c(name));

	if (r->rc != RC_OK)
		return 0;
	where(r, origin);
	if (section[0] != '\0' && strcmp(section, "connectord") != 0)
		r->rc = err_set(r->err, RC_INVALID, "invalid_config_file",
				"%s: there is no section [%.40s]; settings stand at the top or "
				"under [connectord]",
				origin, section);
	else if (i == COUNT_OF(CONFIG_ENTRIES))
		r->rc = unknown(origin, str_c(name), str_c(name), r->err);
	else if (is_environment_only(name))
		r->rc = environment_only(origin, name, r->err);
	else if (r->config->in_file[i])
		r->rc = err_set(r->err, RC_INVALID, "invalid_config_file",
				"%s: %s is set a second time, or the line begins with a space",
				origin, name);
	else
		r->rc = put(r->config, origin, i, str_c(value), r->err);
	if (i < COUNT_OF(CONFIG_ENTRIES))
		r->config->in_file[i] = true;
	return r->rc == RC_OK;
}

static enum rc read_file(struct config *c, const char *path, struct err *err)
{
	struct reading r = { .config = c, .path = path, .err = err, .rc = RC_OK };
	int bad_line = 0;

	r.file = fopen(path, "re");
	if (!r.file)
		return err_set(err, RC_INVALID, "invalid_config_file", "%s cannot be opened: %s",
			       path, strerrordesc_np(errno));
	bad_line = ini_parse_stream(read_line, &r, take_pair, &r);
	if (r.rc == RC_OK && ferror(r.file))
		r.rc = err_set(err, RC_INVALID, "invalid_config_file", "%s cannot be read", path);
	fclose(r.file);
	if (r.rc == RC_OK && bad_line != 0)
		return err_set(err, RC_INVALID, "invalid_config_file",
			       "%s line %d: a line must be `name = value`", path, bad_line);
	return r.rc;
}

/* --- the environment -------------------------------------------------------------------------- */

/* "CONNECTORD_LISTEN_PORT" as "listen_port". False when it cannot be a setting: longer than any, or
 * with lower case in it, which is another variable and not a second spelling. */
static bool lower_name(struct str label, char out[CONFIG_NAME_MAX])
{
	struct str name = str_sub(label, strlen(CONFIG_ENV), label.n);
	bool good = name.n < CONFIG_NAME_MAX;

	name = str_sub(name, 0, CONFIG_NAME_MAX - 1);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		good = good && !(c >= 'a' && c <= 'z');
		out[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	out[name.n] = '\0';
	return good;
}

static enum rc read_environment(struct config *c, struct err *err)
{
	for (char **e = environ; e && *e; e++) {
		struct str value = str_c(*e), label = str_cut(&value, '=');
		char name[CONFIG_NAME_MAX] = "", origin[CONFIG_NAME_MAX + 32];
		size_t i = 0;
		enum rc rc = RC_OK;

		if (!str_starts(label, S(CONFIG_ENV)) || str_eq(label, S(CONFIG_ENV "CONFIG")))
			continue;
		i = lower_name(label, name) ? find(str_c(name)) : COUNT_OF(CONFIG_ENTRIES);
		label = str_sub(label, 0, CONFIG_NAME_MAX);
		snprintf(origin, sizeof(origin), "environment %.*s", STR_FMT(label));
		if (i == COUNT_OF(CONFIG_ENTRIES))
			rc = unknown("environment", label, str_c(name), err);
		else
			rc = put(c, origin, i, value, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc config_check(const struct config *c, struct err *err)
{
	if (config_i64(c, "heartbeat_s") < config_i64(c, "lease_s"))
		return RC_OK;
	return err_set(err, RC_INVALID, "invalid_setting",
		       "heartbeat_s must be less than lease_s, or every lease ends before it is "
		       "renewed");
}

static void fill_defaults(struct config *c)
{
	for (size_t i = 0; i < COUNT_OF(CONFIG_ENTRIES); i++)
		c->value[i] = mem_copy(CONFIG_ENTRIES[i].fallback);
}

enum rc config_load(const char *path, struct config **ret, struct err *err)
{
	AUTO(config) struct config *c = MEM_NEW(struct config);
	const char *from = path ? path : getenv(CONFIG_ENV "CONFIG");
	enum rc rc = RC_OK;

	fill_defaults(c);
	if (from && from[0])
		rc = read_file(c, from, err);
	if (rc == RC_OK)
		rc = read_environment(c, err);
	if (rc == RC_OK)
		rc = config_check(c, err);
	if (rc == RC_OK)
		*ret = TAKE(c);
	return rc;
}

/* --- values ----------------------------------------------------------------------------------- */

const char *config_text(const struct config *c, const char *name)
{
	size_t i = find(str_c(name));

	assert(i < COUNT_OF(CONFIG_ENTRIES));
	return c->value[i];
}

int64_t config_i64(const struct config *c, const char *name)
{
	size_t i = find(str_c(name));
	int64_t number = 0;
	bool good = false;

	assert(i < COUNT_OF(CONFIG_ENTRIES) && CONFIG_ENTRIES[i].kind == CONFIG_I64);
	good = str_to_i64(str_c(c->value[i]), &number);
	assert(good);
	return number;
}

bool config_bool(const struct config *c, const char *name)
{
	size_t i = find(str_c(name));

	assert(i < COUNT_OF(CONFIG_ENTRIES) && CONFIG_ENTRIES[i].kind == CONFIG_BOOL);
	return truth(str_c(c->value[i])) == 1;
}

enum rc config_set(struct config *c, const char *name, struct str value, struct err *err)
{
	size_t i = find(str_c(name));

	if (i == COUNT_OF(CONFIG_ENTRIES))
		return unknown("the command line", str_c(name), str_c(name), err);
	if (is_environment_only(name))
		return environment_only("the command line", name, err);
	return put(c, "the command line", i, value, err);
}
