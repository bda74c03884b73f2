/* struct str: borrowed bytes, by value. It owns nothing and need not end in NUL. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/cdefs.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

/* A literal as struct str; str_c() for a C string (NULL is the empty string). */
#define S(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
static inline struct str str_c(const char *c)
{
	return (struct str){ c ? c : "", c ? strlen(c) : 0 };
}
static inline struct str str_n(const void *p, size_t n)
{
	return (struct str){ p, n };
}
/* Arguments for "%.*s". */
#define STR_FMT(s) (int)(s).n, (s).p

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
int str_cmp(struct str a, struct str b);        /* byte order */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_has(struct str s, struct str needle);
struct str str_sub(struct str s, size_t from, size_t n); /* clamped */
/* Splits *rest at the first sep: returns what precedes it and advances *rest behind it; without sep
 * returns all. */
struct str str_cut(struct str *rest, char sep);
struct str str_trim(struct str s); /* ASCII white space, both ends */
/* Whole-string decimal, no sign for u64, no spaces, range-checked. False: *ret is untouched. */
bool str_to_i64(struct str s, int64_t *ret);
bool str_to_u64(struct str s, uint64_t *ret);
/* An owned NUL-terminated copy, freed with mem_free(). */
char *str_dup(struct str s) NEVER_NULL;

#endif
