/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_TOKEN_REFRESH_LOCAL_H
#define BONDY_SECURITY_TOKEN_REFRESH_LOCAL_H

/* refresh_local: how families are kept; for refresh*.c. Subkey: `bondy.refresh NUL NUL`, a hash of
 * the user, one of realm and client, and the family's id. */

#include "src/security/token/record.h"
#include "src/security/token/refresh.h"

#define BONDY_FAMILY_HEAD "bondy.refresh\0" /* its own NUL is the second one */
#define BONDY_FAMILY_HEAD_LEN (sizeof BONDY_FAMILY_HEAD)
#define BONDY_FAMILY_OWNER_LEN 32u
#define BONDY_FAMILY_CLIENT_LEN 32u
#define BONDY_FAMILY_ID_LEN 16u
#define BONDY_FAMILY_OF_USER (BONDY_FAMILY_HEAD_LEN + BONDY_FAMILY_OWNER_LEN)
#define BONDY_FAMILY_SUBKEY (BONDY_FAMILY_OF_USER + BONDY_FAMILY_CLIENT_LEN + BONDY_FAMILY_ID_LEN)

struct bondy_family {
    uint8_t subkey[BONDY_FAMILY_SUBKEY];
    json_t *stored;
};

/* The key of tokens: SHA-256 of the canonical authid. */
void bondy_family_owner(struct bondy_slice authid, uint8_t out[BONDY_FAMILY_OWNER_LEN]);
void bondy_family_subkey(const uint8_t owner[BONDY_FAMILY_OWNER_LEN], struct bondy_slice realm,
                         struct bondy_slice client_id, const char *id,
                         uint8_t out[BONDY_FAMILY_SUBKEY]);
/* The family where it is stored: in the realm, or in the one that authenticates for it. The caller
 * owns the tree and a reference to *authrealm. */
bool bondy_family_find(const struct bondy_store_view *view, const struct bondy_realm *realm,
                       struct bondy_family *family, struct bondy_realm **authrealm);
/* All of a user (by name, whatever its generation); the caller owns array and trees. */
struct bondy_family *bondy_families_of(const struct bondy_store_view *view,
                                       const struct bondy_realm *authrealm,
                                       struct bondy_slice authid, size_t *count);
void bondy_families_free(struct bondy_family *families, size_t count);
int bondy_family_put(struct bondy_edit *edit, const struct bondy_realm *authrealm,
                     const struct bondy_family *family);
/* Deletes it; `is_denied`: and its access tokens are worth nothing from now on. */
int bondy_family_end(struct bondy_edit *edit, const struct bondy_realm *authrealm,
                     const struct bondy_family *family, bool is_denied);
/* Whether its user is still the one. */
bool bondy_family_stands(const struct bondy_store_view *view, const struct bondy_realm *realm,
                         const json_t *stored);

#endif
