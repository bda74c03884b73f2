/* Takes the place of the C library's free() and realloc() in every connectord process: what is given back is zeroed first, whoever
 * gives it back. Secrets pass through buffers that are not ours (libmicrohttpd's, libcurl's, OpenSSL's, stdio's), so wiping our own
 * would leave their copies in the heap (docs/decisions/0012-secrets-in-memory.md).
 * Never allocates in a way of its own: the blocks are the C library's, which these functions call. */
#include "base/sanitized.h"

#include <malloc.h>
#include <stdint.h>
#include <string.h>

#if !defined(SANITIZED_BUILD)

/* glibc's own names for what it does itself; part of its stable interface. */
extern void *__libc_malloc(size_t n);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);

void free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	__libc_free(p);
}

/* A block that grows is copied here and not by the C library, which would leave the old one as it was. */
void *realloc(void *p, size_t n)
{
	size_t room = p ? malloc_usable_size(p) : 0;
	void *grown = NULL;

	if (p && n > 0 && n <= room) {
		explicit_bzero((char *)p + n, room - n);
		return n > room / 2 ? p : __libc_realloc(p, n);
	}
	if (p && n == 0) {
		free(p);
		return NULL;
	}
	grown = __libc_malloc(n);
	if (grown && p) {
		memcpy(grown, p, room);
		free(p);
	}
	return grown;
}

#endif
