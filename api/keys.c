/* Handlers of API keys: the operator's, for any organization, and the owners', for their own.
 * Never more than names of routes. */
#include "api/keys.h"
#include "api/key_routes.h"

struct http_reply keys_create(struct http_request *req)
{
	return key_routes_create(req, KEYS_ORGANIZATION);
}

struct http_reply keys_list_page(struct http_request *req)
{
	return key_routes_list(req, KEYS_ORGANIZATION);
}

struct http_reply keys_show(struct http_request *req)
{
	return key_routes_show(req, KEYS_ORGANIZATION);
}

struct http_reply keys_remove(struct http_request *req)
{
	return key_routes_revoke(req, KEYS_ORGANIZATION);
}

struct http_reply keys_rotate(struct http_request *req)
{
	return key_routes_rotate(req, KEYS_ORGANIZATION);
}

struct http_reply keys_create_own(struct http_request *req)
{
	return key_routes_create(req, KEYS_ORGANIZATION);
}

struct http_reply keys_list_own(struct http_request *req)
{
	return key_routes_list(req, KEYS_ORGANIZATION);
}

struct http_reply keys_show_own(struct http_request *req)
{
	return key_routes_show(req, KEYS_ORGANIZATION);
}

struct http_reply keys_remove_own(struct http_request *req)
{
	return key_routes_revoke(req, KEYS_ORGANIZATION);
}

struct http_reply keys_rotate_own(struct http_request *req)
{
	return key_routes_rotate(req, KEYS_ORGANIZATION);
}
