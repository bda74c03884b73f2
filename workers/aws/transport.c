/* The file that drives libcurl for AWS; agent.c does for the agents of our own credentials. */
#include "workers/aws/transport.h"
#include "aws/netguard.h"
#include "base/mem.h"
#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECT_TIMEOUT_S = 5,
	LOW_SPEED_BYTES = 64, /* a second, over LOW_SPEED_S */
	LOW_SPEED_S = 30,
	CONNECTION_IDLE_S = 30,
	CONNECTION_LIFE_S = 600
};

struct transport {
	CURLM *multi;
	int call_timeout_s;
	int open; /* transfers that nobody has taken back */
	char *ca_file;
};

void transport_free(struct transport *t)
{
	if (t == NULL)
		return;
	curl_multi_cleanup(t->multi);
	mem_free(t->ca_file);
	mem_free(t);
}

struct transport *transport_new(int in_flight, int call_timeout_s, const char *ca_file)
{
	struct transport *t = MEM_NEW(struct transport);

	t->multi = curl_multi_init();
	assert(t->multi != NULL);
	t->call_timeout_s = call_timeout_s;
	t->ca_file = mem_copy(ca_file);
	curl_multi_setopt(t->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(t->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)in_flight + 4);
	curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)in_flight + 4);
	return t;
}

void transport_close(struct transfer *x)
{
	assert(!x->open);
	curl_slist_free_all(x->lines);
	x->lines = NULL;
	if (x->easy != NULL)
		curl_easy_cleanup(x->easy);
	x->easy = NULL;
}

static size_t on_head(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *x = arg;

	return reply_head(x->reply, str_n(bytes, size * n)) ? size * n : 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *x = arg;

	return reply_body(x->reply, str_n(bytes, size * n)) ? size * n : 0;
}

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *x = arg;

	(void)purpose;
	if (!x->overridden && !netguard_allows(&address->addr, (socklen_t)address->addrlen)) {
		x->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Set once a handle and never reset: what is not listed here is not wanted. */
static void open_easy(const struct transport *t, struct transfer *x)
{
	CURL *e = curl_easy_init();

	assert(e != NULL);
	x->easy = e;
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(e, CURLOPT_PRIVATE, x);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, x);
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, 0L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)t->call_timeout_s);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED_BYTES);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)LOW_SPEED_S);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE_S);
	curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, NULL);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "connectord");
	if (*t->ca_file != '\0')
		curl_easy_setopt(e, CURLOPT_CAINFO, t->ca_file);
}

static void set_method(CURL *e, const struct request *r)
{
	bool post = strcmp(r->method, "POST") == 0;

	if (post) {
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, buf_c(&r->body));
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		curl_easy_setopt(e, CURLOPT_POST, 1L);
	} else {
		curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	}
	if (strcmp(r->method, "HEAD") == 0)
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST,
			 post || r->method[0] == 'G' || r->method[0] == 'H' ? NULL : r->method);
}

/* Cuts the lines apart in place. An empty Expect keeps curl from waiting for "100 Continue". */
static void set_lines(struct transfer *x, struct buf *lines)
{
	char *at = lines->p;

	curl_slist_free_all(x->lines);
	x->lines = curl_slist_append(NULL, "Expect:");
	while (at != NULL && *at != '\0') {
		char *end = strchr(at, '\n');

		if (end != NULL)
			*end = '\0';
		x->lines = curl_slist_append(x->lines, at);
		assert(x->lines != NULL);
		at = end == NULL ? NULL : end + 1;
	}
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->lines);
}

enum rc transport_send(struct transport *t, struct transfer *x, const struct request *r,
		       const struct endpoint *e, struct buf *lines, struct reply *reply,
		       struct err *err)
{
	bool plain = e->overridden && strncmp(e->base, "http://", 7) == 0;

	assert(!x->open);
	if (x->easy == NULL)
		open_easy(t, x);
	x->reply = reply;
	x->overridden = e->overridden;
	x->refused = false;
	x->error[0] = '\0';
	curl_easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
	if (curl_easy_setopt(x->easy, CURLOPT_URL, buf_c(&r->url)) != CURLE_OK)
		return err_set(err, RC_BROKEN, "invalid_url", "libcurl refuses the URL of %s",
			       e->host);
	set_method(x->easy, r);
	set_lines(x, lines);
	if (curl_multi_add_handle(t->multi, x->easy) != CURLM_OK)
		return err_set(err, RC_BROKEN, "transport", "libcurl refuses another transfer");
	x->open = true;
	t->open++;
	return RC_OK;
}

void transport_turn(struct transport *t, int wait_ms)
{
	int running = 0;

	/* Errors here concern the multi handle itself and mean misuse. */
	CURLMcode code = curl_multi_perform(t->multi, &running);
	assert(code == CURLM_OK);
	/* What has ended already wakes no poll. */
	if (wait_ms > 0 && running == t->open) {
		code = curl_multi_poll(t->multi, NULL, 0, wait_ms, NULL);
		assert(code == CURLM_OK);
		code = curl_multi_perform(t->multi, &running);
		assert(code == CURLM_OK);
	}
}

static void detach(struct transport *t, struct transfer *x)
{
	curl_multi_remove_handle(t->multi, x->easy);
	curl_slist_free_all(x->lines);
	x->lines = NULL;
	x->open = false;
	t->open--;
}

static const char *failure(const struct transfer *x, CURLcode code)
{
	/* libcurl calls a header line beyond its own limit "out of memory"; ours ends the process. */
	if (x->reply->cut != NULL || code == CURLE_OUT_OF_MEMORY)
		return "reply_too_long";
	if (x->refused && code == CURLE_COULDNT_CONNECT)
		return "address_refused";
	/* Every other code is a connection that ended badly. */
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return "host_not_found";
	if (code == CURLE_COULDNT_CONNECT)
		return "connect_failed";
	if (code == CURLE_OPERATION_TIMEDOUT)
		return x->reply->status == 0 && x->reply->head_bytes == 0 ? "timeout"
									  : "reply_timeout";
	if (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
	    code == CURLE_SSL_CACERT_BADFILE)
		return "tls_failed";
	if (code == CURLE_UNSUPPORTED_PROTOCOL)
		return "scheme_refused";
	if (code == CURLE_PARTIAL_FILE)
		return "cut_body";
	return "connection_lost";
}

struct transfer *transport_ended(struct transport *t, const char **ret_code)
{
	struct transfer *x = NULL;
	CURLMsg *message;
	int left = 0;

	while ((message = curl_multi_info_read(t->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		char *owner = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
		x = (struct transfer *)(void *)owner;
		*ret_code = code == CURLE_OK ? "" : failure(x, code);
		detach(t, x);
		return x;
	}
	return NULL;
}

void transport_cancel(struct transport *t, struct transfer *x)
{
	if (x->open)
		detach(t, x);
}
