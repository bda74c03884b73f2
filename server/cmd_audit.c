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

/* "SEQ:HASH": the end of the trail, as GET /v1/audit/head gave it some time. */
struct noted {
	int64_t seq; /* -1: none was given */
	struct str hash;
};

/* Where the chain stands. */
struct chain {
	int64_t seq, first; /* 0: nothing was read yet */
	int64_t noted;      /* the entry whose hash is kept */
	char hash[HASH_TEXT + 1];
	char noted_hash[HASH_TEXT + 1]; /* "": the file has not told it */
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

static void step(struct chain *c, int64_t seq, struct str hash)
{
	c->seq = seq;
	(void)snprintf(c->hash, sizeof(c->hash), "%.*s", STR_FMT(hash));
	if (seq == c->noted)
		memcpy(c->noted_hash, c->hash, sizeof(c->hash));
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
		c->first = seq;
		(void)snprintf(c->org_id, sizeof(c->org_id), "%.*s", STR_FMT(org));
		/* An export may begin in the middle: prev is the hash of the one before. */
		step(c, seq - 1, json_str(tree, "prev"));
	}
	if (seq < 1 || seq != c->seq + 1)
		return wrong(err, c, "the next entry is missing or not in its place");
	if (!str_eq(org, str_c(c->org_id)))
		return wrong(err, c, "the entry is of another organization");
	if (!str_eq(json_str(tree, "prev"), str_c(c->hash)) ||
	    (seq == 1 && strspn(c->hash, "0") != HASH_TEXT))
		return wrong(err, c, "the entry does not follow the one before it");
	step(c, seq, str_c(is));
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

static enum rc parse_noted(const char *text, struct noted *ret, struct err *err)
{
	ret->hash = str_c(text);
	if (str_to_i64(str_cut(&ret->hash, ':'), &ret->seq) && ret->seq >= 0 &&
	    ret->hash.n == HASH_TEXT && strspn(ret->hash.p, "0123456789abcdef") == HASH_TEXT)
		return RC_OK;
	return err_set(err, RC_INVALID, "invalid_head",
		       "the noted end must be SEQ:HASH, as /v1/audit/head tells it");
}

/* What was the end once may lie in the middle now; what is behind it rests on the file alone. */
static enum rc compare(const struct chain *c, const struct noted *noted, struct err *err)
{
	if (str_eq(noted->hash, str_c(c->noted_hash)))
		return RC_OK;
	if (c->noted_hash[0])
		return err_set(err, RC_BROKEN, "audit_broken",
			       "entry %lld is not the one that was noted: it or something before it"
			       " was written anew; the trail is not to be trusted",
			       (long long)noted->seq);
	if (c->seq < noted->seq)
		return err_set(err, RC_BROKEN, "audit_broken",
			       "the trail ends with entry %lld, and entry %lld was noted: the tail"
			       " was cut off; the trail is not to be trusted to be whole",
			       (long long)c->seq, (long long)noted->seq);
	return err_set(err, RC_BROKEN, "audit_broken",
		       "the file begins with entry %lld and shows nothing of the noted entry %lld:"
		       " export from that entry on, or from the beginning",
		       (long long)c->first, (long long)noted->seq);
}

static enum rc verify(const char *path, const struct noted *noted, struct chain *c, struct err *err)
{
	FILE *file = fopen(path, "re");
	enum rc rc = RC_OK;

	if (!file)
		return err_set(err, RC_NOT_FOUND, "no_file", "%s cannot be opened", path);
	c->noted = noted->seq;
	if (noted->seq == 0) /* there was no entry yet, and zeros come before the first */
		memset(c->noted_hash, '0', HASH_TEXT);
	rc = walk(file, c, err);
	(void)fclose(file);
	if (rc == RC_OK && noted->seq >= 0)
		rc = compare(c, noted, err);
	return rc;
}

static void tell(const struct chain *c)
{
	bool is_operators = strspn(c->org_id, "0-") == ORG_TEXT;

	if (c->seq == 0) {
		printf("no entry\n");
		return;
	}
	printf("entries %lld to %lld of %s%s hold together, end %lld:%s", (long long)c->first,
	       (long long)c->seq, is_operators ? "the operator" : "organization ",
	       is_operators ? "" : c->org_id, (long long)c->seq, c->hash);
	if (c->noted < 0)
		printf("; compare the end with a noted one\n");
	else if (c->noted == c->seq)
		printf(", as noted\n");
	else
		printf("; entry %lld is as noted, note the end for those behind it\n",
		       (long long)c->noted);
}

int cmd_audit(struct config *config, int argc, char **argv)
{
	struct chain c = { .seq = 0 };
	struct noted noted = { .seq = -1 };
	struct err err = { 0 };
	enum rc rc = RC_OK;

	(void)config;
	if (argc < 3 || strcmp(argv[1], "verify") != 0) {
		fprintf(stderr, "connectord audit: say what to verify: connectord audit verify FILE"
				" [SEQ:HASH]\n");
		return CMD_USAGE;
	}
	if (argc > 3)
		rc = parse_noted(argv[3], &noted, &err);
	if (rc == RC_OK)
		rc = verify(argv[2], &noted, &c, &err);
	if (rc != RC_OK) {
		int code = cmd_fail("audit", &err);

		return rc == RC_BROKEN ? CMD_FAILED : code;
	}
	tell(&c);
	return CMD_OK;
}
