/* A key file is there whole or not at all. */
#include "base/newfile.h"

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

static char dir[] = "/tmp/test-newfile-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)unlink(path);
	return rmdir(dir);
}

static void it_is_written_for_its_owner_alone(void **state)
{
	const struct newfile file = { .path = path, .mode = 0600 };
	struct stat st = { 0 };

	assert_int_equal(newfile_write(&file, S("content\n"), NULL), RC_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 8);
}

static void an_existing_file_and_a_link_are_left_alone(void **state)
{
	const struct newfile file = { .path = path, .mode = 0600 };
	struct err err = { 0 };
	struct stat st = { 0 };

	assert_int_equal(newfile_write(&file, S("other"), &err), RC_CONFLICT);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/nonexistent/x", path), 0);
	assert_int_equal(newfile_write(&file, S("other"), NULL), RC_CONFLICT);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink(path), 0);
}

/* A full disk: what was written so far would block every later try, and be taken for a key. */
static void what_cannot_be_finished_is_gone_and_the_cause_is_said(void **state)
{
	const struct newfile file = { .path = path, .mode = 0600 };
	struct rlimit before = { 0 }, small = { 0 };
	struct err err = { 0 };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 4;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(newfile_write(&file, S("content\n"), &err), RC_INVALID);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_non_null(strstr(err.text, "File too large"));
	assert_non_null(strstr(err.text, path));
	assert_int_equal(newfile_write(&file, S("content\n"), NULL), RC_OK);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_written_for_its_owner_alone),
		cmocka_unit_test(an_existing_file_and_a_link_are_left_alone),
		cmocka_unit_test(what_cannot_be_finished_is_gone_and_the_cause_is_said),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
