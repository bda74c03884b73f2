/* Changes of the key files. Each replaces a file whole: who reads it sees the old content or the new one, also after a power
 * cut; owner and mode stay. */
#ifndef BASE_SEALRING_H
#define BASE_SEALRING_H

#include "base/seal.h"

/* Makes a key and puts it in front of those in seal.key, which then seals nothing yet but opens both. RC_LIMIT: full. */
MUST_CHECK enum rc sealring_add(const char *key_path, struct err *err);
/* Writes the newest key of the ring as seal.pub: what servers seal with from now on. */
MUST_CHECK enum rc sealring_publish(const struct seal_keyring *keys, const char *pub_path,
				    struct err *err);
/* Drops all keys of seal.key but the newest. What they sealed is lost for good. */
MUST_CHECK enum rc sealring_keep_newest(const char *key_path, struct err *err);

/* Keeps the keys of seal.key in seal.key.retired, too, until it is known that nothing needs the old ones any more. */
MUST_CHECK enum rc sealring_set_aside(const char *key_path, struct err *err);
/* Removes seal.key.retired. */
MUST_CHECK enum rc sealring_forget(const char *key_path, struct err *err);
/* The path of seal.key.retired. Owned. */
char *sealring_retired(const char *key_path);

/* One rotation at a time: holds the folder of a file until the process ends or closes *ret_fd. RC_CONFLICT: taken. */
MUST_CHECK enum rc sealring_lock(const char *path, int *ret_fd, struct err *err);

#endif
