/* Key files, replaced by a rename. Content is copied as it is, comments and all; nothing of it is ever in a message. */
#include "base/sealring.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/newfile.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALRING_KEYS_MAX = 16, SEALRING_LINE_MAX = 128 };

static enum rc not_written(const char *path, struct err *err)
{
	return err_set(err, RC_INVALID, "key_not_written", "%s cannot be replaced: %s", path,
		       strerrordesc_np(errno));
}

/* The folder of path. Owned. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_copy(".");
	return slash == path ? mem_copy("/") : str_dup(str_n(path, (size_t)(slash - path)));
}

/* A rename is only on the disk when its folder is. */
static enum rc sync_folder(const char *path, struct err *err)
{
	AUTO_TEXT char *folder = folder_of(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;

	if (!done)
		(void)not_written(path, err);
	if (fd >= 0)
		close(fd);
	return done ? RC_OK : RC_INVALID;
}

/* Owner and mode are those of `like`. */
static enum rc put_file(const char *path, const char *like, struct str content, struct err *err)
{
	AUTO_TEXT char *fresh = mem_text("%s.new", path);
	struct newfile file = { .path = fresh };
	struct stat st;
	enum rc rc;

	if (stat(like, &st) != 0)
		return not_written(like, err);
	file.mode = st.st_mode & 07777;
	file.gives = st.st_uid != geteuid() || st.st_gid != getegid();
	file.uid = st.st_uid;
	file.gid = st.st_gid;
	(void)unlink(fresh); /* of a run that was killed here */
	rc = newfile_write(&file, content, err);
	if (rc != RC_OK)
		return rc;
	if (rename(fresh, path) != 0) {
		(void)not_written(path, err);
		(void)unlink(fresh);
		return RC_INVALID;
	}
	return sync_folder(path, err);
}

static enum rc replace(const char *path, struct str content, struct err *err)
{
	return put_file(path, path, content, err);
}

static bool is_key(struct str line)
{
	return str_starts(str_trim(line), SEAL_SECRET_LABEL);
}

static enum rc put_new_key(struct buf *out)
{
	AUTO(secret) struct secret *key = secret_new(crypto_box_SECRETKEYBYTES);
	unsigned char public[SEAL_PUBLIC_BYTES];
	enum rc rc = buf_put(out, SEAL_SECRET_LABEL);

	crypto_box_keypair(public, key->bytes);
	if (rc == RC_OK)
		rc = text_base64(out, secret_str(key));
	return rc == RC_OK ? buf_putc(out, '\n') : rc;
}

static enum rc too_long(const char *path, struct err *err)
{
	return err_set(err, RC_LIMIT, "too_many_keys",
		       "%s is full; finish the rotation that has begun (connectord keys rotate "
		       "--retire)",
		       path);
}

enum rc sealring_add(const char *key_path, struct err *err)
{
	AUTO(secret) struct secret *file = NULL;
	struct buf out = BUF_INIT(SECRET_MAX);
	struct str rest;
	size_t keys = 1;
	enum rc rc = secret_read_file(key_path, &file, err);

	if (rc != RC_OK)
		return rc;
	rest = secret_str(file);
	while (rest.n)
		keys += is_key(str_cut(&rest, '\n'));
	rc = keys > SEALRING_KEYS_MAX ? RC_LIMIT : put_new_key(&out);
	if (rc == RC_OK)
		rc = buf_put(&out, secret_str(file));
	if (rc == RC_OK)
		rc = buf_putc(&out, '\n');
	rc = rc == RC_OK ? replace(key_path, buf_str(&out), err) : too_long(key_path, err);
	buf_wipe(&out);
	return rc;
}

enum rc sealring_publish(const struct seal_keyring *keys, const char *pub_path, struct err *err)
{
	const struct seal_public key = seal_keyring_public(keys, 0);
	AUTO(buf) struct buf line = BUF_INIT(SEALRING_LINE_MAX);
	enum rc rc = buf_put(&line, SEAL_PUBLIC_LABEL);

	if (rc == RC_OK)
		rc = text_base64(&line, str_n(key.bytes, sizeof(key.bytes)));
	if (rc == RC_OK)
		rc = buf_putc(&line, '\n');
	return rc == RC_OK ? replace(pub_path, buf_str(&line), err) : too_long(pub_path, err);
}

enum rc sealring_keep_newest(const char *key_path, struct err *err)
{
	AUTO(secret) struct secret *file = NULL;
	struct buf out = BUF_INIT(SECRET_MAX);
	struct str rest;
	bool kept = false;
	enum rc rc = secret_read_file(key_path, &file, err);

	if (rc != RC_OK)
		return rc;
	rest = secret_str(file);
	while (rest.n && rc == RC_OK) {
		struct str line = str_cut(&rest, '\n');

		if (is_key(line) && kept)
			continue;
		kept = kept || is_key(line);
		rc = buf_put(&out, line);
		if (rc == RC_OK)
			rc = buf_putc(&out, '\n');
	}
	rc = rc == RC_OK ? replace(key_path, buf_str(&out), err) : too_long(key_path, err);
	buf_wipe(&out);
	return rc;
}

char *sealring_retired(const char *key_path)
{
	return mem_text("%s.retired", key_path);
}

enum rc sealring_set_aside(const char *key_path, struct err *err)
{
	AUTO(secret) struct secret *file = NULL;
	AUTO_TEXT char *path = sealring_retired(key_path);
	enum rc rc = secret_read_file(key_path, &file, err);

	return rc == RC_OK ? put_file(path, key_path, secret_str(file), err) : rc;
}

enum rc sealring_forget(const char *key_path, struct err *err)
{
	AUTO_TEXT char *path = sealring_retired(key_path);

	if (unlink(path) != 0)
		return err_set(err, RC_INVALID, "key_not_removed", "%s cannot be removed: %s", path,
			       strerrordesc_np(errno));
	return sync_folder(path, err);
}

enum rc sealring_lock(const char *path, int *ret_fd, struct err *err)
{
	AUTO_TEXT char *folder = folder_of(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, RC_INVALID, "keys", "%s cannot be opened: %s", folder,
			       strerrordesc_np(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return err_set(err, RC_CONFLICT, "rotation_runs",
			       "another rotation of the keys in %s is running", folder);
	}
	*ret_fd = fd;
	return RC_OK;
}
