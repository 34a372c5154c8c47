/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ROUTER_URI_TABLE_H
#define BONDY_ROUTER_URI_TABLE_H

/* uri_table: exact URIs to values, for readers that never wait.
 *
 * Chained buckets. One writer at a time links and unlinks single nodes; growing builds a new set of
 * buckets and nodes and publishes it whole. Readers are RCU readers; what they were given stays as
 * long as the value itself (the owner retires values after removing them). Hashes come from
 * bondy_hash(), so a peer cannot choose URIs that collide. */

#include <stddef.h>
#include <stdint.h>

#include "src/base/slice.h"

struct bondy_uri_buckets;

struct bondy_uri_table {
    struct bondy_uri_buckets *buckets; /* published; NULL before the first value */
    size_t count;                      /* the writer's */
};

/* `uri` must stay as long as the value. The writer's: */
void bondy_uri_table_add(struct bondy_uri_table *table, struct bondy_slice uri, uint64_t hash,
                         void *value);
void bondy_uri_table_remove(struct bondy_uri_table *table, struct bondy_slice uri, uint64_t hash);
/* No reader is left. */
void bondy_uri_table_fini(struct bondy_uri_table *table);

/* Any RCU reader. NULL when there is none. */
void *bondy_uri_table_find(const struct bondy_uri_table *table, struct bondy_slice uri,
                           uint64_t hash);

#endif
