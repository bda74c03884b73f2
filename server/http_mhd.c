/* The API's door to libmicrohttpd (http_mhd_page.c is the other): its callbacks on one side, struct exchange on the other.
 * Never decides anything about a request; never frees an exchange elsewhere than in completed(). */
#include "server/http_mhd.h"
#include "base/mem.h"
#include "server/peer.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum {
	IDLE_TIMEOUT_S = 30,
	/* Past 32 KiB the library maps pages for it instead of calling malloc: they cost nothing until they
	 * are touched, also when they are given back, where base/wipe.c would write to all of them. */
	MEMORY_PER_CONNECTION = 36 * 1024,
	STACK_BYTES = 1024 * 1024, /* address space; what is not touched costs nothing */
	CRLF_BYTES = 2,
};

/* TLS 1.2 and 1.3, and only key exchanges that a stolen key does not undo. */
static const char PRIORITIES[] =
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SERVER_PRECEDENCE";

struct http_mhd {
	struct exchange_place place;
	struct limits *limits;
	struct MHD_Daemon *daemon;
	bool secure;
	bool hides; /* it is the release that is_hidden() knows; later ones refuse such heads themselves */
	atomic_bool draining;
};

/* What MHD carries for one request. */
struct carried {
	struct exchange *exchange;
	bool begun, answered;
};

static void *target_seen(void *cls, const char *target, struct MHD_Connection *c)
{
	struct http_mhd *h = cls;
	struct carried *carried = MEM_NEW(struct carried);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	carried->exchange =
		exchange_new(&h->place, target, peer_of(info ? info->client_addr : NULL));
	return carried;
}

static struct limits_entry *entry_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void completed(void *cls, struct MHD_Connection *c, void **req_cls,
		      enum MHD_RequestTerminationCode why)
{
	struct http_mhd *h = cls;
	struct carried *carried = *req_cls;
	struct limits_entry *entry = entry_of(c);

	(void)why;
	if (entry)
		limits_request_ends(h->limits, entry);
	if (!carried)
		return;
	exchange_free(carried->exchange);
	mem_free(carried);
	*req_cls = NULL;
}

static void connection_changed(void *cls, struct MHD_Connection *c, void **socket_context,
			       enum MHD_ConnectionNotificationCode what)
{
	struct http_mhd *h = cls;
	const union MHD_ConnectionInfo *info = NULL;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
		*socket_context = info ? limits_open(h->limits, info->connect_fd) : NULL;
	} else if (*socket_context) {
		limits_close(h->limits, *socket_context);
		*socket_context = NULL;
	}
}

struct collected {
	struct guard_header headers[GUARD_HEADERS_MAX];
	size_t n;
	bool cut;
	uintptr_t end; /* of what was shown last */
	bool hidden;
};

static enum MHD_Result collect(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n,
			       const char *value, size_t value_n)
{
	struct collected *all = cls;

	(void)kind;
	if (all->n == GUARD_HEADERS_MAX) {
		all->cut = true;
		return MHD_NO;
	}
	if (!value || (uintptr_t)name != all->end + CRLF_BYTES)
		all->hidden = true;
	all->end = (uintptr_t)value + value_n;
	all->headers[all->n].name = str_n(name, name_n);
	all->headers[all->n].value = str_n(value ? value : "", value ? value_n : 0);
	all->n++;
	return MHD_YES;
}

static void add(struct MHD_Response *response, const char *name, const char *value)
{
	if (value && *value)
		(void)MHD_add_response_header(response, name, value);
}

static void add_protection(struct MHD_Response *response, const struct http_reply *reply,
			   bool secure)
{
	add(response, "Cache-Control", "no-store");
	add(response, "X-Content-Type-Options", "nosniff");
	add(response, "Content-Security-Policy",
	    *reply->policy ? reply->policy : "default-src 'none'; frame-ancestors 'none'");
	add(response, "Referrer-Policy", "no-referrer");
	add(response, "Cross-Origin-Resource-Policy", "same-origin");
	if (secure)
		add(response, "Strict-Transport-Security", "max-age=31536000");
}

static void add_headers(struct MHD_Response *response, const struct http_reply *reply,
			const struct exchange *x, bool close)
{
	char seconds[16];

	add(response, "Content-Type", reply->type);
	add(response, "Location", reply->location);
	add(response, "ETag", reply->etag);
	add(response, "Allow", reply->allow);
	add(response, "X-Request-Id", exchange_request_id(x));
	add(response, "traceresponse", exchange_trace(x));
	add(response, "RateLimit-Policy", exchange_rate_policy(x));
	add(response, "RateLimit", exchange_rate_left(x));
	if (reply->retry_after_s > 0) {
		(void)snprintf(seconds, sizeof(seconds), "%d", reply->retry_after_s);
		add(response, "Retry-After", seconds);
	}
	if (reply->replayed)
		add(response, "Idempotency-Replayed", "true");
	if (reply->status == 401)
		add(response, "WWW-Authenticate", "Bearer realm=\"connectord\"");
	if (close)
		add(response, "Connection", "close");
}

static enum MHD_Result answer(struct http_mhd *h, struct MHD_Connection *c, struct carried *carried)
{
	struct http_reply reply = exchange_reply(carried->exchange);
	bool close = reply.close || atomic_load(&h->draining);
	struct MHD_Response *response = NULL;
	enum MHD_Result queued = MHD_NO;

	if (reply.fixed.n > 0)
		response = MHD_create_response_from_buffer(
			reply.fixed.n, (void *)(uintptr_t)reply.fixed.p, MHD_RESPMEM_PERSISTENT);
	else if (reply.body)
		response = MHD_create_response_from_buffer_with_free_callback(reply.n, reply.body,
									      mem_free);
	else
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (!response) {
		http_reply_done(&reply);
		return MHD_NO;
	}
	add_headers(response, &reply, carried->exchange, close);
	add_protection(response, &reply, h->secure);
	queued = MHD_queue_response(c, (unsigned)reply.status, response);
	MHD_destroy_response(response);
	carried->answered = true;
	exchange_log(carried->exchange, reply.status);
	return queued;
}

/* The library ends a line at a bare line feed, a value at a NUL and the head at a line without a name,
 * and says nothing of it. But what it shows lies where it was received: a space between the words of the
 * first line, CR LF behind each line, an empty line at the end. Whatever is hidden leaves another distance
 * between two of them or to the end of the head. Addresses are compared, never followed. */
static bool is_hidden(struct MHD_Connection *c, const struct guard_head *head,
		      const struct collected *all)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	uintptr_t from = (uintptr_t)head->method.p, version = (uintptr_t)head->version.p;

	return !info || all->hidden || version != from + head->method.n + 1 + head->target.n + 1 ||
	       info->header_size != all->end - from + CRLF_BYTES + CRLF_BYTES;
}

static enum MHD_Result begin(struct http_mhd *h, struct MHD_Connection *c, const char *method,
			     const char *version, struct carried *carried)
{
	struct collected all = { .end = (uintptr_t)version + strlen(version) };
	struct guard_head head = { 0 };
	struct limits_entry *entry = entry_of(c);

	if (entry)
		limits_request_begins(h->limits, entry);
	(void)MHD_get_connection_values_n(c, MHD_HEADER_KIND, collect, &all);
	head = (struct guard_head){ .method = str_c(method),
				    .target = str_c(exchange_target(carried->exchange)),
				    .version = str_c(version),
				    .headers = all.headers,
				    .n = all.n,
				    .headers_cut = all.cut };
	head.hidden = h->hides && is_hidden(c, &head, &all);
	carried->begun = true;
	if (exchange_begin(carried->exchange, &head) == EXCHANGE_READ)
		return MHD_YES;
	return answer(h, c, carried);
}

/* Called for the head, for each part of the body, and at its end. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *c, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *data_n, void **req_cls)
{
	struct http_mhd *h = cls;
	struct carried *carried = *req_cls;

	(void)url; /* decoded: of no use where only the raw target is trusted */
	if (!carried)
		return MHD_NO;
	if (!carried->begun)
		return begin(h, c, method, version, carried);
	if (*data_n > 0) {
		if (!carried->answered)
			exchange_body(carried->exchange, str_n(data, *data_n));
		*data_n = 0;
		return MHD_YES;
	}
	return carried->answered ? MHD_YES : answer(h, c, carried);
}

static struct MHD_Daemon *start_daemon(struct http_mhd *h, const struct http_mhd_settings *s)
{
	struct MHD_OptionItem secure[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, NULL },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, NULL },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC;

	if (s->tls) {
		flags |= MHD_USE_TLS;
		secure[0].ptr_value = s->tls->cert;
		secure[1].ptr_value = s->tls->key->bytes;
	} else {
		secure[0].option = MHD_OPTION_END;
	}
	return MHD_start_daemon(flags, 0, NULL, NULL, handle, h, MHD_OPTION_LISTEN_SOCKET,
				s->listen_fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->connections,
				MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)s->per_ip,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
				MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
				target_seen, h, MHD_OPTION_NOTIFY_COMPLETED, completed, h,
				MHD_OPTION_NOTIFY_CONNECTION, connection_changed, h,
				MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_ARRAY,
				secure, MHD_OPTION_END);
}

enum rc http_mhd_start(const struct http_mhd_settings *settings, struct http_mhd **ret,
		       struct err *err)
{
	struct http_mhd *h = MEM_NEW(struct http_mhd);

	h->place = settings->place;
	h->limits = limits_new();
	h->secure = settings->tls != NULL;
	h->hides = strcmp(MHD_get_version(), "0.9.75") == 0;
	atomic_init(&h->draining, false);
	h->daemon = start_daemon(h, settings);
	if (!h->daemon) {
		limits_free(h->limits);
		mem_free(h);
		return err_set(err, RC_INVALID, "http",
			       "the HTTP listener cannot start; look at http_connections, at the"
			       " limits of open files and threads%s",
			       settings->tls ? ", and at the certificate of tls_cert_file" : "");
	}
	*ret = h;
	return RC_OK;
}

void http_mhd_quiesce(struct http_mhd *h)
{
	MHD_socket fd = MHD_INVALID_SOCKET;

	atomic_store(&h->draining, true);
	fd = MHD_quiesce_daemon(h->daemon);
	if (fd != MHD_INVALID_SOCKET)
		(void)close(fd);
}

void http_mhd_sweep(struct http_mhd *h)
{
	limits_sweep(h->limits);
}

int http_mhd_active(struct http_mhd *h)
{
	return limits_active(h->limits);
}

void http_mhd_free(struct http_mhd *h)
{
	if (!h)
		return;
	MHD_stop_daemon(h->daemon);
	limits_free(h->limits);
	mem_free(h);
}
