/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_GATEWAY_SPEC_TABLE_LOCAL_H
#define BONDY_GATEWAY_SPEC_TABLE_LOCAL_H

/* What the table offers to the checker of specifications: the same building, with a word about
 * every route that was there already. */

#include "gateway/spec/table.h"

/* `first` keeps the route that `second` wanted too; once for each such pair in a row. */
typedef void (*bondy_route_duplicate_fn)(void *context, const struct bondy_operation *first,
                                         const struct bondy_operation *second);

struct bondy_route_table *bondy_route_table_collect(const struct bondy_spec *const specs[],
                                                    size_t count, bondy_route_duplicate_fn fn,
                                                    void *context);

#endif
