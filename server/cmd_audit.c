/* connectord audit verify FILE [SEQ:HASH]: proves an exported audit trail offline. Needs no database, no
 * key and no trust in whoever holds the file: only SHA-256, and an end that was noted elsewhere.
 * Never says more than it can prove: without a noted end a tail that was cut off cannot be seen. */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "server/cmd.h"

#include <stdio.h>

enum { LINE_MAX_BYTES = 1024 * 1024, HASH_TEXT = TEXT_SHA256_HEX - 1, ORG_TEXT = 36 };

#define HEAD S("{\"entry\":")
#define HASH S(",\"hash\":\"")

/* Where the chain stands. */
struct chain {
	int64_t seq, first; /* 0: nothing was read yet */
	char hash[HASH_TEXT + 1];
	char org_id[ORG_TEXT + 1];
};

static enum rc wrong(struct err *err, const struct chain *c, const char *what)
{
	return err_set(err, RC_BROKEN, "audit_broken",
		       "after entry %lld: %s; from there on the trail is not to be trusted",
		       (long long)c->seq, what);
}

/* {"entry":ENTRY,"hash":"64 hex"} */
static bool split(struct str line, struct str *ret_entry, struct str *ret_hash)
{
	size_t tail = HASH.n + HASH_TEXT + 2;

	if (line.n < HEAD.n + tail || !str_starts(line, HEAD) || !str_ends(line, S("\"}")))
		return false;
	*ret_entry = str_sub(line, HEAD.n, line.n - HEAD.n - tail);
	*ret_hash = str_sub(line, line.n - HASH_TEXT - 2, HASH_TEXT);
	return str_eq(str_sub(line, line.n - tail, HASH.n), HASH);
}

static enum rc follow(struct chain *c, struct str line, struct err *err)
{
	struct str entry = S(""), hash = S(""), org = S("");
	AUTO_JSON json_t *tree = NULL;
	struct err own = { 0 };
	char is[TEXT_SHA256_HEX];
	int64_t seq = 0;

	if (!split(line, &entry, &hash) || json_parse(entry, JSON_DEPTH_MAX, &tree, &own) != RC_OK)
		return wrong(err, c, "the line is not an entry of an export");
	text_sha256_hex(entry, is);
	if (!str_eq(str_c(is), hash))
		return wrong(err, c, "the entry was changed: its hash is another one");
	seq = json_integer_value(json_object_get(tree, "seq"));
	org = json_str(tree, "org_id");
	if (c->first == 0) {
		*c = (struct chain){ .first = seq, .seq = seq - 1 };
		(void)snprintf(c->org_id, sizeof(c->org_id), "%.*s", STR_FMT(org));
		(void)snprintf(c->hash, sizeof(c->hash), "%.*s", STR_FMT(json_str(tree, "prev")));
	}
	if (seq < 1 || seq != c->seq + 1)
		return wrong(err, c, "the next entry is missing or not in its place");
	if (!str_eq(org, str_c(c->org_id)))
		return wrong(err, c, "the entry is of another organization");
	if (!str_eq(json_str(tree, "prev"), str_c(c->hash)) ||
	    (seq == 1 && strspn(c->hash, "0") != HASH_TEXT))
		return wrong(err, c, "the entry does not follow the one before it");
	c->seq = seq;
	(void)snprintf(c->hash, sizeof(c->hash), "%s", is);
	return RC_OK;
}

static enum rc walk(FILE *file, struct chain *c, struct err *err)
{
	AUTO_TEXT char *line = mem_alloc(LINE_MAX_BYTES);
	enum rc rc = RC_OK;

	while (rc == RC_OK && fgets(line, LINE_MAX_BYTES, file)) {
		struct str s = str_c(line);

		if (!str_ends(s, S("\n")))
			return wrong(err, c, "the line is cut off or too long");
		rc = follow(c, str_sub(s, 0, s.n - 1), err);
	}
	if (rc == RC_OK && ferror(file))
		return err_set(err, RC_RETRY, "read_failed",
			       "the file could not be read to its end");
	return rc;
}

/* "SEQ:HASH", as GET /v1/audit/head gave it some time. */
static enum rc compare(const struct chain *c, struct str noted, struct err *err)
{
	struct str hash = noted, seq = str_cut(&hash, ':');
	int64_t n = 0;

	if (!str_to_i64(seq, &n) || hash.n != HASH_TEXT)
		return err_set(err, RC_INVALID, "invalid_head",
			       "the noted end must be SEQ:HASH, as /v1/audit/head tells it");
	if (n == c->seq && str_eq(hash, str_c(c->hash)))
		return RC_OK;
	return wrong(err, c, "the trail does not end where it was noted to end");
}

static enum rc verify(const char *path, const char *noted, struct chain *c, struct err *err)
{
	FILE *file = fopen(path, "re");
	enum rc rc = RC_OK;

	if (!file)
		return err_set(err, RC_NOT_FOUND, "no_file", "%s cannot be opened", path);
	rc = walk(file, c, err);
	(void)fclose(file);
	if (rc == RC_OK && noted)
		rc = compare(c, str_c(noted), err);
	return rc;
}

int cmd_audit(struct config *config, int argc, char **argv)
{
	struct chain c = { .seq = 0 };
	struct err err = { 0 };

	(void)config;
	if (argc < 3 || strcmp(argv[1], "verify") != 0) {
		fprintf(stderr, "connectord audit: say what to verify: connectord audit verify FILE"
				" [SEQ:HASH]\n");
		return CMD_USAGE;
	}
	if (verify(argv[2], argc > 3 ? argv[3] : NULL, &c, &err) != RC_OK) {
		int code = cmd_fail("audit", &err);

		return err.rc == RC_BROKEN ? CMD_FAILED : code;
	}
	if (c.seq == 0)
		printf("no entry\n");
	else
		printf("entries %lld to %lld of organization %s hold together, end %lld:%s%s\n",
		       (long long)c.first, (long long)c.seq, c.org_id, (long long)c.seq, c.hash,
		       argc > 3 ? ", as noted" : "; compare the end with a noted one");
	return CMD_OK;
}
