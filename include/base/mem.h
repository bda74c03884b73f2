/* Allocation that cannot fail quietly: out of memory ends the process (leases make that safe).
 * Sizes that a peer chooses are bounded before they come here. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/cdefs.h"
#include <stddef.h>

void mem_free(void *p);
void mem_wipe(void *p); /* zeroes the block, then frees it: for what held a secret */
void *mem_alloc(size_t n) NEVER_NULL FREED_BY(mem_free); /* zeroed */
void *mem_array(size_t count, size_t size)
	NEVER_NULL FREED_BY(mem_free); /* zeroed, overflow-checked */
void *mem_resize(void *p, size_t count, size_t size)
	NEVER_NULL; /* overflow-checked; new bytes are undefined */
char *mem_text(const char *fmt, ...) NEVER_NULL FREED_BY(mem_free) PRINTF_LIKE(1, 2);
char *mem_copy(const char *c) NEVER_NULL FREED_BY(mem_free); /* NULL copies as "" */

#define MEM_NEW(type) ((type *)mem_alloc(sizeof(type)))

/* AUTO_TEXT char *t = NULL; for owned C strings. */
static inline void mem_auto(char **p)
{
	mem_free(*p);
}
#define AUTO_TEXT __attribute__((cleanup(mem_auto)))

#endif
