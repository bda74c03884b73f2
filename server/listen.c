/* Binding of listening sockets.
 * Never resolves names: an address to listen on is a matter of numbers. */
#include "server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

static enum rc refused(struct err *err, const char *where, int fd)
{
	int cause = errno;

	if (fd >= 0)
		(void)close(fd);
	return err_set(err, cause == EADDRINUSE ? RC_CONFLICT : RC_INVALID, "listen",
		       "cannot listen on %s: %s", where, strerror(cause));
}

static int port_of(int fd)
{
	struct sockaddr_storage at = { 0 };
	socklen_t n = sizeof(at);
	struct sockaddr_in *v4 = (struct sockaddr_in *)&at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&at;

	if (getsockname(fd, (struct sockaddr *)&at, &n) != 0)
		return 0;
	return ntohs(at.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

static int bind_tcp(const struct addrinfo *at)
{
	const int on = 1;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;

	int cause = errno;

	(void)close(fd);
	errno = cause;
	return -1;
}

enum rc listen_tcp(const char *host, int port, int *ret_fd, int *ret_port, struct err *err)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *at = NULL;
	char service[16], where[320];
	int fd = -1;

	(void)snprintf(service, sizeof(service), "%d", port);
	(void)snprintf(where, sizeof(where), "listen_host %.255s, listen_port %d", host, port);
	if (getaddrinfo(host, service, &hints, &at) != 0)
		return err_set(err, RC_INVALID, "listen",
			       "%s: the host must be an IPv4 or IPv6 address", where);
	fd = bind_tcp(at);
	freeaddrinfo(at);
	if (fd < 0)
		return refused(err, where, -1);
	*ret_port = port_of(fd);
	*ret_fd = fd;
	return RC_OK;
}

static bool is_answered(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answered = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0;

	if (fd >= 0)
		(void)close(fd);
	return answered;
}

/* Only a socket that nobody answers on is out of the way; a file that is none was meant for something
 * else, and a mistyped setting must not cost it. */
static enum rc make_way(const struct sockaddr_un *at, struct err *err)
{
	struct stat st = { 0 };

	if (lstat(at->sun_path, &st) != 0)
		return RC_OK; /* nothing there, or bind says what is wrong */
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, RC_INVALID, "listen",
			       "admin_socket %s: there is something that is no socket; move it away"
			       " or choose another path",
			       at->sun_path);
	if (is_answered(at))
		return err_set(err, RC_CONFLICT, "listen",
			       "admin_socket %s: another server listens there", at->sun_path);
	(void)unlink(at->sun_path);
	return RC_OK;
}

enum rc listen_unix(const char *path, int *ret_fd, struct listen_mark *ret_mark, struct err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	mode_t old = 0;
	int fd = -1, bound = -1;
	enum rc rc = RC_OK;

	if (strlen(path) >= sizeof(at.sun_path))
		return err_set(err, RC_INVALID, "listen",
			       "admin_socket %s: the path has more than %zu bytes", path,
			       sizeof(at.sun_path) - 1);
	memcpy(at.sun_path, path, strlen(path));
	rc = make_way(&at, err);
	if (rc != RC_OK)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return refused(err, path, -1);
	old = umask(0177);
	bound = bind(fd, (const struct sockaddr *)&at, sizeof(at));
	(void)umask(old);
	if (bound != 0 || listen(fd, BACKLOG) != 0)
		return refused(err, path, fd);
	ret_mark->fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (ret_mark->fd < 0)
		return refused(err, path, fd);
	ret_mark->made = true;
	*ret_fd = fd;
	return RC_OK;
}

void listen_remove(const char *path, struct listen_mark *mark)
{
	struct stat ours = { 0 }, there = { 0 };

	if (!mark->made)
		return;
	if (fstat(mark->fd, &ours) == 0 && lstat(path, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		(void)unlink(path);
	(void)close(mark->fd);
	mark->made = false;
}
