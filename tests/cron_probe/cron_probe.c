/* Answers cases of the differential test of cron expressions: reads lines "EXPRESSION<tab>ZONE<tab>SECONDS<tab>COUNT" and
 * prints for each the next COUNT times, each with the offset that holds then ("SECONDS:OFFSET"), or "error CODE TEXT".
 * It is no part of the product. */
#include "base/cron.h"
#include <stdio.h>

enum { LINE_BYTES = 1024 };

static enum rc answer(struct str line, struct err *err)
{
	AUTO(zone) struct zone *z = NULL;
	struct cron c = { 0 };
	struct str rest = line, text = str_cut(&rest, '\t'), name = str_cut(&rest, '\t');
	int64_t at = 0, count = 0;
	enum rc rc = cron_parse(text, &c, err);

	if (rc == RC_OK)
		rc = zone_load(name, &z, err);
	if (rc == RC_OK && (!str_to_i64(str_cut(&rest, '\t'), &at) || !str_to_i64(rest, &count)))
		rc = err_set(err, RC_INVALID, "probe", "the line is not understood");
	for (; rc == RC_OK && count > 0; count--) {
		rc = cron_next(&c, z, at, &at);
		if (rc == RC_OK)
			printf("%lld:%d ", (long long)at, zone_span(z, at).offset_s);
	}
	return rc;
}

int main(void)
{
	char bytes[LINE_BYTES];

	while (fgets(bytes, sizeof(bytes), stdin)) {
		struct err err = { 0 };
		struct str line = str_c(bytes);
		enum rc rc = answer(str_sub(line, 0, line.n - str_ends(line, S("\n"))), &err);

		if (rc != RC_OK)
			printf("error %s %s", err.code, err.text);
		printf("\n");
	}
	return 0;
}
