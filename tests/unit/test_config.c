/* Settings: environment over file over default, and nothing that is not in the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/config.h"
#include "base/mem.h"
#include "dies.h"

#include <stdio.h>
#include <stdlib.h>

enum { ENVIRONMENT_MAX = 3, VARIABLE_MAX = 128 };

/* The whole environment of this process is now these variables; NULL is none. */
static void with_environment(const char *first, const char *second, const char *third)
{
	static char text[ENVIRONMENT_MAX][VARIABLE_MAX];
	static char *environment[ENVIRONMENT_MAX + 1];
	const char *const variables[ENVIRONMENT_MAX] = { first, second, third };
	size_t n = 0;

	for (size_t i = 0; i < ENVIRONMENT_MAX; i++) {
		if (!variables[i])
			continue;
		snprintf(text[n], VARIABLE_MAX, "%s", variables[i]);
		environment[n] = text[n];
		n++;
	}
	environment[n] = NULL;
	environ = environment;
}

static char path[64];

static int make_file(void **state)
{
	int fd = 0;

	snprintf(path, sizeof(path), "/tmp/test_config.XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	return close(fd);
}

static int drop_file(void **state)
{
	return unlink(path);
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void defaults_stand_without_file_and_environment(void **state)
{
	AUTO(config) struct config *c = NULL;

	with_environment(NULL, NULL, NULL);
	assert_int_equal(config_load(NULL, &c, NULL), RC_OK);
	assert_string_equal(config_text(c, "listen_host"), "127.0.0.1");
	assert_int_equal(config_i64(c, "listen_port"), 8080);
	assert_true(config_bool(c, "scheduler"));
	assert_string_equal(config_text(c, "external_id_check"), "enforce");
	assert_string_equal(config_text(c, "database_url"), "");
}

static void environment_wins_over_file_wins_over_default(void **state)
{
	AUTO(config) struct config *c = NULL;

	with_environment("CONNECTORD_LISTEN_PORT=1", "PATH=/bin", "CONNECTORDX=1");
	write_file("; comment\n# comment\nlisten_port = 2\n\n[connectord]\nlease_s: 60 ; seconds\n"
		   "scheduler = no\n");
	assert_int_equal(config_load(path, &c, NULL), RC_OK);
	assert_int_equal(config_i64(c, "listen_port"), 1);
	assert_int_equal(config_i64(c, "lease_s"), 60);
	assert_int_equal(config_i64(c, "heartbeat_s"), 10);
	assert_false(config_bool(c, "scheduler"));
}

static void environment_names_the_file(void **state)
{
	AUTO(config) struct config *c = NULL;
	AUTO_TEXT char *file = mem_text("CONNECTORD_CONFIG=%s", path);

	with_environment(file, NULL, NULL);
	write_file("listen_port = 2\n");
	assert_int_equal(config_load(NULL, &c, NULL), RC_OK);
	assert_int_equal(config_i64(c, "listen_port"), 2);
}

static void file_that_is_missing_is_an_error(void **state)
{
	AUTO(config) struct config *c = NULL;
	struct err err = { 0 };

	with_environment(NULL, NULL, NULL);
	assert_int_equal(config_load("/nonexistent/connectord.ini", &c, &err), RC_INVALID);
	assert_non_null(strstr(err.text, "/nonexistent/connectord.ini"));
	assert_null(c);
}

/* The file's text and what the message must name. */
static const struct {
	const char *file, *says;
} BAD_FILES[] = {
	{ "listen_prot = 1\n",
	  "line 1: there is no setting listen_prot; did you mean listen_port?" },
	{ "\n\nzzzzzzzzzzzzzzzz = 1\n",
	  "line 3: there is no setting zzzzzzzzzzzzzzzz; `connectord" },
	{ "LISTEN_PORT = 1\n", "there is no setting LISTEN_PORT; did you mean listen_port?" },
	{ "listen_port = x\n", "line 1: listen_port must be a whole number from 0 to 65535" },
	{ "listen_port = 65536\n", "listen_port must be" },
	{ "listen_port = -1\n", "listen_port must be" },
	{ "listen_port =\n", "listen_port must be" },
	{ "scheduler = maybe\n", "scheduler must be true or false" },
	{ "external_id_check = off\n", "must be one of enforce|warn" },
	{ "external_id_check = enforce|warn\n", "must be one of enforce|warn" },
	{ "log_level =\n", "must be one of debug" },
	{ "vendor_account = 1234\n", "vendor_account must be 12 digits or empty" },
	{ "key_prefix = cnd_x\n", "key_prefix must be 1 to 10 lower-case" },
	{ "key_env = \n", "key_env must be 1 to 10 lower-case" },
	{ "listen_port = 1\nlisten_port = 2\n", "line 2: listen_port is set a second time" },
	{ "listen_host = a\n  b\n", "line 2: listen_host is set a second time" },
	{ "[server]\nlisten_port = 1\n", "no section [server]" },
	{ "listen_port\n", "line 1: a line must be" },
	{ "[connectord\n", "line 1: a line must be" },
	{ "clock_offset_s = 5\n", "environment only" },
	{ "database_url = a\xff\n", "must be UTF-8" },
	{ "database_url = a\tb\x1b\n", "must be UTF-8" },
	{ "heartbeat_s = 30\n", "heartbeat_s must be less than lease_s" },
	{ "verify_every_s = 59\n", "verify_every_s must be a whole number from 60" },
};

static void bad_line_is_named_with_its_rule(void **state)
{
	with_environment(NULL, NULL, NULL);
	for (size_t i = 0; i < COUNT_OF(BAD_FILES); i++) {
		struct config *c = NULL;
		struct err err = { 0 };

		write_file(BAD_FILES[i].file);
		assert_int_equal(config_load(path, &c, &err), RC_INVALID);
		assert_null(c);
		if (!strstr(err.text, BAD_FILES[i].says))
			print_error("%s: %s\n", BAD_FILES[i].file, err.text);
		assert_non_null(strstr(err.text, BAD_FILES[i].says));
	}
}

/* inih's buffer is 200 bytes: the rest of a longer line would become a line of its own. */
static void long_line_is_refused_and_not_split(void **state)
{
	struct config *c = NULL;
	struct err err = { 0 };
	AUTO_TEXT char *text = mem_text("\ndatabase_url = %0*d listen_port = 5\n", 300, 0);

	with_environment(NULL, NULL, NULL);
	write_file(text);
	assert_int_equal(config_load(path, &c, &err), RC_INVALID);
	assert_non_null(strstr(err.text, "line 2: the line is longer than"));
	assert_null(c);
}

static void last_line_needs_no_newline(void **state)
{
	AUTO(config) struct config *c = NULL;

	with_environment(NULL, NULL, NULL);
	write_file("listen_port = 7");
	assert_int_equal(config_load(path, &c, NULL), RC_OK);
	assert_int_equal(config_i64(c, "listen_port"), 7);
}

static void unknown_variable_is_named_with_a_suggestion(void **state)
{
	static const struct {
		const char *variable, *says;
	} BAD[] = {
		{ "CONNECTORD_LISTEN_PROT=1", "CONNECTORD_LISTEN_PROT; did you mean listen_port?" },
		{ "CONNECTORD_listen_port=1", "CONNECTORD_listen_port; did you mean listen_port?" },
		{ "CONNECTORD_=1", "no setting CONNECTORD_" },
		{ "CONNECTORD_LISTEN_PORT=http", "CONNECTORD_LISTEN_PORT: listen_port must be" },
		{ "CONNECTORD_CLOCK_OFFSET_S=soon", "clock_offset_s must be" },
		{ "CONNECTORD_"
		  "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX=1",
		  "no setting CONNECTORD_XXXX" },
	};

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		struct config *c = NULL;
		struct err err = { 0 };

		with_environment(BAD[i].variable, NULL, NULL);
		assert_int_equal(config_load(NULL, &c, &err), RC_INVALID);
		assert_non_null(strstr(err.text, BAD[i].says));
		assert_null(c);
	}
}

/* Somebody puts a password where a number belongs: the log must not learn it. */
static void message_never_shows_the_value(void **state)
{
	struct config *c = NULL;
	struct err err = { 0 };

	with_environment("CONNECTORD_LISTEN_PORT=hunter2", NULL, NULL);
	assert_int_equal(config_load(NULL, &c, &err), RC_INVALID);
	assert_null(strstr(err.text, "hunter2"));
}

static void clock_offset_is_taken_from_the_environment(void **state)
{
	AUTO(config) struct config *c = NULL;

	with_environment("CONNECTORD_CLOCK_OFFSET_S=-60", NULL, NULL);
	assert_int_equal(config_load(NULL, &c, NULL), RC_OK);
	assert_int_equal(config_i64(c, "clock_offset_s"), -60);
}

static void command_line_is_held_to_the_same_rules(void **state)
{
	AUTO(config) struct config *c = NULL;
	struct err err = { 0 };

	with_environment(NULL, NULL, NULL);
	assert_int_equal(config_load(NULL, &c, NULL), RC_OK);
	assert_int_equal(config_set(c, "listen_port", S("0"), NULL), RC_OK);
	assert_int_equal(config_i64(c, "listen_port"), 0);
	assert_int_equal(config_set(c, "listen_port", S("65536"), NULL), RC_INVALID);
	assert_int_equal(config_i64(c, "listen_port"), 0);
	assert_int_equal(config_set(c, "listen_prt", S("1"), &err), RC_INVALID);
	assert_non_null(strstr(err.text, "did you mean listen_port?"));
	assert_int_equal(config_set(c, "database_url", S("a\0b"), NULL), RC_INVALID);
}

static void table_is_sorted_helpful_and_its_defaults_are_valid(void **state)
{
	AUTO(config) struct config *c = NULL;
	const struct config_entry *e = NULL, *last = NULL;

	with_environment(NULL, NULL, NULL);
	assert_int_equal(config_load(NULL, &c, NULL), RC_OK);
	for (size_t i = 0; (e = config_entry_at(i)); i++) {
		assert_true(!last || strcmp(last->name, e->name) < 0);
		/* The clock is read before any command line is; tests alone shorten pauses. */
		bool environment = strcmp(e->name, "clock_offset_s") == 0 ||
				   strcmp(e->name, "webhook_retry_ppm") == 0;

		assert_int_equal(config_set(c, e->name, str_c(e->fallback), NULL),
				 environment ? RC_INVALID : RC_OK);
		assert_true(strlen(e->help) > 20 && e->help[strlen(e->help) - 1] != ' ');
		assert_true(e->kind != CONFIG_I64 || e->min < e->max);
		last = e;
	}
	assert_null(config_entry_at(SIZE_MAX));
}

static void asking_for_no_setting_is_a_bug(void **state)
{
	AUTO(config) struct config *c = NULL;

	with_environment(NULL, NULL, NULL);
	assert_int_equal(config_load(NULL, &c, NULL), RC_OK);
	ASSERT_DIES((void)config_text(c, "nothing"));
	ASSERT_DIES((void)config_i64(c, "database_url"));
	ASSERT_DIES((void)config_bool(c, "listen_port"));
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, make_file, drop_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_stand_without_file_and_environment),
		WITH_FILE(environment_wins_over_file_wins_over_default),
		WITH_FILE(environment_names_the_file),
		cmocka_unit_test(file_that_is_missing_is_an_error),
		WITH_FILE(bad_line_is_named_with_its_rule),
		WITH_FILE(long_line_is_refused_and_not_split),
		WITH_FILE(last_line_needs_no_newline),
		cmocka_unit_test(unknown_variable_is_named_with_a_suggestion),
		cmocka_unit_test(message_never_shows_the_value),
		cmocka_unit_test(clock_offset_is_taken_from_the_environment),
		cmocka_unit_test(command_line_is_held_to_the_same_rules),
		cmocka_unit_test(table_is_sorted_helpful_and_its_defaults_are_valid),
		cmocka_unit_test(asking_for_no_setting_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
