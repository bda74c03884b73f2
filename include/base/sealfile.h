/* A key file that may be replaced while we run: `connectord keys rotate` puts a new key in front and later drops the old ones.
 * Looked at once a second at most, and at once when a secret names a key that is not here yet; so a rotation needs no restart.
 * A file that cannot be read (any more) changes nothing. Any thread may use one. */
#ifndef BASE_SEALFILE_H
#define BASE_SEALFILE_H

#include "base/seal.h"

struct sealfile;
void sealfile_free(struct sealfile *f);
DEFINE_AUTO(sealfile)

/* seal.pub, for those who seal. Errors are seal_public_load()'s. */
MUST_CHECK enum rc sealfile_public(const char *path, struct sealfile **ret, struct err *err);
/* seal.key, for those who open. Errors are seal_keyring_load()'s. */
MUST_CHECK enum rc sealfile_keyring(const char *path, struct sealfile **ret, struct err *err);

/* seal_close() under the public key as it is now. */
MUST_CHECK enum rc sealfile_close(struct sealfile *f, const struct seal_place *place,
				  struct str plain, char **ret_envelope, size_t *ret_n,
				  struct err *err);
/* seal_open() with the keys as they are now. */
MUST_CHECK enum rc sealfile_open(struct sealfile *f, const struct seal_place *place,
				 struct str envelope, struct secret **ret, struct err *err);

#endif
