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
    uint64_t created_ms, updated_ms;
    bool allows_connections; /* resolved */
    bool allows_anonymous;   /* resolved: may a WAMP session join without identity */
    json_t *document;      /* what was given, for GET and for later parts; switches not included */
    int connections_given; /* allow_connections as given: -1 not, 0, 1 */
    int security_given;    /* security_enabled likewise */
    uint32_t gen;
    uint8_t version[BONDY_VERSION_LEN];
};

struct bondy_realms;

struct bondy_realms *bondy_realms_create(void);
/* No reader may be left. */
void bondy_realms_destroy(struct bondy_realms *realms);
/* Fills the table from the store and publishes it; before any other thread reads. */
int bondy_realms_load_wait(struct bondy_realms *realms, struct bondy_store *store,
                           struct bondy_error *err);

/* By URI as the peer wrote it: canonicalised here; the alias `bondy` finds the master realm. NULL
 * when there is none. Any RCU reader. */
const struct bondy_realm *bondy_realms_find(const struct bondy_realms *realms,
                                            struct bondy_slice uri);
/* All realms, sorted by URI, as external representations (1.2); the caller owns the array. */
json_t *bondy_realms_list(const struct bondy_realms *realms);
json_t *bondy_realm_external(const struct bondy_realm *realm);
void bondy_realm_ref(const struct bondy_realm *realm);
void bondy_realm_unref(const struct bondy_realm *realm);

/* The URI as it is stored: ASCII letters folded, the alias `bondy` resolved; false when it is
 * longer than `room`. `out` is not terminated. */
bool bondy_realm_canonical(struct bondy_slice uri, char *out, size_t room, size_t *len);

/* The feed: gives the table what the store reported; publish makes it visible to all readers. */
void bondy_realms_on_change(struct bondy_realms *realms, const struct bondy_change *change);
void bondy_realms_publish(struct bondy_realms *realms);

/* Below, *problem is an error object of admin-http-api.md 7 ({code, message, description, ...})
 * that the caller owns, made on every failure. Codes: BONDY_EINVAL (the input is wrong),
 * BONDY_EUNSUPPORTED (a part that is not built yet), BONDY_EEXIST, BONDY_ENOENT, BONDY_ECONFLICT
 * (`expected` is not the version it has), BONDY_EIO. */

/* Checks an input object without writing. */
int bondy_realm_check(const json_t *input, bool is_update, json_t **problem);
/* Inside jobs. `expected` may be NULL. What they wrote is in the table when the job is done; *uri
 * of create is the canonical URI, which the caller frees. */
int bondy_realm_apply_create(struct bondy_store_write *write, const json_t *input, char **uri,
                             json_t **problem);
int bondy_realm_apply_update(struct bondy_store_write *write, struct bondy_slice uri,
                             const json_t *input, const uint8_t *expected, json_t **problem);
int bondy_realm_apply_delete(struct bondy_store_write *write, struct bondy_slice uri,
                             const uint8_t *expected, json_t **problem);
/* A security file: an array of realm inputs, each created or brought to what it says; writes only
 * what differs, so that applying it twice changes nothing. Unknown keys are dropped with a warning.
 * All mistakes are in problem->errors, each with its JSON pointer. */
int bondy_realm_apply_file(struct bondy_store_write *write, const json_t *file, json_t **problem);
/* Writes the master realm's built-in record when it is not there. */
int bondy_realm_apply_builtin(struct bondy_store_write *write, struct bondy_error *err);

#endif
