/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BONDY_ADMIN_PROCEDURES_REALM_H
#define BONDY_ADMIN_PROCEDURES_REALM_H

/* procedures_realm: what procedures about realms share. */

#include "src/admin/procedures_local.h"
#include "src/security/entity/realm.h"

extern const struct bondy_admin_kind bondy_admin_realms;

#endif
