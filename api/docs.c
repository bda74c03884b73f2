/* The reference page, made of the contract at build time.
 * Never loads anything from anywhere: its policy allows its own style and nothing else. */
#include "api/docs.h"
#include "api/published.h"

#include <stdio.h>

struct http_reply docs_page(struct http_request *req)
{
	struct http_reply reply = { .status = 200,
				    .type = "text/html; charset=utf-8",
				    .fixed = published_docs() };

	(void)req;
	(void)snprintf(reply.policy, sizeof(reply.policy),
		       "default-src 'none'; style-src '%s'; base-uri 'none'; form-action 'none';"
		       " frame-ancestors 'none'",
		       PUBLISHED_STYLE);
	return reply;
}
