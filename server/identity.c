/* Users and how to become one. Looks names up before fork, so that a child needs no library calls
 * that could hang. */
#include "server/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char DEFAULT_USER[] = "connectord", LAST_USER[] = "nobody",
		  POSTGRES_USER[] = "postgres";

static bool look_up(const char *name, struct identity *id)
{
	const struct passwd *found = getpwnam(name);

	if (!found)
		return false;
	id->uid = found->pw_uid;
	id->gid = found->pw_gid;
	snprintf(id->name, sizeof(id->name), "%s", found->pw_name);
	return true;
}

static enum rc find_server(const char *asked, struct identity *id, struct err *err)
{
	if (asked[0] && !look_up(asked, id))
		return err_set(err, RC_INVALID, "no_user", "up_user: there is no user %.48s",
			       asked);
	if (!asked[0] && !look_up(DEFAULT_USER, id) && !look_up(LAST_USER, id))
		return err_set(err, RC_INVALID, "no_user",
			       "the server must not run as root, and there is neither a user "
			       "connectord nor nobody; name one with up_user");
	if (id->uid == 0)
		return err_set(err, RC_INVALID, "no_user",
			       "up_user: %.48s is root, and the server must not run as root",
			       id->name);
	return RC_OK;
}

enum rc identity_find(const char *asked, struct identities *ret, struct err *err)
{
	const struct passwd *self = getpwuid(geteuid());
	struct identity id = { .uid = geteuid(), .gid = getegid() };
	enum rc rc = RC_OK;

	if (!self)
		return err_set(err, RC_INVALID, "no_user",
			       "user id %u has no name in /etc/passwd, which PostgreSQL needs",
			       (unsigned)geteuid());
	snprintf(id.self, sizeof(id.self), "%s", self->pw_name);
	snprintf(id.name, sizeof(id.name), "%s", self->pw_name);
	id.drops = geteuid() == 0;
	if (id.drops)
		rc = find_server(asked, &id, err);
	if (rc != RC_OK)
		return rc;
	ret->server = ret->postgres = id;
	if (id.drops)
		(void)look_up(POSTGRES_USER, &ret->postgres);
	return RC_OK;
}

bool identity_differ(const struct identities *ids)
{
	return ids->server.uid != ids->postgres.uid;
}

bool identity_become(const struct identity *id)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	if (!id->drops)
		return true;
	return setgroups(0, NULL) == 0 && setresgid(id->gid, id->gid, id->gid) == 0 &&
	       setresuid(id->uid, id->uid, id->uid) == 0 && setuid(0) != 0;
}

int identity_call(const struct identity *id, int (*fn)(void *arg), void *arg)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (pid == 0)
		_exit(identity_become(id) ? fn(arg) : 255);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
