/* The header guard. libmicrohttpd 0.9.75 accepts requests on whose end two parties may disagree
 * (two lengths, a length and an encoding, folded lines, bare line feeds), so every such head is
 * refused here before a byte of the body is read.
 * Bodies need a Content-Length: with no chunked bodies there are no chunk sizes, extensions or
 * trailers to disagree on. Never repairs a request. */
#include "server/guard.h"

#define OK                           ((struct guard_verdict){ 0 })
#define REFUSE(status, code, detail) ((struct guard_verdict){ (status), (code), (detail) })
#define BAD(detail)                  REFUSE(400, "bad_request", detail)

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool alnum =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return s.n > 0;
}

static bool is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool is_path_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '/' || c == '-' || c == '.' || c == '_' || c == '~';
}

/* Nothing in our paths needs an escape, so none is let in: %2f, %5c, %00 and %2e have no meaning. */
static bool is_plain_path(struct str path)
{
	struct str rest = path;

	for (size_t i = 0; i < path.n; i++)
		if (!is_path_byte(path.p[i]))
			return false;
	(void)str_cut(&rest, '/');
	while (rest.n > 0) {
		struct str part = str_cut(&rest, '/');

		if (part.n == 0 || str_eq(part, S(".")) || str_eq(part, S("..")))
			return false;
	}
	return path.n > 0 && path.p[0] == '/' && (path.n == 1 || path.p[path.n - 1] != '/');
}

static struct guard_verdict judge_target(struct str target)
{
	struct str query = target, path = str_cut(&query, '?');

	if (target.n > GUARD_TARGET_MAX)
		return REFUSE(414, "uri_too_long", "The request target is too long.");
	if (!is_plain_path(path))
		return BAD("The path must be segments of letters, digits and -._~ after single "
			   "slashes.");
	for (size_t i = 0; i < query.n; i++)
		if ((unsigned char)query.p[i] <= 0x20 || (unsigned char)query.p[i] >= 0x7f ||
		    query.p[i] == '#')
			return BAD("The query has a character that must be escaped.");
	if (str_has(query, S("%00")))
		return BAD("The query has an escaped NUL.");
	return OK;
}

static size_t count(const struct guard_head *head, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < head->n; i++)
		n += str_eq_nocase(head->headers[i].name, name);
	return n;
}

bool guard_has(const struct guard_head *head, struct str name)
{
	return count(head, name) > 0;
}

struct str guard_value(const struct guard_head *head, struct str name)
{
	for (size_t i = 0; i < head->n; i++)
		if (str_eq_nocase(head->headers[i].name, name))
			return str_trim(head->headers[i].value);
	return S("");
}

uint64_t guard_length(const struct guard_head *head)
{
	uint64_t n = 0;

	(void)str_to_u64(guard_value(head, S("Content-Length")), &n);
	return n;
}

static struct guard_verdict judge_lines(const struct guard_head *head)
{
	static const struct str ONCE[] = {
		{ "Host", 4 },           { "Content-Length", 14 },   { "Transfer-Encoding", 17 },
		{ "Authorization", 13 }, { "SlashID-API-Key", 15 },  { "Content-Type", 12 },
		{ "If-Match", 8 },       { "Content-Encoding", 16 }, { "Expect", 6 },
		{ "X-Org-Id", 8 },       { "SlashID-OrgID", 13 },    { "Idempotency-Key", 15 },
	};

	if (head->headers_cut)
		return REFUSE(431, "too_many_headers", "The request has too many header lines.");
	for (size_t i = 0; i < head->n; i++) {
		if (!is_token(head->headers[i].name))
			return BAD("A header line has a name that is not a token.");
		if (!is_printable(head->headers[i].value))
			return BAD("A header line has a control character in its value.");
	}
	for (size_t i = 0; i < COUNT_OF(ONCE); i++)
		if (count(head, ONCE[i]) > 1)
			return BAD("A header line that may occur once occurs twice.");
	if (count(head, S("Host")) == 0 && !str_eq(head->version, S("HTTP/1.0")))
		return BAD("The Host header line is missing.");
	return OK;
}

static struct guard_verdict judge_length(const struct guard_head *head)
{
	struct str encoding = guard_value(head, S("Transfer-Encoding"));
	struct str length = guard_value(head, S("Content-Length"));
	bool encoded = count(head, S("Transfer-Encoding")) > 0;
	uint64_t n = 0;

	if (encoded && count(head, S("Content-Length")) > 0)
		return BAD("The request has both a Content-Length and a Transfer-Encoding.");
	if (encoded && str_eq(head->version, S("HTTP/1.0")))
		return BAD("HTTP/1.0 has no Transfer-Encoding.");
	if (encoded && str_eq_nocase(encoding, S("chunked")))
		return REFUSE(411, "length_required", "Bodies need a Content-Length.");
	if (encoded)
		return REFUSE(
			501, "unknown_transfer_encoding",
			"The Transfer-Encoding is not known here; bodies need a Content-Length.");
	if (count(head, S("Content-Length")) > 0 && !str_to_u64(length, &n))
		return BAD("The Content-Length is not a number.");
	if (n > 0 && (str_eq(head->method, S("GET")) || str_eq(head->method, S("DELETE")) ||
		      str_eq(head->method, S("HEAD"))))
		return BAD("This method takes no body.");
	return OK;
}

struct guard_verdict guard_judge(const struct guard_head *head)
{
	struct guard_verdict v = judge_lines(head);
	struct str expect = guard_value(head, S("Expect"));

	if (v.status == 0)
		v = judge_length(head);
	if (v.status == 0)
		v = judge_target(head->target);
	if (v.status == 0 && expect.n > 0 && !str_eq_nocase(expect, S("100-continue")))
		v = REFUSE(417, "expectation_failed", "Only 100-continue can be expected.");
	/* Last: what can be named is named. */
	if (v.status == 0 && head->hidden)
		v = BAD("The head has a NUL, a line without a name, or a line that CR LF does not "
			"end.");
	return v;
}
