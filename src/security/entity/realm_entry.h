/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_ENTITY_REALM_ENTRY_H
#define BONDY_SECURITY_ENTITY_REALM_ENTRY_H

/* realm_entry: a realm as its records say it, before anything is inherited; from it and its
 * prototype's entry a struct bondy_realm is made. One thread. Internal to src/security. */

#include "src/security/entity/realm.h"

struct bondy_realm_entry {
    char *uri;
    uint32_t gen;
    json_t *document;
    uint8_t version[BONDY_VERSION_LEN]; /* the greatest of the realm's and its elements' */
    uint64_t created_ms;
    int connections_given, security_given;
    json_t *signing, *encryption;  /* kid to body of the element */
    struct bondy_realm_keys *keys; /* made of those; NULL: to be made again */
};

/* Of a live record of a realm. */
void bondy_realm_entry_init(struct bondy_realm_entry *entry, const struct bondy_record *record);
void bondy_realm_entry_fini(struct bondy_realm_entry *entry);
/* The realm's record was written again, under the same generation. */
void bondy_realm_entry_update(struct bondy_realm_entry *entry, const struct bondy_record *record);
/* An element of this realm and generation was written, or deleted (a tombstone). */
void bondy_realm_entry_element(struct bondy_realm_entry *entry, const struct bondy_record *record);
/* Empty: none. */
struct bondy_slice bondy_realm_entry_prototype(const struct bondy_realm_entry *entry);
/* Without keys. The caller owns a reference. `prototype` may be NULL. */
struct bondy_realm *bondy_realm_entry_make(const struct bondy_realm_entry *entry,
                                           const struct bondy_realm_entry *prototype,
                                           const struct bondy_security_rules *rules);
/* A reference to the realm's keys, which are parsed when they have changed. */
struct bondy_realm_keys *bondy_realm_entry_keys(struct bondy_realm_entry *entry);

#endif
