/* Sealing: opens in its own place with its own key, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/seal.h"
#include "base/text.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two key pairs in two folders, and a secret sealed to the first. */
struct world {
	char root[64], old[80], new[80], both[80], path[128];
	struct seal_public public, public_new;
	struct seal_keyring *keys, *keys_new;
	char *envelope;
	size_t n;
};

static const struct seal_place PLACE = {
	{ "0192f0c1-2345-7abc-8def-0123456789ab", 36 },
	{ "0192f0c1-9999-7abc-8def-0123456789ab", 36 },
	{ "secret_access_key", 17 },
};

#define PLAIN S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")

static char *file_of(struct world *w, const char *dir, const char *name)
{
	snprintf(w->path, sizeof(w->path), "%s/%s", dir, name);
	return w->path;
}

static int make_world(void **state)
{
	struct world *w = MEM_NEW(struct world);

	*state = w;
	snprintf(w->root, sizeof(w->root), "/tmp/test_seal.XXXXXX");
	if (!mkdtemp(w->root))
		return -1;
	snprintf(w->old, sizeof(w->old), "%s/old", w->root);
	snprintf(w->new, sizeof(w->new), "%s/new", w->root);
	snprintf(w->both, sizeof(w->both), "%s/both", w->root);
	if (mkdir(w->old, 0700) != 0 || mkdir(w->new, 0700) != 0)
		return -1;
	if (seal_keys_make(w->old, NULL) != RC_OK || seal_keys_make(w->new, NULL) != RC_OK ||
	    seal_public_load(file_of(w, w->old, "seal.pub"), &w->public, NULL) != RC_OK ||
	    seal_public_load(file_of(w, w->new, "seal.pub"), &w->public_new, NULL) != RC_OK ||
	    seal_keyring_load(file_of(w, w->old, "seal.key"), &w->keys, NULL) != RC_OK ||
	    seal_keyring_load(file_of(w, w->new, "seal.key"), &w->keys_new, NULL) != RC_OK ||
	    seal_close(&w->public, &PLACE, PLAIN, &w->envelope, &w->n, NULL) != RC_OK)
		return -1;
	return 0;
}

static int drop_world(void **state)
{
	struct world *w = *state;

	unlink(file_of(w, w->old, "seal.key"));
	unlink(file_of(w, w->old, "seal.pub"));
	unlink(file_of(w, w->new, "seal.key"));
	unlink(file_of(w, w->new, "seal.pub"));
	unlink(w->both);
	rmdir(w->old);
	rmdir(w->new);
	rmdir(w->root);
	seal_keyring_free(w->keys);
	seal_keyring_free(w->keys_new);
	mem_free(w->envelope);
	mem_free(w);
	return 0;
}

static enum rc open_at(const struct world *w, const struct seal_place *place, struct str envelope)
{
	AUTO(secret) struct secret *s = NULL;
	enum rc rc = seal_open(w->keys, place, envelope, &s, NULL);

	if (rc != RC_OK)
		assert_null(s);
	return rc;
}

static void what_is_closed_opens(void **state)
{
	struct world *w = *state;
	AUTO(secret) struct secret *s = NULL;

	assert_int_equal(w->n, SEAL_OVERHEAD + PLAIN.n);
	assert_int_equal(seal_open(w->keys, &PLACE, str_n(w->envelope, w->n), &s, NULL), RC_OK);
	assert_true(str_eq(secret_str(s), PLAIN));
}

static void every_length_up_to_the_maximum_opens_and_no_more(void **state)
{
	static const size_t LENGTHS[] = { 0, 1, 39, 40, 41, 4096, SEAL_PLAIN_MAX };
	struct world *w = *state;
	AUTO_TEXT char *plain = mem_alloc(SEAL_PLAIN_MAX + 1);

	memset(plain, 'x', SEAL_PLAIN_MAX + 1);
	for (size_t i = 0; i < COUNT_OF(LENGTHS); i++) {
		AUTO_TEXT char *envelope = NULL;
		AUTO(secret) struct secret *s = NULL;
		size_t n = 0;

		assert_int_equal(seal_close(&w->public, &PLACE, str_n(plain, LENGTHS[i]), &envelope,
					    &n, NULL),
				 RC_OK);
		assert_int_equal(seal_open(w->keys, &PLACE, str_n(envelope, n), &s, NULL), RC_OK);
		assert_true(str_eq(secret_str(s), str_n(plain, LENGTHS[i])));
	}
	AUTO_TEXT char *none = NULL;
	size_t n = 0;
	assert_int_equal(
		seal_close(&w->public, &PLACE, str_n(plain, SEAL_PLAIN_MAX + 1), &none, &n, NULL),
		RC_LIMIT);
	assert_null(none);
}

/* Copied to another row, field or organization, a blob is noise: this is what keeps one
 * organization from having its secret used for another. */
static void moved_secret_does_not_open(void **state)
{
	struct world *w = *state;
	struct str envelope = str_n(w->envelope, w->n);
	struct seal_place place = PLACE;

	place.org_id = S("0192f0c1-2345-7abc-8def-0123456789ac");
	assert_int_equal(open_at(w, &place, envelope), RC_BROKEN);
	place = PLACE;
	place.connection_id = PLACE.org_id;
	assert_int_equal(open_at(w, &place, envelope), RC_BROKEN);
	place = PLACE;
	place.field = S("webhook_secret");
	assert_int_equal(open_at(w, &place, envelope), RC_BROKEN);
	place = PLACE;
	place.org_id = PLACE.connection_id;
	place.connection_id = PLACE.org_id;
	assert_int_equal(open_at(w, &place, envelope), RC_BROKEN);
}

enum { ROWS = 64, SWAPS = 4000 };

struct row {
	char org[37], connection[37];
	struct seal_place place;
	char *envelope;
	size_t n;
};

/* Rows of four organizations, each with two fields. */
static void fill_rows(const struct world *w, struct row *rows)
{
	for (uint32_t i = 0; i < ROWS; i++) {
		struct row *r = &rows[i];

		snprintf(r->org, sizeof(r->org), "0192f0c1-2345-7abc-8def-%012u", i / 16);
		snprintf(r->connection, sizeof(r->connection), "0192f0c1-9999-7abc-8def-%012u",
			 i / 2);
		r->place =
			(struct seal_place){ str_n(r->org, 36), str_n(r->connection, 36),
					     i % 2 ? S("webhook_secret") : S("secret_access_key") };
		assert_int_equal(
			seal_close(&w->public, &r->place, PLAIN, &r->envelope, &r->n, NULL), RC_OK);
	}
}

/* Whoever can write rows moves blobs about: between rows, organizations and fields, whole or in part. */
static void a_blob_never_opens_in_another_place(void **state)
{
	static const size_t PARTS[] = { 11, 91, 115 }; /* data key, nonce, text */
	struct world *w = *state;
	struct row rows[ROWS] = { 0 };
	AUTO_TEXT char *mixed = NULL;

	fill_rows(w, rows);
	mixed = mem_alloc(rows[0].n);
	for (int swap = 0; swap < SWAPS; swap++) {
		uint32_t a = randombytes_uniform(ROWS);
		uint32_t b = (a + 1 + randombytes_uniform(ROWS - 1)) % ROWS;
		size_t from = PARTS[randombytes_uniform(COUNT_OF(PARTS))];

		assert_int_equal(open_at(w, &rows[a].place, str_n(rows[b].envelope, rows[b].n)),
				 RC_BROKEN);
		memcpy(mixed, rows[a].envelope, from);
		memcpy(mixed + from, rows[b].envelope + from, rows[b].n - from);
		assert_int_equal(open_at(w, &rows[a].place, str_n(mixed, rows[a].n)), RC_BROKEN);
	}
	for (size_t i = 0; i < ROWS; i++) {
		assert_int_equal(open_at(w, &rows[i].place, str_n(rows[i].envelope, rows[i].n)),
				 RC_OK);
		mem_free(rows[i].envelope);
	}
}

/* "ab","c" and "a","bc" are two places. */
static void border_between_parts_is_bound(void **state)
{
	struct world *w = *state;
	const struct seal_place one = { S("ab"), S("c"), S("d") };
	const struct seal_place two = { S("a"), S("bc"), S("d") };
	AUTO_TEXT char *envelope = NULL;
	size_t n = 0;

	assert_int_equal(seal_close(&w->public, &one, PLAIN, &envelope, &n, NULL), RC_OK);
	assert_int_equal(open_at(w, &one, str_n(envelope, n)), RC_OK);
	assert_int_equal(open_at(w, &two, str_n(envelope, n)), RC_BROKEN);
}

static void every_flipped_bit_is_refused(void **state)
{
	struct world *w = *state;

	for (int round = 0; round < 4000; round++) {
		uint32_t bit = randombytes_uniform((uint32_t)w->n * 8);
		size_t at = bit / 8;
		enum rc want = at < 3 ? RC_INVALID : at < 11 ? RC_NOT_FOUND : RC_BROKEN;

		w->envelope[at] = (char)(w->envelope[at] ^ (1 << bit % 8));
		assert_int_equal(open_at(w, &PLACE, str_n(w->envelope, w->n)), want);
		w->envelope[at] = (char)(w->envelope[at] ^ (1 << bit % 8));
	}
	assert_int_equal(open_at(w, &PLACE, str_n(w->envelope, w->n)), RC_OK);
}

static void every_truncation_and_any_tail_is_refused(void **state)
{
	struct world *w = *state;
	AUTO_TEXT char *longer = mem_alloc(w->n + 1);

	for (size_t n = 0; n < w->n; n++) {
		/* A copy of its exact size, so that a read past it is seen by the sanitizer. */
		AUTO_TEXT char *cut = mem_alloc(n);

		memcpy(cut, w->envelope, n);
		assert_int_equal(open_at(w, &PLACE, str_n(cut, n)),
				 n < SEAL_OVERHEAD ? RC_INVALID : RC_BROKEN);
	}
	memcpy(longer, w->envelope, w->n);
	assert_int_equal(open_at(w, &PLACE, str_n(longer, w->n + 1)), RC_BROKEN);
	assert_int_equal(open_at(w, &PLACE, (struct str){ NULL, 0 }), RC_INVALID);
}

static void oversized_envelope_is_refused_before_work(void **state)
{
	struct world *w = *state;
	const size_t n = SEAL_OVERHEAD + SEAL_PLAIN_MAX + 1;
	AUTO_TEXT char *huge = mem_alloc(n);

	memcpy(huge, w->envelope, w->n);
	assert_int_equal(open_at(w, &PLACE, str_n(huge, n)), RC_INVALID);
}

static void other_keyring_says_which_key_is_missing(void **state)
{
	struct world *w = *state;
	AUTO(secret) struct secret *s = NULL;
	struct err err = { 0 };

	assert_int_equal(seal_open(w->keys_new, &PLACE, str_n(w->envelope, w->n), &s, &err),
			 RC_NOT_FOUND);
	assert_string_equal(err.code, "seal_key_unknown");
}

/* An envelope that names a key of the ring but was sealed to another one. */
static void swapped_key_id_does_not_open(void **state)
{
	struct world *w = *state;
	AUTO(secret) struct secret *s = NULL;

	memcpy(w->envelope + 3, w->public_new.key_id, SEAL_KEY_ID_BYTES);
	assert_int_equal(seal_open(w->keys_new, &PLACE, str_n(w->envelope, w->n), &s, NULL),
			 RC_BROKEN);
	assert_null(s);
}

static void write_file(const char *path, struct str text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	assert_int_equal(fclose(f), 0);
}

/* Rotation: the new key in front, the old one behind it; nothing sealed before is lost. */
static void rotated_keyring_opens_old_and_new(void **state)
{
	struct world *w = *state;
	AUTO(secret) struct secret *old = NULL;
	AUTO(secret) struct secret *new = NULL;
	AUTO(secret) struct secret *s = NULL;
	AUTO(secret) struct secret *s2 = NULL;
	AUTO(seal_keyring) struct seal_keyring *both = NULL;
	AUTO_TEXT char *envelope = NULL, *lines = NULL;
	size_t n = 0;

	assert_int_equal(secret_read_file(file_of(w, w->old, "seal.key"), &old, NULL), RC_OK);
	assert_int_equal(secret_read_file(file_of(w, w->new, "seal.key"), &new, NULL), RC_OK);
	lines = mem_text("# newest first\n%.*s\n\n  %.*s  \n", STR_FMT(secret_str(new)),
			 STR_FMT(secret_str(old)));
	write_file(w->both, str_c(lines));
	assert_int_equal(seal_keyring_load(w->both, &both, NULL), RC_OK);
	assert_int_equal(seal_close(&w->public_new, &PLACE, S("new"), &envelope, &n, NULL), RC_OK);
	assert_int_equal(seal_open(both, &PLACE, str_n(w->envelope, w->n), &s, NULL), RC_OK);
	assert_true(str_eq(secret_str(s), PLAIN));
	assert_int_equal(seal_open(both, &PLACE, str_n(envelope, n), &s2, NULL), RC_OK);
	assert_true(str_eq(secret_str(s2), S("new")));
}

/* The form in seal.h is a contract with every stored row: taken apart here by hand. */
static void envelope_has_the_form_that_the_header_gives(void **state)
{
	struct world *w = *state;
	const unsigned char *e = (const unsigned char *)w->envelope;
	AUTO(secret) struct secret *file = NULL;
	AUTO(buf) struct buf key = BUF_INIT(32), ad = BUF_INIT(400);
	unsigned char data_key[32], hash[32], plain[64];
	unsigned long long n = 0;

	assert_memory_equal(e, "cs1", 3);
	crypto_generichash(hash, 32, w->public.bytes, 32, NULL, 0);
	assert_memory_equal(e + 3, hash, 8);
	assert_int_equal(secret_read_file(file_of(w, w->old, "seal.key"), &file, NULL), RC_OK);
	assert_true(str_starts(secret_str(file), S("seal-secret:")));
	assert_int_equal(text_base64_decode(&key, str_sub(secret_str(file), 12, file->n)), RC_OK);
	assert_int_equal(crypto_box_seal_open(data_key, e + 11, 80, w->public.bytes,
					      (const unsigned char *)key.p),
			 0);
	assert_int_equal(buf_put(&ad, S("\0\0\0\3cs1")), RC_OK);
	assert_int_equal(buf_printf(&ad, "%c%c%c%c%s", 0, 0, 0, 36, PLACE.org_id.p), RC_OK);
	assert_int_equal(buf_printf(&ad, "%c%c%c%c%s", 0, 0, 0, 36, PLACE.connection_id.p), RC_OK);
	assert_int_equal(buf_printf(&ad, "%c%c%c%c%s", 0, 0, 0, 17, PLACE.field.p), RC_OK);
	assert_int_equal(buf_put(&ad, S("\0\0\0\10")), RC_OK);
	assert_int_equal(buf_put(&ad, str_n(hash, 8)), RC_OK);
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(
				 plain, &n, NULL, e + 115, w->n - 115, (unsigned char *)ad.p, ad.n,
				 e + 91, data_key),
			 0);
	assert_true(str_eq(str_n(plain, n), PLAIN));
}

static void two_seals_of_one_secret_share_nothing(void **state)
{
	struct world *w = *state;
	AUTO_TEXT char *again = NULL;
	size_t n = 0;

	assert_int_equal(seal_close(&w->public, &PLACE, PLAIN, &again, &n, NULL), RC_OK);
	for (size_t at = 11; at + 16 <= n; at += 16)
		assert_memory_not_equal(again + at, w->envelope + at, 16);
}

static void key_files_are_private_and_never_overwritten(void **state)
{
	struct world *w = *state;
	struct stat st = { 0 };
	struct err err = { 0 };

	assert_int_equal(stat(file_of(w, w->old, "seal.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(seal_keys_make(w->old, &err), RC_CONFLICT);
	/* Only the public half is in the way: the secret half made meanwhile is taken back. */
	assert_int_equal(unlink(file_of(w, w->old, "seal.key")), 0);
	assert_int_equal(seal_keys_make(w->old, NULL), RC_CONFLICT);
	assert_int_not_equal(access(file_of(w, w->old, "seal.key"), F_OK), 0);
}

/* text with LABEL, a word as long as each of the two, replaced. */
static void write_labelled(const char *path, const char *label, const char *text)
{
	AUTO(buf) struct buf out = BUF_INIT(256);
	struct str rest = str_c(text);

	while (rest.n) {
		struct str line = str_cut(&rest, '\n');

		if (str_starts(line, S("seal-LABEL:")))
			assert_int_equal(buf_printf(&out, "seal-%s:%.*s\n", label,
						    STR_FMT(str_sub(line, 11, line.n))),
					 RC_OK);
		else
			assert_int_equal(buf_printf(&out, "%.*s\n", STR_FMT(line)), RC_OK);
	}
	write_file(path, buf_str(&out));
}

/* A server that is given seal.key by mistake would hold the opening key, and seal to a key that
 * nobody has. */
static void one_half_is_not_taken_for_the_other(void **state)
{
	struct world *w = *state;
	AUTO(seal_keyring) struct seal_keyring *keys = NULL;
	struct seal_public public = { 0 };
	struct err err = { 0 };

	assert_int_equal(seal_public_load(file_of(w, w->old, "seal.key"), &public, &err),
			 RC_INVALID);
	assert_non_null(strstr(err.text, "seal.pub"));
	assert_int_equal(seal_keyring_load(file_of(w, w->old, "seal.pub"), &keys, NULL),
			 RC_INVALID);
}

static void key_file_that_is_none_is_refused_without_showing_it(void **state)
{
	static const char *const BAD[] = {
		"",
		"\n\n",
		"# only a comment\n",
		"seal-LABEL:hunter2-not-base64!\n",
		"seal-LABEL:aHVudGVyMg==\n",
		"seal-LABEL:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"seal-LABEL:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nhunter2\n",
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT_OF(BAD); i++) {
		AUTO(seal_keyring) struct seal_keyring *keys = NULL;
		struct err err = { 0 };

		write_labelled(w->both, "secret", BAD[i]);
		assert_int_equal(seal_keyring_load(w->both, &keys, &err), RC_INVALID);
		assert_null(keys);
		assert_null(strstr(err.text, "hunter2"));
	}
	for (size_t i = 0; i + 1 < COUNT_OF(BAD); i++) {
		struct seal_public public = { 0 };

		write_labelled(w->both, "public", BAD[i]);
		assert_int_equal(seal_public_load(w->both, &public, NULL), RC_INVALID);
	}
}

/* A low-order point would make every data key readable by anybody. */
static void unusable_public_key_seals_nothing(void **state)
{
	const struct seal_public zero = { 0 };
	AUTO_TEXT char *envelope = NULL;
	size_t n = 0;

	assert_int_equal(seal_close(&zero, &PLACE, PLAIN, &envelope, &n, NULL), RC_BROKEN);
	assert_null(envelope);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(what_is_closed_opens),
		WITH_WORLD(every_length_up_to_the_maximum_opens_and_no_more),
		WITH_WORLD(moved_secret_does_not_open),
		WITH_WORLD(a_blob_never_opens_in_another_place),
		WITH_WORLD(border_between_parts_is_bound),
		WITH_WORLD(every_flipped_bit_is_refused),
		WITH_WORLD(every_truncation_and_any_tail_is_refused),
		WITH_WORLD(oversized_envelope_is_refused_before_work),
		WITH_WORLD(other_keyring_says_which_key_is_missing),
		WITH_WORLD(swapped_key_id_does_not_open),
		WITH_WORLD(rotated_keyring_opens_old_and_new),
		WITH_WORLD(envelope_has_the_form_that_the_header_gives),
		WITH_WORLD(two_seals_of_one_secret_share_nothing),
		WITH_WORLD(key_files_are_private_and_never_overwritten),
		WITH_WORLD(one_half_is_not_taken_for_the_other),
		WITH_WORLD(key_file_that_is_none_is_refused_without_showing_it),
		cmocka_unit_test(unusable_public_key_seals_nothing),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
