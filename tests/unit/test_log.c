/* The log sink: what it writes is one line of JSON in one write, whatever the fields hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A literal with its length, in a table. */
#define L(literal)                                                                                 \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}

enum { MESSAGE_MAX = 64 * 1024 };

/* Stderr becomes a socket that keeps the borders of writes: one read is one write. */
struct capture {
	int saved, ends[2];
	char text[MESSAGE_MAX];
	size_t n;
};

static void begin(struct capture *c)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, c->ends), 0);
	c->saved = dup(STDERR_FILENO);
	assert_true(c->saved >= 0);
	assert_true(dup2(c->ends[1], STDERR_FILENO) >= 0);
}

/* Writes that were seen; the first is in c->text. */
static int end(struct capture *c)
{
	char more[16];
	ssize_t n = 0;
	int count = 0;

	assert_true(dup2(c->saved, STDERR_FILENO) >= 0);
	close(c->saved);
	close(c->ends[1]);
	n = read(c->ends[0], c->text, sizeof(c->text) - 1);
	c->n = n > 0 ? (size_t)n : 0;
	c->text[c->n] = '\0';
	count = n > 0;
	while (n > 0 && read(c->ends[0], more, sizeof(more)) > 0)
		count++;
	close(c->ends[0]);
	return count;
}

/* Logs one event with one field; returns its line as an object (new reference). */
static json_t *logged(const char *key, struct str value, size_t *ret_n)
{
	static struct capture c;
	json_t *line = NULL;
	int writes = 0;

	begin(&c);
	log_event(LOG_INFO, "tested", LOG_TEXT(key, value), LOG_I64("after", -7), LOG_END);
	writes = end(&c);
	assert_int_equal(writes, 1);
	assert_true(c.n > 1 && c.text[c.n - 1] == '\n');
	assert_ptr_equal(memchr(c.text, '\n', c.n), c.text + c.n - 1);
	assert_int_equal(json_parse(str_n(c.text, c.n), 4, &line, NULL), RC_OK);
	if (ret_n)
		*ret_n = c.n;
	return line;
}

static void line_has_time_level_process_event_and_fields(void **state)
{
	AUTO_JSON json_t *line = NULL;

	log_setup("worker", "info", "json");
	line = logged("name", S("x"), NULL);
	assert_int_equal(json_str(line, "ts").n, 27);
	assert_true(str_eq(json_str(line, "level"), S("info")));
	assert_true(str_eq(json_str(line, "process"), S("worker")));
	assert_true(str_eq(json_str(line, "event"), S("tested")));
	assert_true(str_eq(json_str(line, "name"), S("x")));
	assert_int_equal(json_i64(line, "after", 0), -7);
}

/* Names of users, roles and buckets come from strangers. */
static void hostile_bytes_cannot_break_the_line(void **state)
{
	static const struct {
		struct str value;
		const char *want;
	} CASES[] = {
		{ L("a\nb"), "a\nb" },
		{ L("\"},{\"x\":\""), "\"},{\"x\":\"" },
		{ L("\\"), "\\" },
		{ L("\x1b[2J"), "\x1b[2J" },
		{ L("\xff\xfe"), "\xef\xbf\xbd\xef\xbf\xbd" },
		{ L("\xc3"), "\xef\xbf\xbd" },
		{ L("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ L("\xc2\x9b"), "\xc2\x9b" },
		{ L("\xe2\x80\xae"), "\xe2\x80\xae" },
		{ L("h\xc3\xa9 \xf0\x9f\x98\x80"), "h\xc3\xa9 \xf0\x9f\x98\x80" },
		{ { NULL, 0 }, "" },
	};

	log_setup("worker", "info", "json");
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		AUTO_JSON json_t *line = logged("name", CASES[i].value, NULL);

		assert_true(str_eq(json_str(line, "name"), str_c(CASES[i].want)));
		assert_int_equal(json_i64(line, "after", 0), -7);
	}
}

/* A terminal obeys these even in the middle of JSON. */
static void control_and_direction_characters_are_never_written_raw(void **state)
{
	static struct capture c;

	for (int text = 0; text < 2; text++) {
		log_setup("worker", "info", text ? "text" : "json");
		begin(&c);
		log_event(LOG_INFO, "tested",
			  LOG_STR("name", "\x1b\x7f\xc2\x9b\xe2\x80\xae\xe2\x81\xa6\r\n"), LOG_END);
		assert_int_equal(end(&c), 1);
		for (size_t i = 0; i + 1 < c.n; i++)
			assert_in_range(c.text[i], 0x20, 0x7e);
	}
}

static void nul_is_escaped_and_does_not_cut_the_value(void **state)
{
	static struct capture c;

	log_setup("worker", "info", "json");
	begin(&c);
	log_event(LOG_INFO, "tested", LOG_TEXT("name", S("a\0b")), LOG_END);
	assert_int_equal(end(&c), 1);
	assert_true(str_has(str_n(c.text, c.n), S("\"a\\u0000b\"")));
}

static void long_value_is_cut_and_the_line_says_so(void **state)
{
	static const char *const UNITS[] = { "x", "\n", "\xc3\xa9", "\xff", "\"" };

	log_setup("worker", "info", "json");
	for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
		size_t unit = strlen(UNITS[i]), n = 0;
		char *value = mem_alloc(20000);
		AUTO_JSON json_t *line = NULL;

		for (size_t at = 0; at + unit <= 20000; at += unit)
			memcpy(value + at, UNITS[i], unit);
		line = logged("name", str_n(value, 20000 / unit * unit), &n);
		assert_in_range(n, 8000, 8192);
		assert_true(json_bool(line, "log_cut"));
		assert_true(json_str(line, "name").n > 1000);
		assert_null(json_object_get(line, "after"));
		mem_free(value);
	}
}

/* At every length around the limit the line stays whole JSON. */
static void line_is_json_at_every_length_near_the_limit(void **state)
{
	char *value = mem_alloc(9000);

	memset(value, 'x', 9000);
	log_setup("worker", "info", "json");
	for (size_t n = 7900; n < 8250; n++) {
		size_t written = 0;
		AUTO_JSON json_t *line = logged("name", str_n(value, n), &written);

		assert_true(written <= 8192);
		assert_true(json_bool(line, "log_cut") || json_i64(line, "after", 0) == -7);
	}
	mem_free(value);
}

static void values_of_secret_fields_are_dropped(void **state)
{
	static const char *const NAMES[] = { "secret",         "secret_access_key",
					     "SessionToken",   "db_password",
					     "Authorization",  "X-Amz-Security-Token",
					     "private_key_pem" };

	log_setup("worker", "info", "json");
	for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
		AUTO_JSON json_t *line = logged(NAMES[i], S("hunter2"), NULL);

		assert_true(str_eq(json_str(line, NAMES[i]), S("[redacted]")));
	}
}

static void events_below_the_level_are_not_written(void **state)
{
	static struct capture c;
	struct err err = { 0 };

	log_setup("worker", "warn", "json");
	begin(&c);
	log_event(LOG_INFO, "tested", LOG_END);
	(void)err_set(&err, RC_NOT_FOUND, "x", "x");
	log_error("tested", &err);
	assert_int_equal(end(&c), 0);
	begin(&c);
	log_event(LOG_WARN, "tested", LOG_END);
	assert_int_equal(end(&c), 1);
}

static void error_is_one_line_at_the_level_of_its_rc(void **state)
{
	static struct capture c;
	struct err err = { 0 };
	AUTO_JSON json_t *line = NULL;

	log_setup("worker", "debug", "json");
	(void)err_set(&err, RC_BROKEN, "the_code", "the text");
	begin(&c);
	log_error("sync_failed", &err);
	assert_int_equal(end(&c), 1);
	assert_int_equal(json_parse(str_n(c.text, c.n), 4, &line, NULL), RC_OK);
	assert_true(str_eq(json_str(line, "level"), S("error")));
	assert_true(str_eq(json_str(line, "rc"), S("BROKEN")));
	assert_true(str_eq(json_str(line, "code"), S("the_code")));
	assert_true(str_eq(json_str(line, "text"), S("the text")));
	assert_null(json_object_get(line, "field"));
}

static void text_form_is_short_and_auto_is_json_without_a_terminal(void **state)
{
	static struct capture c;

	log_setup("worker", "info", "text");
	begin(&c);
	log_event(LOG_WARN, "tested", LOG_STR("a", "b c"), LOG_BOOL("ok", true), LOG_END);
	assert_int_equal(end(&c), 1);
	assert_string_equal(c.text + 12, " warn worker tested a=\"b c\" ok=true\n");
	begin(&c);
	log_setup("worker", "info", "auto");
	log_event(LOG_WARN, "tested", LOG_END);
	assert_int_equal(end(&c), 1);
	assert_int_equal(c.text[0], '{');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_has_time_level_process_event_and_fields),
		cmocka_unit_test(hostile_bytes_cannot_break_the_line),
		cmocka_unit_test(control_and_direction_characters_are_never_written_raw),
		cmocka_unit_test(nul_is_escaped_and_does_not_cut_the_value),
		cmocka_unit_test(long_value_is_cut_and_the_line_says_so),
		cmocka_unit_test(line_is_json_at_every_length_near_the_limit),
		cmocka_unit_test(values_of_secret_fields_are_dropped),
		cmocka_unit_test(events_below_the_level_are_not_written),
		cmocka_unit_test(error_is_one_line_at_the_level_of_its_rc),
		cmocka_unit_test(text_form_is_short_and_auto_is_json_without_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
