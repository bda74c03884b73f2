/* A very small client of /v1/admin: two POSTs. Keys pass through here and nowhere else. */
#include "server/firstorg.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"

#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REPLY_MAX = 64 * 1024, TIMEOUT_MS = 10000, HEADER_MAX = 1024 };
static const char HOST[] = "http://localhost/v1/admin/organizations";

void firstorg_done(struct firstorg *f)
{
	if (f->key)
		sodium_memzero(f->key, strlen(f->key));
	mem_free(f->key);
	mem_free(f->org_id);
}

bool firstorg_server_answers(const char *admin_socket)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = strlen(admin_socket);
	bool answers = false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	if (n < sizeof(to.sun_path)) {
		memcpy(to.sun_path, admin_socket, n);
		answers = connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
	}
	close(fd);
	return answers;
}

static size_t collect(char *bytes, size_t size, size_t n, void *reply)
{
	return buf_put(reply, str_n(bytes, size * n)) == RC_OK ? size * n : 0;
}

struct post {
	const char *socket, *url, *body;
	struct secret *operator_key;
};

static CURLcode send_post(const struct post *post, struct buf *reply, long *status)
{
	char authorization[HEADER_MAX];
	/* The newest is in the first line. */
	struct str rest = secret_str(post->operator_key), key = str_trim(str_cut(&rest, '\n'));
	struct curl_slist *headers = NULL;
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;

	snprintf(authorization, sizeof(authorization), "Authorization: Bearer %.*s", STR_FMT(key));
	headers = curl_slist_append(headers, authorization);
	headers = curl_slist_append(headers, "Content-Type: application/json");
	if (curl && headers) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, post->socket);
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
		curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
		curl_easy_setopt(curl, CURLOPT_URL, post->url);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->body);
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
		curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
		code = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	sodium_memzero(authorization, sizeof(authorization));
	return code;
}

/* *ret_value: the text member of a 201 reply. */
static enum rc post_for(const struct post *post, const char *member, char **ret_value,
			struct err *err)
{
	AUTO(buf) struct buf reply = BUF_INIT(REPLY_MAX);
	AUTO_JSON json_t *json = NULL;
	long status = 0;
	CURLcode code = send_post(post, &reply, &status);

	if (code != CURLE_OK)
		return err_set(err, RC_RETRY, "server_away",
			       "the server does not answer on its operator socket: %s",
			       curl_easy_strerror(code));
	if (json_parse(buf_str(&reply), JSON_DEPTH_MAX, &json, NULL) != RC_OK || status != 201 ||
	    json_str(json, member).n == 0) {
		struct str detail = json_str(json, "detail");

		return err_set(err, RC_BROKEN, "first_organization",
			       "the first organization was not made: HTTP %ld %.*s", status,
			       STR_FMT(str_sub(detail, 0, 200)));
	}
	*ret_value = str_dup(json_str(json, member));
	buf_wipe(&reply);
	return RC_OK;
}

enum rc firstorg_make(const char *admin_socket, const char *operator_key_file, struct firstorg *ret,
		      struct err *err)
{
	AUTO(secret) struct secret *key = NULL;
	AUTO_TEXT char *keys_url = NULL;
	struct post post = { .socket = admin_socket,
			     .url = HOST,
			     .body = "{\"name\":\"default\"}" };
	enum rc rc = secret_read_file(operator_key_file, &key, err);

	if (rc != RC_OK)
		return rc;
	post.operator_key = key;
	rc = post_for(&post, "org_id", &ret->org_id, err);
	if (rc != RC_OK)
		return rc;
	keys_url = mem_text("%s/%s/keys", HOST, ret->org_id);
	post.url = keys_url;
	post.body = "{\"name\":\"first\",\"role\":\"owner\"}";
	return post_for(&post, "key", &ret->key, err);
}
