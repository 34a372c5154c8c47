/* SPDX-License-Identifier: Apache-2.0 */

/* The user of a login as it is stored, and what it and its groups say of it (meta,
 * realms-and-security.md 2.10). On a pool thread. */

#include <string.h>

#include "src/base/alloc.h"
#include "src/security/entity/group.h"
#include "src/security/login/login_local.h"
#include "src/security/login/principal.h"
#include "src/wamp/errors.h"

#define META_GROUPS_MAX 1000

/* ---- the user -------------------------------------------------------------------------------- */

void bondy_login_drop_user(struct bondy_login *login)
{
    if (login->has_user)
        bondy_user_fini(&login->user);
    login->has_user = false;
    bondy_principal_unref(BONDY_MOVE(login->principal));
}

struct bondy_store_view *bondy_login_begin_view(struct bondy_login *login)
{
    struct bondy_store_view *view = NULL;

    if (bondy_store_view_begin(login->auth->options.store, &view, NULL) < 0)
        bondy_login_refuse(login, BONDY_ERR_INTERNAL, "the store cannot be read");
    return view;
}

/* Reads the user behind `login->name` and its principal, so that a change between reading and
 * joining is not missed: the principal is there before the view. NULL after a refusal. */
struct bondy_store_view *bondy_login_read_user(struct bondy_login *login)
{
    struct bondy_principals *principals = login->auth->options.principals;
    struct bondy_slice realm = bondy_slice_text(login->realm->uri);
    struct bondy_store_view *view;
    struct bondy_name canonical;
    uint64_t *seq = &login->principal_seq;

    login->principal = bondy_principals_get(principals, realm, bondy_name_slice(&login->name), seq);
    for (;;) {
        if ((view = bondy_login_begin_view(login)) == NULL)
            return NULL;
        login->has_user =
            bondy_user_resolve(view, login->realm, bondy_name_slice(&login->name), &login->user);
        if (!login->has_user)
            return view;
        if (bondy_slice_is(bondy_name_slice(&login->name), login->user.username)) {
            if (bondy_principal_fill(login->principal, seq, login->user.groups))
                return view;
        } else { /* it was an alias */
            bondy_name_keep(bondy_slice_text(login->user.username), &canonical);
            login->name = canonical;
            bondy_principal_unref(login->principal);
            login->principal =
                bondy_principals_get(principals, realm, bondy_name_slice(&canonical), seq);
        }
        bondy_user_fini(&login->user);
        login->has_user = false;
        bondy_store_view_end(view);
    }
}

/* ---- meta (2.10) ----------------------------------------------------------------------------- */

struct gathering {
    const struct bondy_store_view *view;
    const struct bondy_realm *realm;
    const struct bondy_realm *prototype; /* NULL: none */
    json_t *values;                      /* key -> list of distinct values */
    json_t *lists;                       /* keys of which a contributor was a list */
    json_t *seen;                        /* groups */
};

static void add_value(json_t *list, json_t *value)
{
    size_t index;
    json_t *one;

    json_array_foreach(list, index, one)
    {
        if (json_equal(one, value))
            return;
    }
    json_array_append(list, value);
}

static void add_meta(struct gathering *gathering, json_t *meta)
{
    const char *key;
    json_t *value, *list, *one;
    size_t index;

    json_object_foreach(meta, key, value)
    {
        list = json_object_get(gathering->values, key);
        if (list == NULL) {
            list = json_array();
            json_object_set_new(gathering->values, key, list);
        }
        if (!json_is_array(value)) {
            add_value(list, value);
            continue;
        }
        json_object_set_new(gathering->lists, key, json_true());
        json_array_foreach(value, index, one)
        {
            add_value(list, one);
        }
    }
}

static bool find_group(const struct gathering *gathering, struct bondy_slice name,
                       struct bondy_group *out)
{
    return bondy_group_find(gathering->view, gathering->realm, name, out) ||
           (gathering->prototype != NULL &&
            bondy_group_find(gathering->view, gathering->prototype, name, out));
}

/* Breadth first, so that depth costs no stack; each group once, so that cycles end. */
static void add_groups(struct gathering *gathering, const json_t *groups)
{
    json_t *queue = json_deep_copy(groups), *one;
    size_t index;

    for (size_t at = 0; at < json_array_size(queue) && at < META_GROUPS_MAX; at++) {
        const char *name = json_string_value(json_array_get(queue, at));
        struct bondy_group group;

        if (json_object_get(gathering->seen, name) != NULL)
            continue;
        json_object_set_new(gathering->seen, name, json_true());
        if (!find_group(gathering, bondy_slice_text(name), &group))
            continue;
        add_meta(gathering, group.meta);
        json_array_foreach(group.groups, index, one)
        {
            json_array_append(queue, one);
        }
        bondy_group_fini(&group);
    }
    json_decref(queue);
}

void bondy_login_collect_meta(struct bondy_login *login, const struct bondy_store_view *view,
                              const json_t *groups)
{
    const char *prototype = login->realm->prototype_uri;
    struct gathering gathering = {.view = view,
                                  .realm = login->realm,
                                  .prototype = prototype == NULL
                                                   ? NULL
                                                   : bondy_realms_find(login->auth->options.realms,
                                                                       bondy_slice_text(prototype)),
                                  .values = json_object(),
                                  .lists = json_object(),
                                  .seen = json_object()};
    json_t *meta = json_object(), *list;
    const char *key;

    if (login->has_user)
        add_meta(&gathering, login->user.meta);
    add_groups(&gathering, groups);
    json_object_foreach(gathering.values, key, list)
    {
        bool is_single =
            json_array_size(list) == 1 && json_object_get(gathering.lists, key) == NULL;

        json_object_set(meta, key, is_single ? json_array_get(list, 0) : list);
    }
    json_decref(gathering.values);
    json_decref(gathering.lists);
    json_decref(gathering.seen);
    json_decref(login->meta);
    login->meta = meta;
}
