/* The shared credentials and config files: profiles by name. Reads, never runs anything that is named in them. */
#ifndef WORKERS_AWS_PROFILES_H
#define WORKERS_AWS_PROFILES_H

#include "base/secret.h"

enum { PROFILES_NAME_SHOWN = 60 }; /* bytes of a name in a message */

/* One profile; views into the files, empty = not there. What both files say is taken from the credentials file. */
struct profile {
	struct str id, secret, token;
	struct str role_arn, source_profile, credential_source, external_id, session_name;
	struct str duration, mfa_serial, token_file, region, process, sso;
};

struct profiles {
	char *credentials_path, *config_path;
	struct secret *credentials, *config; /* NULL: no such file */
};
void profiles_free(struct profiles *p);
DEFINE_AUTO(profiles)

/* get is getenv, or a test's: AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE, HOME. A file that is not there is empty; one
 * that cannot be read is an error. */
MUST_CHECK enum rc profiles_open(const char *(*get)(const char *name), struct profiles **ret,
				 struct err *err);
/* False: neither file has it; *ret is empty then. */
bool profiles_find(const struct profiles *p, struct str name, struct profile *ret);

#endif
