/* The plan as Terraform. Documents go through jsonencode(); their JSON is HCL as it stands, but for the two signs that begin a
 * template in HCL, which are doubled. */
#include "api/setup_forms.h"
#include "base/mem.h"

static const char TOP[] =
	"# Lets connectord read this AWS account. terraform apply, then give role_arn to the "
	"connection.\n";

/* "${" and "%{" would be templates. */
static enum rc put_escaped(struct buf *out, struct str json)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < json.n; i++) {
		char c = json.p[i];

		if ((c == '$' || c == '%') && i + 1 < json.n && json.p[i + 1] == '{')
			rc = buf_putc(out, c);
		if (rc == RC_OK)
			rc = buf_putc(out, c);
	}
	return rc;
}

static enum rc put_document(struct buf *out, const char *argument, const json_t *document)
{
	AUTO_TEXT char *text = json_text(document);
	enum rc rc = buf_printf(out, "  %s = jsonencode(", argument);

	if (rc == RC_OK)
		rc = put_escaped(out, str_c(text));
	return rc == RC_OK ? buf_put(out, S(")\n}\n")) : rc;
}

static enum rc put_policy(struct buf *out, const struct setup_plan *plan, const json_t *one)
{
	struct str name = json_str(one, "name"),
		   label = str_sub(name, plan->options.places.prefix.n + 1, name.n);
	enum rc rc =
		buf_printf(out, "\nresource \"aws_iam_policy\" \"%.*s\" {\n  name   = \"%.*s\"\n",
			   STR_FMT(label), STR_FMT(name));

	if (rc == RC_OK)
		rc = put_document(out, "policy", json_object_get(one, "document"));
	if (rc == RC_OK)
		rc = buf_printf(out,
				"\nresource \"aws_iam_role_policy_attachment\" \"%.*s\" {\n"
				"  role       = aws_iam_role.connector.name\n"
				"  policy_arn = aws_iam_policy.%.*s.arn\n}\n",
				STR_FMT(label), STR_FMT(label));
	return rc;
}

enum rc setup_terraform_put(struct buf *out, const struct setup_plan *plan)
{
	AUTO_JSON json_t *trust =
		setup_plan_trust(json_string(plan->principal), json_string(plan->external_id));
	json_t *one;
	size_t i;
	enum rc rc = buf_put(out, str_c(TOP));

	if (rc == RC_OK)
		rc = buf_printf(out,
				"\nresource \"aws_iam_role\" \"connector\" {\n"
				"  name               = \"%.*s\"\n",
				STR_FMT(plan->options.places.prefix));
	if (rc == RC_OK)
		rc = put_document(out, "assume_role_policy", trust);
	json_array_foreach (plan->policies, i, one) {
		if (rc == RC_OK)
			rc = put_policy(out, plan, one);
	}
	if (rc == RC_OK)
		rc = buf_put(out, S("\noutput \"role_arn\" {\n"
				    "  value = aws_iam_role.connector.arn\n}\n"));
	return rc;
}
