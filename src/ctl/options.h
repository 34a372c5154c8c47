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

struct bondy_ctl_verb;

struct bondy_ctl_options {
    const struct bondy_ctl_verb *verb;
    /* As given on the command line or by BONDY_...; NULL: neither. Borrowed. */
    const char *url, *realm, *serializer, *timeout, *output;
    const char *ca_file;
    const char *authid, *secret, *secret_file, *ticket, *ticket_file, *key_file;
    const char *admin_url, *admin_user, *admin_password_file, *admin_token_file;
    const char *kwargs, *options, *match, *count, *concurrency, *data;
    bool acknowledge, insecure, help;
    /* What follows from them. */
    uint64_t timeout_ms;
    bool output_json; /* asked for; not asked: see output */
    enum bondy_serializer serializer_id;
    json_t *kwargs_tree;   /* an object, or NULL; of a verb of administration never NULL */
    json_t *options_tree;  /* an object, never NULL */
    json_t *fields_tree;   /* what the options say about the document of the verb; never NULL */
    json_t *secrets_tree;  /* where to read secrets, by the name of the field; never NULL */
    uint64_t count_number; /* 0: no end */
    unsigned concurrency_number;
    /* Positional arguments and what stands behind "--"; borrowed from argv. */
    char **arguments;
    size_t argument_count;
    char **program; /* NULL-terminated, or NULL */
};

/* A verb. Verbs are listed in main.c and verbs_admin.c. */
struct bondy_ctl_verb {
    const char *name;    /* one word or two: "call", "user add" */
    const char *usage;   /* what follows the name */
    const char *help;    /* one line */
    const char *detail;  /* more lines, or NULL */
    const char *options; /* its own, without dashes: "kwargs match" */
    bool takes_program;
    /* Verbs of administration only: the procedure, and its arguments as call.h says. `form` is not
     * NULL for them. */
    const char *procedure;
    const char *form;
    int (*run)(const struct bondy_ctl_options *options);
};

/* `argv` begins behind the verb. BONDY_EINVAL: a wrong command line. */
int bondy_ctl_options_parse(const struct bondy_ctl_verb *verb, int argc, char **argv,
                            struct bondy_ctl_options *out, struct bondy_error *err);
void bondy_ctl_options_fini(struct bondy_ctl_options *options);
/* Lines about the options that only this verb takes, or those that it shares with others. */
void bondy_ctl_options_help(const struct bondy_ctl_verb *verb, bool own, struct bondy_buf *out);
/* Whether a list of words holds one. */
bool bondy_ctl_lists(const char *words, const char *word, size_t len);
/* "5s", "250ms", "2m" or seconds. */
int bondy_ctl_duration_parse(const char *text, uint64_t *ms, struct bondy_error *err);
/* A word of the command line: JSON if it is JSON, else a string. The caller owns it. */
json_t *bondy_ctl_value(const char *word);
/* "a,b" as a list of texts; "all", "anonymous" and "any" stand for themselves when `may_be_word`.
 * The caller owns it. NULL: not UTF-8. */
json_t *bondy_ctl_names(const char *word, bool may_be_word);

#endif
