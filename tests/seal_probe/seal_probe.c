/* Seals many values for tests that need more than the API takes in their time: seal_probe PUBLIC_FILE FIELD reads lines
 * "ORGANIZATION ROW SECRET" (UUIDs as text) and prints each envelope in hex. It is no part of the product. */
#include "base/mem.h"
#include "base/seal.h"

#include <stdio.h>

enum { LINE_BYTES = 1024 };

static enum rc answer(const struct seal_public *key, struct str field, struct str line,
		      struct err *err)
{
	AUTO_TEXT char *envelope = NULL;
	struct str rest = line;
	const struct str org = str_cut(&rest, ' '), row = str_cut(&rest, ' ');
	const struct seal_place place = { .org_id = org, .connection_id = row, .field = field };
	size_t n = 0;
	enum rc rc = seal_close(key, &place, rest, &envelope, &n, err);

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		printf("%02x", (unsigned)(unsigned char)envelope[i]);
	return rc;
}

int main(int argc, char **argv)
{
	struct seal_public key = { 0 };
	struct err err = { 0 };
	char bytes[LINE_BYTES];
	enum rc rc = argc == 3 ? seal_public_load(argv[1], &key, &err)
			       : err_set(&err, RC_INVALID, "probe", "PUBLIC_FILE FIELD");

	secret_harden_process();
	while (rc == RC_OK && fgets(bytes, sizeof(bytes), stdin)) {
		struct str line = str_c(bytes);

		rc = answer(&key, str_c(argv[2]),
			    str_sub(line, 0, line.n - str_ends(line, S("\n"))), &err);
		printf("\n");
	}
	if (rc != RC_OK)
		fprintf(stderr, "seal_probe: %s %s\n", err.code, err.text);
	return rc == RC_OK ? 0 : 1;
}
