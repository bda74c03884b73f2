/* connectord keys DIR: key files for those who run server and worker under their own manager. */
#include "server/cmd.h"
#include "server/keyfiles.h"

#include <stdio.h>

int cmd_keys(struct config *c, int argc, char **argv)
{
	struct err err = { 0 };

	(void)c;
	if (argc != 2) {
		fprintf(stderr, "connectord keys: name the folder: connectord keys DIR\n");
		return CMD_USAGE;
	}
	if (keyfiles_make(argv[1], NULL, &err) != RC_OK)
		return cmd_fail("keys", &err);
	printf("%s: seal.key for workers (back it up), seal.pub and operator.key for servers\n",
	       argv[1]);
	return CMD_OK;
}
