/* Entity tags. One spelling of a version exists, the one that we write; another one matches nothing.
 * Never repairs a tag: a guess here changes the wrong version of somebody's connection. */
#include "api/etag.h"
#include "api/problem.h"

#include <stdio.h>

enum { TAG_MAX = 32 };

static void spell(int64_t version, char out[TAG_MAX])
{
	(void)snprintf(out, TAG_MAX, "\"%lld\"", (long long)version);
}

void etag_write(struct http_reply *reply, int64_t version)
{
	spell(version, reply->etag);
}

bool etag_asked(const struct http_request *req, int64_t *ret_version)
{
	struct str tag = req->if_match;
	char again[TAG_MAX];
	int64_t version = 0;

	*ret_version = 0;
	if (tag.n == 0 || str_eq(tag, S("*")))
		return true;
	if (tag.n < 3 || !str_to_i64(str_sub(tag, 1, tag.n - 2), &version) || version < 1)
		return false;
	spell(version, again);
	if (!str_eq(tag, str_c(again)))
		return false;
	*ret_version = version;
	return true;
}

struct http_reply etag_stale(const struct http_request *req, const char *thing)
{
	return problem_of(req, 412, "version_changed",
			  "The %s is not at the version that If-Match names; read it again.",
			  thing);
}
