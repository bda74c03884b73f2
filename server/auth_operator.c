/* The operator's keys: one, or two while they are changed, one a line, the newest first. The file is
 * looked at again when it changes, at most once a second.
 * Never keeps a key: hashes only. A file that became unreadable changes nothing but the log. */
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "server/auth_inside.h"

#include <sodium.h>
#include <sys/stat.h>

enum { KEY_MIN = 32, KEYS_MAX = 2 };
#define LOOK_EVERY CLOCK_S

/* What tells one version of the file from another. */
struct version {
	dev_t device;
	ino_t number;
	off_t size;
	struct timespec changed;
};

struct keys {
	unsigned char hash[KEYS_MAX][TEXT_SHA256];
	int n;
};

struct auth_operator {
	char *path; /* immutable; "" = no operator */
	struct lock lock;
	struct {
		struct keys keys;
		struct version version;
		int64_t look_at; /* mono */
	} synced;
};

void auth_operator_free(struct auth_operator *o)
{
	if (!o)
		return;
	lock_destroy(&o->lock);
	mem_free(o->path);
	mem_free(o);
}

static struct version version_of(const char *path)
{
	struct stat st = { 0 };

	if (stat(path, &st) != 0)
		return (struct version){ 0 };
	return (struct version){ st.st_dev, st.st_ino, st.st_size, st.st_ctim };
}

static bool is_same(const struct version *a, const struct version *b)
{
	return a->device == b->device && a->number == b->number && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static enum rc read_keys(const char *path, struct keys *ret, struct err *err)
{
	AUTO(secret) struct secret *text = NULL;
	struct str rest = S("");
	enum rc rc = secret_read_file(path, &text, err);

	if (rc != RC_OK)
		return rc;
	rest = secret_str(text);
	ret->n = 0;
	do {
		struct str key = str_trim(str_cut(&rest, '\n'));

		if (key.n < KEY_MIN)
			return err_set(err, RC_INVALID, "operator_key",
				       "operator_key_file: a key in %s has %zu bytes; it needs %d,"
				       " make one with connectord keys",
				       path, key.n, KEY_MIN);
		if (ret->n == KEYS_MAX)
			return err_set(err, RC_INVALID, "operator_key",
				       "operator_key_file: %s has more than %d keys", path,
				       KEYS_MAX);
		text_sha256(key, ret->hash[ret->n++]);
	} while (rest.n > 0);
	return RC_OK;
}

enum rc auth_operator_new(const char *path, struct auth_operator **ret, struct err *err)
{
	AUTO(auth_operator) struct auth_operator *o = MEM_NEW(struct auth_operator);
	enum rc rc = RC_OK;

	o->path = mem_copy(path);
	lock_init(&o->lock);
	o->synced.version = version_of(path);
	if (*path)
		rc = read_keys(path, &o->synced.keys, err);
	if (rc == RC_OK)
		*ret = TAKE(o);
	return rc;
}

/* True for one caller a second. */
static bool may_look(struct auth_operator *o, struct version *ret_known)
{
	int64_t now = clock_mono();
	bool may = false;

	lock_take(&o->lock);
	may = *o->path && o->synced.look_at <= now;
	if (may)
		o->synced.look_at = now + LOOK_EVERY;
	*ret_known = o->synced.version;
	lock_drop(&o->lock);
	return may;
}

/* The version is taken before the content: what changes in between is read again later. */
static void look(struct auth_operator *o)
{
	struct version known = { 0 }, now = { 0 };
	struct keys keys = { .n = 0 };
	struct err err = { 0 };

	if (!may_look(o, &known))
		return;
	now = version_of(o->path);
	if (is_same(&known, &now))
		return;
	if (read_keys(o->path, &keys, &err) == RC_OK)
		log_event(LOG_INFO, "operator_keys_read", LOG_I64("keys", keys.n), LOG_END);
	else
		log_error("operator_keys_unreadable", &err);
	lock_take(&o->lock);
	o->synced.version = now;
	if (keys.n > 0 && err.rc == RC_OK)
		o->synced.keys = keys;
	lock_drop(&o->lock);
}

enum rc auth_operator_check(struct auth_operator *o, struct str token, struct err *err)
{
	unsigned char hash[TEXT_SHA256];
	struct keys keys = { .n = 0 };
	bool good = false;

	look(o);
	text_sha256(token, hash);
	lock_take(&o->lock);
	keys = o->synced.keys;
	lock_drop(&o->lock);
	for (int i = 0; i < keys.n; i++)
		good |= sodium_memcmp(hash, keys.hash[i], sizeof(hash)) == 0;
	return good ? RC_OK : auth_denied(err);
}
