/* The text of API keys: <prefix>_<env>_<key id, 32 hex>_<secret, 64 hex>_<CRC-32, 8 hex>; a service
 * key's prefix has "svc" at its end, so that neither kind can be taken for the other.
 * The CRC lets junk be refused without a database call; the id is safe in logs; of the secret only
 * its SHA-256 is kept. */
#ifndef API_APIKEY_H
#define API_APIKEY_H

#include "api/http.h"
#include "db/keys.h"

enum { APIKEY_TEXT_MAX = 160 };

/* Makes a key: writes its text (to be shown once, then wiped by the caller) and its hash. */
void apikey_make(const struct http_env *env, enum keys_kind kind, struct id key_id,
		 char out[APIKEY_TEXT_MAX], unsigned char hash[KEYS_HASH]);
/* False: not a key of this kind and deployment, whatever it is. */
MUST_CHECK bool apikey_parse(const struct http_env *env, enum keys_kind kind, struct str text,
			     struct id *ret_key_id, unsigned char hash[KEYS_HASH]);

#endif
