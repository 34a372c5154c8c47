/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/secret.h"

#include "src/security/entity/stored.h"

bool bondy_record_is_secret(const struct bondy_store_key *key)
{
    struct bondy_slice subkey = key->subkey;
    struct bondy_element element;

    switch (key->type) {
    case BONDY_RECORD_REALM_ELEMENT:
        return subkey.len >= 2 && (subkey.data[0] == 'k' || subkey.data[0] == 'c') &&
               subkey.data[1] == '\0';
    case BONDY_RECORD_USER_ELEMENT:
        return bondy_element_parse(subkey, &element) && element.kind == 'p';
    case BONDY_RECORD_BRIDGE_RELAY:
    case BONDY_RECORD_BROKER_BRIDGE:
        return true;
    case BONDY_RECORD_SETTING:
        return bondy_slice_is(subkey, "security.login");
    default:
        return false;
    }
}
