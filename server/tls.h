/* The certificate and key of the HTTPS listener, judged before anything listens. */
#ifndef SERVER_TLS_H
#define SERVER_TLS_H

#include "base/secret.h"

struct tls {
	char *cert;         /* PEM: the server's certificate, then those that sign it */
	struct secret *key; /* PEM; ends with a NUL */
};

void tls_free(struct tls *t);
DEFINE_AUTO(tls)
/* *ret stays NULL when both paths are empty. RC_INVALID tls: one path alone, a file that cannot be
 * read, is no PEM or is not the other's half, a key that others may read. */
MUST_CHECK enum rc tls_load(const char *cert_path, const char *key_path, struct tls **ret,
			    struct err *err);

#endif
