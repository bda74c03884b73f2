/* SAML metadata by a streaming parse. Entities and DTDs are refused: the document is the customer's, not ours to trust. */
#include "workers/sync/saml.h"
#include "base/text.h"

#include <expat.h>

enum { SAML_CERTIFICATE_BYTES = 64 * 1024, SAML_ID_MAX = 2048 };

struct parse {
	XML_Parser parser;
	json_t *attrs, *certificates;
	struct buf text; /* content of the certificate that is open */
	bool inside, refused;
};

/* "ns:Name" and "Name" alike: the prefix is the writer's choice. */
static bool is_named(const char *name, struct str want)
{
	struct str s = str_c(name);

	return str_eq(s, want) ||
	       (s.n > want.n && s.p[s.n - want.n - 1] == ':' && str_ends(s, want));
}

static void XMLCALL opened(void *arg, const char *name, const char **attributes)
{
	struct parse *p = arg;

	if (is_named(name, S("EntityDescriptor"))) {
		for (size_t i = 0; attributes[i]; i += 2) {
			if (strcmp(attributes[i], "entityID") == 0 &&
			    json_str(p->attrs, "entity_id").n == 0)
				json_set_text(p->attrs, "entity_id",
					      str_sub(str_c(attributes[i + 1]), 0, SAML_ID_MAX));
		}
	}
	p->inside = is_named(name, S("X509Certificate"));
	if (p->inside)
		buf_cut(&p->text, 0);
}

static void XMLCALL content(void *arg, const char *s, int n)
{
	struct parse *p = arg;

	if (p->inside && buf_put(&p->text, str_n(s, (size_t)n)) != RC_OK)
		p->inside = false;
}

static void XMLCALL closed(void *arg, const char *name)
{
	struct parse *p = arg;
	AUTO(buf) struct buf der = BUF_INIT(SAML_CERTIFICATE_BYTES);
	char hex[TEXT_SHA256_HEX];

	if (!p->inside || !is_named(name, S("X509Certificate")))
		return;
	p->inside = false;
	if (json_array_size(p->certificates) == SAML_CERTIFICATES_MAX ||
	    text_base64_decode(&der, buf_str(&p->text)) != RC_OK)
		return;
	text_sha256_hex(buf_str(&der), hex);
	json_array_append_new(p->certificates, json_string(hex));
}

static void XMLCALL doctype(void *arg, const char *name, const char *system_id,
			    const char *public_id, int has_internal)
{
	struct parse *p = arg;

	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_internal;
	p->refused = true;
	XML_StopParser(p->parser, XML_FALSE);
}

void saml_attrs(struct str metadata, json_t *attrs)
{
	struct parse p = { .attrs = attrs,
			   .certificates = json_array(),
			   .text = BUF_INIT(2 * SAML_CERTIFICATE_BYTES) };
	bool ok = false;

	if (metadata.n > 0 && metadata.n <= SAML_BYTES_MAX && (p.parser = XML_ParserCreate(NULL))) {
		XML_SetUserData(p.parser, &p);
		XML_SetElementHandler(p.parser, opened, closed);
		XML_SetCharacterDataHandler(p.parser, content);
		XML_SetStartDoctypeDeclHandler(p.parser, doctype);
		ok = XML_Parse(p.parser, metadata.p, (int)metadata.n, 1) == XML_STATUS_OK &&
		     !p.refused;
		XML_ParserFree(p.parser);
	}
	buf_done(&p.text);
	json_object_set_new(attrs, "metadata_state", json_string(ok ? "ok" : "malformed"));
	json_object_set_new(attrs, "certificates", p.certificates);
}
