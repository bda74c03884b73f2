/* What the subcommands share: one error line and its exit code. Logs nothing. */
#include "server/cmd.h"

#include <stdio.h>

static int exit_code(enum rc rc)
{
	switch (rc) {
	case RC_OK: return CMD_OK;
	case RC_RETRY: return CMD_UNAVAILABLE;
	case RC_BROKEN: return CMD_INTERNAL;
	case RC_NOT_FOUND:
	case RC_CONFLICT:
	case RC_INVALID:
	case RC_DENIED:
	case RC_LIMIT: return CMD_CONFIG;
	}
	return CMD_INTERNAL;
}

int cmd_fail(const char *command, const struct err *err)
{
	fprintf(stderr, "connectord %s: %s\n", command,
		err->text[0] ? err->text : err_rc_name(err->rc));
	return exit_code(err->rc);
}
