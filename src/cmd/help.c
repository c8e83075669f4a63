/* SPDX-License-Identifier: Apache-2.0 */
/* --help and --version, from the tables. Pure output. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

void version_print(void)
{
	printf("nomad-exec %s\n", VERSION);
}

static void print_option(const struct option *option)
{
	char names[80];
	int n = 0;

	if (option->letter)
		n = snprintf(names, sizeof(names), "-%c, ", option->letter);
	snprintf(names + n, sizeof(names) - (size_t)n, "--%s%s%s", option->name,
		 option->value ? " " : "", option->value ? option->value : "");
	printf("  %-34s %s\n", names, option->summary);
}

static void print_program(void)
{
	printf("nomad-exec runs one command isolated as Nomad's exec driver does, on this host alone.\n\n"
	       "usage: nomad-exec [OPTIONS] COMMAND [ARGUMENTS]\n\ncommands:\n");
	for (size_t i = 0; commands[i]; i++)
		printf("  %-34s %s\n", commands[i]->name, commands[i]->summary);
	printf("  %-34s %s\n", "help [COMMAND]", "print help");
	printf("  %-34s %s\n", "version", "print the version");
	printf("\noptions:\n");
	for (const struct option *option = global_options; option->name; option++)
		print_option(option);
	printf("\nfirst steps:\n"
	       "  nomad-exec run --command /bin/sleep --args 1\n"
	       "  nomad-exec run -- /bin/sh -c 'id; ls /'\n");
}

void help_print(const struct command *command)
{
	if (!command) {
		print_program();
		return;
	}
	printf("%s\n\n", command->summary);
	for (size_t i = 0; command->synopsis[i]; i++)
		printf("%s nomad-exec %s %s\n", i ? "      " : "usage:", command->name,
		       command->synopsis[i]);
	printf("\noptions:\n");
	for (const struct option *option = command->options; option->name; option++)
		print_option(option);
	printf("\nThe manual: man nomad-exec-%s\n", command->name);
}
