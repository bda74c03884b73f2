/* The first organization of a new installation, made over the operator's Unix socket. */
#ifndef SERVER_FIRSTORG_H
#define SERVER_FIRSTORG_H

#include "base/err.h"
#include <stdbool.h>

struct firstorg {
	char *org_id;
	char *key; /* shown once */
};
void firstorg_done(struct firstorg *f);

/* Whether the server answers on its operator socket. */
bool firstorg_server_answers(const char *admin_socket);
MUST_CHECK enum rc firstorg_make(const char *admin_socket, const char *operator_key_file,
				 struct firstorg *ret, struct err *err);

#endif
