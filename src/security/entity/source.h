/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_SOURCE_H
#define BONDY_SECURITY_ENTITY_SOURCE_H

/* source: from which network a user may log in with which method. realms-and-security.md 2.5.
 *
 * One record (0x08) for each username (or `all`, `anonymous`), network and method. */

#include "src/security/entity/edit.h"
#include "src/security/entity/user.h"
#include "src/sys/net.h"

struct bondy_source {
    struct bondy_slice username; /* or "all", "anonymous" */
    struct bondy_slice cidr;     /* canonical text */
    struct bondy_slice authmethod;
    struct bondy_cidr network;
    json_t *meta;
    bool is_managed;
    bool is_inherited; /* of the prototype */
};

/* {"type":"source",...} of 2.5; the caller owns it. */
json_t *bondy_source_external(const struct bondy_source *source);

/* Calls `fn` with the sources that let `username` (canonical; "anonymous", "all") in from `address`
 * in the order of 2.5: longest network first, the user's own before those for all; until it returns
 * non-zero, which is returned. Own, `all`, and the prototype's `all`. `address` NULL: all of them,
 * whatever the network. */
int bondy_source_match(const struct bondy_store_view *view, const struct bondy_realm *realm,
                       struct bondy_slice username, const struct bondy_address *address,
                       int (*fn)(void *context, const struct bondy_source *source), void *context);
/* The realm's own in order of their keys. */
int bondy_source_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                      int (*fn)(void *context, const struct bondy_source *source), void *context);

int bondy_source_check(const struct bondy_edit *edit, const json_t *input, json_t **problem);
/* [in a store job] The result is the source without username. */
int bondy_source_apply_add(struct bondy_edit *edit, struct bondy_slice realm, const json_t *input);
/* `usernames`: a name, "all", "anonymous" or a list of them; `authmethod` empty: all methods. What
 * was not there is no error. */
int bondy_source_apply_delete(struct bondy_edit *edit, struct bondy_slice realm,
                              const json_t *usernames, struct bondy_slice cidr,
                              struct bondy_slice authmethod);
/* All of a user that goes away. */
int bondy_source_apply_delete_user(struct bondy_edit *edit, const struct bondy_realm *realm,
                                   struct bondy_slice username);

#endif
