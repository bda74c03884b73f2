/* Our own credentials: which source wins, what each is asked with, and what is said when there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "workers/aws/source.h"
#include "workers/aws/source_url.h"

enum { VARIABLES = 16 };
static const char *environment[VARIABLES][2];
static char credentials[64], config[64];

static const char *get(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(environment); i++)
		if (environment[i][0] != NULL && strcmp(environment[i][0], name) == 0)
			return environment[i][1];
	return NULL;
}

static void set(const char *name, const char *value)
{
	size_t i = 0;

	while (environment[i][0] != NULL && strcmp(environment[i][0], name) != 0)
		i++;
	assert_true(i < VARIABLES);
	environment[i][0] = name;
	environment[i][1] = value;
}

static int fresh(void **state)
{
	memset(environment, 0, sizeof(environment));
	set("HOME", "/nonexistent");
	return 0;
}

static int clean(void **state)
{
	if (*credentials)
		unlink(credentials);
	if (*config)
		unlink(config);
	credentials[0] = config[0] = '\0';
	return 0;
}

static void write_file(char path[64], const char *variable, const char *content)
{
	int fd;

	snprintf(path, 64, "/tmp/test_source_XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
	set(variable, path);
}

static void files(const char *of_credentials, const char *of_config)
{
	write_file(credentials, "AWS_SHARED_CREDENTIALS_FILE", of_credentials);
	write_file(config, "AWS_CONFIG_FILE", of_config);
}

static struct source *find(void)
{
	struct source *s = NULL;
	struct err err = { 0 };

	if (source_find(get, &s, &err) != RC_OK)
		fail_msg("%s", err.text);
	return s;
}

static void fails(enum rc rc, const char *code, const char *says)
{
	struct source *s = NULL;
	struct err err = { 0 };

	assert_int_equal(source_find(get, &s, &err), rc);
	assert_null(s);
	assert_string_equal(err.code, code);
	if (strstr(err.text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static void the_environment_comes_first(void **state)
{
	AUTO(source) struct source *s = NULL;

	files("[default]\naws_access_key_id=AKIAF\naws_secret_access_key=f\n", "");
	set("AWS_ACCESS_KEY_ID", "AKIA1");
	set("AWS_SECRET_ACCESS_KEY", "s1");
	set("AWS_SESSION_TOKEN", "t1");
	set("AWS_PROFILE", "not-there");
	set("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
	set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
	s = find();
	assert_int_equal(s->kind, SOURCE_KEYS);
	assert_string_equal(s->where, "environment");
	assert_string_equal(s->keys->access_key_id, "AKIA1");
	assert_true(str_eq(secret_str(s->keys->secret), S("s1")));
	assert_true(str_eq(secret_str(s->keys->token), S("t1")));
}

/* Each step takes the winner away and shows who is next. */
static void the_order_is_that_of_aws_own_tools(void **state)
{
	static const struct {
		const char *credentials, *config, *variable, *value;
		enum source_kind want;
		const char *where;
	} STEPS[] = {
		{ "[default]\naws_access_key_id=AKIAF\naws_secret_access_key=f\n",
		  "[default]\nrole_arn=arn:aws:iam::111122223333:role/r\nsource_profile=default\n",
		  "AWS_WEB_IDENTITY_TOKEN_FILE", "/token", SOURCE_ROLE, "role of profile default" },
		{ "[default]\naws_access_key_id=AKIAF\naws_secret_access_key=f\n", "",
		  "AWS_WEB_IDENTITY_TOKEN_FILE", "/token", SOURCE_WEB_IDENTITY, "web identity" },
		{ "[default]\naws_access_key_id=AKIAF\naws_secret_access_key=f\n",
		  "[default]\naws_access_key_id=AKIAG\naws_secret_access_key=g\n",
		  "AWS_WEB_IDENTITY_TOKEN_FILE", "", SOURCE_KEYS, "profile default" },
		{ "", "[default]\nregion=eu-west-1\n", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		  "http://127.0.0.1:1/", SOURCE_CONTAINER, "container" },
		{ "", "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x", SOURCE_CONTAINER,
		  "container" },
		{ "", "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "", SOURCE_INSTANCE,
		  "instance metadata" },
	};

	set("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/web");
	set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x");
	for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
		AUTO(source) struct source *s = NULL;

		files(STEPS[i].credentials, STEPS[i].config);
		set(STEPS[i].variable, STEPS[i].value);
		if (i == 5)
			set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "");
		s = find();
		assert_string_equal(s->where, STEPS[i].where);
		assert_int_equal(s->kind, STEPS[i].want);
		clean(state);
	}
}

static void half_a_key_is_an_error_and_not_the_next_source(void **state)
{
	set("AWS_ACCESS_KEY_ID", "AKIA1");
	fails(RC_INVALID, "half_a_key", "environment");
	set("AWS_ACCESS_KEY_ID", "");
	files("[default]\naws_access_key_id=AKIAF\n", "");
	fails(RC_INVALID, "half_a_key", "profile default");
}

/* A key goes into a header: it must not bring headers of its own. */
static void keys_with_line_ends_are_refused(void **state)
{
	set("AWS_ACCESS_KEY_ID", "AKIA1");
	set("AWS_SECRET_ACCESS_KEY", "s1");
	set("AWS_SESSION_TOKEN", "t1\r\nx-evil: 1");
	fails(RC_INVALID, "invalid_keys", "environment");
}

static void a_profile_is_read_from_the_shared_files(void **state)
{
	AUTO(source) struct source *a = NULL;
	AUTO(source) struct source *b = NULL;

	files("# c\n[default]\naws_access_key_id = AKIAD\naws_secret_access_key=sd\n"
	      "[work]\naws_access_key_id=AKIAW\n aws_secret_access_key = s=w\n"
	      "credential_process = /bin/false\n",
	      "[profile conf]\ns3 =\n  aws_access_key_id = nested\naws_access_key_id = AKIAC\n"
	      "aws_secret_access_key = sc\naws_session_token = tc\n[services conf]\n"
	      "aws_access_key_id = wrong\n");
	set("AWS_PROFILE", "work");
	a = find();
	assert_string_equal(a->keys->access_key_id, "AKIAW");
	assert_true(str_eq(secret_str(a->keys->secret), S("s=w")));
	assert_null(a->keys->token);
	set("AWS_PROFILE", "conf");
	b = find();
	assert_string_equal(b->keys->access_key_id, "AKIAC");
}

/* Somebody named it: being somebody else instead would be worse than nothing. */
static void a_named_profile_that_is_nowhere_is_an_error(void **state)
{
	files("[default]\naws_access_key_id=AKIAF\naws_secret_access_key=f\n", "");
	set("AWS_PROFILE", "other");
	fails(RC_INVALID, "profile_not_found", "\"other\"");
}

static void what_is_not_supported_is_said(void **state)
{
	files("", "[default]\ncredential_process = /usr/bin/helper --secret x\n"
		  "[profile sso]\nsso_session = corp\n"
		  "[profile mfa]\nrole_arn = arn:aws:iam::111122223333:role/r\n"
		  "source_profile = default\nmfa_serial = arn:aws:iam::111122223333:mfa/u\n"
		  "[profile via]\nrole_arn = arn:aws:iam::111122223333:role/r\n"
		  "source_profile = default\n");
	fails(RC_INVALID, "credential_process", "never runs");
	set("AWS_PROFILE", "sso");
	fails(RC_INVALID, "sso_profile", "SSO");
	set("AWS_PROFILE", "mfa");
	fails(RC_INVALID, "profile_mfa", "MFA");
	set("AWS_PROFILE", "via");
	fails(RC_INVALID, "credential_process", "never runs");
}

static void a_role_asks_with_its_source_profile(void **state)
{
	AUTO(source) struct source *s = NULL;

	files("[keys]\naws_access_key_id=AKIAK\naws_secret_access_key=k\n",
	      "[profile top]\nrole_arn = arn:aws-cn:iam::111122223333:role/top\n"
	      "source_profile = middle\nexternal_id = e-1\nrole_session_name = us\n"
	      "duration_seconds = 1800\n"
	      "[profile middle]\nrole_arn = arn:aws:iam::444455556666:role/middle\n"
	      "source_profile = keys\nregion = eu-west-1\n");
	set("AWS_PROFILE", "top");
	s = find();
	assert_int_equal(s->kind, SOURCE_ROLE);
	assert_string_equal(s->role_arn, "arn:aws-cn:iam::111122223333:role/top");
	assert_string_equal(s->external_id, "e-1");
	assert_string_equal(s->session_name, "us");
	assert_int_equal(s->duration_s, 1800);
	assert_string_equal(s->region, "cn-northwest-1");
	assert_int_equal(s->via->kind, SOURCE_ROLE);
	assert_string_equal(s->via->region, "eu-west-1");
	assert_string_equal(s->via->session_name, "connectord");
	assert_null(s->via->external_id);
	assert_string_equal(s->via->via->keys->access_key_id, "AKIAK");
}

static void a_role_asks_with_its_credential_source(void **state)
{
	static const struct {
		const char *name;
		enum source_kind kind;
	} NAMED[] = { { "Environment", SOURCE_KEYS },
		      { "EcsContainer", SOURCE_CONTAINER },
		      { "Ec2InstanceMetadata", SOURCE_INSTANCE } };

	set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
	for (size_t i = 0; i < COUNT_OF(NAMED); i++) {
		AUTO_TEXT char *text = mem_text("[default]\nrole_arn = "
						"arn:aws:iam::111122223333:role/r\n"
						"credential_source = %s\n",
						NAMED[i].name);
		struct source *s = NULL;

		files("", text);
		if (i == 0)
			fails(RC_INVALID, "profile_source", "has no credentials");
		if (i > 0) {
			s = find();
			assert_int_equal(s->kind, SOURCE_ROLE);
			assert_int_equal(s->via->kind, NAMED[i].kind);
		}
		source_free(s);
		clean(state);
	}
	files("", "[default]\nrole_arn = arn:aws:iam::111122223333:role/r\n"
		  "credential_source = Moon\n");
	fails(RC_INVALID, "profile_source", "has no credentials");
}

static void a_circle_of_profiles_is_an_error(void **state)
{
	files("", "[default]\nrole_arn = arn:aws:iam::111122223333:role/a\nsource_profile = b\n"
		  "[profile b]\nrole_arn = arn:aws:iam::111122223333:role/b\n"
		  "source_profile = default\n"
		  "[profile self]\nrole_arn = arn:aws:iam::111122223333:role/s\n"
		  "source_profile = self\n"
		  "[profile none]\nrole_arn = arn:aws:iam::111122223333:role/n\n"
		  "[profile gone]\nrole_arn = arn:aws:iam::111122223333:role/n\n"
		  "source_profile = away\n");
	fails(RC_INVALID, "profile_loop", "circle");
	set("AWS_PROFILE", "self");
	fails(RC_INVALID, "profile_source", "has no credentials");
	set("AWS_PROFILE", "none");
	fails(RC_INVALID, "profile_source", "one of source_profile");
	set("AWS_PROFILE", "gone");
	fails(RC_INVALID, "profile_source", "has no credentials");
}

static void web_identity_is_completed_by_the_profile(void **state)
{
	AUTO(source) struct source *a = NULL;
	AUTO(source) struct source *b = NULL;

	files("", "[default]\nrole_arn = arn:aws:iam::111122223333:role/p\n"
		  "web_identity_token_file = /profile/token\nrole_session_name = p\n");
	a = find();
	assert_int_equal(a->kind, SOURCE_WEB_IDENTITY);
	assert_string_equal(a->token_file, "/profile/token");
	assert_string_equal(a->session_name, "p");
	assert_string_equal(a->where, "web identity of profile default");
	set("AWS_WEB_IDENTITY_TOKEN_FILE", "/env/token");
	set("AWS_ROLE_ARN", "arn:aws-us-gov:iam::111122223333:role/e");
	set("AWS_REGION", "no-such-region-1");
	b = find();
	assert_string_equal(b->token_file, "/env/token");
	assert_string_equal(b->role_arn, "arn:aws-us-gov:iam::111122223333:role/e");
	assert_string_equal(b->region, "us-gov-west-1");
	clean(state);
	fresh(state);
	set("AWS_WEB_IDENTITY_TOKEN_FILE", "/env/token");
	fails(RC_INVALID, "web_identity_without_role", "AWS_ROLE_ARN");
}

static void the_container_is_asked_at_its_own_address(void **state)
{
	AUTO(source) struct source *a = NULL;
	AUTO(source) struct source *b = NULL;

	set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1");
	set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
	a = find();
	assert_string_equal(a->url, "http://169.254.170.2/v2/credentials/1");
	assert_null(a->authorization);
	set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "");
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer x");
	set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t");
	b = find();
	assert_string_equal(b->url, "http://169.254.170.23/v1/credentials");
	assert_string_equal(b->token_file, "/t");
	set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@169.254.169.254/x");
	fails(RC_INVALID, "invalid_container_uri", "RELATIVE");
	set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "");
	set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x");
	fails(RC_INVALID, "invalid_container_uri", "FULL");
}

static void instance_metadata_is_last_and_can_be_switched_off(void **state)
{
	AUTO(source) struct source *a = NULL;
	AUTO(source) struct source *b = NULL;
	AUTO(source) struct source *c = NULL;

	a = find();
	assert_string_equal(a->url, "http://169.254.169.254");
	set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6");
	b = find();
	assert_string_equal(b->url, "http://[fd00:ec2::254]");
	set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338/");
	c = find();
	assert_string_equal(c->url, "http://127.0.0.1:1338");
	set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://10.0.0.1");
	fails(RC_INVALID, "invalid_metadata_endpoint", "169.254.169.254");
	set("AWS_EC2_METADATA_DISABLED", "TRUE");
	fails(RC_NOT_FOUND, "no_base_credentials", "instance metadata (disabled)");
}

static void without_any_every_place_is_named(void **state)
{
	set("AWS_EC2_METADATA_DISABLED", "true");
	fails(RC_NOT_FOUND, "no_base_credentials",
	      "connectord has no AWS identity of its own; looked at: AWS_ACCESS_KEY_ID, "
	      "AWS_WEB_IDENTITY_TOKEN_FILE, profile \"default\" in "
	      "/nonexistent/.aws/credentials and /nonexistent/.aws/config, "
	      "AWS_CONTAINER_CREDENTIALS_*, instance metadata (disabled)");
}

static void only_agents_of_this_host_are_asked_in_the_clear(void **state)
{
	static const char *const YES[] = {
		"https://example.com/x",    "http://localhost:8080/x", "http://127.0.0.1/",
		"http://127.9.9.9:1/x?y=z", "http://[::1]:80/x",       "http://169.254.170.2/x",
		"http://169.254.170.23/x",  "http://[fd00:ec2::23]/x",
	};
	static const char *const NO[] = {
		"",
		"http://",
		"http://example.com/x",
		"http://localhost.example.com/x",
		"http://127.0.0.1.example.com/x",
		"http://169.254.169.254/latest", /* the instance's door, not the container's */
		"http://[fd00:ec2::254]/",
		"http://169.254.170.3/x",
		"http://10.0.0.1/x",
		"http://0.0.0.0/x",
		"http://[::]/x",
		"http://[::ffff:10.0.0.1]/x",
		"http://u@127.0.0.1/x",
		"http://u:p@127.0.0.1/x",
		"http://127.0.0.1/x#f",
		"http://127.0.0.1/ x",
		"http://127.0.0.1/\r\nx",
		"ftp://127.0.0.1/x",
		"file:///etc/passwd",
		"127.0.0.1/x",
	};

	for (size_t i = 0; i < COUNT_OF(YES); i++)
		if (!source_url_may_ask(YES[i], NETGUARD_CONTAINER))
			fail_msg("%s is refused", YES[i]);
	for (size_t i = 0; i < COUNT_OF(NO); i++)
		if (source_url_may_ask(NO[i], NETGUARD_CONTAINER))
			fail_msg("%s is let pass", NO[i]);
	assert_true(source_url_may_ask("http://169.254.169.254", NETGUARD_INSTANCE));
	assert_true(source_url_may_ask("http://[fd00:ec2::254]", NETGUARD_INSTANCE));
	assert_false(source_url_may_ask("http://169.254.170.2", NETGUARD_INSTANCE));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, fresh, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(the_environment_comes_first),
		FRESH(the_order_is_that_of_aws_own_tools),
		FRESH(half_a_key_is_an_error_and_not_the_next_source),
		FRESH(keys_with_line_ends_are_refused),
		FRESH(a_profile_is_read_from_the_shared_files),
		FRESH(a_named_profile_that_is_nowhere_is_an_error),
		FRESH(what_is_not_supported_is_said),
		FRESH(a_role_asks_with_its_source_profile),
		FRESH(a_role_asks_with_its_credential_source),
		FRESH(a_circle_of_profiles_is_an_error),
		FRESH(web_identity_is_completed_by_the_profile),
		FRESH(the_container_is_asked_at_its_own_address),
		FRESH(instance_metadata_is_last_and_can_be_switched_off),
		FRESH(without_any_every_place_is_named),
		FRESH(only_agents_of_this_host_are_asked_in_the_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
