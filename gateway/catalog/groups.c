/* SPDX-License-Identifier: Apache-2.0 */

/* groups: a load makes the two groups that OAuth2 knows people by, where the realm has none of
 * these names. http-gateway.md 8.2. */

#include "gateway/catalog/record.h"
#include "src/base/alloc.h"
#include "src/security/entity/group.h"

static const struct {
    const char *name, *description;
} GROUPS[] = {
    {"api_clients", "Programs that ask for access tokens of this realm."},
    {"resource_owners", "Users whom programs may ask to act for."},
};

static int add(struct bondy_edit *edit, struct bondy_slice realm_uri, size_t index)
{
    json_t *input = json_pack("{s:s, s:{s:s}}", "name", GROUPS[index].name, "meta", "description",
                              GROUPS[index].description);
    int rc = bondy_group_apply_add(edit, realm_uri, input);

    json_decref(input);
    return rc;
}

int bondy_catalog_make_groups(const struct bondy_security_rules *rules,
                              struct bondy_store_write *write, struct bondy_slice realm_uri,
                              struct bondy_error *err)
{
    struct bondy_security_rules defaults;
    struct bondy_edit edit = {.rules = rules == NULL ? &defaults : rules};
    const struct bondy_realm *realm;
    int rc = BONDY_OK;

    bondy_security_rules_init(&defaults);
    bondy_edit_start(&edit, write);
    for (size_t i = 0; i < BONDY_COUNT(GROUPS) && rc == BONDY_OK; i++) {
        rc = bondy_edit_realm(&edit, realm_uri, &realm);
        if (rc == BONDY_OK &&
            !bondy_group_is_known(bondy_edit_view(&edit), realm, bondy_slice_text(GROUPS[i].name)))
            rc = add(&edit, realm_uri, i);
    }
    if (rc < 0)
        bondy_fail(err, rc, "%s",
                   json_string_value(json_object_get(edit.problem, "message")) == NULL
                       ? "the groups of OAuth2 cannot be made"
                       : json_string_value(json_object_get(edit.problem, "message")));
    bondy_edit_fini(&edit);
    return rc;
}
