/* XML answers as json_t, parsed while the bytes arrive.
 *
 * Structures become objects, lists arrays, leaves strings, <entry><key/><value/> maps objects. No
 * DTD, no entity but the predefined ones, and limits on everything a hostile answer can choose. */
#ifndef WORKERS_AWS_XML_H
#define WORKERS_AWS_XML_H

#include "base/json.h"
#include "workers/aws/shape.h"

enum {
	XML_DEPTH_MAX = 64,
	XML_NAME_MAX = 128,
	XML_ATTRIBUTES_MAX = 32,
	XML_TAG_MAX =
		64 *
		1024, /* of one that is not finished: expat keeps it and its attributes whole */
	XML_FIELD_MAX = 8 * 1024 * 1024,
	XML_PAGE_MAX = 64 * 1024 * 1024
};

struct xml;
void xml_free(struct xml *x);
DEFINE_AUTO(xml)

struct xml_rules {
	const struct shape *shape; /* borrowed; NULL = no list is declared */
	/* The element below the root where the shape begins ("ListUsersResult"); NULL = the root. */
	const char *result;
	const char *drop; /* element names, separated by spaces, whose content is never kept */
	bool secret;      /* the text buffer is zeroed when freed */
};
struct xml *xml_new(const struct xml_rules *rules) NEVER_NULL;
/* RC_INVALID: not well formed, or of a form that is refused; RC_LIMIT: a limit. Sticky. */
MUST_CHECK enum rc xml_feed(struct xml *x, struct str bytes);
/* The end of the body. RC_OK: *ret is the root's content (a new reference); *ret_root its name,
 * valid until xml_free. */
MUST_CHECK enum rc xml_end(struct xml *x, const char **ret_root, json_t **ret);
const char *xml_reason(const struct xml *x); /* why it failed, for a message */

#endif
