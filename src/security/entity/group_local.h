/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_GROUP_LOCAL_H
#define BONDY_SECURITY_ENTITY_GROUP_LOCAL_H

/* group_local: where groups are stored, between the files of group. */

#include "src/security/entity/group.h"
#include "src/security/entity/stored.h"

struct bondy_group_place {
    struct bondy_slice realm_uri; /* empty: there is none */
    uint32_t realm_gen;
};

struct bondy_group_place bondy_group_place_of(const struct bondy_realm *realm);
struct bondy_group_place bondy_group_place_of_prototype(const struct bondy_realm *realm);
struct bondy_store_key bondy_group_key(const struct bondy_group_place *place,
                                       struct bondy_slice name);
/* A stored one; out is to be ended when it is true. */
bool bondy_group_read(const struct bondy_store_view *view, const struct bondy_group_place *place,
                      struct bondy_slice name, struct bondy_group *out);

#endif
