/* Identifiers: UUIDv7 in the database, a prefix in the API ("conn_" + 32 hex digits). The org ID
 * alone is a bare UUID. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/err.h"
#include "base/str.h"

enum { ID_TEXT_MAX = 64, ID_UUID_TEXT = 37, ID_BYTES = 16 };

struct id {
	unsigned char b[ID_BYTES];
};

struct id id_new(void);                             /* UUIDv7 */
struct id id_random(void);                          /* UUIDv4 */
void id_uuid(struct id id, char out[ID_UUID_TEXT]); /* canonical lower-case text */
void id_text(struct id id, const char *prefix, char out[ID_TEXT_MAX]); /* prefix "conn_" */
/* Up to 512 random bytes for names, from a stock of the thread's: no secrets. */
void id_bytes(unsigned char *out, size_t n);
/* 2n lower-case digits, no NUL; of what is no secret, for its time depends on the bytes. */
void id_hex(char *out, const unsigned char *bytes, size_t n);
bool id_eq(struct id a, struct id b);
/* Exactly 8-4-4-4-12 lower- or upper-case hex. */
MUST_CHECK enum rc id_parse_uuid(struct str s, struct id *ret);
/* The prefix and exactly 32 lower-case hex digits: one spelling an id. */
MUST_CHECK enum rc id_parse(struct str s, const char *prefix, struct id *ret);
/* First 16 bytes of BLAKE2b over the parts, each preceded by its length: stable keys such as
 * entity_id. */
struct id id_hash(const struct str *parts, size_t n);

#endif
