/* Help for people: what each command is for, examples first, and the settings from the one table. */
#ifndef SERVER_HELP_H
#define SERVER_HELP_H

#include "server/cmd.h"
#include <stdbool.h>

struct help_command {
	const char *name; /* NULL ends the table */
	int (*run)(struct config *c, int argc, char **argv);
	const char *summary;
	const char *operands; /* " DIR" or "" */
	int operands_max;
	const char *examples;
	const char *text;     /* what it does, and its own flags */
	const char *flags;    /* "--a|--b": its own flags, beside the settings */
	const char *settings; /* "|name|name|": the settings that it reads */
};
extern const struct help_command HELP_COMMANDS[];

const struct help_command *help_find(const char *name); /* NULL: no such command */
void help_overview(void);
void help_of(const struct help_command *command);
void help_settings(void); /* all of them */
/* Whether word is one of the |-separated words of list. */
bool help_has(const char *list, const char *word);

#endif
