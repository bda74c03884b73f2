/* SAML metadata: who the identity provider says it is, and the fingerprints of its certificates. */
#ifndef WORKERS_SYNC_SAML_H
#define WORKERS_SYNC_SAML_H

#include "base/json.h"

enum { SAML_BYTES_MAX = 10 * 1024 * 1024, SAML_CERTIFICATES_MAX = 32 };

/* Sets entity_id and certificates (SHA-256 of each, hex, sorted by place) in attrs; what cannot be parsed sets
 * metadata_state "malformed". The document itself is not kept. */
void saml_attrs(struct str metadata, json_t *attrs);

#endif
