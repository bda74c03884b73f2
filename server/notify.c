/* One datagram to the service manager's socket. Never blocks, never fails loudly: a manager that
 * does not listen is no reason not to serve. */
#include "server/notify.h"
#include "base/str.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { NOTIFY_WATCHDOG_MAX_MS = 600000 };

void notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd = -1;

	if (n < 2 || n >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (to.sun_path[0] == '@') /* Linux's abstract namespace */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

int notify_watchdog_ms(void)
{
	const char *asked = getenv("WATCHDOG_USEC");
	int64_t usec = 0;

	if (!asked || !str_to_i64(str_c(asked), &usec) || usec <= 0)
		return 0;
	if (usec / 2000 > NOTIFY_WATCHDOG_MAX_MS)
		return NOTIFY_WATCHDOG_MAX_MS;
	return usec < 4000 ? 1 : (int)(usec / 2000);
}
