/* Ids in paths and filters.
 * Never tells a bad spelling of an id in a path from an id that does not exist. */
#include "api/segment.h"

static enum rc parse(struct str s, const char *prefix, struct id *ret)
{
	return *prefix ? id_parse(s, prefix, ret) : id_parse_uuid(s, ret);
}

enum rc segment_id(const struct http_request *req, int i, const char *prefix, struct id *ret,
		   struct err *err)
{
	if (parse(req->segments[i], prefix, ret) == RC_OK)
		return RC_OK;
	return err_set(err, RC_NOT_FOUND, "not_found", "not an id");
}

enum rc segment_filter(const struct http_request *req, const char *name, const char *prefix,
		       struct id *ret, struct err *err)
{
	struct str s = http_query(req, name);

	/* The zero id stands for "any" below; nothing has it. */
	if (s.n == 0 || (parse(s, prefix, ret) == RC_OK && !id_eq(*ret, (struct id){ { 0 } })))
		return RC_OK;
	return err_field(err, "?", "invalid_filter", "%s must be an id that begins with %s.", name,
			 prefix);
}
