/* Identity providers that the account trusts: SAML and OpenID Connect. The listings are not paged; each provider is asked for
 * its particulars, and one that refuses keeps what was known of it. */
#include "aws/iam.h"
#include "workers/sync/collect.h"
#include "workers/sync/saml.h"
#include "workers/sync/work.h"

/* A provider has no id but its ARN: when it was made tells that it was made again. */
static enum rc put(struct sync *s, const char *kind, enum part_id part, struct str arn,
		   struct str name, json_t *attrs, struct err *err)
{
	const struct emit_entity e = { .kind = kind,
				       .part = part_name(part),
				       .key = arn,
				       .name = name,
				       .incarnation = json_str(attrs, "created") };

	return emit_entity(&s->emit, &e, attrs, err);
}

/* What stands behind "saml-provider/" or "oidc-provider/". */
static struct str name_of(struct str arn)
{
	for (size_t i = 0; i < arn.n; i++) {
		if (arn.p[i] == '/')
			return str_sub(arn, i + 1, arn.n);
	}
	return arn;
}

static void put_strings(json_t *attrs, const char *key, const json_t *list)
{
	json_t *out = json_array(), *v;
	size_t i;

	json_array_foreach (list, i, v) {
		if (json_is_string(v))
			json_array_append_new(out, json_text_value(str_c(json_string_value(v))));
	}
	json_object_set_new(attrs, key, out);
}

static enum rc saml_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			  struct err *err)
{
	json_t *attrs = json_object();

	(void)arg;
	saml_attrs(json_str(reply, "SAMLMetadataDocument"), attrs);
	emit_time(attrs, "created", json_str(reply, "CreateDate"));
	emit_time(attrs, "valid_until", json_str(reply, "ValidUntil"));
	json_set_text(attrs, "unique_id", json_str(reply, "SAMLProviderUUID"));
	emit_tags(attrs, json_object_get(reply, "Tags"));
	return put(s, "aws.saml_provider", PART_SAML, str_c(item->arn), name_of(str_c(item->arn)),
		   attrs, err);
}

static enum rc oidc_found(struct sync *s, struct work_item *item, json_t *reply, void *arg,
			  struct err *err)
{
	json_t *attrs = json_object();

	(void)arg;
	json_set_text(attrs, "url", json_str(reply, "Url"));
	emit_time(attrs, "created", json_str(reply, "CreateDate"));
	put_strings(attrs, "client_ids", json_object_get(reply, "ClientIDList"));
	put_strings(attrs, "thumbprints", json_object_get(reply, "ThumbprintList"));
	emit_tags(attrs, json_object_get(reply, "Tags"));
	return put(s, "aws.oidc_provider", PART_OIDC, str_c(item->arn), name_of(str_c(item->arn)),
		   attrs, err);
}

struct provider {
	enum part_id part;
	const char *kind, *list, *param;
	const struct aws_op *listing, *get;
	enum rc (*found)(struct sync *, struct work_item *, json_t *, void *, struct err *);
};
static const struct provider PROVIDERS[] = {
	{ PART_SAML, "aws.saml_provider", "SAMLProviderList", "SAMLProviderArn",
	  &IAM_LIST_SAML_PROVIDERS, &IAM_GET_SAML_PROVIDER, saml_found },
	{ PART_OIDC, "aws.oidc_provider", "OpenIDConnectProviderList", "OpenIDConnectProviderArn",
	  &IAM_LIST_OIDC_PROVIDERS, &IAM_GET_OIDC_PROVIDER, oidc_found },
};

static enum rc names_of(struct sync *s, const struct provider *p, const json_t *list,
			struct work *w, struct err *err)
{
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (list, i, item) {
		struct str arn = json_str(item, "Arn");

		if (rc == RC_OK && arn.n > 0)
			rc = work_add(w, emit_id(&s->emit, p->kind, arn), arn, S(""), S(""), "",
				      err);
	}
	return rc;
}

/* Behind the particulars: what stands first says when it was made, and only SAML's listing knows that. */
static enum rc put_listed(struct sync *s, const struct provider *p, const json_t *list,
			  struct err *err)
{
	json_t *item;
	size_t i;
	enum rc rc = RC_OK;

	json_array_foreach (list, i, item) {
		struct str arn = json_str(item, "Arn");
		json_t *attrs;

		if (rc != RC_OK || arn.n == 0)
			continue;
		sync_part(s, p->part)->items++;
		attrs = json_object();
		emit_time(attrs, "created", json_str(item, "CreateDate"));
		emit_time(attrs, "valid_until", json_str(item, "ValidUntil"));
		rc = put(s, p->kind, p->part, arn, name_of(arn), attrs, err);
	}
	return rc;
}

static enum rc collect(struct sync *s, const struct provider *p, struct err *err)
{
	AUTO(work) struct work w = { .n = 0 };
	AUTO_JSON json_t *reply = NULL;
	const struct work_op get = { .part = p->part,
				     .op = p->get,
				     .name_param = p->param,
				     .by_arn = true,
				     .found = p->found };
	enum rc rc = sync_call(s, p->part, p->listing, NULL, &reply, NULL, err);
	const json_t *list = json_object_get(reply, p->list);

	if (rc == RC_OK)
		rc = names_of(s, p, list, &w, err);
	if (rc == RC_OK)
		rc = work_run(s, &w, &get, err);
	return rc == RC_OK ? put_listed(s, p, list, err) : rc;
}

enum rc providers_collect(struct sync *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < COUNT_OF(PROVIDERS); i++)
		rc = collect(s, &PROVIDERS[i], err);
	return rc;
}
