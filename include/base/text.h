/* Encodings and text hygiene. Everything that AWS or a client sends passes text_clean() before
 * Postgres sees it. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

/* Bytes of the valid UTF-8 character that s begins with, 0 if it begins with none (or is empty);
 * *ret is its code point. NUL is a character here. */
size_t text_next(struct str s, uint32_t *ret);
bool text_is_utf8(struct str s); /* valid UTF-8 without NUL, surrogates or overlong forms */
/* Appends s with NUL dropped and each invalid byte replaced by U+FFFD. */
MUST_CHECK enum rc text_clean(struct buf *out, struct str s);
/* %XX decoding only; '+' stays '+'. RC_INVALID on a bad escape. */
MUST_CHECK enum rc text_percent_decode(struct buf *out, struct str s);
/* RFC 3986: everything but A-Za-z0-9-._~ as %XX upper case; '/' kept when keep_slash. */
MUST_CHECK enum rc text_percent_encode(struct buf *out, struct str s, bool keep_slash);
MUST_CHECK enum rc text_hex(struct buf *out, struct str bytes); /* lower case */
MUST_CHECK enum rc text_base64(struct buf *out, struct str bytes);
/* Standard alphabet, padding optional, ASCII white space skipped. RC_INVALID else. */
MUST_CHECK enum rc text_base64_decode(struct buf *out, struct str s);

enum { TEXT_SHA256 = 32, TEXT_SHA256_HEX = 65 };
void text_sha256(struct str s, unsigned char out[TEXT_SHA256]);
void text_sha256_hex(struct str s, char out[TEXT_SHA256_HEX]);
void text_hmac_sha256(struct str key, struct str msg, unsigned char out[TEXT_SHA256]);

#endif
