/* Our own credentials: which source wins, and what is said when there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "workers/aws/provider.h"

static const char *environment[8][2];

static const char *get(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(environment); i++)
		if (environment[i][0] != NULL && strcmp(environment[i][0], name) == 0)
			return environment[i][1];
	return NULL;
}

static void set(size_t i, const char *name, const char *value)
{
	environment[i][0] = name;
	environment[i][1] = value;
}

static int fresh(void **state)
{
	memset(environment, 0, sizeof(environment));
	set(0, "HOME", "/nonexistent");
	return 0;
}

static void the_environment_comes_first(void **state)
{
	AUTO(creds) struct creds *c = NULL;

	set(1, "AWS_ACCESS_KEY_ID", "AKIA1");
	set(2, "AWS_SECRET_ACCESS_KEY", "s1");
	set(3, "AWS_SESSION_TOKEN", "t1");
	assert_int_equal(provider_load(get, &c, NULL), RC_OK);
	assert_string_equal(c->access_key_id, "AKIA1");
	assert_true(str_eq(secret_str(c->secret), S("s1")));
	assert_true(str_eq(secret_str(c->token), S("t1")));
}

static void half_a_key_is_an_error_and_not_the_next_source(void **state)
{
	struct creds *c = NULL;
	struct err err = { 0 };

	set(1, "AWS_ACCESS_KEY_ID", "AKIA1");
	assert_int_equal(provider_load(get, &c, &err), RC_INVALID);
	assert_string_equal(err.code, "half_a_key");
}

static void write_file(char *path, const char *content)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static void a_profile_is_read_from_the_shared_files(void **state)
{
	char credentials[] = "/tmp/test_provider_XXXXXX";
	char config[] = "/tmp/test_provider_XXXXXX";
	AUTO(creds) struct creds *a = NULL;
	AUTO(creds) struct creds *b = NULL;

	write_file(credentials,
		   "# c\n[default]\naws_access_key_id = AKIAD\naws_secret_access_key=sd\n"
		   "[work]\naws_access_key_id=AKIAW\n aws_secret_access_key = s=w\n"
		   "credential_process = /bin/false\n");
	write_file(config, "[profile conf]\nregion = x\naws_access_key_id = AKIAC\n"
			   "aws_secret_access_key = sc\naws_session_token = tc\n");
	set(1, "AWS_SHARED_CREDENTIALS_FILE", credentials);
	set(2, "AWS_CONFIG_FILE", config);
	set(3, "AWS_PROFILE", "work");
	assert_int_equal(provider_load(get, &a, NULL), RC_OK);
	assert_string_equal(a->access_key_id, "AKIAW");
	assert_true(str_eq(secret_str(a->secret), S("s=w")));
	assert_null(a->token);
	set(3, "AWS_PROFILE", "conf");
	assert_int_equal(provider_load(get, &b, NULL), RC_OK);
	assert_string_equal(b->access_key_id, "AKIAC");
	unlink(credentials);
	unlink(config);
}

static void without_any_every_place_is_named(void **state)
{
	struct creds *c = NULL;
	struct err err = { 0 };

	set(1, "AWS_PROFILE", "other");
	assert_int_equal(provider_load(get, &c, &err), RC_NOT_FOUND);
	assert_string_equal(err.code, "no_base_credentials");
	assert_non_null(strstr(err.text, "AWS_ACCESS_KEY_ID"));
	assert_non_null(strstr(err.text, "profile \"other\" in /nonexistent/.aws/credentials"));
	assert_non_null(strstr(err.text, "/nonexistent/.aws/config"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_environment_comes_first, fresh),
		cmocka_unit_test_setup(half_a_key_is_an_error_and_not_the_next_source, fresh),
		cmocka_unit_test_setup(a_profile_is_read_from_the_shared_files, fresh),
		cmocka_unit_test_setup(without_any_every_place_is_named, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
