/* Hash contexts for the signer. Knows neither AWS nor requests. */
#include "workers/aws/digest.h"
#include "base/mem.h"
#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>

struct digest {
	EVP_MD_CTX *sha;
	EVP_MAC_CTX *mac;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_MAC *hmac;

/* Kept for the life of the process; OpenSSL frees its own tables at exit. */
static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	assert(sha256 != NULL && hmac != NULL);
}

void digest_free(struct digest *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->sha);
	EVP_MAC_CTX_free(d->mac);
	mem_free(d);
}

struct digest *digest_new(void)
{
	struct digest *d = MEM_NEW(struct digest);
	char name[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};

	pthread_once(&once, fetch);
	d->sha = EVP_MD_CTX_new();
	d->mac = EVP_MAC_CTX_new(hmac);
	assert(d->sha != NULL && d->mac != NULL);
	/* Names the hash once; later inits only change the key. */
	int ok = EVP_MAC_CTX_set_params(d->mac, params);
	assert(ok == 1);
	return d;
}

void digest_sha256_hex(struct digest *d, struct str s, char out[TEXT_SHA256_HEX])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[TEXT_SHA256];
	unsigned int n = 0;
	int ok = EVP_DigestInit_ex(d->sha, sha256, NULL) == 1 &&
		 EVP_DigestUpdate(d->sha, s.p, s.n) == 1 &&
		 EVP_DigestFinal_ex(d->sha, raw, &n) == 1;

	assert(ok && n == sizeof(raw));
	for (size_t i = 0; i < sizeof(raw); i++) {
		out[2 * i] = hex[raw[i] >> 4];
		out[2 * i + 1] = hex[raw[i] & 15];
	}
	out[TEXT_SHA256_HEX - 1] = '\0';
}

void digest_hmac(struct digest *d, struct str key, struct str msg, unsigned char out[TEXT_SHA256])
{
	size_t n = 0;
	int ok = EVP_MAC_init(d->mac, (const unsigned char *)key.p, key.n, NULL) == 1 &&
		 EVP_MAC_update(d->mac, (const unsigned char *)msg.p, msg.n) == 1 &&
		 EVP_MAC_final(d->mac, out, &n, TEXT_SHA256) == 1;

	assert(ok && n == TEXT_SHA256);
}
