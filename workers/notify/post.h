/* One POST to a receiver that nobody vouches for: bounded in time and bytes, never redirected, never
 * through a proxy, never to an address that is not allowed. */
#ifndef WORKERS_NOTIFY_POST_H
#define WORKERS_NOTIFY_POST_H

#include "base/buf.h"
#include "base/id.h"
#include "workers/notify/deliver_env.h"
#include <curl/curl.h>

enum {
	POST_CONNECT_S = 5,
	POST_TOTAL_S = 15,
	POST_REPLY_MAX = 64 * 1024, /* head and body together; both are dropped */
	POST_BODY_MAX = 20 * 1000,
	POST_RETRY_AFTER_MAX = 64
};

struct post {
	bool open;
	struct id delivery_id, webhook_id;
	int before; /* attempts before this one */
	CURL *easy;
	struct curl_slist *lines;
	struct buf body;
	const struct deliver_env *env;
	size_t received;
	bool head_done; /* the whole head of a final answer came */
	bool refused;   /* an address was */
	char retry_after[POST_RETRY_AFTER_MAX];
};

struct post_order {
	const char *url, *id;
	int64_t timestamp_s;
	const char *signature;
};
/* body of the flight is filled by then. */
MUST_CHECK enum rc post_start(struct post *f, CURLM *multi, const struct post_order *order,
			      struct err *err);
/* The next flight that has ended, NULL = none has. *ret_status 0: no answer came, and *ret_fault says
 * why. */
struct post *post_ended(CURLM *multi, int *ret_status, const char **ret_fault);
/* Ends it whatever it does; it may be started anew. */
void post_close(struct post *f, CURLM *multi);

#endif
