/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_CTL_OPTIONS_H
#define BONDY_CTL_OPTIONS_H

/* options: the command line of `bondy`. Verbs and options are rows of two tables, from which
 * parsing, --help and completion come. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/buf.h"
#include "src/base/json.h"
#include "src/wamp/message.h"

/* operations.md 10. */
enum bondy_exit {
    BONDY_EXIT_OK = 0,
    BONDY_EXIT_ERROR = 1,
    BONDY_EXIT_USAGE = 2,
    BONDY_EXIT_UNREACHABLE = 3,
    BONDY_EXIT_UNAUTHORISED = 4
};

struct bondy_ctl_options {
    /* As given on the command line or by BONDY_...; NULL: neither. Borrowed. */
    const char *url, *realm, *serializer, *timeout, *output;
    const char *ca_file;
    const char *authid, *secret, *ticket, *key_file;
    const char *kwargs, *options, *match, *count, *concurrency;
    bool acknowledge, help, version;
    /* What follows from them. */
    uint64_t timeout_ms;
    bool output_json;
    enum bondy_serializer serializer_id;
    json_t *kwargs_tree;   /* an object, or NULL */
    json_t *options_tree;  /* an object, never NULL */
    uint64_t count_number; /* 0: no end */
    unsigned concurrency_number;
    /* Positional arguments and what stands behind "--"; borrowed from argv. */
    char **arguments;
    size_t argument_count;
    char **program; /* NULL-terminated, or NULL */
};

/* A verb. Verbs are listed in main.c. */
struct bondy_ctl_verb {
    const char *name;
    const char *usage;  /* what follows the name */
    const char *help;   /* one line */
    const char *detail; /* more lines, or NULL */
    unsigned options;   /* bits: which of the verb's own options it takes */
    bool takes_program;
    int (*run)(const struct bondy_ctl_options *options);
};
enum {
    BONDY_OPTION_ALL = 0, /* every verb takes it */
    BONDY_OPTION_KWARGS = 1,
    BONDY_OPTION_OPTIONS = 2,
    BONDY_OPTION_MATCH = 4,
    BONDY_OPTION_COUNT = 8,
    BONDY_OPTION_ACKNOWLEDGE = 16,
    BONDY_OPTION_CONCURRENCY = 32
};

/* `argv` begins behind the verb. BONDY_EINVAL: a wrong command line. */
int bondy_ctl_options_parse(const struct bondy_ctl_verb *verb, int argc, char **argv,
                            struct bondy_ctl_options *out, struct bondy_error *err);
void bondy_ctl_options_fini(struct bondy_ctl_options *options);
/* Lines about the options of a verb; NULL: those that all verbs take. */
void bondy_ctl_options_help(const struct bondy_ctl_verb *verb, struct bondy_buf *out);
/* "5s", "250ms", "2m" or seconds. */
int bondy_ctl_duration_parse(const char *text, uint64_t *ms, struct bondy_error *err);
/* A word of the command line: JSON if it is JSON, else a string. The caller owns it. */
json_t *bondy_ctl_value(const char *word);

#endif
