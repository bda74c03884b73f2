/* The shape of a receiver's address. Stricter than RFC 3986, so that no two readers of an address can
 * disagree about its host. Never resolves a name. */
#include "api/webhook_url.h"

enum { HOST_MAX = 253, PORT_MAX = 65535 };

static enum rc refuse(struct err *err, const char *why)
{
	return err_set(err, RC_INVALID, "invalid_url", "The address %s.", why);
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What may stand unescaped in path and query. */
static bool is_plain(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("-._~:/?@!$&'()*+,;=%[]", c) != NULL);
}

static bool is_name(struct str host)
{
	if (host.n == 0 || host.n > HOST_MAX || host.p[0] == '.' || host.p[0] == '-')
		return false;
	for (size_t i = 0; i < host.n; i++)
		if (!is_alnum(host.p[i]) && host.p[i] != '-' && host.p[i] != '.')
			return false;
	return !str_has(host, S(".."));
}

/* No zone: %25eth0 names an interface of ours. */
static bool is_bracketed(struct str host)
{
	if (host.n < 4 || host.p[0] != '[' || host.p[host.n - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < host.n; i++) {
		char c = host.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
		      c == ':' || c == '.'))
			return false;
	}
	return true;
}

/* What stands between "//" and the path; a port is a colon behind the last bracket. */
static enum rc judge_authority(struct str authority, struct err *err)
{
	struct str host = authority, port = S("");
	bool bracketed = authority.n > 0 && authority.p[0] == '[';
	int64_t number = 0;

	for (size_t i = authority.n; i > 0 && authority.p[i - 1] != ']'; i--) {
		if (authority.p[i - 1] != ':')
			continue;
		host = str_sub(authority, 0, i - 1);
		port = str_sub(authority, i, authority.n);
		if (port.n == 0 || port.n > 5 || !str_to_i64(port, &number) || number < 1 ||
		    number > PORT_MAX)
			return refuse(err, "has a port that is not 1 to 65535");
		break;
	}
	if (bracketed ? !is_bracketed(host) : !is_name(host))
		return refuse(err, "has a host that is neither a name in ASCII nor an IP address");
	return RC_OK;
}

enum rc webhook_url_judge(struct str url, struct err *err)
{
	bool secure = str_starts(url, S("https://"));
	struct str rest = str_sub(url, secure ? 8 : 7, url.n);
	size_t n = 0;

	if (url.n > WEBHOOK_URL_MAX)
		return refuse(err, "is longer than 2048 bytes");
	if (!secure && !str_starts(url, S("http://")))
		return refuse(err, "must begin with https://");
	if (str_has(rest, S("#")))
		return refuse(err, "has a fragment, which no receiver ever sees");
	for (size_t i = 0; i < rest.n; i++)
		if (!is_plain(rest.p[i]))
			return refuse(err, "has a character that must be escaped");
	while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
		n++;
	if (str_has(str_sub(rest, 0, n), S("@")))
		return refuse(err, "has a user name; tell receivers apart by their path");
	return judge_authority(str_sub(rest, 0, n), err);
}
