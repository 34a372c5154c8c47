/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_OPTIONS_H
#define BONDY_SERVER_OPTIONS_H

/* options: the command line of bondyd. One table of options: parsing and --help come from it. */

#include <stdbool.h>
#include <stddef.h>

#include "src/base/buf.h"
#include "src/base/error.h"

struct bondy_options {
    const char *file;             /* -c */
    const char *ports_file;       /* --ports-file */
    const char *reference_format; /* --print-config-reference */
    const char **overrides;       /* --set, NULL-terminated; owned array, borrowed texts */
    size_t override_count;
    const char *master_key; /* --make-master-key */
    bool dev;
    bool check_config, strict;
    bool print_config, diff, origin, json;
    bool print_sample;
    bool version, help;
};

/* Texts are borrowed from `argv`. BONDY_EINVAL: the text says what is wrong. */
int bondy_options_parse(int argc, char *const *argv, struct bondy_options *out,
                        struct bondy_error *err);
void bondy_options_fini(struct bondy_options *options);
void bondy_options_help(struct bondy_buf *out);

#endif
