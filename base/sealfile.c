/* Keys that are read again when their file is another one. Never writes a key file, never says what is in one. */
#include "base/sealfile.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/mem.h"

#include <assert.h>
#include <sys/stat.h>

#define LOOK_EVERY CLOCK_S

/* What tells one content from another: a replaced file is another inode, a rewritten one has another time. */
struct mark {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

struct sealfile {
	char *path;
	bool opens; /* holds secret keys */
	struct lock lock;
	struct {
		struct mark mark;
		int64_t looked_at; /* mono */
		struct seal_public key;
		struct seal_keyring *keys;
	} synced;
};

void sealfile_free(struct sealfile *f)
{
	if (!f)
		return;
	seal_keyring_free(f->synced.keys);
	lock_destroy(&f->lock);
	mem_free(f->path);
	mem_free(f);
}

static bool mark_of(const char *path, struct mark *ret)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	*ret = (struct mark){
		.dev = st.st_dev, .ino = st.st_ino, .size = st.st_size, .changed = st.st_ctim
	};
	return true;
}

static bool is_same(const struct mark *a, const struct mark *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static enum rc load_synced(struct sealfile *f, struct err *err) REQUIRES(f->lock);
static enum rc load_synced(struct sealfile *f, struct err *err)
{
	struct seal_keyring *keys = NULL;
	enum rc rc = RC_OK;

	lock_assert_held(&f->lock);
	if (!f->opens)
		return seal_public_load(f->path, &f->synced.key, err);
	rc = seal_keyring_load(f->path, &keys, err);
	if (rc != RC_OK)
		return rc;
	seal_keyring_free(f->synced.keys);
	f->synced.keys = keys;
	return RC_OK;
}

/* A small local file once a second: short enough to be done under the lock. A mark is only kept with the content that it was
 * seen before, so that a replacement in between is seen at the next look. */
static void look_synced(struct sealfile *f, bool now) REQUIRES(f->lock);
static void look_synced(struct sealfile *f, bool now)
{
	struct err ignored = { 0 };
	struct mark mark = { 0 };

	lock_assert_held(&f->lock);
	if (!now && clock_mono() - f->synced.looked_at < LOOK_EVERY)
		return;
	f->synced.looked_at = clock_mono();
	if (!mark_of(f->path, &mark) || is_same(&mark, &f->synced.mark))
		return;
	if (load_synced(f, &ignored) == RC_OK)
		f->synced.mark = mark;
}

static enum rc make(const char *path, bool opens, struct sealfile **ret, struct err *err)
{
	AUTO(sealfile) struct sealfile *f = MEM_NEW(struct sealfile);
	enum rc rc = RC_OK;

	lock_init(&f->lock);
	f->path = mem_copy(path);
	f->opens = opens;
	lock_take(&f->lock);
	f->synced.looked_at = clock_mono();
	(void)mark_of(path, &f->synced.mark);
	rc = load_synced(f, err);
	lock_drop(&f->lock);
	if (rc == RC_OK)
		*ret = TAKE(f);
	return rc;
}

enum rc sealfile_public(const char *path, struct sealfile **ret, struct err *err)
{
	return make(path, false, ret, err);
}

enum rc sealfile_keyring(const char *path, struct sealfile **ret, struct err *err)
{
	return make(path, true, ret, err);
}

enum rc sealfile_close(struct sealfile *f, const struct seal_place *place, struct str plain,
		       char **ret_envelope, size_t *ret_n, struct err *err)
{
	struct seal_public key;

	assert(!f->opens);
	lock_take(&f->lock);
	look_synced(f, false);
	key = f->synced.key;
	lock_drop(&f->lock);
	return seal_close(&key, place, plain, ret_envelope, ret_n, err);
}

static struct seal_keyring *keys_of(struct sealfile *f, bool now)
{
	struct seal_keyring *keys = NULL;

	lock_take(&f->lock);
	look_synced(f, now);
	keys = seal_keyring_ref(f->synced.keys);
	lock_drop(&f->lock);
	return keys;
}

enum rc sealfile_open(struct sealfile *f, const struct seal_place *place, struct str envelope,
		      struct secret **ret, struct err *err)
{
	AUTO(seal_keyring) struct seal_keyring *keys = keys_of(f, false);
	AUTO(seal_keyring) struct seal_keyring *newer = NULL;
	struct err unknown = { 0 };
	enum rc rc = RC_OK;

	assert(f->opens);
	rc = seal_open(keys, place, envelope, ret, &unknown);
	if (rc == RC_OK)
		return rc;
	if (rc != RC_NOT_FOUND)
		return err_set(err, rc, unknown.code, "%s", unknown.text);
	newer = keys_of(f, true);
	return seal_open(newer, place, envelope, ret, err);
}
