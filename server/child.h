/* struct child: one supervised process in a process group of its own. It dies when we die. */
#ifndef SERVER_CHILD_H
#define SERVER_CHILD_H

#include "server/identity.h"
#include <stdint.h>

enum { CHILD_ARGS_MAX = 24 };

struct child {
	const char *name;
	const char *program;         /* a path; NULL = this very program, by descriptor */
	char *argv[CHILD_ARGS_MAX];  /* owned, NULL-terminated */
	char **env;                  /* owned, NULL-terminated */
	const struct identity *as;   /* NULL = as we are */
	int death_signal;            /* what the kernel sends it when we die */
	int stop_signal;             /* what asks it to end */
	int output_fd;               /* its stdout and stderr; -1 = ours */
	pid_t pid;                   /* 0 = not running */
	int64_t started, restart_at; /* clock_mono */
	int64_t backoff;             /* ns before the next start */
	int status;                  /* of waitpid, once it has ended */
};

void child_done(struct child *c); /* frees argv and env; the process must have ended */
void child_arg(struct child *c, const char *fmt, ...) PRINTF_LIKE(2, 3); /* appends to argv */
/* RC_RETRY: no process could be made. That the program does not exist shows as exit code 127. */
MUST_CHECK enum rc child_start(struct child *c, struct err *err);
/* Collects it if it has ended (then pid is 0, status is set and restart_at lies ahead). */
bool child_reap(struct child *c);
void child_signal(const struct child *c, int number);
/* To its end; "exit code 78" or "signal 9 (Killed)" goes to out. */
enum { CHILD_END_MAX = 64 };
void child_end_text(const struct child *c, char out[CHILD_END_MAX]);
/* Starts it and waits for its end; RC_OK only when it ended with 0. */
MUST_CHECK enum rc child_run(struct child *c, int timeout_s, struct err *err);

#endif
