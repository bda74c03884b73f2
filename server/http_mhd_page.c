/* Answers each request from its head alone and closes: a page takes no body, no query and no credential.
 * Never keeps a connection, and never serves what needs an exchange; that is http_mhd.c's. */
#include "server/http_mhd_page.h"
#include "base/mem.h"
#include "server/limits.h"

#include <microhttpd.h>

enum {
	IDLE_TIMEOUT_S = 5,
	MEMORY_PER_CONNECTION = 8 * 1024,
	STACK_BYTES = 512 * 1024,
};

struct http_mhd_page_listener {
	struct http_mhd_page_settings set;
	struct limits *limits;
	struct MHD_Daemon *daemon;
};

static struct limits_entry *entry_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void connection_changed(void *cls, struct MHD_Connection *c, void **socket_context,
			       enum MHD_ConnectionNotificationCode what)
{
	struct http_mhd_page_listener *l = cls;
	const union MHD_ConnectionInfo *info = NULL;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
		*socket_context = info ? limits_open(l->limits, info->connect_fd) : NULL;
	} else if (*socket_context) {
		limits_close(l->limits, *socket_context);
		*socket_context = NULL;
	}
}

/* The library decodes what it passes on; only the raw target is compared with anything. */
static void *target_seen(void *cls, const char *target, struct MHD_Connection *c)
{
	(void)cls;
	(void)c;
	return str_dup(str_sub(str_c(target), 0, HTTP_MHD_PAGE_TARGET_MAX));
}

static void completed(void *cls, struct MHD_Connection *c, void **target,
		      enum MHD_RequestTerminationCode why)
{
	(void)cls;
	(void)c;
	(void)why;
	mem_free(*target);
	*target = NULL;
}

static void add(struct MHD_Response *response, const char *name, const char *value)
{
	if (value)
		(void)MHD_add_response_header(response, name, value);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *data_n, void **target)
{
	struct http_mhd_page_listener *l = cls;
	struct limits_entry *entry = entry_of(c);
	struct http_mhd_page page = { 0 };
	struct MHD_Response *response = NULL;
	enum MHD_Result queued = MHD_NO;

	(void)url;
	(void)version;
	(void)data;
	if (!*target || *data_n > 0)
		return MHD_NO;
	if (entry)
		limits_request_begins(l->limits, entry);
	page = l->set.page(l->set.arg, str_c(method), str_c(*target));
	response = MHD_create_response_from_buffer_with_free_callback(page.n, page.body, mem_free);
	if (!response) {
		mem_free(page.body);
		return MHD_NO;
	}
	add(response, "Content-Type", page.type);
	add(response, "Allow", page.allow);
	add(response, "Cache-Control", "no-store");
	add(response, "X-Content-Type-Options", "nosniff");
	add(response, "Connection", "close");
	queued = MHD_queue_response(c, (unsigned)page.status, response);
	MHD_destroy_response(response);
	return queued;
}

static struct MHD_Daemon *start_daemon(struct http_mhd_page_listener *l)
{
	return MHD_start_daemon(
		MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC, 0, NULL,
		NULL, handle, l, MHD_OPTION_LISTEN_SOCKET, l->set.listen_fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)l->set.connections,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, target_seen, l,
		MHD_OPTION_NOTIFY_COMPLETED, completed, l, MHD_OPTION_NOTIFY_CONNECTION,
		connection_changed, l, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
		MHD_OPTION_END);
}

enum rc http_mhd_page_start(const struct http_mhd_page_settings *settings,
			    struct http_mhd_page_listener **ret, struct err *err)
{
	struct http_mhd_page_listener *l = MEM_NEW(struct http_mhd_page_listener);

	l->set = *settings;
	l->limits = limits_new();
	l->daemon = start_daemon(l);
	if (!l->daemon) {
		limits_free(l->limits);
		mem_free(l);
		return err_set(err, RC_INVALID, "http",
			       "the metrics listener cannot start; look at the limits of open files"
			       " and threads");
	}
	*ret = l;
	return RC_OK;
}

void http_mhd_page_sweep(struct http_mhd_page_listener *l)
{
	limits_sweep(l->limits);
}

void http_mhd_page_free(struct http_mhd_page_listener *l)
{
	if (!l)
		return;
	MHD_stop_daemon(l->daemon);
	limits_free(l->limits);
	mem_free(l);
}
