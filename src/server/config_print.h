/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_CONFIG_PRINT_H
#define BONDY_SERVER_CONFIG_PRINT_H

/* config_print: the effective configuration, and documents made from the key table.
 * configuration.md 3 and 4. */

#include "src/server/config.h"

struct bondy_config_print {
    bool diff;   /* only what is not the default */
    bool origin; /* where each value is from */
    bool json;
};

/* Appends what --print-config shows. Secrets are masked. */
void bondy_config_print(const struct bondy_config *config, const struct bondy_config_print *how,
                        struct bondy_buf *out);
/* `format` is "md", "man" or "json". BONDY_EINVAL: something else. */
int bondy_config_print_reference(const char *format, struct bondy_buf *out,
                                 struct bondy_error *err);
/* A commented file with every key. */
void bondy_config_print_sample(struct bondy_buf *out);

#endif
