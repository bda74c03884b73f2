/* Secrets in guarded memory: fenced by unreadable pages, kept out of swap where the limit allows,
 * zeroed when freed. Never printed, never copied to ordinary memory by this file. */
#include "base/secret.h"
#include "base/mem.h"
#include "base/sanitized.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void secret_free(struct secret *s)
{
	if (!s)
		return;
	sodium_free(s->bytes);
	mem_free(s);
}

struct secret *secret_new(size_t n)
{
	struct secret *s = MEM_NEW(struct secret);
	const size_t room = n ? n : 1;

	assert(n <= SECRET_MAX);
	/* Does nothing after the first time; without it the guard pages have no canary. */
	if (sodium_init() < 0)
		abort();
	s->bytes = sodium_malloc(room);
	if (!s->bytes)
		abort();
	sodium_memzero(s->bytes, room);
	s->n = n;
	return s;
}

struct secret *secret_copy(struct str bytes)
{
	struct secret *s = secret_new(bytes.n);

	if (bytes.n)
		memcpy(s->bytes, bytes.p, bytes.n);
	return s;
}

static enum rc open_failed(const char *path, int why, struct err *err)
{
	if (why == ENOENT || why == ENOTDIR)
		return err_set(err, RC_NOT_FOUND, "file_not_found",
			       "%s does not exist; check the path", path);
	if (why == EACCES || why == EPERM)
		return err_set(err, RC_DENIED, "file_not_readable",
			       "%s cannot be read by this process; check its owner and mode", path);
	return err_set(err, RC_BROKEN, "file_not_readable", "%s cannot be read: %s", path,
		       strerrordesc_np(why));
}

/* Fills at most all->n bytes; *ret_n is how many there were, all->n + 1 when more. */
static int read_all(int fd, struct secret *all, size_t *ret_n)
{
	unsigned char more = 0;
	size_t n = 0;

	for (;;) {
		bool full = n == all->n;
		ssize_t got = read(fd, full ? &more : all->bytes + n, full ? 1 : all->n - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		n += (size_t)got;
		if (got == 0 || n > all->n)
			break;
	}
	sodium_memzero(&more, 1);
	*ret_n = n;
	return 0;
}

enum rc secret_read_file(const char *path, struct secret **ret, struct err *err)
{
	AUTO(secret) struct secret *all = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), why = 0;
	size_t n = 0;

	if (fd < 0)
		return open_failed(path, errno, err);
	all = secret_new(SECRET_MAX);
	why = read_all(fd, all, &n);
	close(fd);
	if (why != 0)
		return open_failed(path, why, err);
	if (n > SECRET_MAX)
		return err_set(err, RC_LIMIT, "file_too_large",
			       "%s is longer than %d bytes, which no key or token is", path,
			       (int)SECRET_MAX);
	if (n && all->bytes[n - 1] == '\n')
		n--;
	if (n && all->bytes[n - 1] == '\r')
		n--;
	*ret = secret_copy(str_n(all->bytes, n));
	return RC_OK;
}

struct str secret_str(const struct secret *s)
{
	return s ? str_n(s->bytes, s->n) : S("");
}

bool secret_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

void secret_harden_process(void)
{
	const struct rlimit none = { 0, 0 };

	if (sodium_init() < 0)
		abort();
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		abort();
#if !defined(SANITIZED_BUILD)
	/* LeakSanitizer traces its own process, which this forbids. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		abort();
#endif
}
