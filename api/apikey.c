/* Making and reading the text of API keys.
 * Never keeps a secret: callers get text to show and a hash to store. */
#include "api/apikey.h"
#include "base/text.h"

#include <sodium.h>
#include <stdio.h>

enum { ID_HEX = 32, SECRET_BYTES = 32, SECRET_HEX = 64, CRC_HEX = 8 };
enum { TAIL = 1 + ID_HEX + 1 + SECRET_HEX + 1 + CRC_HEX };

/* CRC-32 of IEEE 802.3, four bits at once. */
static uint32_t crc32_of(struct str s)
{
	static const uint32_t NIBBLES[16] = {
		0x00000000U, 0x1db71064U, 0x3b6e20c8U, 0x26d930acU, 0x76dc4190U, 0x6b6b51f4U,
		0x4db26158U, 0x5005713cU, 0xedb88320U, 0xf00f9344U, 0xd6d6a3e8U, 0xcb61b38cU,
		0x9b64c2b0U, 0x86d3d2d4U, 0xa00ae278U, 0xbdbdf21cU,
	};
	uint32_t crc = 0xffffffffU;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= (unsigned char)s.p[i];
		crc = (crc >> 4) ^ NIBBLES[crc & 15];
		crc = (crc >> 4) ^ NIBBLES[crc & 15];
	}
	return ~crc;
}

static const char *const MARKS[] = { [KEYS_ORGANIZATION] = "", [KEYS_SERVICE] = "svc" };

void apikey_make(const struct http_env *env, enum keys_kind kind, struct id key_id,
		 char out[APIKEY_TEXT_MAX], unsigned char hash[KEYS_HASH])
{
	unsigned char secret[SECRET_BYTES];
	char hex[SECRET_HEX + 1], id[ID_TEXT_MAX];
	int n = 0;

	randombytes_buf(secret, sizeof(secret));
	sodium_bin2hex(hex, sizeof(hex), secret, sizeof(secret));
	id_text(key_id, "", id);
	n = snprintf(out, APIKEY_TEXT_MAX, "%s%s_%s_%s_%s_", env->key_prefix, MARKS[kind],
		     env->key_env, id, hex);
	(void)snprintf(out + n, APIKEY_TEXT_MAX - (size_t)n, "%08x",
		       crc32_of(str_n(out, (size_t)n)));
	text_sha256(str_n(hex, SECRET_HEX), hash);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(hex, sizeof(hex));
}

bool apikey_parse(const struct http_env *env, enum keys_kind kind, struct str text,
		  struct id *ret_key_id, unsigned char hash[KEYS_HASH])
{
	char head[64], crc[CRC_HEX + 1];
	struct str tail = S("");
	int n = snprintf(head, sizeof(head), "%s%s_%s", env->key_prefix, MARKS[kind], env->key_env);

	if (n < 0 || (size_t)n >= sizeof(head) || text.n != (size_t)n + TAIL ||
	    !str_starts(text, str_c(head)))
		return false;
	tail = str_sub(text, (size_t)n, TAIL);
	if (tail.p[0] != '_' || tail.p[1 + ID_HEX] != '_' || tail.p[2 + ID_HEX + SECRET_HEX] != '_')
		return false;
	(void)snprintf(crc, sizeof(crc), "%08x", crc32_of(str_sub(text, 0, text.n - CRC_HEX)));
	if (!str_eq(str_sub(text, text.n - CRC_HEX, CRC_HEX), str_c(crc)))
		return false;
	if (id_parse(str_sub(tail, 1, ID_HEX), "", ret_key_id) != RC_OK)
		return false;
	text_sha256(str_sub(tail, 2 + ID_HEX, SECRET_HEX), hash);
	return true;
}
