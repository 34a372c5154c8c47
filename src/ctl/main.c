/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/base/json.h"
#include "src/ctl/commands.h"

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

static void list_verb(const struct bondy_ctl_verb *verb, struct bondy_buf *out)
{
    bondy_buf_printf(out, "  %-20s %s\n", verb->name, verb->help);
}

/* The verb's first word is `word`, and a second one follows. */
static bool is_in_group(const struct bondy_ctl_verb *verb, const char *word, size_t len)
{
    return strncmp(verb->name, word, len) == 0 && verb->name[len] == ' ';
}

static bool is_group(const char *word)
{
    for (const struct bondy_ctl_verb *verb = bondy_verbs_admin; verb->name != NULL; verb++)
        if (is_in_group(verb, word, strlen(word)))
            return true;
    return false;
}

/* One line, or more, for all verbs that begin with the same word; returns the last of them. */
static const struct bondy_ctl_verb *sum_up_group(const struct bondy_ctl_verb *verb,
                                                 struct bondy_buf *out)
{
    size_t len = strcspn(verb->name, " "), column = 23;

    bondy_buf_printf(out, "  %-20.*s", (int)len, verb->name);
    for (;; verb++) {
        const char *word = verb->name + len + 1;

        if (column + strlen(word) + 1 > 79) {
            bondy_buf_printf(out, "\n%22s", "");
            column = 23;
        }
        bondy_buf_printf(out, " %s", word);
        column += strlen(word) + 1;
        if (verb[1].name == NULL || !is_in_group(verb + 1, verb->name, len))
            break;
    }
    bondy_buf_append_byte(out, '\n');
    return verb;
}

static void help(FILE *to)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_append_text(&text, "Usage: bondy VERB [options] [arguments]\n\n"
                                 "Talks WAMP to a router, and administers it.\n\nVerbs:\n");
    for (size_t i = 0; i < BONDY_COUNT(verbs); i++)
        list_verb(verbs[i], &text);
    bondy_buf_append_text(&text, "\nVerbs of administration:\n");
    for (const struct bondy_ctl_verb *verb = bondy_verbs_admin; verb->name != NULL; verb++) {
        if (strchr(verb->name, ' ') != NULL)
            verb = sum_up_group(verb, &text);
        else
            list_verb(verb, &text);
    }
    bondy_buf_append_text(&text, "\nOptions of the first ones:\n");
    bondy_ctl_options_help(verbs[0], false, &text);
    bondy_buf_append_text(&text, "\nOptions of administration:\n");
    bondy_ctl_options_help(bondy_verbs_admin, false, &text);
    bondy_buf_append_text(&text, "\n  --version                    print the version and exit\n\n"
                                 "bondy VERB --help tells more. Exit: 0 fine, 1 error, 2 usage, "
                                 "3 not reachable,\n4 not authorised.\n");
    print(to, &text);
}

static int verb_help(const struct bondy_ctl_verb *verb)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_printf(&text, "Usage: bondy %s [options] %s\n\n%s.\n%s\nOptions:\n", verb->name,
                     verb->usage, verb->help, verb->detail == NULL ? "" : verb->detail);
    bondy_ctl_options_help(verb, true, &text);
    bondy_ctl_options_help(verb, false, &text);
    print(stdout, &text);
    return BONDY_EXIT_OK;
}

static int run_verb(const struct bondy_ctl_verb *verb, int argc, char **argv)
{
    bool is_wamp = verb->form == NULL; /* the others look at their words themselves */
    struct bondy_ctl_options options;
    struct bondy_error err;
    int status = BONDY_EXIT_USAGE;

    if (bondy_ctl_options_parse(verb, argc, argv, &options, &err) < 0) {
        bondy_ctl_misuse(&err);
    } else if (options.help) {
        status = verb_help(verb);
    } else if ((is_wamp && options.argument_count == 0) ||
               (verb->takes_program && (options.program == NULL || options.program[0] == NULL)) ||
               (verb->takes_program && options.argument_count > 1)) {
        fprintf(stderr, "usage: bondy %s [options] %s\n", verb->name, verb->usage);
    } else {
        status = verb->run(&options);
    }
    bondy_ctl_options_fini(&options);
    return status;
}

/* ---- which verb ------------------------------------------------------------------------------ */

/* How many words of the command line are this verb's name; 0: another one is meant. */
static int match_verb(const struct bondy_ctl_verb *verb, int argc, char **argv)
{
    size_t len = strcspn(verb->name, " ");

    if (strlen(argv[1]) != len || strncmp(argv[1], verb->name, len) != 0)
        return 0;
    if (verb->name[len] == '\0')
        return 1;
    return argc > 2 && strcmp(argv[2], verb->name + len + 1) == 0 ? 2 : 0;
}

static const struct bondy_ctl_verb *find_verb(int argc, char **argv, int *words)
{
    for (size_t i = 0; i < BONDY_COUNT(verbs); i++)
        if ((*words = match_verb(verbs[i], argc, argv)) > 0)
            return verbs[i];
    for (const struct bondy_ctl_verb *verb = bondy_verbs_admin; verb->name != NULL; verb++)
        if ((*words = match_verb(verb, argc, argv)) > 0)
            return verb;
    return NULL;
}

static void list_group(const char *word, FILE *to)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    bondy_buf_printf(&text, "Usage: bondy %s VERB [options] [arguments]\n\nVerbs:\n", word);
    for (const struct bondy_ctl_verb *verb = bondy_verbs_admin; verb->name != NULL; verb++)
        if (is_in_group(verb, word, strlen(word)))
            list_verb(verb, &text);
    bondy_buf_printf(&text, "\nbondy %s VERB --help tells more.\n", word);
    print(to, &text);
}

/* Of `word`, among whole names of verbs (`is_whole`) or their first words. */
static const char *nearest_verb(const char *word, bool is_whole, char *room, size_t room_len)
{
    enum { NAMES_MAX = 128, NAME_MAX_LEN = 32 };
    static char names[NAMES_MAX][NAME_MAX_LEN];
    const char *candidates[NAMES_MAX + 1] = {NULL};
    const char *nearest;
    size_t count = 0;

    for (; count < BONDY_COUNT(verbs); count++)
        snprintf(names[count], NAME_MAX_LEN, "%s", verbs[count]->name);
    for (const struct bondy_ctl_verb *verb = bondy_verbs_admin;
         verb->name != NULL && count < NAMES_MAX; verb++)
        snprintf(names[count++], NAME_MAX_LEN, "%.*s",
                 (int)(is_whole ? strlen(verb->name) : strcspn(verb->name, " ")), verb->name);
    for (size_t i = 0; i < count; i++)
        candidates[i] = names[i];
    nearest = bondy_json_nearest(bondy_slice_text(word), candidates);
    if (nearest != NULL)
        snprintf(room, room_len, "%s", nearest);
    return nearest == NULL ? NULL : room;
}

static int refuse_verb(int argc, char **argv)
{
    bool is_whole = argc > 2 && is_group(argv[1]);
    char word[64], room[64];
    const char *nearest;

    snprintf(word, sizeof word, "%s%s%s", argv[1], is_whole ? " " : "", is_whole ? argv[2] : "");
    nearest = nearest_verb(word, is_whole, room, sizeof room);
    if (word[0] == '-')
        fprintf(stderr, "bondy: \"%s\": options stand behind the verb: bondy call %s ...\n", word,
                word);
    else if (nearest != NULL)
        fprintf(stderr, "bondy: unknown verb \"%s\"; did you mean \"%s\"?\n", word, nearest);
    else
        fprintf(stderr, "bondy: unknown verb \"%s\"; bondy%s%s --help lists them\n", word,
                is_whole ? " " : "", is_whole ? argv[1] : "");
    return BONDY_EXIT_USAGE;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* "bondy user", "bondy user --help": the verbs that begin like this. */
static int help_group(int argc, char **argv)
{
    bool is_asked_for = argc > 2 && is_help(argv[2]);

    list_group(argv[1], is_asked_for ? stdout : stderr);
    return is_asked_for ? BONDY_EXIT_OK : BONDY_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const struct bondy_ctl_verb *verb;
    struct bondy_error err;
    int words;

    signal(SIGPIPE, SIG_IGN);
    if (bondy_id_start(&err) < 0) {
        fprintf(stderr, "bondy: %s\n", err.text);
        return BONDY_EXIT_ERROR;
    }
    if (argc < 2) {
        help(stderr);
        return BONDY_EXIT_USAGE;
    }
    if (is_help(argv[1])) {
        help(stdout);
        return BONDY_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("bondy %s (%s)\n", PACKAGE_VERSION, BONDY_REVISION);
        return BONDY_EXIT_OK;
    }
    verb = find_verb(argc, argv, &words);
    if (verb != NULL)
        return run_verb(verb, argc - 1 - words, argv + 1 + words);
    if (is_group(argv[1]) && (argc == 2 || is_help(argv[2])))
        return help_group(argc, argv);
    return refuse_verb(argc, argv);
}
