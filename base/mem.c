/* The one place that allocates. Running out of memory ends the process: leases hand its work to
 * another one, and no caller carries a path that nobody can test.
 * Never returns NULL, never decides how much a peer may ask for. */
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

NORETURN static void out_of_memory(void)
{
	static const char message[] = "connectord: out of memory, ending this process\n";
	ssize_t written = write(STDERR_FILENO, message, sizeof(message) - 1);

	(void)written;
	abort();
}

void mem_free(void *p)
{
	free(p);
}

void mem_wipe(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void *mem_alloc(size_t n)
{
	/* One byte at least, so that an empty thing has an address of its own. */
	void *p = calloc(1, n ? n : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *mem_array(size_t count, size_t size)
{
	size_t n = 0;
	void *p = NULL;

	if (__builtin_mul_overflow(count, size, &n))
		out_of_memory();
	p = calloc(1, n ? n : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *mem_resize(void *p, size_t count, size_t size)
{
	size_t n = 0;
	void *grown = NULL;

	if (__builtin_mul_overflow(count, size, &n))
		out_of_memory();
	grown = realloc(p, n ? n : 1);
	if (!grown)
		out_of_memory();
	return grown;
}

char *mem_text(const char *fmt, ...)
{
	va_list args;
	char *text = NULL;
	int n = 0;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0 || !text)
		out_of_memory();
	return text;
}

char *mem_copy(const char *c)
{
	char *copy = strdup(c ? c : "");

	if (!copy)
		out_of_memory();
	return copy;
}
