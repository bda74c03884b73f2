/* libcurl parses, so that what is judged is what will be asked. */
#include "workers/aws/source_url.h"
#include "base/str.h"
#include <arpa/inet.h>
#include <curl/curl.h>

enum { URL_MAX = 2048 };

/* "127.0.0.1", "[::1]". Names but localhost are no addresses, whatever they resolve to. */
static bool is_of_door(struct str host, enum netguard_door door)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	char text[INET6_ADDRSTRLEN];

	if (str_eq_nocase(host, S("localhost")))
		return true;
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = str_sub(host, 1, host.n - 2);
	if (host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return netguard_opens(door, (const struct sockaddr *)&v4, sizeof(v4));
	return inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 &&
	       netguard_opens(door, (const struct sockaddr *)&v6, sizeof(v6));
}

static bool has_part(CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(u, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

static bool judge(CURLU *u, enum netguard_door door)
{
	char *scheme = NULL, *host = NULL;
	bool good = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK;

	if (good && strcmp(scheme, "https") != 0)
		good = strcmp(scheme, "http") == 0 && is_of_door(str_c(host), door);
	curl_free(scheme);
	curl_free(host);
	return good && !has_part(u, CURLUPART_USER) && !has_part(u, CURLUPART_PASSWORD) &&
	       !has_part(u, CURLUPART_FRAGMENT);
}

bool source_url_may_ask(const char *url, enum netguard_door door)
{
	CURLU *u = NULL;
	bool good = true;

	if (strlen(url) > URL_MAX)
		return false;
	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return false;
	u = curl_url();
	good = u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && judge(u, door);
	curl_url_cleanup(u);
	return good;
}
