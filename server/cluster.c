/* The private cluster's life. All programs run as PostgreSQL's user; initdb and its bootstrap
 * happen in a folder of another name, so that a cluster that exists is a whole one. */
#include "server/cluster.h"
#include "base/clock.h"
#include "base/mem.h"
#include "server/orphans.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INITDB_S = 120, SMALL_FILE_MAX = 512 };

/* The only statements that need the superuser; row security does not bind that one, so nothing of
 * ours ever connects as it. */
static const char BOOTSTRAP[] =
	"CREATE ROLE connectord_owner LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS NOCREATEDB\n"
	"CREATE DATABASE connectord OWNER connectord_owner\n";

void cluster_done(struct cluster *c)
{
	mem_free(c->bin);
	mem_free(c->program);
}

/* First line of a small file; "" when it cannot be read. */
static void first_line(const char *path, char out[SMALL_FILE_MAX])
{
	FILE *file = fopen(path, "re");

	out[0] = '\0';
	if (!file)
		return;
	if (!fgets(out, SMALL_FILE_MAX, file))
		out[0] = '\0';
	fclose(file);
	out[strcspn(out, "\n")] = '\0';
}

/* The folder with the highest version below /usr/lib/postgresql, or of exactly this version. */
static char *newest_bin(const char *version)
{
	AUTO_TEXT char *pattern =
		mem_text("/usr/lib/postgresql/%s/bin/postgres", version[0] ? version : "*");
	char *best = NULL;
	long best_version = -1;
	glob_t found = { 0 };

	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			long v = strtol(found.gl_pathv[i] + strlen("/usr/lib/postgresql/"), NULL,
					10);

			if (v <= best_version)
				continue;
			best_version = v;
			mem_free(best);
			best = str_dup(str_sub(str_c(found.gl_pathv[i]), 0,
					       strlen(found.gl_pathv[i]) - strlen("/postgres")));
		}
	}
	globfree(&found);
	return best;
}

static char *bin_in_path(void)
{
	const char *path = getenv("PATH");
	struct str rest = str_c(path);

	while (rest.n) {
		struct str dir = str_cut(&rest, ':');
		AUTO_TEXT char *program = mem_text("%.*s/postgres", STR_FMT(dir));

		if (dir.n && access(program, X_OK) == 0)
			return str_dup(dir);
	}
	return NULL;
}

static enum rc find_bin(struct cluster *c, const char *setting, const char *version,
			struct err *err)
{
	c->bin = setting[0] ? mem_copy(setting) : newest_bin(version);
	if (!c->bin)
		c->bin = bin_in_path();
	if (!c->bin && version[0])
		return err_set(err, RC_INVALID, "no_postgres",
			       "%s was made by PostgreSQL %s, which is not installed: install "
			       "postgresql-%s or set pg_bin_dir",
			       c->places->cluster, version, version);
	if (!c->bin)
		return err_set(err, RC_INVALID, "no_postgres",
			       "PostgreSQL is not installed: install the package postgresql, or "
			       "set pg_bin_dir to the folder of its programs");
	c->program = mem_text("%s/postgres", c->bin);
	if (access(c->program, X_OK) != 0)
		return err_set(err, RC_INVALID, "no_postgres", "pg_bin_dir: there is no program %s",
			       c->program);
	return RC_OK;
}

/* The environment of PostgreSQL's programs holds nothing of ours. */
static char **plain_environment(void)
{
	char **env = mem_array(5, sizeof(*env));

	env[0] = mem_copy("LC_ALL=C.UTF-8");
	env[1] = mem_copy("TZ=UTC");
	env[2] = mem_text("PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	return env;
}

static int open_log(const struct cluster *c)
{
	return open(c->places->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int remove_tree(void *path)
{
	/* The other user's folder is emptied by the other user: nothing in it can lead root astray. */
	execl("/bin/rm", "rm", "-rf", "--one-file-system", (const char *)path, (char *)NULL);
	return 1;
}

static enum rc run_initdb(const struct cluster *c, int log_fd, struct err *err)
{
	struct child initdb = { .name = "initdb",
				.as = &c->ids->postgres,
				.death_signal = SIGKILL,
				.output_fd = log_fd };
	AUTO_TEXT char *program = mem_text("%s/initdb", c->bin);
	enum rc rc = RC_OK;

	initdb.program = program;
	initdb.env = plain_environment();
	child_arg(&initdb, "initdb");
	child_arg(&initdb, "--pgdata=%s", c->places->cluster_new);
	child_arg(&initdb, "--username=postgres");
	child_arg(&initdb, "--auth=peer");
	child_arg(&initdb, "--encoding=UTF8");
	child_arg(&initdb, "--locale=C.UTF-8");
	child_arg(&initdb, "--data-checksums");
	child_arg(&initdb, "--no-instructions");
	rc = child_run(&initdb, INITDB_S, err);
	child_done(&initdb);
	return rc;
}

struct bootstrap {
	const struct cluster *cluster;
	int log_fd;
};

/* `postgres --single` reads one statement a line: no socket, no password, no race. */
static int run_bootstrap(void *arg)
{
	const struct bootstrap *b = arg;
	int fds[2] = { -1, -1 };

	if (pipe2(fds, O_CLOEXEC) != 0 ||
	    write(fds[1], BOOTSTRAP, sizeof(BOOTSTRAP) - 1) != (ssize_t)sizeof(BOOTSTRAP) - 1)
		return 1;
	dup2(fds[0], STDIN_FILENO);
	dup2(b->log_fd, STDOUT_FILENO);
	dup2(b->log_fd, STDERR_FILENO);
	close(fds[1]);
	execl(b->cluster->program, "postgres", "--single", "-D", b->cluster->places->cluster_new,
	      "-c", "exit_on_error=true", "postgres", (char *)NULL);
	return 1;
}

static enum rc make_cluster(const struct cluster *c, struct err *err)
{
	struct bootstrap bootstrap = { c, open_log(c) };
	enum rc rc = RC_OK;

	if (bootstrap.log_fd < 0)
		return err_set(err, RC_INVALID, "data_dir", "%s cannot be written: %s",
			       c->places->log, strerrordesc_np(errno));
	/* Left by a run that was killed in the middle of this. */
	identity_call(&c->ids->postgres, remove_tree, c->places->cluster_new);
	if (mkdir(c->places->cluster_new, 0700) != 0 && errno != EEXIST)
		rc = err_set(err, RC_INVALID, "data_dir", "%s cannot be made: %s",
			     c->places->cluster_new, strerrordesc_np(errno));
	if (rc == RC_OK && c->ids->postgres.drops &&
	    chown(c->places->cluster_new, c->ids->postgres.uid, c->ids->postgres.gid) != 0)
		rc = err_set(err, RC_INVALID, "data_dir", "%s cannot be given to %s: %s",
			     c->places->cluster_new, c->ids->postgres.name, strerrordesc_np(errno));
	if (rc == RC_OK && run_initdb(c, bootstrap.log_fd, NULL) != RC_OK)
		rc = err_set(err, RC_BROKEN, "initdb", "initdb failed; %s says why",
			     c->places->log);
	if (rc == RC_OK && identity_call(&c->ids->postgres, run_bootstrap, &bootstrap) != 0)
		rc = err_set(err, RC_BROKEN, "initdb",
			     "the new cluster could not be set up; %s says why", c->places->log);
	close(bootstrap.log_fd);
	if (rc == RC_OK && rename(c->places->cluster_new, c->places->cluster) != 0)
		rc = err_set(err, RC_BROKEN, "initdb", "%s cannot be renamed: %s",
			     c->places->cluster_new, strerrordesc_np(errno));
	return rc;
}

static enum rc write_file(const struct cluster *c, const char *name, const char *text,
			  struct err *err)
{
	AUTO_TEXT char *path = mem_text("%s/%s", c->places->cluster, name);
	int fd = open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
	size_t n = strlen(text);
	bool good = fd >= 0 && write(fd, text, n) == (ssize_t)n;

	if (fd >= 0)
		close(fd);
	if (good)
		return RC_OK;
	return err_set(err, RC_INVALID, "data_dir", "%s cannot be written: %s", path,
		       strerrordesc_np(errno));
}

/* Who may be what, by the kernel's word on the peer. As root: root itself (migrations, worker) is
 * owner and worker; the server's user is the app role and no other. */
static enum rc write_access_rules(const struct cluster *c, struct err *err)
{
	const struct identity *id = &c->ids->server;
	AUTO_TEXT char *map = NULL;
	enum rc rc = write_file(c, "pg_hba.conf", "local all all peer map=connectord\n", err);

	if (id->drops)
		map = mem_text("connectord \"%s\" postgres\nconnectord \"%s\" connectord_owner\n"
			       "connectord \"%s\" connectord_worker\n"
			       "connectord \"%s\" connectord_app\n",
			       id->self, id->self, id->self, id->name);
	else
		map = mem_text("connectord \"%s\" postgres\nconnectord \"%s\" connectord_owner\n"
			       "connectord \"%s\" connectord_worker\n"
			       "connectord \"%s\" connectord_app\n",
			       id->self, id->self, id->self, id->self);
	return rc == RC_OK ? write_file(c, "pg_ident.conf", map, err) : rc;
}

enum rc cluster_prepare(struct cluster *c, const char *bin_setting, struct err *err)
{
	AUTO_TEXT char *version_file = mem_text("%s/PG_VERSION", c->places->cluster);
	char version[SMALL_FILE_MAX];
	enum rc rc = RC_OK;

	first_line(version_file, version);
	rc = find_bin(c, bin_setting, version, err);
	if (rc == RC_OK && version[0] == '\0' && access(c->places->cluster, F_OK) == 0)
		rc = err_set(err, RC_INVALID, "data_dir",
			     "%s exists but is no PostgreSQL cluster; move it away",
			     c->places->cluster);
	if (rc == RC_OK && version[0] == '\0')
		rc = make_cluster(c, err);
	if (rc == RC_OK)
		rc = write_access_rules(c, err);
	if (rc == RC_OK)
		cluster_recover(c);
	return rc;
}

static int recover(void *arg)
{
	orphans_end(arg);
	return 0;
}

void cluster_recover(const struct cluster *c)
{
	AUTO_TEXT char *socket_lock = mem_text("%s/.s.PGSQL.5432.lock", c->places->sql);

	/* As its own user, who may look at and signal exactly what can be in the way. */
	identity_call(&c->ids->postgres, recover, c->places->cluster);
	/* The folder is ours alone and no postmaster is left, so the number in it means nothing. */
	unlink(socket_lock);
}

enum rc cluster_child(const struct cluster *c, struct child *child, struct err *err)
{
	child->name = "postgres";
	child->program = c->program;
	child->env = plain_environment();
	child->as = &c->ids->postgres;
	child->death_signal = SIGINT; /* fast shutdown: no recovery needed next time */
	child->stop_signal = SIGINT;
	child->output_fd = open_log(c);
	if (child->output_fd < 0)
		return err_set(err, RC_INVALID, "data_dir", "%s cannot be written: %s",
			       c->places->log, strerrordesc_np(errno));
	child_arg(child, "postgres");
	child_arg(child, "-D");
	child_arg(child, "%s", c->places->cluster);
	child_arg(child, "--listen_addresses=");
	child_arg(child, "--unix_socket_directories=\"%s\"", c->places->sql);
	/* Whom the folder lets pass may connect, and is then known by user. */
	child_arg(child, "--unix_socket_permissions=%s", identity_differ(c->ids) ? "0777" : "0700");
	child_arg(child, "--port=5432");
	child_arg(child, "--max_connections=200");
	child_arg(child, "--log_line_prefix=%%m [%%p] ");
	return RC_OK;
}

bool cluster_is_ready(const struct cluster *c, pid_t postmaster)
{
	AUTO_TEXT char *path = mem_text("%s/postmaster.pid", c->places->cluster);
	char line[SMALL_FILE_MAX] = "";
	FILE *file = fopen(path, "re");
	bool ours = false, ready = false;

	if (!file)
		return false;
	/* Line 1 is the pid, line 8 the state (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_*). */
	for (int i = 1; i <= 8 && fgets(line, sizeof(line), file); i++) {
		if (i == 1)
			ours = strtol(line, NULL, 10) == postmaster;
		if (i == 8)
			ready = strncmp(line, "ready", 5) == 0;
	}
	fclose(file);
	return ours && ready;
}

char *cluster_conninfo(const struct cluster *c, const char *role)
{
	return mem_text("host='%s' port=5432 dbname=connectord user=%s", c->places->sql, role);
}
