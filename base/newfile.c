/* Creates a file and writes it whole; what cannot be finished is removed again.
 * Never replaces, never follows a link, never shows the content in a message. */
#include "base/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool write_all(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = str_sub(s, (size_t)n, s.n - (size_t)n);
	}
	return fsync(fd) == 0;
}

enum rc newfile_write(const struct newfile *file, struct str content, struct err *err)
{
	int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, file->mode);
	int cause = errno;
	bool done = false;

	if (fd < 0 && cause == EEXIST)
		return err_set(err, RC_CONFLICT, "file_exists",
			       "%s exists and is never overwritten; move it away first",
			       file->path);
	if (fd < 0)
		return err_set(err, RC_INVALID, "file_not_written", "%s cannot be created: %s",
			       file->path, strerrordesc_np(cause));
	done = write_all(fd, content) && (!file->gives || fchown(fd, file->uid, file->gid) == 0);
	cause = errno; /* before close, which has its own */
	if (close(fd) != 0 && done) {
		cause = errno;
		done = false;
	}
	if (done)
		return RC_OK;
	(void)unlink(file->path);
	return err_set(err, RC_INVALID, "file_not_written", "%s cannot be written: %s", file->path,
		       strerrordesc_np(cause));
}
