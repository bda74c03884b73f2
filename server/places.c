/* Makes the data folder and refuses one that would fail later with a worse message. */
#include "server/places.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* sun_path has 108 bytes; the longest name in run/ and sql/ is PostgreSQL's ".s.PGSQL.5432.lock". */
enum { RUN_PATH_MAX = 107 - 20 };
static const char SYSTEM_DIR[] = "/var/lib/connectord";

void places_free(struct places *p)
{
	if (!p)
		return;
	mem_free(p->dir);
	mem_free(p->cluster);
	mem_free(p->cluster_new);
	mem_free(p->run);
	mem_free(p->sql);
	mem_free(p->keys);
	mem_free(p->log);
	mem_free(p->first_org);
	mem_free(p->admin_socket);
	mem_free(p->seal_key);
	mem_free(p->seal_public);
	mem_free(p->operator_key);
	if (p->lock_fd >= 0)
		close(p->lock_fd);
	mem_free(p);
}

/* The setting; else the system's folder for root, the user's state folder for others. */
static char *choose_dir(const struct config *c)
{
	const char *asked = config_text(c, "data_dir"), *state = getenv("XDG_STATE_HOME"),
		   *home = getenv("HOME");
	AUTO_TEXT char *here = NULL;

	if (asked[0] == '/')
		return mem_copy(asked);
	if (asked[0]) {
		here = getcwd(NULL, 0);
		return mem_text("%s/%s", here ? here : "", asked);
	}
	if (geteuid() == 0)
		return mem_copy(SYSTEM_DIR);
	if (state && state[0] == '/')
		return mem_text("%s/connectord", state);
	return mem_text("%s/.local/state/connectord", home ? home : "");
}

/* mkdir -p; only the last folder gets mode and owner. */
static enum rc make_dir(const char *path, mode_t mode, const struct identity *owner,
			struct err *err)
{
	AUTO_TEXT char *part = mem_copy(path);

	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, 0755) != 0 && errno != EEXIST)
			return err_set(err, RC_INVALID, "data_dir", "%s cannot be made: %s", part,
				       strerrordesc_np(errno));
		*p = '/';
	}
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return err_set(err, RC_INVALID, "data_dir", "%s cannot be made: %s", path,
			       strerrordesc_np(errno));
	if (chmod(path, mode) != 0 || (owner && chown(path, owner->uid, owner->gid) != 0))
		return err_set(err, RC_INVALID, "data_dir",
			       "%s belongs to somebody else: %s; choose another data_dir", path,
			       strerrordesc_np(errno));
	return RC_OK;
}

static int can_reach(void *arg)
{
	return access(arg, R_OK | W_OK | X_OK) == 0 ? 0 : 1;
}

static enum rc take_lock(struct places *p, struct err *err)
{
	AUTO_TEXT char *path = mem_text("%s/up.lock", p->dir);
	char pid[24] = "";

	p->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (p->lock_fd < 0)
		return err_set(err, RC_INVALID, "data_dir", "%s cannot be written: %s", path,
			       strerrordesc_np(errno));
	if (flock(p->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (read(p->lock_fd, pid, sizeof(pid) - 1) < 0)
			pid[0] = '\0';
		return err_set(err, RC_CONFLICT, "already_running",
			       "another `connectord up` (pid %s) uses %s; stop it or choose "
			       "another data_dir",
			       pid[0] ? pid : "unknown", p->dir);
	}
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	if (ftruncate(p->lock_fd, 0) != 0 || pwrite(p->lock_fd, pid, strlen(pid), 0) < 0)
		return err_set(err, RC_INVALID, "data_dir", "%s cannot be written: %s", path,
			       strerrordesc_np(errno));
	return RC_OK;
}

static void name_paths(struct places *p)
{
	p->cluster = mem_text("%s/postgres", p->dir);
	p->cluster_new = mem_text("%s/postgres.new", p->dir);
	p->run = mem_text("%s/run", p->dir);
	p->sql = mem_text("%s/sql", p->dir);
	p->keys = mem_text("%s/keys", p->dir);
	p->log = mem_text("%s/postgres.log", p->dir);
	p->first_org = mem_text("%s/first-organization", p->dir);
	p->admin_socket = mem_text("%s/admin.sock", p->run);
	p->seal_key = mem_text("%s/seal.key", p->keys);
	p->seal_public = mem_text("%s/seal.pub", p->keys);
	p->operator_key = mem_text("%s/operator.key", p->keys);
}

static enum rc check_name(const struct places *p, struct err *err)
{
	if (strlen(p->run) > RUN_PATH_MAX)
		return err_set(err, RC_INVALID, "data_dir",
			       "data_dir %.200s is too long for the Unix sockets in it: at most "
			       "%d bytes",
			       p->dir, RUN_PATH_MAX - 4);
	if (strpbrk(p->dir, "'\"\\,\n"))
		return err_set(err, RC_INVALID, "data_dir",
			       "data_dir must not hold quotes, backslashes, commas or line ends");
	return RC_OK;
}

static int can_pass(void *arg)
{
	return access(arg, X_OK) == 0 ? 0 : 1;
}

static enum rc check_reach(const struct identity *id, int (*can)(void *arg), char *path,
			   const char *what, struct err *err)
{
	if (!id->drops || identity_call(id, can, path) == 0)
		return RC_OK;
	return err_set(err, RC_INVALID, "data_dir",
		       "user %s, as whom %s runs, cannot reach %s; choose a data_dir whose parent "
		       "folders others may enter, such as %s",
		       id->name, what, path, SYSTEM_DIR);
}

/* Each of the two users gets a folder for its socket. The server's group may pass through
 * PostgreSQL's; everybody else finds a closed door before the peer is even asked for. */
static enum rc make_socket_dirs(struct places *p, const struct identities *ids, struct err *err)
{
	const struct identity *server = ids->server.drops ? &ids->server : NULL;
	struct identity owner = ids->postgres;
	bool apart = identity_differ(ids);
	enum rc rc = make_dir(p->run, 0700, server, err);

	owner.gid = ids->server.gid;
	if (rc == RC_OK)
		rc = make_dir(p->sql, apart ? 0710 : 0700, server ? &owner : NULL, err);
	if (rc == RC_OK)
		rc = check_reach(&ids->server, can_reach, p->run, "the server", err);
	if (rc == RC_OK)
		rc = check_reach(&ids->server, can_pass, p->sql, "the server", err);
	if (rc == RC_OK)
		rc = check_reach(&ids->postgres, can_reach, p->sql, "PostgreSQL", err);
	return rc;
}

enum rc places_open(const struct config *c, const struct identities *ids, struct places **ret,
		    struct err *err)
{
	AUTO(places) struct places *p = MEM_NEW(struct places);
	enum rc rc = RC_OK;

	p->lock_fd = -1;
	p->dir = choose_dir(c);
	name_paths(p);
	rc = check_name(p, err);
	/* Root's folders can be entered by the other users, but the secrets in them not read. */
	if (rc == RC_OK)
		rc = make_dir(p->dir, ids->server.drops ? 0711 : 0700, NULL, err);
	if (rc == RC_OK)
		rc = take_lock(p, err);
	if (rc == RC_OK)
		rc = make_socket_dirs(p, ids, err);
	if (rc == RC_OK)
		*ret = TAKE(p);
	return rc;
}
