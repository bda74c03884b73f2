/* Attributes and the ownership grammar that every other header uses.
 *
 * AUTO(buf) struct buf b = ...   the variable is released when its scope ends
 * TAKE(p)                        hands an owned pointer on and leaves NULL behind
 * A function uses AUTO or goto, never both. */
#ifndef BASE_CDEFS_H
#define BASE_CDEFS_H

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NEVER_NULL             __attribute__((returns_nonnull))
#define NORETURN               __attribute__((noreturn))

#if defined(__GNUC__) && !defined(__clang__)
#define FREED_BY(fn) __attribute__((malloc, malloc(fn, 1)))
#else
#define FREED_BY(fn) __attribute__((malloc))
#endif

/* clang's -Wthread-safety checks these; gcc ignores them. */
#if defined(__clang__)
#define LOCKABLE          __attribute__((capability("mutex")))
#define ACQUIRES(...)     __attribute__((acquire_capability(__VA_ARGS__)))
#define RELEASES(...)     __attribute__((release_capability(__VA_ARGS__)))
#define REQUIRES(...)     __attribute__((requires_capability(__VA_ARGS__)))
#define ASSERTS_HELD(...) __attribute__((assert_capability(__VA_ARGS__)))
#define UNCHECKED_LOCKING __attribute__((no_thread_safety_analysis))
#else
#define LOCKABLE
#define ACQUIRES(...)
#define RELEASES(...)
#define REQUIRES(...)
#define ASSERTS_HELD(...)
#define UNCHECKED_LOCKING
#endif

/* AUTO(x) needs DEFINE_AUTO(x) (for a pointer: calls x_free) or DEFINE_AUTO_VALUE(x, fn). */
#define AUTO(type) __attribute__((cleanup(auto_##type)))
#define DEFINE_AUTO(type)                                                                          \
	static inline void auto_##type(struct type **p)                                            \
	{                                                                                          \
		type##_free(*p);                                                                   \
	}
#define DEFINE_AUTO_VALUE(type, done)                                                              \
	static inline void auto_##type(struct type *p)                                             \
	{                                                                                          \
		done(p);                                                                           \
	}
#define TAKE(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#endif
