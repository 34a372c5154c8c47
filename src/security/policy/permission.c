/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/policy/permission.h"

static const char *const names[BONDY_PERMISSIONS] = {
    [BONDY_PERMISSION_CALL] = "wamp.call",
    [BONDY_PERMISSION_CANCEL] = "wamp.cancel",
    [BONDY_PERMISSION_REGISTER] = "wamp.register",
    [BONDY_PERMISSION_UNREGISTER] = "wamp.unregister",
    [BONDY_PERMISSION_PUBLISH] = "wamp.publish",
    [BONDY_PERMISSION_SUBSCRIBE] = "wamp.subscribe",
    [BONDY_PERMISSION_UNSUBSCRIBE] = "wamp.unsubscribe",
    [BONDY_PERMISSION_DISCLOSE_CALLER] = "wamp.disclose_caller",
    [BONDY_PERMISSION_DISCLOSE_PUBLISHER] = "wamp.disclose_publisher",
    [BONDY_PERMISSION_DISCLOSE_SESSION_INFO] = "wamp.disclose_session_info",
    [BONDY_PERMISSION_ISSUE] = "bondy.issue",
    [BONDY_PERMISSION_REVOKE] = "bondy.revoke",
    [BONDY_PERMISSION_AUTHENTICATE] = "bondy.authenticate",
    [BONDY_PERMISSION_SET_PASSWORD] = "bondy.user.set_password",
    [BONDY_PERMISSION_EXPORT_KEYS] = "bondy.realm.export_keys",
};

_Static_assert(BONDY_PERMISSIONS <= 32, "a permission is a bit of a uint32_t");

const char *bondy_permission_name(enum bondy_permission permission)
{
    return names[permission];
}

enum bondy_permission bondy_permission_of(struct bondy_slice name)
{
    unsigned permission = 0;

    while (permission < BONDY_PERMISSIONS && !bondy_slice_is(name, names[permission]))
        permission++;
    return (enum bondy_permission)permission;
}
