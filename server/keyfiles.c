/* Makes key files once. A new folder appears whole or not at all, so that a run that is killed here
 * cannot leave half of a key pair. Never prints or logs a key. */
#include "server/keyfiles.h"
#include "base/mem.h"
#include "base/newfile.h"
#include "base/seal.h"
#include "base/text.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPERATOR_BYTES = 32, OPERATOR_TEXT_MAX = 128 };
static const char *const FILES[] = { "seal.key", "seal.pub", "operator.key" };

static bool exists(const char *dir, const char *name)
{
	AUTO_TEXT char *path = mem_text("%s/%s", dir, name);

	return access(path, F_OK) == 0;
}

static enum rc write_operator_key(const char *dir, const struct identity *reader, struct err *err)
{
	AUTO_TEXT char *path = mem_text("%s/operator.key", dir);
	AUTO(buf) struct buf text = BUF_INIT(OPERATOR_TEXT_MAX);
	bool gives = reader && reader->drops;
	const struct newfile file = { .path = path,
				      .mode = 0600,
				      .gives = gives,
				      .uid = gives ? reader->uid : 0,
				      .gid = gives ? reader->gid : 0 };
	unsigned char key[OPERATOR_BYTES];
	enum rc rc = RC_OK;

	randombytes_buf(key, sizeof(key));
	rc = buf_put(&text, S("cnd_operator_"));
	if (rc == RC_OK)
		rc = text_hex(&text, str_n(key, sizeof(key)));
	if (rc == RC_OK)
		rc = buf_putc(&text, '\n');
	if (rc == RC_OK)
		rc = newfile_write(&file, buf_str(&text), err);
	sodium_memzero(key, sizeof(key));
	buf_wipe(&text);
	return rc;
}

static enum rc make_missing(const char *dir, const struct identity *reader, struct err *err)
{
	bool secret = exists(dir, "seal.key"), public = exists(dir, "seal.pub");
	enum rc rc = RC_OK;

	if (secret != public)
		return err_set(err, RC_INVALID, "keys",
			       "%s/%s is gone, but the other half of the pair is there; bring it "
			       "back from a backup",
			       dir, secret ? "seal.pub" : "seal.key");
	if (!secret)
		rc = seal_keys_make(dir, err);
	if (rc == RC_OK && !exists(dir, "operator.key"))
		rc = write_operator_key(dir, reader, err);
	return rc;
}

static enum rc dir_error(const char *dir, struct err *err)
{
	return err_set(err, RC_INVALID, "keys", "%s cannot be made: %s", dir,
		       strerrordesc_np(errno));
}

enum rc keyfiles_make(const char *dir, const struct identity *reader, struct err *err)
{
	AUTO_TEXT char *fresh = mem_text("%s.new", dir);
	mode_t mode = reader && reader->drops ? 0711 : 0700;
	enum rc rc = RC_OK;

	if (access(dir, F_OK) == 0)
		return make_missing(dir, reader, err);
	for (size_t i = 0; i < COUNT_OF(FILES); i++) { /* of a run that was killed here */
		AUTO_TEXT char *left = mem_text("%s/%s", fresh, FILES[i]);

		unlink(left);
	}
	if ((mkdir(fresh, mode) != 0 && errno != EEXIST) || chmod(fresh, mode) != 0)
		return dir_error(fresh, err);
	rc = make_missing(fresh, reader, err);
	if (rc == RC_OK && rename(fresh, dir) != 0)
		return dir_error(dir, err);
	return rc;
}
