/* Reads a key set once and keeps of it what can verify a signature.
 * Never follows a redirect, never sends a credential, never keeps a secret or symmetric key. */
#include "server/jwks_fetch.h"
#include "base/secret.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Characters of base64url that 2048 and 8192 bits take. */
enum { CONNECT_TIMEOUT_S = 2, DEPTH_MAX = 8, RSA_MIN = 342, RSA_MAX = 1366 };

static bool is_http(const struct jwks_settings *s)
{
	return str_starts(str_c(s->url), S("http://"));
}

bool jwks_fetch_is_url(const struct jwks_settings *s)
{
	return str_starts(str_c(s->url), S("https://")) || (s->allow_http && is_http(s));
}

static bool is_signing(const json_t *key)
{
	const json_t *operations = json_object_get(key, "key_ops"), *one = NULL;
	struct str use = json_str(key, "use");
	size_t i = 0;

	if (json_object_get(key, "use") && !str_eq(use, S("sig")))
		return false;
	if (!operations)
		return true;
	json_array_foreach (operations, i, one)
		if (json_is_string(one) && str_eq(str_c(json_string_value(one)), S("verify")))
			return true;
	return false;
}

static bool is_usable(const json_t *key)
{
	struct str kty = json_str(key, "kty"), n = json_str(key, "n");

	if (!is_signing(key) || json_object_get(key, "d") || json_object_get(key, "k"))
		return false;
	if (str_eq(kty, S("EC")))
		return json_str(key, "crv").n > 0 && json_str(key, "x").n > 0 &&
		       json_str(key, "y").n > 0;
	return str_eq(kty, S("RSA")) && n.n >= RSA_MIN && n.n <= RSA_MAX &&
	       json_str(key, "e").n > 0;
}

enum rc jwks_fetch_read(struct str text, json_t **ret, struct err *err)
{
	AUTO_JSON json_t *tree = NULL;
	json_t *given = NULL, *kept = NULL, *key = NULL;
	size_t i = 0;
	enum rc rc = json_parse(text, DEPTH_MAX, &tree, err);

	if (rc != RC_OK)
		return rc;
	given = json_object_get(tree, "keys");
	if (!json_is_array(given) || json_array_size(given) > JWKS_FETCH_KEYS)
		return err_set(err, RC_INVALID, "keys_unavailable",
			       "the key set has no member keys with at most %d keys",
			       JWKS_FETCH_KEYS);
	kept = json_array();
	json_array_foreach (given, i, key)
		if (is_usable(key))
			(void)json_array_append(kept, key);
	*ret = kept;
	return RC_OK;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *body)
{
	return buf_put(body, str_n(bytes, size * n)) == RC_OK ? size * n : 0;
}

static int on_progress(void *stop, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return atomic_load((const atomic_bool *)stop);
}

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *four = (const void *)address;
	const struct sockaddr_in6 *six = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

/* Plain http stays on this machine, whatever the name in the URL resolves to. refused: NULL for https. */
static curl_socket_t on_socket(void *refused, curlsocktype purpose, struct curl_sockaddr *address)
{
	bool *is_refused = refused;

	(void)purpose;
	if (is_refused && !is_loopback(&address->addr)) {
		*is_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* What is not listed here is not wanted. */
static void prepare(CURL *e, const struct jwks_settings *s, const atomic_bool *stop,
		    struct buf *body, bool *refused)
{
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_URL, s->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, is_http(s) ? "http" : "https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)JWKS_FETCH_TIMEOUT_S);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "connectord");
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, is_http(s) ? refused : NULL);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(e, CURLOPT_XFERINFODATA, (void *)(uintptr_t)stop);
	if (*s->ca_file)
		curl_easy_setopt(e, CURLOPT_CAINFO, s->ca_file);
}

static enum rc get(const struct jwks_settings *s, const atomic_bool *stop, struct buf *body,
		   struct err *err)
{
	CURL *e = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;
	bool refused = false;
	long status = 0;

	if (e) {
		prepare(e, s, stop, body, &refused);
		code = curl_easy_perform(e);
		(void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_easy_cleanup(e);
	if (refused)
		return err_set(err, RC_RETRY, "keys_unavailable",
			       "the host of jwt_jwks_url is not this machine; plain http may not"
			       " leave it");
	if (code == CURLE_WRITE_ERROR)
		return err_set(err, RC_RETRY, "keys_unavailable",
			       "the key set has more than %d bytes", JWKS_FETCH_BYTES);
	if (code != CURLE_OK)
		return err_set(err, RC_RETRY, "keys_unavailable",
			       "the key set could not be fetched: %s", curl_easy_strerror(code));
	if (status != 200)
		return err_set(err, RC_RETRY, "keys_unavailable",
			       "the key set was answered with HTTP %ld; only 200 will do, and"
			       " redirects are not followed",
			       status);
	return RC_OK;
}

static enum rc unusable(enum rc rc, struct err *own, struct err *err)
{
	if (rc == RC_OK)
		return RC_OK;
	return err_set(err, RC_RETRY, "keys_unavailable", "%s", own->text);
}

enum rc jwks_fetch(const struct jwks_settings *s, const atomic_bool *stop, json_t **ret,
		   struct err *err)
{
	AUTO(buf) struct buf body = BUF_INIT(JWKS_FETCH_BYTES);
	AUTO(secret) struct secret *file = NULL;
	struct err own = { 0 };
	enum rc rc = RC_OK;

	if (*s->file) {
		rc = secret_read_file(s->file, &file, &own);
		if (rc == RC_OK)
			rc = jwks_fetch_read(secret_str(file), ret, &own);
		return unusable(rc, &own, err);
	}
	rc = get(s, stop, &body, err);
	if (rc != RC_OK)
		return rc;
	rc = jwks_fetch_read(buf_str(&body), ret, &own);
	return unusable(rc, &own, err);
}
