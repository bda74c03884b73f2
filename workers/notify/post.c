/* The only file of notify/ that drives libcurl. The reply is counted and dropped. */
#include "workers/notify/post.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static bool count(struct post *f, size_t n)
{
	f->received += n;
	return f->received <= POST_REPLY_MAX;
}

static size_t on_head(char *bytes, size_t size, size_t n, void *arg)
{
	struct post *f = arg;
	struct str line = str_n(bytes, size * n);
	struct str rest = str_trim(line);
	long status = 0;

	if (!count(f, line.n))
		return 0;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (rest.n == 0) {
		f->head_done = status >= 200;
	} else if (status >= 200) {
		struct str name = str_cut(&rest, ':');

		if (str_eq_nocase(name, S("Retry-After")))
			(void)snprintf(f->retry_after, sizeof(f->retry_after), "%.*s",
				       STR_FMT(str_trim(rest)));
	}
	return line.n;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct post *f = arg;

	(void)bytes;
	return count(f, size * n) ? size * n : 0;
}

/* After name resolution and before connect: the one place where an address is what it is. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct post *f = arg;

	(void)purpose;
	if (!allow_address(&f->env->allow, &address->addr, (socklen_t)address->addrlen)) {
		f->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool add_line(struct post *f, const char *name, const char *value)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%s:%s%s", name, *value ? " " : "", value);
	struct curl_slist *more = NULL;

	if (n < 0 || (size_t)n >= sizeof(line))
		return false;
	more = curl_slist_append(f->lines, line);
	if (more)
		f->lines = more;
	return more != NULL;
}

static bool add_lines(struct post *f, const struct post_order *o)
{
	char seconds[24];

	(void)snprintf(seconds, sizeof(seconds), "%lld", (long long)o->timestamp_s);
	return add_line(f, "Expect", "") && add_line(f, "content-type", "application/json") &&
	       add_line(f, "webhook-id", o->id) && add_line(f, "webhook-timestamp", seconds) &&
	       add_line(f, "webhook-signature", o->signature);
}

/* What is not listed here is not wanted. */
static bool set_options(struct post *f, const char *url)
{
	CURL *e = f->easy;
	const char *protocols = f->env->allow_http ? "https,http" : "https";

	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PRIVATE, f);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)POST_CONNECT_S);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)POST_TOTAL_S);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "connectord");
	curl_easy_setopt(e, CURLOPT_POST, 1L);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, buf_c(&f->body));
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->body.n);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->lines);
	if (*f->env->ca_file != '\0')
		curl_easy_setopt(e, CURLOPT_CAINFO, f->env->ca_file);
	return curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK;
}

enum rc post_start(struct post *f, CURLM *multi, const struct post_order *order, struct err *err)
{
	f->received = 0;
	f->head_done = false;
	f->refused = false;
	f->retry_after[0] = '\0';
	f->easy = curl_easy_init();
	if (!f->easy || !add_lines(f, order) || !set_options(f, order->url) ||
	    curl_multi_add_handle(multi, f->easy) != CURLM_OK) {
		post_close(f, multi);
		return err_set(err, RC_BROKEN, "transport", "libcurl refuses a webhook's request");
	}
	f->open = true;
	return RC_OK;
}

void post_close(struct post *f, CURLM *multi)
{
	if (f->open)
		curl_multi_remove_handle(multi, f->easy);
	if (f->easy)
		curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->lines);
	buf_done(&f->body);
	f->easy = NULL;
	f->lines = NULL;
	f->open = false;
}

static const char *fault_of(const struct post *f, CURLcode code)
{
	long asked = 0;

	curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &asked);
	if (f->received > POST_REPLY_MAX)
		return "reply_too_long";
	if (f->refused && code == CURLE_COULDNT_CONNECT)
		return "address_refused";
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return "host_not_found";
	if (code == CURLE_COULDNT_CONNECT)
		return "connect_failed";
	if (code == CURLE_OPERATION_TIMEDOUT)
		return "timeout";
	if (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
	    code == CURLE_SSL_CACERT_BADFILE)
		return "tls_failed";
	if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
		return asked > 0 ? "not_http" : "url_refused"; /* an answer without a head */
	return "connection_lost";
}

/* An answer is one as soon as its head is whole: what happens to the body changes nothing. */
struct post *post_ended(CURLM *multi, int *ret_status, const char **ret_fault)
{
	CURLMsg *message = NULL;
	int left = 0;

	while ((message = curl_multi_info_read(multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		struct post *f = NULL;
		char *owner = NULL;
		long status = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
		f = (struct post *)(void *)owner;
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		*ret_status = f->head_done ? (int)status : 0;
		*ret_fault = f->head_done ? "" : fault_of(f, code);
		return f;
	}
	return NULL;
}
