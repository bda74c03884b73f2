/* sigv4_probe: reads requests as JSON lines, prints each stage of their signature as JSON lines, for
 * comparison with another author's signer. Not part of the product.
 *
 * In: method, path (encoded once), path_as_is, query [[name, value]...], headers [[name, value]...],
 * body, service, region, access_key_id, secret, wall (seconds). Out: canonical, string_to_sign,
 * authorization. */
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "workers/aws/sigv4.h"
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_BYTES = 1 << 20 };

static size_t pairs(const json_t *list, struct sigv4_pair out[SIGV4_PAIRS_MAX])
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n && i < SIGV4_PAIRS_MAX; i++) {
		const json_t *pair = json_array_get(list, i);
		const json_t *name = json_array_get(pair, 0);
		const json_t *value = json_array_get(pair, 1);

		out[i].name = str_n(json_string_value(name), json_string_length(name));
		out[i].value = str_n(json_string_value(value), json_string_length(value));
	}
	return n;
}

static json_t *sign(struct sigv4 *signer, const json_t *in, struct err *err)
{
	AUTO(buf) struct buf canonical = BUF_INIT(SIGV4_TEXT_MAX);
	AUTO(buf) struct buf text = BUF_INIT(SIGV4_TEXT_MAX);
	AUTO(buf) struct buf authorization = BUF_INIT(SIGV4_TEXT_MAX);
	struct sigv4_pair query[SIGV4_PAIRS_MAX], headers[SIGV4_PAIRS_MAX];
	char hash[TEXT_SHA256_HEX];
	AUTO_TEXT char *method = str_dup(json_str(in, "method"));
	struct sigv4_request r = {
		.method = method,
		.path = json_str(in, "path"),
		.path_as_is = json_bool(in, "path_as_is"),
		.query = query,
		.query_n = pairs(json_object_get(in, "query"), query),
		.headers = headers,
		.headers_n = pairs(json_object_get(in, "headers"), headers),
	};
	const struct sigv4_scope scope = { json_i64(in, "wall", 0) * CLOCK_S,
					   json_str(in, "region"), json_str(in, "service") };
	const struct sigv4_keys keys = { json_str(in, "access_key_id"), json_str(in, "secret"),
					 (uint64_t)json_i64(in, "key_number", 0) };

	digest_sha256_hex(sigv4_digest(signer), json_str(in, "body"), hash);
	r.payload_hash = str_c(hash);
	if (sigv4_canonical(&r, &canonical, err) != RC_OK ||
	    sigv4_string_to_sign(sigv4_digest(signer), &scope, buf_str(&canonical), &text, err) !=
		    RC_OK ||
	    sigv4_authorize(signer, &r, &scope, &keys, &authorization, err) != RC_OK)
		return json_pack("{s:s}", "error", err->text);
	return json_pack("{s:s%, s:s%, s:s%}", "canonical", canonical.p, canonical.n,
			 "string_to_sign", text.p, text.n, "authorization", authorization.p,
			 authorization.n);
}

int main(void)
{
	AUTO(sigv4) struct sigv4 *signer = NULL;
	AUTO_TEXT char *line = mem_alloc(LINE_MAX_BYTES);

	secret_harden_process();
	json_setup();
	signer = sigv4_new();
	while (fgets(line, LINE_MAX_BYTES, stdin) != NULL) {
		AUTO_JSON json_t *in = NULL;
		AUTO_JSON json_t *out = NULL;
		struct err err = { 0 };
		char *text;

		if (json_parse(str_trim(str_c(line)), 8, &in, &err) != RC_OK) {
			fprintf(stderr, "sigv4_probe: %s\n", err.text);
			return 2;
		}
		out = sign(signer, in, &err);
		text = json_text(out);
		puts(text);
		mem_free(text);
	}
	return 0;
}
