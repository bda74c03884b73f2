/* connectord keys new|status|rotate: which of them is meant, and its exit code. */
#include "server/cmd.h"
#include "server/keyfiles.h"
#include "server/keystatus.h"
#include "server/rotation.h"

#include <stdio.h>

enum { OPERANDS_MAX = 2 };

static int status(struct config *c, const char *dir)
{
	AUTO(keyset) struct keyset k = { 0 };
	struct err err = { 0 };
	bool good = false;
	enum rc rc = keyset_open(&k, c, dir, &err);

	if (rc == RC_OK)
		rc = keystatus_print(&k, &good, &err);
	if (rc != RC_OK)
		return cmd_fail("keys status", &err);
	return good ? CMD_OK : CMD_FAILED;
}

static int rotate(struct config *c, const char *dir, const struct rotation_order *order)
{
	AUTO(keyset) struct keyset k = { 0 };
	struct err err = { 0 };
	enum rc rc = keyset_open(&k, c, dir, &err);

	if (rc == RC_OK)
		rc = rotation_run(&k, order, &err);
	return rc == RC_OK ? CMD_OK : cmd_fail("keys rotate", &err);
}

static int make(const char *dir)
{
	struct err err = { 0 };

	if (keyfiles_make(dir, NULL, &err) != RC_OK)
		return cmd_fail("keys new", &err);
	printf("%s: seal.key for workers (back it up), seal.pub and operator.key for servers\n",
	       dir);
	return CMD_OK;
}

static int usage(void)
{
	fprintf(stderr, "connectord keys: say what to do and name the folder: keys new DIR, keys "
			"status DIR, "
			"keys rotate DIR [--add-only | --retire [--single-host]]\n");
	return CMD_USAGE;
}

int cmd_keys(struct config *c, int argc, char **argv)
{
	const char *operands[OPERANDS_MAX] = { NULL, NULL };
	struct rotation_order order = { 0 };
	int n = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--retire") == 0)
			order.retire = true;
		else if (strcmp(argv[i], "--add-only") == 0)
			order.add_only = true;
		else if (strcmp(argv[i], "--single-host") == 0)
			order.single_host = true;
		else if (n < OPERANDS_MAX)
			operands[n++] = argv[i];
	}
	if (n == 0 || (order.retire && order.add_only) || (order.single_host && !order.retire))
		return usage();
	if (strcmp(operands[0], "rotate") == 0)
		return rotate(c, operands[1], &order);
	if (order.retire || order.add_only)
		return usage();
	if (strcmp(operands[0], "status") == 0)
		return status(c, operands[1]);
	if (strcmp(operands[0], "new") == 0)
		return n == 2 ? make(operands[1]) : usage();
	/* `keys DIR`, as it was before there was more than one thing to do. */
	return n == 1 ? make(operands[0]) : usage();
}
