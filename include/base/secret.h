/* struct secret: bytes in guarded memory, zeroed when freed. There is no way to print one. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/err.h"
#include "base/str.h"

enum { SECRET_MAX = 64 * 1024 };

struct secret {
	unsigned char *bytes; /* sodium_malloc */
	size_t n;
};

void secret_free(struct secret *s);
DEFINE_AUTO(secret)
struct secret *secret_new(size_t n) NEVER_NULL; /* zeroed; n <= SECRET_MAX */
struct secret *secret_copy(struct str bytes) NEVER_NULL;
/* Reads a whole small file (a key, a token). RC_NOT_FOUND, RC_LIMIT (> SECRET_MAX). Trailing
 * newline is cut. */
MUST_CHECK enum rc secret_read_file(const char *path, struct secret **ret, struct err *err);
struct str secret_str(const struct secret *s); /* borrowed; for signing and sealing only */
bool secret_eq(struct str a, struct str b);    /* constant time for equal lengths */
/* Call once in main before any other base call: sodium_init, no core dumps, not dumpable. */
void secret_harden_process(void);

#endif
