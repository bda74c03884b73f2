/* Base identity: environment variables, then the shared credentials and config files. Nothing in
 * those files is ever executed (no credential_process). */
#include "workers/aws/provider.h"
#include "base/mem.h"
#include <stdio.h>

static enum rc from_environment(const char *(*get)(const char *name), struct creds **ret,
				struct buf *looked, struct err *err)
{
	const char *id = get("AWS_ACCESS_KEY_ID");
	const char *secret = get("AWS_SECRET_ACCESS_KEY");
	bool has_id = id != NULL && *id != '\0';
	bool has_secret = secret != NULL && *secret != '\0';

	if (has_id != has_secret)
		return err_set(err, RC_INVALID, "half_a_key",
			       "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set");
	if (has_id) {
		*ret = creds_new(str_c(id), str_c(secret), str_c(get("AWS_SESSION_TOKEN")));
		return RC_OK;
	}
	if (buf_put(looked, S("AWS_ACCESS_KEY_ID")) != RC_OK)
		return RC_LIMIT;
	return RC_NOT_FOUND;
}

struct profile {
	struct str id, secret, token;
};

/* The keys of one section; views into text. */
static bool find_profile(struct str text, struct str wanted, struct profile *ret)
{
	bool inside = false;

	*ret = (struct profile){ S(""), S(""), S("") };
	while (text.n > 0) {
		struct str value = str_trim(str_cut(&text, '\n'));
		struct str name;

		if (value.n == 0 || value.p[0] == '#' || value.p[0] == ';')
			continue;
		if (value.p[0] == '[') {
			value = str_sub(value, 1, value.n - 1);
			name = str_trim(str_cut(&value, ']'));
			if (str_starts(name, S("profile ")))
				name = str_trim(str_sub(name, 8, name.n - 8));
			inside = str_eq(name, wanted);
			continue;
		}
		if (!inside)
			continue;
		name = str_trim(str_cut(&value, '='));
		value = str_trim(value);
		if (str_eq_nocase(name, S("aws_access_key_id")))
			ret->id = value;
		else if (str_eq_nocase(name, S("aws_secret_access_key")))
			ret->secret = value;
		else if (str_eq_nocase(name, S("aws_session_token")))
			ret->token = value;
	}
	return ret->id.n > 0 && ret->secret.n > 0;
}

static enum rc from_file(const char *path, struct str profile, struct creds **ret,
			 struct buf *looked, struct err *err)
{
	AUTO(secret) struct secret *content = NULL;
	struct err why = { 0 };
	struct profile found;
	enum rc rc = secret_read_file(path, &content, &why);

	if (rc == RC_OK && find_profile(secret_str(content), profile, &found)) {
		*ret = creds_new(found.id, found.secret, found.token);
		return RC_OK;
	}
	if (rc != RC_OK && rc != RC_NOT_FOUND)
		return err_set(err, rc, why.code, "%s", why.text);
	rc = buf_printf(looked, ", profile \"%.*s\" in %s%s", profile.n > 60 ? 60 : (int)profile.n,
			profile.p, path, rc == RC_OK ? "" : " (no such file)");
	return rc == RC_OK ? RC_NOT_FOUND : rc;
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

static enum rc from_files(const char *(*get)(const char *name), struct creds **ret,
			  struct buf *looked, struct err *err)
{
	AUTO_TEXT char *credentials = path_of(get, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
	AUTO_TEXT char *config = path_of(get, "AWS_CONFIG_FILE", "config");
	const char *profile = get("AWS_PROFILE");
	struct str wanted = str_c(profile == NULL || *profile == '\0' ? "default" : profile);
	enum rc rc = from_file(credentials, wanted, ret, looked, err);

	return rc == RC_NOT_FOUND ? from_file(config, wanted, ret, looked, err) : rc;
}

static const struct provider PROVIDERS[] = {
	{ "environment", from_environment },
	{ "shared files", from_files },
};

const struct provider *provider_at(size_t i)
{
	return i < COUNT_OF(PROVIDERS) ? &PROVIDERS[i] : NULL;
}

enum rc provider_load(const char *(*get)(const char *name), struct creds **ret, struct err *err)
{
	AUTO(buf) struct buf looked = BUF_INIT(PROVIDER_LOOKED_MAX);

	for (size_t i = 0; i < COUNT_OF(PROVIDERS); i++) {
		enum rc rc = PROVIDERS[i].load(get, ret, &looked, err);

		if (rc != RC_NOT_FOUND)
			return rc;
	}
	return err_set(err, RC_NOT_FOUND, "no_base_credentials",
		       "no AWS credentials of our own were found; looked at: %s", buf_c(&looked));
}
