/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_CONFIG_LOAD_H
#define BONDY_SERVER_CONFIG_LOAD_H

/* config_load: the steps of loading, shared by config*.c only. */

#include "src/server/config.h"

struct bondy_config_loader {
    const struct bondy_config_sources *sources;
    struct bondy_config *config;
    struct bondy_config_diag *diag;
    bool unknown_is_warning;
    unsigned machine_keys; /* keys of vm.* and erlang.*: one warning for all */
};

/* Takes one setting as it was written, whatever source it is from. `origin.source` must live as
 * long as the configuration: bondy_config_keep_text(). */
void bondy_config_set(struct bondy_config_loader *loader, struct bondy_slice name,
                      struct bondy_slice value, const struct bondy_config_origin *origin);
const char *bondy_config_keep_text(struct bondy_config *config, struct bondy_slice text);
struct bondy_config_entry *bondy_config_entry_find(struct bondy_config *config,
                                                   struct bondy_slice name);
/* The sources in order of precedence. */
void bondy_config_read_sources(struct bondy_config_loader *loader);
/* NULL when there is none. */
const char *bondy_config_environment(const struct bondy_config_sources *sources, const char *name);
/* Substitution: $(key), ${VAR}, ${VAR:-default}; then the value by its type. */
void bondy_config_resolve(struct bondy_config_loader *loader);
/* Makes a warning of an error. */
void bondy_config_soften(struct bondy_config_diag *diag, size_t index);
/* Rules between keys, files that must be there, insecure choices. */
void bondy_config_check(struct bondy_config_loader *loader);

#endif
