/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/ctl/commands.h"
#include "src/ctl/stream.h"

#include "config.h"

/* bondy: the command-line client. A verb is one file and one row here. */

static const struct bondy_ctl_verb *const verbs[] = {
    &bondy_cmd_call,
    &bondy_cmd_register,
    &bondy_cmd_publish,
    &bondy_cmd_subscribe,
};

static void print(FILE *to, struct bondy_buf *text)
{
    fwrite(text->data, 1, text->len, to);
    bondy_buf_fini(text);
}

static void help(FILE *to)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_append_text(&text, "Usage: bondy VERB [options] [arguments]\n\n"
                                 "Talks WAMP to a router.\n\nVerbs:\n");
    for (size_t i = 0; i < BONDY_COUNT(verbs); i++)
        bondy_buf_printf(&text, "  %-10s %s\n", verbs[i]->name, verbs[i]->help);
    bondy_buf_append_text(&text, "\nOptions of all verbs:\n");
    bondy_ctl_options_help(NULL, &text);
    bondy_buf_append_text(&text, "  --version              print the version and exit\n\n"
                                 "bondy VERB --help tells more. Exit: 0 fine, 1 error, 2 usage, "
                                 "3 not reachable,\n4 not authorised.\n");
    print(to, &text);
}

static int verb_help(const struct bondy_ctl_verb *verb)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_printf(&text, "Usage: bondy %s [options] %s\n\n%s.\n%s\nOptions:\n", verb->name,
                     verb->usage, verb->help, verb->detail == NULL ? "" : verb->detail);
    bondy_ctl_options_help(verb, &text);
    bondy_ctl_options_help(NULL, &text);
    print(stdout, &text);
    return BONDY_EXIT_OK;
}

static int run_verb(const struct bondy_ctl_verb *verb, int argc, char **argv)
{
    struct bondy_ctl_options options;
    struct bondy_error err;
    int status = BONDY_EXIT_USAGE;

    if (bondy_ctl_options_parse(verb, argc, argv, &options, &err) < 0) {
        fprintf(stderr, "bondy: %s\n", err.text);
    } else if (options.help) {
        status = verb_help(verb);
    } else if (options.argument_count == 0 ||
               (verb->takes_program && (options.program == NULL || options.program[0] == NULL)) ||
               (verb->takes_program && options.argument_count > 1)) {
        fprintf(stderr, "usage: bondy %s [options] %s\n", verb->name, verb->usage);
    } else {
        status = verb->run(&options);
    }
    bondy_ctl_options_fini(&options);
    return status;
}

static int refuse_verb(const char *word)
{
    const char *names[BONDY_COUNT(verbs) + 1] = {NULL};
    const char *nearest;

    for (size_t i = 0; i < BONDY_COUNT(verbs); i++)
        names[i] = verbs[i]->name;
    nearest = bondy_json_nearest(bondy_slice_text(word), names);
    if (word[0] == '-')
        fprintf(stderr, "bondy: \"%s\": options stand behind the verb: bondy call %s ...\n", word,
                word);
    else if (nearest != NULL)
        fprintf(stderr, "bondy: unknown verb \"%s\"; did you mean \"%s\"?\n", word, nearest);
    else
        fprintf(stderr, "bondy: unknown verb \"%s\"; bondy --help lists them\n", word);
    return BONDY_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct bondy_error err;

    signal(SIGPIPE, SIG_IGN);
    if (bondy_id_start(&err) < 0) {
        fprintf(stderr, "bondy: %s\n", err.text);
        return BONDY_EXIT_ERROR;
    }
    if (argc < 2) {
        help(stderr);
        return BONDY_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        help(stdout);
        return BONDY_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("bondy %s (%s)\n", PACKAGE_VERSION, BONDY_REVISION);
        return BONDY_EXIT_OK;
    }
    bondy_stream_catch_signals();
    for (size_t i = 0; i < BONDY_COUNT(verbs); i++) {
        if (strcmp(argv[1], verbs[i]->name) == 0)
            return run_verb(verbs[i], argc - 2, argv + 2);
    }
    return refuse_verb(argv[1]);
}
