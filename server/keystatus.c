/* Prints ids of keys and rows, never a key or a value. */
#include "server/keystatus.h"

#include <stdio.h>

void keystatus_stuck(const struct rewrap_stucks *s)
{
	if (s->n == 0)
		return;
	printf("%lld cannot be opened; store the secrets of these again:\n", (long long)s->n);
	for (int64_t i = 0; i < s->n && i < REWRAP_STUCK_SHOWN; i++) {
		const struct rewrap_stuck *one = &s->shown[i];
		char org[ID_UUID_TEXT], id[ID_TEXT_MAX], key[KEYSET_TEXT];

		id_uuid(one->org_id, org);
		id_text(one->id, one->column->prefix, id);
		keyset_text(one->key_id, key);
		printf("  %s  organization %s  %s  key %s  %s\n", id, org, one->column->name, key,
		       one->why);
	}
	if (s->n > REWRAP_STUCK_SHOWN)
		printf("  and %lld more\n", (long long)(s->n - REWRAP_STUCK_SHOWN));
}

static int64_t values_under(const struct rewrap_count *count,
			    const unsigned char key_id[SEAL_KEY_ID_BYTES])
{
	int64_t n = 0;

	for (size_t i = 0; i < count->n; i++)
		if (memcmp(count->by[i].key_id, key_id, SEAL_KEY_ID_BYTES) == 0)
			n += count->by[i].values;
	return n;
}

static void print(const struct keyset *k, const struct seal_public *pub,
		  const struct rewrap_count *count)
{
	char key[KEYSET_TEXT];

	printf("%s\n", k->key_path);
	for (size_t i = 0; i < seal_keyring_count(k->ring); i++) {
		struct seal_public one = seal_keyring_public(k->ring, i);

		keyset_text(one.key_id, key);
		printf("  key %s  %s  %lld values%s\n", key, i == 0 ? "newest" : "old   ",
		       (long long)values_under(count, one.key_id),
		       memcmp(one.bytes, pub->bytes, sizeof(one.bytes)) == 0 ? "  (seal.pub)" : "");
	}
	printf("%lld sealed values\n", (long long)count->values);
	for (size_t i = 0; i < count->n; i++) {
		keyset_text(count->by[i].key_id, key);
		printf("  key %s  %s  %lld\n", key, count->by[i].column->name,
		       (long long)count->by[i].values);
	}
	keystatus_stuck(&count->stuck);
}

enum rc keystatus_print(const struct keyset *k, bool *ret_good, struct err *err)
{
	struct seal_public pub = { 0 };
	struct rewrap_count count = { 0 };
	enum rc rc = keyset_public(k, &pub, err);

	if (rc == RC_OK)
		rc = rewrap_count(k->db, k->ring, &count, err);
	if (rc != RC_OK)
		return rc;
	print(k, &pub, &count);
	if (keyset_has_retired(k))
		printf("%s.retired: old keys are being dropped; connectord keys rotate goes on\n",
		       k->key_path);
	*ret_good = count.stuck.n == 0;
	return RC_OK;
}
