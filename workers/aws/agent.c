/* The only other file that drives libcurl: it may reach the few addresses that transport.c must refuse, and nothing else.
 * No redirect, no proxy, no netrc, no second address; what is too slow or too long is given up. */
#include "workers/aws/agent.h"
#include <assert.h>
#include <curl/curl.h>
#include <sys/socket.h>

enum { AGENT_HEADER_MAX = 64 * 1024 + 64 };

struct asking {
	const struct agent_call *call;
	struct buf *body;
	bool https;
	bool too_long;
};

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct asking *a = arg;

	if (buf_put(a->body, str_n(bytes, size * n)) == RC_OK)
		return size * n;
	a->too_long = true;
	return 0;
}

/* Asked after resolution. Over https the certificate says who it is. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct asking *a = arg;

	(void)purpose;
	if (!a->https &&
	    !netguard_opens(a->call->door, &address->addr, (socklen_t)address->addrlen))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int on_progress(void *arg, curl_off_t dl_total, curl_off_t dl, curl_off_t ul_total,
		       curl_off_t ul)
{
	struct asking *a = arg;

	(void)dl_total;
	(void)dl;
	(void)ul_total;
	(void)ul;
	return a->call->stop != NULL && a->call->stop(a->call->stop_arg) ? 1 : 0;
}

static void set_up(CURL *e, struct asking *a, struct curl_slist *lines)
{
	const struct agent_call *c = a->call;

	curl_easy_setopt(e, CURLOPT_URL, c->url);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, lines);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, a);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(e, CURLOPT_XFERINFODATA, a);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, a->https ? "https" : "http");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)AGENT_CONNECT_MS);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)AGENT_ANSWER_MS);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "connectord");
	if (c->ca_file != NULL && *c->ca_file != '\0')
		curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file);
	if (strcmp(c->method, "GET") != 0)
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, c->method);
}

static enum rc failure(const struct asking *a, CURLcode code, struct err *err)
{
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, RC_RETRY, "canceled", "asked to stop");
	if (a->too_long)
		return err_set(err, RC_RETRY, "agent_long", "its answer is longer than %d bytes",
			       (int)AGENT_BODY_MAX);
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
	    code == CURLE_COULDNT_RESOLVE_PROXY)
		return err_set(err, RC_RETRY, "agent_away", "nobody answers there");
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(err, RC_RETRY, "agent_silent", "no whole answer within %d ms",
			       (int)AGENT_ANSWER_MS);
	return err_set(err, RC_RETRY, "agent_silent", "%s", curl_easy_strerror(code));
}

static enum rc ask(CURL *e, struct asking *a, struct curl_slist *lines, int *ret_status,
		   struct err *err)
{
	CURLcode code;
	long status = 0;

	set_up(e, a, lines);
	code = curl_easy_perform(e);
	if (code != CURLE_OK) {
		curl_off_t connected = 0;

		curl_easy_getinfo(e, CURLINFO_CONNECT_TIME_T, &connected);
		if (code == CURLE_OPERATION_TIMEDOUT && connected == 0)
			code = CURLE_COULDNT_CONNECT;
		return failure(a, code, err);
	}
	curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
	*ret_status = (int)status;
	return RC_OK;
}

enum rc agent_ask(const struct agent_call *call, struct buf *body, int *ret_status, struct err *err)
{
	struct asking a = { .call = call,
			    .body = body,
			    .https = strncmp(call->url, "https://", 8) == 0 };
	struct buf line = BUF_INIT(AGENT_HEADER_MAX);
	struct curl_slist *lines = curl_slist_append(NULL, "Accept: */*");
	CURL *e = curl_easy_init();
	enum rc rc = RC_OK;

	assert(e != NULL && lines != NULL);
	if (call->header != NULL)
		rc = buf_printf(&line, "%s: %.*s", call->header, STR_FMT(call->value));
	if (rc == RC_OK && call->header != NULL)
		lines = curl_slist_append(lines, buf_c(&line));
	buf_wipe(&line);
	if (rc == RC_OK)
		rc = ask(e, &a, lines, ret_status, err);
	else
		rc = err_set(err, RC_LIMIT, "agent_token", "its token is too long");
	curl_slist_free_all(lines);
	curl_easy_cleanup(e);
	return rc;
}
