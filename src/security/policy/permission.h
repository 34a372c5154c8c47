/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_SECURITY_POLICY_PERMISSION_H
#define BONDY_SECURITY_POLICY_PERMISSION_H

/* permission: what may be done to a resource (realms-and-security.md 2.7). The names that the
 * router and the administration ask for are a closed table, one bit each; a grant may name any
 * other URI too, which dynamic parts ask for by its text. Pure, every thread. */

#include <stdbool.h>
#include <stdint.h>

#include "src/base/slice.h"

enum bondy_permission {
    BONDY_PERMISSION_CALL,
    BONDY_PERMISSION_CANCEL,
    BONDY_PERMISSION_REGISTER,
    BONDY_PERMISSION_UNREGISTER,
    BONDY_PERMISSION_PUBLISH,
    BONDY_PERMISSION_SUBSCRIBE,
    BONDY_PERMISSION_UNSUBSCRIBE,
    BONDY_PERMISSION_DISCLOSE_CALLER,
    BONDY_PERMISSION_DISCLOSE_PUBLISHER,
    BONDY_PERMISSION_DISCLOSE_SESSION_INFO,
    BONDY_PERMISSION_ISSUE,
    BONDY_PERMISSION_REVOKE,
    BONDY_PERMISSION_AUTHENTICATE,
    BONDY_PERMISSION_SET_PASSWORD,
    BONDY_PERMISSION_EXPORT_KEYS,
    BONDY_PERMISSIONS, /* how many; also "not one of the table" */
};

/* "wamp.call" and so on. */
const char *bondy_permission_name(enum bondy_permission permission);
/* BONDY_PERMISSIONS when the text is not in the table. */
enum bondy_permission bondy_permission_of(struct bondy_slice name);

static inline uint32_t bondy_permission_bit(enum bondy_permission permission)
{
    return UINT32_C(1) << permission;
}

#endif
