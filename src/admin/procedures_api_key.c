/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_api_key: bondy.api_key.*. admin-http-api.md 8 "API keys". */
#include <sodium.h>

#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/security/token/api_key.h"

static void free_text(void *state)
{
    sodium_memzero(state, BONDY_API_KEY_TEXT);
    bondy_free(state);
}

static int prepare_add(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    if (bondy_admin_need_object(call, 1, "data") < 0)
        return BONDY_EINVAL;
    call->state = bondy_zalloc(BONDY_API_KEY_TEXT);
    call->free_state = free_text;
    return bondy_api_key_prepare(&call->edit, json_array_get(call->args, 1), &call->prepared,
                                 call->state, &call->problem);
}

static int apply_add(struct bondy_admin_call *call)
{
    return bondy_api_key_apply_add(&call->edit, bondy_admin_text(call, 0), call->prepared);
}

/* The only time that the key is shown. */
static void finish_add(struct bondy_admin_call *call)
{
    struct bondy_slice id = bondy_json_text(call->edit.result, "id");

    call->value = json_copy(call->edit.result);
    if (!call->is_dry_run)
        json_object_set_new(call->value, "key", json_string(call->state));
    bondy_free(call->target);
    call->target = bondy_memdup0(id.data, id.len);
}

static int read_list(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    static const char *const keys[] = {"id", NULL};

    bondy_admin_list_finish(call, bondy_api_key_list(view, call->realm), keys);
    return BONDY_OK;
}

static int apply_delete(struct bondy_admin_call *call)
{
    return bondy_api_key_apply_delete(&call->edit, bondy_admin_text(call, 0),
                                      bondy_admin_text(call, 1));
}

static const struct bondy_admin_kind api_keys = {.noun = "api_keys"};

const struct bondy_procedure_row bondy_procedures_api_key[] = {
    {.info = {"bondy.api_key.add", NULL, 2, 2, 'R', "realm, data, dry_run=",
              "makes a key that stands for a user in HTTP requests; shown once", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &api_keys,
     .prepare = prepare_add,
     .apply = apply_add,
     .finish = finish_add},
    {.info = {"bondy.api_key.list", NULL, 1, 1, 'R',
              "realm, limit=, cursor=, q=, fields=, sort=", "the keys of a realm, by id", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_LIST,
     .read = read_list},
    {.info = {"bondy.api_key.delete", NULL, 2, 2, 'R', "realm, id, dry_run=", "ends a key at once",
              "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &api_keys,
     .apply = apply_delete},
    {.info = {.uri = NULL}}};
