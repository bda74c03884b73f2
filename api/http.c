/* Small services of requests and replies that handlers and the server share.
 * Knows no library that speaks HTTP. */
#include "api/http.h"
#include "base/mem.h"

#include <assert.h>

void http_request_done(struct http_request *req)
{
	for (int i = 0; i < req->query_n; i++) {
		mem_free(req->query[i].name);
		mem_free(req->query[i].value);
	}
	req->query_n = 0;
}

void http_reply_done(struct http_reply *reply)
{
	mem_free(reply->body);
	reply->body = NULL;
}

char *http_reply_hidden(const struct http_reply *reply)
{
	AUTO_JSON json_t *body = NULL;
	struct err err = { 0 };

	if (!reply->secret || !reply->body)
		return NULL;
	/* Our own text: what cannot be read here is not shown a second time. */
	if (json_parse(str_n(reply->body, reply->n), JSON_DEPTH_MAX, &body, &err) != RC_OK)
		return mem_copy("{}");
	(void)json_object_set_new(body, reply->secret, json_null());
	return json_text(body);
}

struct str http_query(const struct http_request *req, const char *name)
{
	for (int i = 0; i < req->query_n; i++)
		if (str_eq(str_c(req->query[i].name), str_c(name)))
			return str_c(req->query[i].value);
	return S("");
}

struct db_who http_who(const struct http_request *req)
{
	return (struct db_who){ .org_id = req->caller.org_id,
				.key_id = req->caller.key_id,
				.operator_role = req->caller.party == HTTP_OPERATOR };
}
