/* Identifiers. UUIDv7 (RFC 9562, method 3): the 12 bits behind the millisecond count its fraction,
 * so ids of one process are in order to a quarter of a microsecond without any shared state.
 * Never an authority: knowing an id grants nothing. */
#include "base/id.h"
#include "base/clock.h"

#include <assert.h>
#include <sodium.h>

enum { ID_HEX = ID_BYTES * 2, ID_PREFIX_MAX = ID_TEXT_MAX - ID_HEX - 1, ID_HASH_BYTES = 32 };

static void stamp(struct id *id, unsigned version)
{
	id->b[6] = (unsigned char)((id->b[6] & 0x0f) | version << 4);
	id->b[8] = (unsigned char)((id->b[8] & 0x3f) | 0x80);
}

/* Ids are many and no secrets: one call to the kernel serves a few dozen of a thread's. */
void id_bytes(unsigned char *out, size_t n)
{
	static __thread unsigned char stock[512];
	static __thread size_t left;

	assert(n <= sizeof(stock));
	if (left < n) {
		randombytes_buf(stock, sizeof(stock));
		left = sizeof(stock);
	}
	left -= n;
	memcpy(out, stock + left, n);
}

struct id id_new(void)
{
	struct id id = { 0 };
	int64_t wall = clock_wall();
	uint64_t ms = (uint64_t)(wall / CLOCK_MS);
	uint64_t fraction = (uint64_t)(wall % CLOCK_MS) * 4096 / (uint64_t)CLOCK_MS;

	id_bytes(id.b + 8, sizeof(id.b) - 8);
	for (int i = 0; i < 6; i++)
		id.b[i] = (unsigned char)(ms >> (40 - 8 * i));
	id.b[6] = (unsigned char)(fraction >> 8);
	id.b[7] = (unsigned char)fraction;
	stamp(&id, 7);
	return id;
}

struct id id_random(void)
{
	struct id id = { 0 };

	randombytes_buf(id.b, sizeof(id.b));
	stamp(&id, 4);
	return id;
}

void id_hex(char *out, const unsigned char *bytes, size_t n)
{
	static const char DIGITS[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = DIGITS[bytes[i] >> 4];
		*out++ = DIGITS[bytes[i] & 15];
	}
}

void id_uuid(struct id id, char out[ID_UUID_TEXT])
{
	static const size_t GROUPS[] = { 4, 2, 2, 2, 6 };
	const unsigned char *from = id.b;

	for (size_t i = 0; i < COUNT_OF(GROUPS); i++) {
		id_hex(out, from, GROUPS[i]);
		from += GROUPS[i];
		out += 2 * GROUPS[i];
		*out++ = '-';
	}
	out[-1] = '\0';
}

void id_text(struct id id, const char *prefix, char out[ID_TEXT_MAX])
{
	size_t n = strlen(prefix);

	assert(n <= ID_PREFIX_MAX);
	memcpy(out, prefix, n);
	id_hex(out + n, id.b, sizeof(id.b));
	out[n + ID_HEX] = '\0';
}

bool id_eq(struct id a, struct id b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

static int digit(char c, bool upper)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (upper && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool read_hex(struct str s, bool upper, unsigned char *out)
{
	for (size_t i = 0; i + 1 < s.n; i += 2) {
		int high = digit(s.p[i], upper), low = digit(s.p[i + 1], upper);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (unsigned char)(high << 4 | low);
	}
	return true;
}

enum rc id_parse_uuid(struct str s, struct id *ret)
{
	struct id id = { 0 };

	if (s.n != ID_UUID_TEXT - 1 || s.p[8] != '-' || s.p[13] != '-' || s.p[18] != '-' ||
	    s.p[23] != '-')
		return RC_INVALID;
	if (!read_hex(str_sub(s, 0, 8), true, id.b) ||
	    !read_hex(str_sub(s, 9, 4), true, id.b + 4) ||
	    !read_hex(str_sub(s, 14, 4), true, id.b + 6) ||
	    !read_hex(str_sub(s, 19, 4), true, id.b + 8) ||
	    !read_hex(str_sub(s, 24, 12), true, id.b + 10))
		return RC_INVALID;
	*ret = id;
	return RC_OK;
}

enum rc id_parse(struct str s, const char *prefix, struct id *ret)
{
	struct str head = str_c(prefix);
	struct id id = { 0 };

	if (s.n != head.n + ID_HEX || !str_starts(s, head) ||
	    !read_hex(str_sub(s, head.n, ID_HEX), false, id.b))
		return RC_INVALID;
	*ret = id;
	return RC_OK;
}

/* Stored keys depend on these bytes: BLAKE2b with 32 bytes of output, over (8 bytes little-endian
 * length, bytes) of each part, cut to 16. */
struct id id_hash(const struct str *parts, size_t n)
{
	crypto_generichash_state state;
	unsigned char hash[ID_HASH_BYTES];
	struct id id = { 0 };

	crypto_generichash_init(&state, NULL, 0, sizeof(hash));
	for (size_t i = 0; i < n; i++) {
		unsigned char length[8];

		for (unsigned k = 0; k < sizeof(length); k++)
			length[k] = (unsigned char)((uint64_t)parts[i].n >> 8 * k);
		crypto_generichash_update(&state, length, sizeof(length));
		if (parts[i].n)
			crypto_generichash_update(&state, (const unsigned char *)parts[i].p,
						  parts[i].n);
	}
	crypto_generichash_final(&state, hash, sizeof(hash));
	memcpy(id.b, hash, sizeof(id.b));
	return id;
}
