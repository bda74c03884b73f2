/* Finds left-over processes by what cannot be mistaken: a program named postgres whose working
 * folder is the cluster. PostgreSQL's own check of the lock file stays in force; we only take away
 * the two cases that it leaves to a person. */
#include "server/orphans.h"
#include "base/clock.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ORPHANS_MAX = 512, LINK_MAX_BYTES = 4096 };
#define POLITE_FOR (10 * CLOCK_S)
#define HARSH_FOR  (5 * CLOCK_S)
#define POLL       (50 * CLOCK_MS)

static bool runs_postgres(const char *pid)
{
	AUTO_TEXT char *path = mem_text("/proc/%s/exe", pid);
	char program[LINK_MAX_BYTES];
	ssize_t n = readlink(path, program, sizeof(program) - 1);
	const char *name = NULL;

	if (n <= 0)
		return false;
	program[n] = '\0';
	name = strrchr(program, '/');
	/* An upgraded package leaves " (deleted)" behind the name. */
	return name && strncmp(name, "/postgres", strlen("/postgres")) == 0;
}

static bool works_in(const char *pid, const struct stat *cluster)
{
	AUTO_TEXT char *path = mem_text("/proc/%s/cwd", pid);
	struct stat folder;

	return stat(path, &folder) == 0 && folder.st_dev == cluster->st_dev &&
	       folder.st_ino == cluster->st_ino;
}

static int find(const char *cluster, pid_t found[ORPHANS_MAX])
{
	struct stat folder;
	const struct dirent *entry = NULL;
	DIR *proc = stat(cluster, &folder) == 0 ? opendir("/proc") : NULL;
	int n = 0;

	while (proc && n < ORPHANS_MAX && (entry = readdir(proc))) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid > 1 && pid != getpid() && works_in(entry->d_name, &folder) &&
		    runs_postgres(entry->d_name))
			found[n++] = (pid_t)pid;
	}
	if (proc)
		closedir(proc);
	return n;
}

/* Sends number to all that are left until none is, or the time is over; true: none is left. */
static bool end_with(const char *cluster, int number, int64_t within)
{
	int64_t deadline = clock_mono() + within;
	pid_t found[ORPHANS_MAX];
	bool sent = false;

	for (;;) {
		int n = find(cluster, found);

		for (int i = 0; i < n && !sent; i++)
			kill(found[i], number);
		sent = true;
		if (n == 0)
			return true;
		if (clock_mono() > deadline)
			return false;
		clock_sleep(POLL);
	}
}

void orphans_end(const char *cluster)
{
	AUTO_TEXT char *path = mem_text("%s/postmaster.pid", cluster);
	char line[64] = "";
	FILE *file = NULL;
	long pid = 0;

	/* SIGINT is a fast shutdown for a postmaster and a cancelled query for an orphaned backend;
	 * SIGQUIT ends either, SIGKILL all else. */
	if (!end_with(cluster, SIGINT, POLITE_FOR) && !end_with(cluster, SIGQUIT, HARSH_FOR))
		(void)end_with(cluster, SIGKILL, HARSH_FOR);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(line, sizeof(line), file))
		pid = strtol(line, NULL, 10);
	fclose(file);
	/* Alive, but not a postgres of this cluster (there is none): the number was given away. */
	if (pid > 0 && kill((pid_t)pid, 0) == 0)
		unlink(path);
}
