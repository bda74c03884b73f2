/* Starting, watching and ending one process. Between fork and exec only async-signal-safe calls. */
#include "server/child.h"
#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that ends at once is started again after 0.5 s, 1 s, .. 30 s; one that lived a minute
 * begins anew. */
#define BACKOFF_FIRST (500 * CLOCK_MS)
#define BACKOFF_MAX   (30 * CLOCK_S)
#define LIVED_LONG    (60 * CLOCK_S)
#define POLL          (20 * CLOCK_MS)
enum { EXEC_FAILED = 127 };

void child_done(struct child *c)
{
	for (int i = 0; i < CHILD_ARGS_MAX; i++)
		mem_free(c->argv[i]);
	for (char **e = c->env; e && *e; e++)
		mem_free(*e);
	mem_free(c->env);
}

void child_arg(struct child *c, const char *fmt, ...)
{
	char text[4096];
	va_list args;
	int i = 0;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	while (c->argv[i])
		i++;
	assert(i + 1 < CHILD_ARGS_MAX);
	c->argv[i] = mem_copy(text);
}

static void NORETURN become_child(const struct child *c, int self_fd, pid_t parent)
{
	sigset_t none;
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* A group of its own: Ctrl-C at our terminal is ours to pass on, in our order. */
	setpgid(0, 0);
	if (input >= 0)
		dup2(input, STDIN_FILENO);
	if (c->output_fd >= 0) {
		dup2(c->output_fd, STDOUT_FILENO);
		dup2(c->output_fd, STDERR_FILENO);
	}
	if (c->as && !identity_become(c->as))
		_exit(EXEC_FAILED);
	/* After the change of user, which clears it. */
	prctl(PR_SET_PDEATHSIG, c->death_signal, 0, 0, 0);
	if (getppid() != parent)
		_exit(EXEC_FAILED);
	if (c->program)
		execve(c->program, c->argv, c->env);
	else
		execveat(self_fd, "", c->argv, c->env, AT_EMPTY_PATH);
	_exit(EXEC_FAILED);
}

enum rc child_start(struct child *c, struct err *err)
{
	/* By descriptor: the other user may not be able to reach our path (/root is 0700). */
	int self_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	pid_t parent = getpid(), pid = self_fd < 0 ? -1 : fork();

	if (pid == 0)
		become_child(c, self_fd, parent);
	if (self_fd >= 0)
		close(self_fd);
	if (pid < 0)
		return err_set(err, RC_RETRY, "no_process", "%s cannot be started: %s", c->name,
			       strerrordesc_np(errno));
	c->pid = pid;
	c->started = clock_mono();
	return RC_OK;
}

bool child_reap(struct child *c)
{
	if (c->pid == 0 || waitpid(c->pid, &c->status, WNOHANG) <= 0)
		return false;
	c->pid = 0;
	if (c->backoff == 0 || clock_mono() - c->started > LIVED_LONG)
		c->backoff = BACKOFF_FIRST;
	else if (c->backoff < BACKOFF_MAX)
		c->backoff *= 2;
	if (c->backoff > BACKOFF_MAX)
		c->backoff = BACKOFF_MAX;
	c->restart_at = clock_mono() + c->backoff;
	return true;
}

void child_signal(const struct child *c, int number)
{
	if (c->pid > 0)
		kill(c->pid, number);
}

void child_end_text(const struct child *c, char out[CHILD_END_MAX])
{
	if (WIFSIGNALED(c->status))
		snprintf(out, CHILD_END_MAX, "signal %d (%.40s)", WTERMSIG(c->status),
			 sigdescr_np(WTERMSIG(c->status)));
	else if (WEXITSTATUS(c->status) == EXEC_FAILED)
		snprintf(out, CHILD_END_MAX, "exit code 127 (it could not be executed)");
	else
		snprintf(out, CHILD_END_MAX, "exit code %d", WEXITSTATUS(c->status));
}

enum rc child_run(struct child *c, int timeout_s, struct err *err)
{
	int64_t deadline = clock_mono() + timeout_s * CLOCK_S;
	char end[CHILD_END_MAX];
	enum rc rc = child_start(c, err);

	if (rc != RC_OK)
		return rc;
	while (!child_reap(c)) {
		if (clock_mono() > deadline) {
			child_signal(c, SIGKILL);
			return err_set(err, RC_RETRY, "timeout", "%s did not end within %d s",
				       c->name, timeout_s);
		}
		clock_sleep(POLL);
	}
	if (c->status == 0)
		return RC_OK;
	child_end_text(c, end);
	return err_set(err, RC_BROKEN, "child_failed", "%s ended with %s", c->name, end);
}
