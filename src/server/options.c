/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/options.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/json.h"

enum takes { TAKES_NOTHING, TAKES_TEXT, TAKES_MANY };

static const struct option {
    const char *name;
    const char *alias;
    const char *argument; /* for --help */
    enum takes takes;
    size_t offset;
    const char *help;
} table[] = {
    {"--config", "-c", "FILE", TAKES_TEXT, offsetof(struct bondy_options, file),
     "read this configuration instead of the system's bondy.conf"},
    {"--dev", NULL, NULL, TAKES_NOTHING, offsetof(struct bondy_options, dev),
     "try things out: loopback only, temporary data, realm \"dev\" and admin API open, demo API"},
    {"--set", NULL, "KEY=VALUE", TAKES_MANY, offsetof(struct bondy_options, overrides),
     "set a configuration key, before all other sources; repeatable"},
    {"--ports-file", NULL, "FILE", TAKES_TEXT, offsetof(struct bondy_options, ports_file),
     "write the ports of all listeners as JSON once they are up"},
    {"--make-master-key", NULL, "FILE", TAKES_TEXT, offsetof(struct bondy_options, master_key),
     "make a key for security.master_key_file, print its id, and exit"},
    {"--check-config", NULL, NULL, TAKES_NOTHING, offsetof(struct bondy_options, check_config),
     "check the configuration and exit: 0 right, 2 wrong"},
    {"--strict", NULL, NULL, TAKES_NOTHING, offsetof(struct bondy_options, strict),
     "with --check-config: exit 1 when there are warnings"},
    {"--print-config", NULL, NULL, TAKES_NOTHING, offsetof(struct bondy_options, print_config),
     "print the effective configuration and exit"},
    {"--diff", NULL, NULL, TAKES_NOTHING, offsetof(struct bondy_options, diff),
     "with --print-config: only what differs from the defaults"},
    {"--origin", NULL, NULL, TAKES_NOTHING, offsetof(struct bondy_options, origin),
     "with --print-config: where each value is from"},
    {"--json", NULL, NULL, TAKES_NOTHING, offsetof(struct bondy_options, json),
     "with --print-config: as JSON"},
    {"--print-config-reference", NULL, "FORMAT", TAKES_TEXT,
     offsetof(struct bondy_options, reference_format),
     "print the documentation of all keys as md, man or json, and exit"},
    {"--print-config-sample", NULL, NULL, TAKES_NOTHING,
     offsetof(struct bondy_options, print_sample),
     "print a commented file with all keys, and exit"},
    {"--version", NULL, NULL, TAKES_NOTHING, offsetof(struct bondy_options, version),
     "print the version and exit"},
    {"--help", "-h", NULL, TAKES_NOTHING, offsetof(struct bondy_options, help),
     "print this and exit"},
};

/* `*value` is what follows '=' in "--name=value". */
static const struct option *find(const char *word, const char **value)
{
    size_t len = strcspn(word, "=");

    *value = word[len] == '=' ? word + len + 1 : NULL;
    for (size_t i = 0; i < BONDY_COUNT(table); i++) {
        if (strlen(table[i].name) == len && strncmp(word, table[i].name, len) == 0)
            return &table[i];
        if (table[i].alias != NULL && strcmp(word, table[i].alias) == 0)
            return &table[i];
    }
    return NULL;
}

static int refuse(const char *word, struct bondy_error *err)
{
    const char *names[BONDY_COUNT(table) + 1] = {NULL};
    const char *nearest;

    for (size_t i = 0; i < BONDY_COUNT(table); i++)
        names[i] = table[i].name;
    nearest = bondy_json_nearest(bondy_slice_of(word, strcspn(word, "=")), names);
    if (nearest != NULL)
        return bondy_fail(err, BONDY_EINVAL, "unknown option \"%s\"; did you mean \"%s\"?", word,
                          nearest);
    return bondy_fail(err, BONDY_EINVAL, "unknown option \"%s\"; --help lists them all", word);
}

static void add_override(struct bondy_options *options, const char *value)
{
    options->overrides = bondy_realloc(options->overrides,
                                       (options->override_count + 2) * sizeof *options->overrides);
    options->overrides[options->override_count++] = value;
    options->overrides[options->override_count] = NULL;
}

int bondy_options_parse(int argc, char *const *argv, struct bondy_options *out,
                        struct bondy_error *err)
{
    *out = (struct bondy_options){0};
    for (int i = 1; i < argc; i++) {
        const char *value;
        const struct option *option = find(argv[i], &value);
        void *place;

        if (option == NULL)
            return refuse(argv[i], err);
        place = (char *)out + option->offset;
        if (option->takes == TAKES_NOTHING) {
            if (value != NULL)
                return bondy_fail(err, BONDY_EINVAL, "%s takes no value", option->name);
            *(bool *)place = true;
            continue;
        }
        if (value == NULL && i + 1 < argc)
            value = argv[++i];
        if (value == NULL)
            return bondy_fail(err, BONDY_EINVAL, "%s needs %s", option->name, option->argument);
        if (option->takes == TAKES_MANY)
            add_override(out, value);
        else
            *(const char **)place = value;
    }
    return BONDY_OK;
}

void bondy_options_fini(struct bondy_options *options)
{
    bondy_free(options->overrides);
    *options = (struct bondy_options){0};
}

void bondy_options_help(struct bondy_buf *out)
{
    bondy_buf_append_text(out, "Usage: bondyd [options]\n\n"
                               "A WAMP router and HTTP API gateway. Runs in the foreground, logs "
                               "to standard error,\nends after a clean drain on SIGTERM.\n\n");
    for (size_t i = 0; i < BONDY_COUNT(table); i++) {
        struct bondy_buf left = BONDY_BUF_EMPTY;

        bondy_buf_printf(&left, "  %s%s%s%s%s", table[i].alias == NULL ? "" : table[i].alias,
                         table[i].alias == NULL ? "" : ", ", table[i].name,
                         table[i].argument == NULL ? "" : " ",
                         table[i].argument == NULL ? "" : table[i].argument);
        bondy_buf_append_byte(&left, 0);
        bondy_buf_printf(out, "%-34s %s\n", left.data, table[i].help);
        bondy_buf_fini(&left);
    }
    bondy_buf_append_text(out, "\nExit: 0 normal, 1 failure while running, 2 configuration or "
                               "usage, 3 store, 4 port in use.\n"
                               "Configuration: bondy.conf(5).\n");
}
