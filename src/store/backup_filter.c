/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/backup_filter.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/store/key.h"

#define ALL_TYPES (((UINT32_C(1) << BONDY_BACKUP_TYPES) - 1) & ~UINT32_C(1))

static const char *const names[BONDY_BACKUP_TYPES] = {
    [BONDY_RECORD_REALM] = "realm",
    [BONDY_RECORD_REALM_ELEMENT] = "realm_element",
    [BONDY_RECORD_USER] = "user",
    [BONDY_RECORD_USER_ELEMENT] = "user_element",
    [BONDY_RECORD_GROUP] = "group",
    [BONDY_RECORD_GROUP_ELEMENT] = "group_element",
    [BONDY_RECORD_GRANT] = "grant",
    [BONDY_RECORD_SOURCE] = "source",
    [BONDY_RECORD_TICKET] = "ticket",
    [BONDY_RECORD_TOKEN] = "token",
    [BONDY_RECORD_API_SPEC] = "api_spec",
    [BONDY_RECORD_BRIDGE_RELAY] = "bridge_relay",
    [BONDY_RECORD_BROKER_BRIDGE] = "broker_bridge",
    [BONDY_RECORD_RETAINED] = "retained",
    [BONDY_RECORD_SETTING] = "setting",
    [BONDY_RECORD_APPLIED] = "applied",
    [BONDY_RECORD_EVICTED] = "evicted",
    [BONDY_RECORD_LEASE] = "lease",
};

const char *bondy_backup_type_name(enum bondy_record_type type)
{
    return (size_t)type < BONDY_COUNT(names) ? names[type] : NULL;
}

uint32_t bondy_backup_type_bit(struct bondy_slice name)
{
    for (size_t i = 1; i < BONDY_COUNT(names); i++)
        if (bondy_slice_is(name, names[i]))
            return UINT32_C(1) << i;
    return 0;
}

int bondy_backup_filter_init(struct bondy_filter *filter, const struct bondy_backup_filter *options,
                             uint32_t excluded, struct bondy_error *err)
{
    uint8_t scope[BONDY_SCOPE_HASH_LEN];

    memset(filter, 0, sizeof *filter);
    if (options->types & ~ALL_TYPES)
        return bondy_fail(err, BONDY_EINVAL, "unknown types of records");
    if (options->realm_count > BONDY_BACKUP_REALMS_MAX)
        return bondy_fail(err, BONDY_EINVAL, "%zu realms, at most %d can be named",
                          options->realm_count, BONDY_BACKUP_REALMS_MAX);
    filter->types = (options->types == 0 ? ALL_TYPES : options->types) & ~excluded;
    filter->is_for_realms = options->realm_count > 0;
    for (size_t i = 0; i < options->realm_count; i++) {
        if (options->realms[i].len == 0)
            return bondy_fail(err, BONDY_EINVAL, "a realm without a name");
        bondy_store_scope_hash(options->realms[i], scope);
        bondy_map_put(&filter->scopes, bondy_slice_of(scope, sizeof scope), filter);
        bondy_map_put(&filter->realms, options->realms[i], filter);
    }
    return BONDY_OK;
}

void bondy_backup_filter_fini(struct bondy_filter *filter)
{
    bondy_map_fini(&filter->scopes);
    bondy_map_fini(&filter->realms);
}

/* A realm's own record is global; its URI is its subkey, and short enough to be there whole. */
bool bondy_backup_filter_passes(const struct bondy_filter *filter, struct bondy_slice key)
{
    unsigned type = (uint8_t)key.data[0];

    if (key.len < BONDY_KEY_HEAD || type >= BONDY_BACKUP_TYPES || !(filter->types >> type & 1))
        return false;
    if (!filter->is_for_realms)
        return true;
    if (type == BONDY_RECORD_REALM)
        return bondy_map_find(&filter->realms, bondy_slice_skip(key, BONDY_KEY_HEAD)) != NULL;
    return bondy_map_find(&filter->scopes, bondy_slice_of(key.data + 1, BONDY_SCOPE_HASH_LEN)) !=
           NULL;
}
