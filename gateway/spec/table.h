/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_SPEC_TABLE_H
#define BONDY_GATEWAY_SPEC_TABLE_H

/* table: all routes of all loaded specifications, immutable: built aside, published whole.
 *
 * Per scheme a tree of host labels (from the right), and at its leaves trees of path segments. A
 * lookup walks literal, :name, :_, [...] in this order at every segment and steps back when a way
 * leads nowhere, so the most specific route is found first, whatever order routes were added in
 * (http-gateway.md 1.4). Nothing is allocated by a lookup; its cost does not depend on the number
 * of routes but on the depth of the path and the number of patterns that start alike. */

#include <stdbool.h>

#include "gateway/spec/spec.h"

struct bondy_route_table;

struct bondy_path_binding {
    struct bondy_slice name;  /* borrows the table */
    struct bondy_slice value; /* borrows the path and host parts given to the lookup */
};

#define BONDY_ROUTE_MAX_BINDINGS 32

struct bondy_route_match {
    /* NULL: the path is known, the method is not (405); for OPTIONS the gateway then answers
     * itself. HEAD falls back to the GET operation. */
    const struct bondy_operation *operation;
    /* The path that the operation belongs to; without operation, the first one declared here. */
    const struct bondy_path *path;
    /* What may be used here (Allow, access-control-allow-methods): declared methods, HEAD when
     * there is GET, OPTIONS always. Bits 1u << enum bondy_method. */
    unsigned methods;
    struct bondy_path_binding bindings[BONDY_ROUTE_MAX_BINDINGS];
    size_t binding_count;
};

/* Builds the table of `specs`, the one that was stored first at the front: it wins where two
 * documents have the same route, with a warning {code: "duplicate_route", message, api, other}. The
 * table takes its own references. Cannot fail: patterns were checked at load.
 * *warnings (NULL allowed): an array that the caller owns. */
struct bondy_route_table *bondy_route_table_build(const struct bondy_spec *const specs[],
                                                  size_t count, json_t **warnings);
void bondy_route_table_destroy(struct bondy_route_table *table);

/* Finds the route for one request; `host` and `path` from bondy_host_split(), bondy_path_split().
 * False: no such path (404). `scheme` is one BONDY_SCHEME_* bit. Any thread. */
bool bondy_route_table_find(const struct bondy_route_table *table, unsigned scheme,
                            const struct bondy_path_parts *host,
                            const struct bondy_path_parts *path, enum bondy_method method,
                            struct bondy_route_match *out);
/* "GET, HEAD, POST, OPTIONS" for a set of methods, with a NUL. */
void bondy_route_allow(unsigned methods, char out[64]);
/* Routes in the table, over all schemes and readings of optional parts. */
size_t bondy_route_table_count(const struct bondy_route_table *table);

#endif
