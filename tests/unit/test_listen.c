/* The operator's socket: what may be removed under its name, and what never. */
#include "base/mem.h"
#include "server/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/test-listen-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)unlink(path);
	return rmdir(dir);
}

static bool is_there(void)
{
	return access(path, F_OK) == 0;
}

static void a_socket_is_made_for_its_owner_and_removed_once(void **state)
{
	struct listen_mark mark = { 0 };
	struct stat st = { 0 };
	int fd = -1;

	assert_int_equal(listen_unix(path, &fd, &mark, NULL), RC_OK);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	listen_remove(path, &mark);
	assert_false(is_there());
	close(fd);
}

static void what_is_no_socket_is_never_replaced(void **state)
{
	struct listen_mark mark = { 0 };
	struct err err = { 0 };
	int fd = -1;
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fclose(file);
	assert_int_equal(listen_unix(path, &fd, &mark, &err), RC_INVALID);
	assert_non_null(strstr(err.text, path));
	assert_true(is_there());
	listen_remove(path, &mark);
	assert_true(is_there());
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(listen_unix(path, &fd, &mark, NULL), RC_INVALID);
	assert_true(is_there());
	unlink(path);
}

static void a_left_socket_is_replaced_and_a_living_one_is_not(void **state)
{
	struct listen_mark mark = { 0 }, other = { 0 };
	int fd = -1, second = -1;

	assert_int_equal(listen_unix(path, &fd, &mark, NULL), RC_OK);
	assert_int_equal(listen_unix(path, &second, &other, NULL), RC_CONFLICT);
	assert_true(is_there());
	close(fd);
	assert_int_equal(listen_unix(path, &second, &other, NULL), RC_OK);
	/* The first one's end does not take the second one's name away. */
	listen_remove(path, &mark);
	assert_true(is_there());
	listen_remove(path, &other);
	assert_false(is_there());
	close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_is_made_for_its_owner_and_removed_once),
		cmocka_unit_test(what_is_no_socket_is_never_replaced),
		cmocka_unit_test(a_left_socket_is_replaced_and_a_living_one_is_not),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
