/* SPDX-License-Identifier: Apache-2.0 */

/* The number that tells caches of credentials that one may have ended. */

#include "src/security/entity/stored.h"
#include "src/security/login/login_local.h"
#include "src/security/token/api_key.h"
#include "src/security/token/denied.h"

#define REVOKED_ALL 't' /* the element of a user that marks the time */

static bool ends_credentials(const struct bondy_change *change)
{
    const struct bondy_store_key *key = &change->now.key;
    struct bondy_element element;

    switch (key->type) {
    case BONDY_RECORD_TICKET: /* a new one ends nothing */
        return change->before != NULL || change->now.is_tombstone;
    case BONDY_RECORD_TOKEN:
        return bondy_slice_starts(key->subkey, BONDY_DENIED_HEAD) ||
               bondy_slice_starts(key->subkey, BONDY_API_KEY_HEAD);
    case BONDY_RECORD_USER_ELEMENT:
        return bondy_element_parse(key->subkey, &element) && element.kind == REVOKED_ALL;
    case BONDY_RECORD_REALM: /* who could log in may not be able to any more */
    case BONDY_RECORD_REALM_ELEMENT:
    case BONDY_RECORD_SOURCE:
        return true;
    default:
        return false;
    }
}

void bondy_auth_on_change(struct bondy_auth *auth, const struct bondy_change *change)
{
    if (ends_credentials(change))
        atomic_fetch_add_explicit(&auth->revocations, 1, memory_order_release);
}

uint64_t bondy_auth_revocations(const struct bondy_auth *auth)
{
    return atomic_load_explicit(&auth->revocations, memory_order_acquire);
}
