/* The three key files: seal.key (0600, workers), seal.pub (servers), operator.key (0600, servers). */
#ifndef SERVER_KEYFILES_H
#define SERVER_KEYFILES_H

#include "server/identity.h"

/* Makes what is missing in dir; keys that exist are never touched. server_user: who must be able to
 * read operator.key (NULL = us). RC_INVALID: half of a pair is gone, or dir cannot be written. */
MUST_CHECK enum rc keyfiles_make(const char *dir, const struct identity *server_user,
				 struct err *err);

#endif
