/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SERVER_CONFIG_SCHEMA_TABLES_H
#define BONDY_SERVER_CONFIG_SCHEMA_TABLES_H

/* config_schema_tables: the rows of config_schema, by subject. Only config_schema.c looks in here.
 */

#include "src/base/alloc.h"
#include "src/server/config_schema.h"

/* Rows that stand under each of some prefixes (separated by spaces), or as they are (NULL). */
struct bondy_config_group {
    const char *section;
    const char *prefixes;
    const struct bondy_config_row *rows;
    size_t count;
};

/* Each ends with a group without section. */
extern const struct bondy_config_group bondy_config_node_groups[];
extern const struct bondy_config_group bondy_config_listener_groups[];
extern const struct bondy_config_group bondy_config_wamp_groups[];
extern const struct bondy_config_group bondy_config_bridge_groups[];
extern const struct bondy_config_group bondy_config_cluster_groups[];
extern const struct bondy_config_group bondy_config_log_groups[];

#endif
