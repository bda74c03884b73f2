/* The program: command line to settings, then one subcommand. Does nothing else, and leaves what a
 * command means to server/cmd_*.c. */
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "server/help.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>

enum { ARGS_MAX = 32, NAME_MAX_BYTES = 64 };
#ifndef CONNECTORD_VERSION
#define CONNECTORD_VERSION "0.1.0"
#endif

/* The command line, sorted: what config_set takes and what the command gets. */
struct line {
	const char *config_file;
	struct {
		char name[NAME_MAX_BYTES];
		struct str value;
	} set[ARGS_MAX];
	int n_set;
	char *args[ARGS_MAX]; /* flags and operands; args[0] is the command */
	int n_args, n_operands;
	bool wants_help;
};

static int PRINTF_LIKE(1, 2) usage_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "connectord: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	return CMD_USAGE;
}

static bool is_setting(const char *name)
{
	for (size_t i = 0; config_entry_at(i); i++)
		if (strcmp(config_entry_at(i)->name, name) == 0)
			return true;
	return false;
}

/* "--listen-port" as "listen_port"; false: too long to be one. */
static bool setting_name(struct str option, char out[NAME_MAX_BYTES])
{
	if (option.n >= NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < option.n; i++)
		out[i] = (char)(option.p[i] == '-' ? '_' : option.p[i]);
	out[option.n] = '\0';
	return true;
}

/* --name=value, --name value; *i is the argument's index and moves over a value of its own. */
static int take_option(struct line *line, const struct help_command *command, int argc, char **argv,
		       int *i)
{
	struct str value = str_c(argv[*i] + 2), option = str_cut(&value, '=');
	bool has_value = strchr(argv[*i], '=') != NULL;
	char name[NAME_MAX_BYTES] = "";

	if (help_has(command->flags, argv[*i])) {
		line->args[line->n_args++] = argv[*i];
		return CMD_OK;
	}
	if (!setting_name(option, name) || (!is_setting(name) && strcmp(name, "config") != 0))
		return usage_error("%s has no option --%.*s; see `connectord %s --help`",
				   command->name, STR_FMT(str_sub(option, 0, NAME_MAX_BYTES)),
				   command->name);
	if (!has_value) {
		if (*i + 1 >= argc)
			return usage_error("--%.*s needs a value: --%.*s=VALUE", STR_FMT(option),
					   STR_FMT(option));
		value = str_c(argv[++*i]);
	}
	if (strcmp(name, "config") == 0) {
		line->config_file = value.p;
		return CMD_OK;
	}
	memcpy(line->set[line->n_set].name, name, sizeof(name));
	line->set[line->n_set++].value = value;
	return CMD_OK;
}

static int read_line(struct line *line, const struct help_command *command, int argc, char **argv)
{
	line->args[line->n_args++] = argv[1];
	if (argc > ARGS_MAX)
		return usage_error("more than %d arguments", ARGS_MAX);
	for (int i = 2; i < argc; i++) {
		int code = CMD_OK;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			line->wants_help = true;
		} else if (strncmp(argv[i], "--", 2) == 0) {
			code = take_option(line, command, argc, argv, &i);
		} else if (argv[i][0] == '-' || line->n_operands == command->operands_max) {
			return usage_error("%s does not take \"%.64s\"; see `connectord %s --help`",
					   command->name, argv[i], command->name);
		} else {
			line->args[line->n_args++] = argv[i];
			line->n_operands++;
		}
		if (code != CMD_OK)
			return code;
	}
	return CMD_OK;
}

static int run(const struct help_command *command, struct line *line)
{
	AUTO(config) struct config *config = NULL;
	struct err err = { 0 };
	enum rc rc = config_load(line->config_file, &config, &err);

	for (int i = 0; rc == RC_OK && i < line->n_set; i++)
		rc = config_set(config, line->set[i].name, line->set[i].value, &err);
	if (rc == RC_OK)
		rc = config_check(config, &err);
	if (rc != RC_OK)
		return cmd_fail(command->name, &err);
	log_setup(command->name, config_text(config, "log_level"),
		  config_text(config, "log_format"));
	return command->run(config, line->n_args, line->args);
}

static int help(int argc, char **argv)
{
	const struct help_command *command = NULL;

	if (argc < 3) {
		help_overview();
		return CMD_OK;
	}
	if (strcmp(argv[2], "settings") == 0) {
		help_settings();
		return CMD_OK;
	}
	command = help_find(argv[2]);
	if (!command)
		return usage_error("there is no command \"%.64s\"; see `connectord --help`",
				   argv[2]);
	help_of(command);
	return CMD_OK;
}

int main(int argc, char **argv)
{
	const struct help_command *command = NULL;
	struct line line = { 0 };
	int code = CMD_OK;

	if (argc < 2) {
		help_overview();
		return CMD_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
		printf("connectord %s\n", CONNECTORD_VERSION);
		return CMD_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return help(argc, argv);
	command = help_find(argv[1]);
	if (!command)
		return usage_error("there is no command \"%.64s\"; see `connectord --help`",
				   argv[1]);
	code = read_line(&line, command, argc, argv);
	if (code != CMD_OK)
		return code;
	if (line.wants_help) {
		help_of(command);
		return CMD_OK;
	}
	/* A peer that closes early is an error code of write(), not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	/* A child of `up` is executed by file descriptor, which would be its name in ps. */
	prctl(PR_SET_NAME, "connectord", 0, 0, 0);
	secret_harden_process();
	json_setup();
	return run(command, &line);
}
