/* The subcommands of connectord. Each gets the loaded configuration and what followed its name on the command line, and
 * returns the exit code: 0 done, 1 failed, 2 wrong usage or configuration. Only these log and print. */
#ifndef SERVER_CMD_H
#define SERVER_CMD_H

#include "base/config.h"

enum { CMD_OK = 0, CMD_FAILED = 1, CMD_USAGE = 2 };

int cmd_server(struct config *config, int argc, char **argv);
int cmd_worker(struct config *config, int argc, char **argv);
int cmd_migrate(struct config *config, int argc, char **argv);
int cmd_up(struct config *config, int argc, char **argv);

#endif
