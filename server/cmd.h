/* The subcommands of connectord. Each gets the settings and what is left of the command line:
 * argv[0] is its own name, then its flags and operands; connectord.c has already taken out the
 * settings. Each returns the exit code of the process and has printed its one error line. */
#ifndef SERVER_CMD_H
#define SERVER_CMD_H

#include "base/config.h"

/* sysexits.h by meaning: what a supervisor or a script can act on. */
enum cmd_exit {
	CMD_OK = 0,
	CMD_FAILED = 1,       /* none of the below; cmd_fail() chooses a better one */
	CMD_USAGE = 64,       /* the command line is wrong */
	CMD_UNAVAILABLE = 69, /* something that we need does not answer; trying again may help */
	CMD_INTERNAL = 70,    /* our fault */
	CMD_CONFIG = 78,      /* a setting, file or database is not as it must be */
};

int cmd_up(struct config *c, int argc, char **argv);
int cmd_server(struct config *c, int argc, char **argv);
int cmd_worker(struct config *c, int argc, char **argv);
int cmd_migrate(struct config *c, int argc, char **argv);
int cmd_keys(struct config *c, int argc, char **argv);
int cmd_audit(struct config *c, int argc, char **argv);

/* "connectord COMMAND: what happened" on stderr, and the exit code that err stands for. */
int cmd_fail(const char *command, const struct err *err);

#endif
