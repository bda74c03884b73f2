/* The three key files: made once, whole, and again after a try that failed. */
#include "base/mem.h"
#include "base/secret.h"
#include "server/keyfiles.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char top[] = "/tmp/test-keyfiles-XXXXXX";
static char dir[64], operator_key[80];

static int set_up(void **state)
{
	secret_harden_process();
	signal(SIGXFSZ, SIG_IGN);
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s/keys", top);
	(void)snprintf(operator_key, sizeof(operator_key), "%s/operator.key", dir);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const FILES[] = { "seal.key", "seal.pub", "operator.key" };

	for (size_t i = 0; i < COUNT_OF(FILES); i++) {
		AUTO_TEXT char *path = mem_text("%s/%s", dir, FILES[i]);

		(void)unlink(path);
	}
	return rmdir(dir) == 0 ? rmdir(top) : -1;
}

static void keys_that_are_there_are_kept(void **state)
{
	AUTO(secret) struct secret *first = NULL;
	AUTO(secret) struct secret *second = NULL;

	assert_int_equal(keyfiles_make(dir, NULL, NULL), RC_OK);
	assert_int_equal(secret_read_file(operator_key, &first, NULL), RC_OK);
	assert_int_equal(keyfiles_make(dir, NULL, NULL), RC_OK);
	assert_int_equal(secret_read_file(operator_key, &second, NULL), RC_OK);
	assert_true(secret_eq(secret_str(first), secret_str(second)));
}

/* A part of a key that stays would be the operator's key from then on. */
static void a_full_disk_leaves_no_part_of_a_key(void **state)
{
	struct rlimit before = { 0 }, small = { 0 };
	struct stat st = { 0 };
	struct err err = { 0 };

	assert_int_equal(unlink(operator_key), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(keyfiles_make(dir, NULL, &err), RC_INVALID);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_non_null(strstr(err.text, "File too large"));
	assert_int_not_equal(access(operator_key, F_OK), 0);
	assert_int_equal(keyfiles_make(dir, NULL, NULL), RC_OK);
	assert_int_equal(stat(operator_key, &st), 0);
	assert_int_equal(st.st_size, (off_t)strlen("cnd_operator_") + 64 + 1);
	assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_that_are_there_are_kept),
		cmocka_unit_test(a_full_disk_leaves_no_part_of_a_key),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
