/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_REALM_H
#define BONDY_SECURITY_REALM_H

/* realm: the realms, as records in the store and as a published table for every thread.
 *
 * Reading: bondy_realms_find() on any RCU reader (each loop); what it returns is immutable and may
 * be used until the thread's next sleep, or longer with a reference. Writing: the *_apply functions
 * run inside store jobs on the control thread; the change feed republishes the table.
 * realms-and-security.md 1; of it, until identities exist, what design names.md allows. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/json.h"
#include "src/base/ref.h"
#include "src/store/store.h"

#define BONDY_MASTER_REALM "com.leapsight.bondy"
#define BONDY_CONTROL_REALM "com.leapsight.bondy.internal"

struct bondy_realm {
    struct bondy_ref ref;
    char *uri; /* canonical (casefolded) */
    char *description;
    bool is_master;
    bool allows_connections; /* resolved */
    bool allows_anonymous;   /* resolved: may a WAMP session join without identity */
    json_t *document;        /* what was given, for GET and for later parts */
    uint32_t gen;
    uint8_t version[BONDY_VERSION_LEN];
};

struct bondy_realms;

struct bondy_realms *bondy_realms_create(bool auto_create);
void bondy_realms_destroy(struct bondy_realms *realms);

/* By URI as the peer wrote it: canonicalised here; the alias `bondy` finds the master realm. NULL
 * when there is none. Any RCU reader. */
const struct bondy_realm *bondy_realms_find(const struct bondy_realms *realms,
                                            struct bondy_slice uri);
/* All realms, sorted by URI, as external representations (1.2); the caller owns the array. */
json_t *bondy_realms_list(const struct bondy_realms *realms);
json_t *bondy_realm_external(const struct bondy_realm *realm);
void bondy_realm_ref(const struct bondy_realm *realm);
void bondy_realm_unref(const struct bondy_realm *realm);

/* The feed: gives the table what the store reported; publish makes it visible to all readers. */
void bondy_realms_on_change(struct bondy_realms *realms, const struct bondy_change *change);
void bondy_realms_publish(struct bondy_realms *realms);

/* Checks an input object without writing: *problem is an error object of admin-http-api.md 7 (code,
 * message, description, key/keys) that the caller owns, with BONDY_EINVAL or BONDY_EUNSUPPORTED. */
int bondy_realm_check(const json_t *input, bool is_update, json_t **problem);
/* Inside jobs. BONDY_EEXIST, BONDY_ENOENT, BONDY_EINVAL...; *problem as above on every failure. */
int bondy_realm_apply_create(struct bondy_store_write *write, const json_t *input,
                             json_t **problem);
int bondy_realm_apply_update(struct bondy_store_write *write, struct bondy_slice uri,
                             const json_t *input, json_t **problem);
int bondy_realm_apply_delete(struct bondy_store_write *write, struct bondy_slice uri,
                             json_t **problem);
/* Writes the master realm's built-in record when it is not there. */
int bondy_realm_apply_builtin(struct bondy_store_write *write, struct bondy_error *err);

#endif
