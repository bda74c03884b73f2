/* Reads the two PEM files of the HTTPS listener and makes sure that they belong together, so that a
 * mistake is one sentence at start. Never asks for a passphrase; never prints a key. */
#include "server/tls.h"
#include "base/log.h"
#include "base/mem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

static void x509_done(X509 **p)
{
	X509_free(*p);
}

static void pkey_done(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

#define AUTO_X509 __attribute__((cleanup(x509_done)))
#define AUTO_PKEY __attribute__((cleanup(pkey_done)))

void tls_free(struct tls *t)
{
	if (!t)
		return;
	mem_free(t->cert);
	secret_free(t->key);
	mem_free(t);
}

/* A key with a passphrase is one that nobody is there to type. */
static int no_passphrase(char *text, int size, int writing, void *arg)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static enum rc read_file(const char *setting, const char *path, struct secret **ret,
			 struct err *err)
{
	AUTO(secret) struct secret *text = NULL;
	struct err why = { 0 };

	if (secret_read_file(path, &text, &why) != RC_OK)
		return err_set(err, RC_INVALID, "tls", "%s: %s", setting, why.text);
	*ret = secret_new(text->n + 1);
	memcpy((*ret)->bytes, text->bytes, text->n);
	return RC_OK;
}

static enum rc check_mode(const char *path, struct err *err)
{
	struct stat st = { 0 };

	if (stat(path, &st) != 0 || (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) == 0)
		return RC_OK; /* what cannot be looked at cannot be read either, which is told then */
	return err_set(err, RC_INVALID, "tls",
		       "tls_key_file: %s has mode %04o: others may read or change it; chmod 600",
		       path, st.st_mode & 07777U);
}

static X509 *parse_cert(const char *pem)
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	X509 *cert = in ? PEM_read_bio_X509(in, NULL, no_passphrase, NULL) : NULL;

	BIO_free(in);
	return cert;
}

static EVP_PKEY *parse_key(const struct secret *pem)
{
	BIO *in = BIO_new_mem_buf(pem->bytes, (int)(pem->n - 1));
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;

	BIO_free(in);
	return key;
}

static enum rc check_pair(const struct tls *t, const char *cert_path, const char *key_path,
			  struct err *err)
{
	AUTO_X509 X509 *cert = parse_cert(t->cert);
	AUTO_PKEY EVP_PKEY *key = parse_key(t->key);
	bool belongs = cert && key && X509_check_private_key(cert, key) == 1;

	ERR_clear_error();
	if (!cert)
		return err_set(err, RC_INVALID, "tls",
			       "tls_cert_file: %s does not begin with a certificate in PEM",
			       cert_path);
	if (!key)
		return err_set(err, RC_INVALID, "tls",
			       "tls_key_file: %s holds no private key in PEM without a passphrase",
			       key_path);
	if (!belongs)
		return err_set(err, RC_INVALID, "tls",
			       "tls_key_file: the key in %s is not that of the first certificate"
			       " in %s",
			       key_path, cert_path);
	/* Served all the same: clients see it as well, and a start that fails would be worse. */
	if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
		log_event(LOG_WARN, "tls_certificate_expired", LOG_STR("file", cert_path), LOG_END);
	return RC_OK;
}

enum rc tls_load(const char *cert_path, const char *key_path, struct tls **ret, struct err *err)
{
	AUTO(tls) struct tls *t = MEM_NEW(struct tls);
	AUTO(secret) struct secret *cert = NULL;
	enum rc rc = RC_OK;

	if (!*cert_path && !*key_path)
		return RC_OK;
	if (!*cert_path || !*key_path)
		return err_set(err, RC_INVALID, "tls",
			       "%s is set and %s is not: HTTPS needs both, plain HTTP neither",
			       *cert_path ? "tls_cert_file" : "tls_key_file",
			       *cert_path ? "tls_key_file" : "tls_cert_file");
	rc = read_file("tls_cert_file", cert_path, &cert, err);
	if (rc == RC_OK)
		rc = check_mode(key_path, err);
	if (rc == RC_OK)
		rc = read_file("tls_key_file", key_path, &t->key, err);
	if (rc != RC_OK)
		return rc;
	t->cert = mem_copy((const char *)cert->bytes);
	rc = check_pair(t, cert_path, key_path, err);
	if (rc == RC_OK)
		*ret = TAKE(t);
	return rc;
}
