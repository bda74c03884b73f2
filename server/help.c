/* The table of commands and how it is shown. Holds words only: nothing here reads a setting. */
#include "server/help.h"

#include <ctype.h>
#include <stdio.h>

enum { HELP_WIDTH = 96, HELP_INDENT = 6 };

#define COMMON  "config|log_format|log_level|"
#define METRICS "metrics_listen_host|metrics_listen_port|"
#define PLACES  "data_dir|listen_host|listen_port|"

const struct help_command HELP_COMMANDS[] = {
	{ .name = "up",
	  .run = cmd_up,
	  .summary = "run everything here: a private PostgreSQL, server and worker",
	  .operands = "",
	  .examples = "  connectord up\n"
		      "  connectord up --data-dir=/srv/connectord --listen-port=8080\n"
		      "  AWS_PROFILE=vendor connectord up --vendor-account=469725248735\n",
	  .text = "Starts a PostgreSQL cluster of its own in data_dir (Unix socket only), applies "
		  "the migrations,\nmakes the keys, and runs server and worker as children until "
		  "SIGTERM or Ctrl-C. Data stays\nbetween runs, also after kill -9. The first run "
		  "creates an organization and prints its key once.\nAs root, PostgreSQL runs as "
		  "postgres and the HTTP server as\nup_user.\n\n"
		  "  --no-first-organization   do not create an organization on the first run\n",
	  .flags = "--no-first-organization",
	  .settings = "|" COMMON PLACES METRICS
		      "drain_s|pg_bin_dir|up_user|worker_threads|vendor_account|"
		      "external_id_check|" },
	{ .name = "server",
	  .run = cmd_server,
	  .summary = "the HTTP API; never calls AWS, cannot open a sealed secret",
	  .operands = "",
	  .examples = "  CONNECTORD_DATABASE_URL='host=/run/postgresql dbname=connectord "
		      "user=connectord_app' \\\n  CONNECTORD_SEAL_PUBLIC_FILE=/etc/connectord/"
		      "seal.pub connectord server\n",
	  .text = "Answers /v1 on listen_host:listen_port, and /v1/admin on the Unix socket "
		  "admin_socket for whoever\nholds the operator key. Any number may run.\n",
	  .flags = "",
	  .settings =
		  "|" COMMON METRICS "listen_host|listen_port|database_url|db_pool|admin_socket|"
		  "operator_key_file|seal_public_file|http_connections|http_per_ip|"
		  "http_body_max|key_prefix|key_env|worker_slots_default|vendor_account|"
		  "tls_cert_file|tls_key_file|"
		  "setup_name_prefix|setup_template_url|"
		  "verify_every_s|drain_s|" },
	{ .name = "worker",
	  .run = cmd_worker,
	  .summary = "schedules syncs, calls AWS, writes what it found",
	  .operands = "",
	  .examples = "  CONNECTORD_DATABASE_URL='host=/run/postgresql dbname=connectord "
		      "user=connectord_worker' \\\n  CONNECTORD_SEAL_KEY_FILE=/etc/connectord/"
		      "seal.key connectord worker --worker-threads=16\n",
	  .text = "Takes its own AWS identity from AWS's usual places: AWS_ACCESS_KEY_ID, "
		  "profile, web identity,\ncontainer, instance metadata (docs/base-identity.md). "
		  "AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_"
		  "<SERVICE> mean what they mean in AWS's\nown tools. Any number may run.\n",
	  .flags = "",
	  .settings =
		  "|" COMMON METRICS "database_url|seal_key_file|vendor_account|external_id_check|"
		  "worker_threads|scheduler|lease_s|heartbeat_s|poll_ms|task_attempts|drain_s|"
		  "aws_in_flight|aws_rates|aws_call_timeout_s|aws_scope_deadline_s|aws_ca_file|"
		  "new_role_grace_s|verify_every_s|" },
	{ .name = "migrate",
	  .run = cmd_migrate,
	  .summary = "brings the database to this version",
	  .operands = "",
	  .examples = "  CONNECTORD_DATABASE_URL='host=/run/postgresql dbname=connectord "
		      "user=connectord_owner' connectord migrate\n",
	  .text = "Runs as the owner role, which must be allowed to create the roles "
		  "connectord_app and\nconnectord_worker. Safe to run again, and from several "
		  "places at once.\n\n"
		  "  --check   change nothing; fail when the database and this program differ\n",
	  .flags = "--check",
	  .settings = "|" COMMON "database_url|" },
	{ .name = "audit",
	  .run = cmd_audit,
	  .summary = "proves an exported audit trail offline",
	  .operands = " verify FILE [SEQ:HASH]",
	  .operands_max = 3,
	  .examples =
		  "  curl -sH \"Authorization: Bearer $KEY\" $URL/v1/audit/export > audit.ndjson\n"
		  "  connectord audit verify audit.ndjson\n"
		  "  connectord audit verify audit.ndjson 4711:9f86d081884c7d65...\n",
	  .text = "Follows the chain of hashes through FILE, as GET /v1/audit/export gave it, and "
		  "says where it was\nchanged, cut or put in another order. Without a SEQ:HASH "
		  "that GET /v1/audit/head gave earlier and\nthat was kept elsewhere, a tail that "
		  "was cut off cannot be seen; FILE may go on behind that entry.\nExit code 1: the "
		  "trail is broken.\n",
	  .flags = "",
	  .settings = "|" },
	{ .name = "keys",
	  .run = cmd_keys,
	  .summary = "makes the sealing keys, shows what is under each, rotates them",
	  .operands = " new|status|rotate [DIR]",
	  .operands_max = 2,
	  .examples = "  connectord keys new /etc/connectord\n"
		      "  connectord keys status /etc/connectord --database-url='dbname=connectord "
		      "user=connectord_worker'\n"
		      "  connectord keys rotate /etc/connectord --retire --single-host\n",
	  .text = "new      writes DIR/seal.key (for workers), DIR/seal.pub (for servers) and "
		  "DIR/operator.key.\n         Keys that are there are kept. Lose seal.key and no "
		  "stored secret can be opened again:\n         back it up.\n"
		  "status   the keys of seal.key, how many stored secrets are sealed under each, "
		  "and which do not\n         open.\n"
		  "rotate   puts a new key in front, gives it to servers through seal.pub, and "
		  "seals "
		  "every stored\n         secret anew, while servers and workers run; they see the "
		  "new files by themselves. Run it\n         again after an interruption: it goes "
		  "on.\n\n"
		  "  --add-only      with rotate: makes the key and stops, so that seal.key can be "
		  "copied to the workers\n                  of other machines; the next rotate "
		  "goes on\n"
		  "  --retire        with rotate: drops the old keys at the end, after a minute "
		  "for "
		  "requests under\n                  way. Only when every server has the new "
		  "seal.pub "
		  "and every worker the new\n                  seal.key; refused in the run that "
		  "gives "
		  "out a new key\n"
		  "  --single-host   with --retire: all processes read these very files, so it is "
		  "not refused\n\n"
		  "Without DIR the files of seal_key_file and seal_public_file are taken.\n",
	  .flags = "--add-only|--retire|--single-host",
	  .settings = "|" COMMON "database_url|seal_key_file|seal_public_file|" },
	{ .name = NULL },
};

bool help_has(const char *list, const char *word)
{
	struct str rest = str_c(list);

	while (rest.n) {
		struct str one = str_cut(&rest, '|');

		if (one.n && str_eq(one, str_c(word)))
			return true;
	}
	return false;
}

const struct help_command *help_find(const char *name)
{
	for (const struct help_command *c = HELP_COMMANDS; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

void help_overview(void)
{
	printf("connectord: keeps a fresh, complete and honest picture of AWS accounts in "
	       "PostgreSQL.\n\n"
	       "  connectord up                 everything on this machine, nothing to set up\n"
	       "  connectord COMMAND --help     more about one command and its settings\n\n"
	       "Commands\n");
	for (const struct help_command *c = HELP_COMMANDS; c->name; c++)
		printf("  %-10s %s\n", c->name, c->summary);
	printf("  %-10s %s\n", "help",
	       "this page, `help COMMAND`, or `help settings` for all "
	       "settings");
	printf("\nSettings come from, the first wins: --name=value, the environment "
	       "(CONNECTORD_NAME),\nthe INI file (--config=FILE or CONNECTORD_CONFIG), the "
	       "default.\n\n"
	       "Exit codes: 0 done, 64 wrong command line, 69 something does not answer, 70 our "
	       "fault,\n78 a setting or file is not as it must be.\n");
}

/* One sentence broken between words. */
static void print_wrapped(const char *text)
{
	struct str rest = str_c(text);
	size_t column = HELP_INDENT;

	printf("%*s", HELP_INDENT, "");
	while (rest.n) {
		struct str word = str_cut(&rest, ' ');

		if (column + word.n > HELP_WIDTH) {
			printf("\n%*s", HELP_INDENT, "");
			column = HELP_INDENT;
		}
		printf("%.*s%s", STR_FMT(word), rest.n ? " " : "");
		column += word.n + 1;
	}
	printf("\n");
}

static void print_name(const char *prefix, const char *name, char from, char to)
{
	printf("%s", prefix);
	for (const char *p = name; *p; p++)
		putchar(*p == from ? to : (from == '\0' ? toupper((unsigned char)*p) : *p));
}

static void print_setting(const struct config_entry *e)
{
	print_name("  --", e->name, '_', '-');
	print_name("=…   CONNECTORD_", e->name, '\0', '\0');
	if (e->kind == CONFIG_I64)
		printf("   %s (%lld to %lld)", e->fallback, (long long)e->min, (long long)e->max);
	else if (e->kind == CONFIG_CHOICE)
		printf("   %s (%s)", e->fallback, e->choices);
	else if (e->fallback[0])
		printf("   %s", e->fallback);
	printf("\n");
	print_wrapped(e->help);
}

void help_settings(void)
{
	printf("Settings: option, environment variable, default (what else it may be)\n\n");
	for (size_t i = 0; config_entry_at(i); i++)
		print_setting(config_entry_at(i));
}

void help_of(const struct help_command *command)
{
	printf("connectord %s%s: %s\n\n%s\n%s", command->name, command->operands, command->summary,
	       command->examples, command->text);
	if (strcmp(command->settings, "||") == 0)
		return;
	printf("\nSettings (`connectord help settings` shows all)\n");
	for (size_t i = 0; config_entry_at(i); i++)
		if (help_has(command->settings, config_entry_at(i)->name))
			print_setting(config_entry_at(i));
}
