/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/entity/grant.h"
#include "src/security/entity/group.h"
#include "src/security/entity/order.h"
#include "src/security/entity/realm_local.h"
#include "src/security/entity/source.h"
#include "src/security/entity/user.h"

/* What a realm's input holds besides the realm itself. */

static json_t *folded(struct bondy_slice text)
{
    struct bondy_name name;

    return bondy_name_fold(text, &name) ? json_string(name.text) : json_string("");
}

static json_t *folded_list(const json_t *list)
{
    json_t *names = json_array(), *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        json_array_append_new(
            names, folded(bondy_slice_of(json_string_value(one), json_string_length(one))));
    }
    return names;
}

int bondy_realm_sort_groups(const json_t *groups, size_t **order, json_t **problem)
{
    json_t *names = json_array(), *needs = json_array(), *cycle = NULL, *group;
    size_t i;
    int rc;

    json_array_foreach(groups, i, group)
    {
        json_array_append_new(names, folded(bondy_json_text(group, "name")));
        json_array_append_new(needs, folded_list(json_object_get(group, "groups")));
    }
    rc = bondy_order_sort(names, needs, order, &cycle);
    json_decref(names);
    json_decref(needs);
    if (rc == BONDY_OK)
        return rc;
    *problem = bondy_problem("bondy.error.invalid_config",
                             "Groups cannot be members of each other in a circle.", "");
    json_object_set_new(*problem, "pointer", json_string("/groups"));
    json_object_set_new(*problem, "details", json_pack("{s:o}", "path", cycle));
    return rc;
}

typedef int (*apply_fn)(struct bondy_edit *edit, struct bondy_slice realm, const json_t *input);

/* `order` may be NULL: as they are. */
static int apply_list(struct bondy_edit *edit, struct bondy_slice uri, const json_t *input,
                      const char *key, apply_fn apply, const size_t *order)
{
    const json_t *list = json_object_get(input, key);
    char pointer[64];

    for (size_t i = 0; i < json_array_size(list); i++) {
        size_t at = order == NULL ? i : order[i];
        int rc = apply(edit, uri, json_array_get(list, at));

        if (rc == BONDY_OK)
            continue;
        snprintf(pointer, sizeof pointer, "/%s/%zu", key, at);
        bondy_realm_locate(edit->problem, pointer);
        return rc;
    }
    return BONDY_OK;
}

int bondy_realm_apply_nested(struct bondy_edit *edit, struct bondy_slice uri, const json_t *input)
{
    const uint8_t *expected = edit->expected;
    unsigned effects = edit->effects;
    size_t *order = NULL;
    json_t *problem;
    int rc = bondy_realm_sort_groups(json_object_get(input, "groups"), &order, &problem);

    if (rc < 0)
        return bondy_edit_refuse(edit, rc, problem);
    edit->expected = NULL; /* it was meant for the realm */
    rc = apply_list(edit, uri, input, "groups", bondy_group_apply_add, order);
    bondy_free(order);
    if (rc == BONDY_OK)
        rc = apply_list(edit, uri, input, "users", bondy_user_apply_add, NULL);
    if (rc == BONDY_OK)
        rc = apply_list(edit, uri, input, "sources", bondy_source_apply_add, NULL);
    if (rc == BONDY_OK)
        rc = apply_list(edit, uri, input, "grants", bondy_grant_apply_create, NULL);
    edit->expected = expected;
    edit->effects = effects;
    return rc;
}
