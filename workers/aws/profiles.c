/* Parsing of the shared files. Facts: AWS's SDK reference; in the config file a section is "[profile NAME]" or "[default]", in
 * the credentials file "[NAME]"; what stands indented under an empty value belongs to that value. */
#include "workers/aws/profiles.h"
#include "base/mem.h"

static const struct {
	const char *name;
	size_t at; /* of its struct str in struct profile */
} MEMBERS[] = {
	{ "aws_access_key_id", offsetof(struct profile, id) },
	{ "aws_secret_access_key", offsetof(struct profile, secret) },
	{ "aws_session_token", offsetof(struct profile, token) },
	{ "role_arn", offsetof(struct profile, role_arn) },
	{ "source_profile", offsetof(struct profile, source_profile) },
	{ "credential_source", offsetof(struct profile, credential_source) },
	{ "external_id", offsetof(struct profile, external_id) },
	{ "role_session_name", offsetof(struct profile, session_name) },
	{ "duration_seconds", offsetof(struct profile, duration) },
	{ "mfa_serial", offsetof(struct profile, mfa_serial) },
	{ "web_identity_token_file", offsetof(struct profile, token_file) },
	{ "region", offsetof(struct profile, region) },
	{ "credential_process", offsetof(struct profile, process) },
	{ "sso_session", offsetof(struct profile, sso) },
	{ "sso_start_url", offsetof(struct profile, sso) },
};

void profiles_free(struct profiles *p)
{
	if (p == NULL)
		return;
	mem_free(p->credentials_path);
	mem_free(p->config_path);
	secret_free(p->credentials);
	secret_free(p->config);
	mem_free(p);
}

/* The variable's path, or ~/.aws/NAME. Owned. */
static char *path_of(const char *(*get)(const char *name), const char *variable, const char *name)
{
	const char *path = get(variable);
	const char *home = get("HOME");

	if (path != NULL && *path != '\0')
		return mem_copy(path);
	return mem_text("%s/.aws/%s", home == NULL ? "" : home, name);
}

static enum rc read_if_there(const char *path, struct secret **ret, struct err *err)
{
	struct err why = { 0 };
	enum rc rc = secret_read_file(path, ret, &why);

	return rc == RC_OK || rc == RC_NOT_FOUND ? RC_OK
						 : err_set(err, rc, why.code, "%s", why.text);
}

enum rc profiles_open(const char *(*get)(const char *name), struct profiles **ret, struct err *err)
{
	AUTO(profiles) struct profiles *p = MEM_NEW(struct profiles);
	enum rc rc;

	p->credentials_path = path_of(get, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
	p->config_path = path_of(get, "AWS_CONFIG_FILE", "config");
	rc = read_if_there(p->credentials_path, &p->credentials, err);
	if (rc == RC_OK)
		rc = read_if_there(p->config_path, &p->config, err);
	if (rc == RC_OK)
		*ret = TAKE(p);
	return rc;
}

/* "[profile x]" -> x; empty for a section that is no profile. */
static struct str section_name(struct str line, bool is_config)
{
	struct str rest = str_sub(line, 1, line.n - 1);
	struct str name = str_trim(str_cut(&rest, ']'));

	if (!is_config || str_eq(name, S("default")))
		return name;
	if (!str_starts(name, S("profile ")) && !str_starts(name, S("profile\t")))
		return S("");
	return str_trim(str_sub(name, 8, name.n - 8));
}

static void set_member(struct profile *p, struct str name, struct str value)
{
	for (size_t i = 0; i < COUNT_OF(MEMBERS) && value.n > 0; i++)
		if (str_eq_nocase(name, str_c(MEMBERS[i].name)))
			memcpy((char *)p + MEMBERS[i].at, &value, sizeof(value));
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool read_section(struct str text, bool is_config, struct str wanted, struct profile *ret)
{
	bool inside = false, found = false, nested = false;

	while (text.n > 0) {
		struct str line = str_cut(&text, '\n');
		struct str value = str_trim(line);
		struct str name;

		if (value.n == 0 || value.p[0] == '#' || value.p[0] == ';')
			continue;
		if (value.p[0] == '[') {
			inside = str_eq(section_name(value, is_config), wanted) && wanted.n > 0;
			found = found || inside;
			nested = false;
			continue;
		}
		if (!inside || (nested && is_space(line.p[0])))
			continue;
		name = str_trim(str_cut(&value, '='));
		value = str_trim(value);
		nested = value.n == 0;
		set_member(ret, name, value);
	}
	return found;
}

bool profiles_find(const struct profiles *p, struct str name, struct profile *ret)
{
	bool found;

	*ret = (struct profile){ 0 };
	found = read_section(secret_str(p->config), true, name, ret);
	return read_section(secret_str(p->credentials), false, name, ret) || found;
}
