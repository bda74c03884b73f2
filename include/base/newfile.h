/* A new small file, whole or not at all, for what must never be half there: keys. */
#ifndef BASE_NEWFILE_H
#define BASE_NEWFILE_H

#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

struct newfile {
	const char *path;
	mode_t mode;
	bool gives; /* to uid and gid; only root can */
	uid_t uid;
	gid_t gid;
};

/* On the disk when it returns RC_OK. RC_CONFLICT file_exists: an existing file is never touched.
 * RC_INVALID file_not_written: nothing is left of it. */
MUST_CHECK enum rc newfile_write(const struct newfile *file, struct str content, struct err *err);

#endif
