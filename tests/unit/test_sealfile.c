/* Key files that change under a running process: what was sealed with either key opens, and nothing fails in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sealfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct seal_place PLACE = { { "org", 3 }, { "connection", 10 }, { "field", 5 } };
#define PLAIN S("hunter2")
#define SOON  (5 * CLOCK_S)

struct world {
	char root[40], old[64], new[64];
	char old_key[80], old_pub[80], new_key[80], new_pub[80];
};

static int make_world(void **state)
{
	struct world *w = MEM_NEW(struct world);

	*state = w;
	snprintf(w->root, sizeof(w->root), "/tmp/test_sealfile.XXXXXX");
	if (!mkdtemp(w->root))
		return -1;
	snprintf(w->old, sizeof(w->old), "%s/old", w->root);
	snprintf(w->new, sizeof(w->new), "%s/new", w->root);
	snprintf(w->old_key, sizeof(w->old_key), "%s/seal.key", w->old);
	snprintf(w->old_pub, sizeof(w->old_pub), "%s/seal.pub", w->old);
	snprintf(w->new_key, sizeof(w->new_key), "%s/seal.key", w->new);
	snprintf(w->new_pub, sizeof(w->new_pub), "%s/seal.pub", w->new);
	if (mkdir(w->old, 0700) != 0 || mkdir(w->new, 0700) != 0)
		return -1;
	return seal_keys_make(w->old, NULL) == RC_OK && seal_keys_make(w->new, NULL) == RC_OK ? 0
											      : -1;
}

static int drop_world(void **state)
{
	struct world *w = *state;
	const char *const files[] = { w->old_key, w->old_pub, w->new_key, w->new_pub };

	for (size_t i = 0; i < COUNT_OF(files); i++)
		unlink(files[i]);
	rmdir(w->old);
	rmdir(w->new);
	rmdir(w->root);
	mem_free(w);
	return 0;
}

static enum rc opens(struct sealfile *keys, const char *envelope, size_t n)
{
	AUTO(secret) struct secret *s = NULL;
	struct err err = { 0 };
	enum rc rc = sealfile_open(keys, &PLACE, str_n(envelope, n), &s, &err);

	if (rc == RC_OK)
		assert_true(str_eq(secret_str(s), PLAIN));
	return rc;
}

/* The moment that a rotation is about: the server seals under the new key before this worker has looked again. */
static void a_key_that_is_not_known_is_looked_for_at_once(void **state)
{
	struct world *w = *state;
	AUTO(sealfile) struct sealfile *keys = NULL;
	AUTO(sealfile) struct sealfile *pub = NULL;
	AUTO_TEXT char *envelope = NULL;
	size_t n = 0;

	assert_int_equal(sealfile_keyring(w->old_key, &keys, NULL), RC_OK);
	assert_int_equal(sealfile_public(w->new_pub, &pub, NULL), RC_OK);
	assert_int_equal(sealfile_close(pub, &PLACE, PLAIN, &envelope, &n, NULL), RC_OK);
	assert_int_equal(opens(keys, envelope, n), RC_NOT_FOUND);
	assert_int_equal(rename(w->new_key, w->old_key), 0);
	assert_int_equal(opens(keys, envelope, n), RC_OK);
}

static void a_new_public_key_is_used_within_seconds(void **state)
{
	struct world *w = *state;
	AUTO(sealfile) struct sealfile *keys = NULL;
	AUTO(sealfile) struct sealfile *pub = NULL;
	int64_t deadline = clock_mono() + SOON;
	enum rc rc = RC_NOT_FOUND;

	assert_int_equal(sealfile_keyring(w->new_key, &keys, NULL), RC_OK);
	assert_int_equal(sealfile_public(w->old_pub, &pub, NULL), RC_OK);
	assert_int_equal(rename(w->new_pub, w->old_pub), 0);
	while (rc != RC_OK && clock_mono() < deadline) {
		AUTO_TEXT char *envelope = NULL;
		size_t n = 0;

		assert_int_equal(sealfile_close(pub, &PLACE, PLAIN, &envelope, &n, NULL), RC_OK);
		rc = opens(keys, envelope, n);
		usleep(20 * 1000);
	}
	assert_int_equal(rc, RC_OK);
}

/* A file that is gone or half there must not take the keys from a process that works. */
static void what_cannot_be_read_changes_nothing(void **state)
{
	struct world *w = *state;
	AUTO(sealfile) struct sealfile *keys = NULL;
	AUTO(sealfile) struct sealfile *pub = NULL;
	AUTO(sealfile) struct sealfile *other = NULL;
	AUTO_TEXT char *envelope = NULL, *foreign = NULL;
	size_t n = 0, foreign_n = 0;
	FILE *f;

	assert_int_equal(sealfile_keyring(w->old_key, &keys, NULL), RC_OK);
	assert_int_equal(sealfile_public(w->old_pub, &pub, NULL), RC_OK);
	assert_int_equal(sealfile_public(w->new_pub, &other, NULL), RC_OK);
	assert_int_equal(sealfile_close(pub, &PLACE, PLAIN, &envelope, &n, NULL), RC_OK);
	assert_int_equal(sealfile_close(other, &PLACE, PLAIN, &foreign, &foreign_n, NULL), RC_OK);
	f = fopen(w->old_key, "we");
	assert_non_null(f);
	fputs("seal-secret:half", f);
	fclose(f);
	assert_int_equal(opens(keys, foreign, foreign_n), RC_NOT_FOUND); /* makes it look */
	assert_int_equal(opens(keys, envelope, n), RC_OK);
	assert_int_equal(unlink(w->old_key), 0);
	assert_int_equal(opens(keys, foreign, foreign_n), RC_NOT_FOUND);
	assert_int_equal(opens(keys, envelope, n), RC_OK);
	/* And once it is whole again, it counts. */
	assert_int_equal(rename(w->new_key, w->old_key), 0);
	assert_int_equal(opens(keys, foreign, foreign_n), RC_OK);
	assert_int_equal(opens(keys, envelope, n), RC_NOT_FOUND);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(a_key_that_is_not_known_is_looked_for_at_once),
		WITH_WORLD(a_new_public_key_is_used_within_seconds),
		WITH_WORLD(what_cannot_be_read_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
