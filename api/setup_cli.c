/* The plan as a shell script of aws-cli commands. Every value is one single-quoted word, so that none can be read as a command.
 * Runs with whatever credentials the person who starts it has. */
#include "api/setup_forms.h"
#include "base/mem.h"

static enum rc put_quoted(struct buf *out, struct str s)
{
	enum rc rc = buf_putc(out, '\'');

	for (size_t i = 0; rc == RC_OK && i < s.n; i++)
		rc = s.p[i] == '\'' ? buf_put(out, S("'\\''")) : buf_putc(out, s.p[i]);
	return rc == RC_OK ? buf_putc(out, '\'') : rc;
}

/* head 'value' tail */
static enum rc put_word(struct buf *out, const char *head, struct str value, const char *tail)
{
	enum rc rc = buf_put(out, str_c(head));

	if (rc == RC_OK)
		rc = put_quoted(out, value);
	return rc == RC_OK ? buf_put(out, str_c(tail)) : rc;
}

static enum rc put_document(struct buf *out, const char *head, const json_t *document,
			    const char *tail)
{
	AUTO_TEXT char *text = json_text(document);

	return put_word(out, head, str_c(text), tail);
}

static enum rc put_policy(struct buf *out, struct str role, const json_t *one)
{
	enum rc rc = put_word(out, "\npolicy=$(aws iam create-policy --policy-name ",
			      json_str(one, "name"), " \\\n");

	if (rc == RC_OK)
		rc = put_document(out, "  --policy-document ", json_object_get(one, "document"),
				  " \\\n  --query Policy.Arn --output text)\n");
	return rc == RC_OK ? put_word(out, "aws iam attach-role-policy --role-name ", role,
				      " --policy-arn \"$policy\"\n")
			   : rc;
}

enum rc setup_cli_put(struct buf *out, const struct setup_plan *plan)
{
	AUTO_JSON json_t *trust =
		setup_plan_trust(json_string(plan->principal), json_string(plan->external_id));
	struct str role = plan->options.places.prefix;
	json_t *one;
	size_t i;
	enum rc rc =
		buf_put(out, S("#!/bin/sh\n# Lets connectord read the AWS account that aws-cli "
			       "is logged in to. Prints the role ARN of the connection.\n"
			       "set -eu\n\n"));

	if (rc == RC_OK)
		rc = put_word(out, "aws iam create-role --role-name ", role, " \\\n");
	if (rc == RC_OK)
		rc = put_document(out, "  --assume-role-policy-document ", trust, " >/dev/null\n");
	json_array_foreach (plan->policies, i, one) {
		if (rc == RC_OK)
			rc = put_policy(out, role, one);
	}
	return rc == RC_OK ? put_word(out, "\naws iam get-role --role-name ", role,
				      " --query Role.Arn --output text\n")
			   : rc;
}
