/* Secrets: guarded, exact, and the process that holds them leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/secret.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
	char dir[64];
	char path[96];
};

static int make_place(void **state)
{
	struct place *p = MEM_NEW(struct place);

	snprintf(p->dir, sizeof(p->dir), "/tmp/test_secret.XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/file", p->dir);
	*state = p;
	return 0;
}

static int drop_place(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	rmdir(p->dir);
	mem_free(p);
	return 0;
}

static void write_file(const char *path, const char *bytes, size_t n)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void new_secret_is_zero(void **state)
{
	static const unsigned char zero[100];
	AUTO(secret) struct secret *s = secret_new(sizeof(zero));

	assert_int_equal(s->n, sizeof(zero));
	assert_memory_equal(s->bytes, zero, sizeof(zero));
}

static void copy_keeps_every_byte(void **state)
{
	AUTO(secret) struct secret *s = secret_copy(S("a\0b"));
	AUTO(secret) struct secret *empty = secret_copy(S(""));

	assert_true(str_eq(secret_str(s), S("a\0b")));
	assert_int_equal(secret_str(empty).n, 0);
	assert_int_equal(secret_str(NULL).n, 0);
	secret_free(NULL);
}

/* One byte past a secret is a fence, not the neighbour's memory. */
static void reading_past_the_end_ends_the_process(void **state)
{
	AUTO(secret) struct secret *s = secret_new(32);
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		/* cmocka's handler would go on with the next test in the child. */
		signal(SIGSEGV, SIG_DFL);
		_exit(((volatile unsigned char *)s->bytes)[s->n] ? 3 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void equality_needs_equal_lengths(void **state)
{
	assert_true(secret_eq(S("abc"), S("abc")));
	assert_true(secret_eq(S(""), S("")));
	assert_false(secret_eq(S("abc"), S("abd")));
	assert_false(secret_eq(S("abc"), S("ab")));
	assert_false(secret_eq(S("ab\0"), S("ab")));
}

static void file_is_read_without_its_newline(void **state)
{
	static const struct {
		const char *file, *secret;
	} CASES[] = {
		{ "key", "key" },       { "key\n", "key" },   { "key\r\n", "key" },
		{ "key\n\n", "key\n" }, { " key ", " key " }, { "", "" },
		{ "\n", "" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		AUTO(secret) struct secret *s = NULL;

		write_file(p->path, CASES[i].file, strlen(CASES[i].file));
		assert_int_equal(secret_read_file(p->path, &s, NULL), RC_OK);
		assert_true(str_eq(secret_str(s), str_c(CASES[i].secret)));
	}
}

static void file_past_the_maximum_is_limit(void **state)
{
	struct place *p = *state;
	AUTO_TEXT char *bytes = mem_alloc(SECRET_MAX + 1);
	AUTO(secret) struct secret *s = NULL;
	struct err err = { 0 };

	memset(bytes, 'x', SECRET_MAX + 1);
	write_file(p->path, bytes, SECRET_MAX + 1);
	assert_int_equal(secret_read_file(p->path, &s, &err), RC_LIMIT);
	assert_null(s);
	assert_null(strstr(err.text, "xxx"));
	write_file(p->path, bytes, SECRET_MAX);
	assert_int_equal(secret_read_file(p->path, &s, NULL), RC_OK);
	assert_int_equal(s->n, SECRET_MAX);
}

static void missing_file_is_not_found_and_a_folder_is_no_secret(void **state)
{
	struct place *p = *state;
	AUTO(secret) struct secret *s = NULL;
	struct err err = { 0 };

	assert_int_equal(secret_read_file(p->path, &s, &err), RC_NOT_FOUND);
	assert_non_null(strstr(err.text, p->path));
	assert_int_equal(secret_read_file(p->dir, &s, NULL), RC_BROKEN);
	assert_null(s);
}

static void hardened_process_dumps_no_core(void **state)
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit limit = { 1, 1 };

		secret_harden_process();
		if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 ||
		    limit.rlim_max != 0)
			_exit(1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
			_exit(2);
#endif
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_secret_is_zero),
		cmocka_unit_test(copy_keeps_every_byte),
		cmocka_unit_test(reading_past_the_end_ends_the_process),
		cmocka_unit_test(equality_needs_equal_lengths),
		cmocka_unit_test_setup_teardown(file_is_read_without_its_newline, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(file_past_the_maximum_is_limit, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(missing_file_is_not_found_and_a_folder_is_no_secret,
						make_place, drop_place),
		cmocka_unit_test(hardened_process_dumps_no_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
