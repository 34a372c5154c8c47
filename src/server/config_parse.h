/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_CONFIG_PARSE_H
#define BONDY_SERVER_CONFIG_PARSE_H

/* config_parse: the grammar of bondy.conf: lines of `key = value`, comments and includes. Pure: no
 * file is opened here. configuration.md 1.1. */

#include "src/base/error.h"
#include "src/base/slice.h"

#define BONDY_CONFIG_LINE_MAX ((size_t)64 * 1024)
#define BONDY_CONFIG_FILE_MAX ((size_t)4 * 1024 * 1024)

/* One line that says something. Slices are borrowed during the call. */
struct bondy_config_line {
    enum { BONDY_CONFIG_SETTING, BONDY_CONFIG_INCLUDE } kind;
    unsigned line;   /* from 1 */
    unsigned column; /* of the value, from 1 */
    struct bondy_slice key;
    struct bondy_slice value; /* unquoted; the path of an include */
};

struct bondy_config_handler {
    void (*on_line)(void *context, const struct bondy_config_line *line);
    /* C001. Parsing goes on with the next line. */
    void (*on_error)(void *context, unsigned line, unsigned column, const char *text);
    void *context;
};

/* Calls the handler for every line of `text` that is not empty. */
void bondy_config_parse(struct bondy_slice text, const struct bondy_config_handler *handler);

#endif
