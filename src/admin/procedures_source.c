/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_source: bondy.source.*. wamp-admin-api.md 2.5; realms-and-security.md 2.5. */
#include <string.h>

#include "src/admin/procedures_local.h"
#include "src/base/problem.h"
#include "src/security/entity/source.h"
#include "src/wamp/errors.h"

static const struct bondy_admin_kind sources = {.noun = "sources", .name_key = "cidr"};

static const char *const keys[] = {"username", "cidr", "authmethod", NULL};

/* ---- reading ----------------------------------------------------------------------------------*/

static int take(void *context, const struct bondy_source *source)
{
    json_array_append_new(context, bondy_source_external(source));
    return 0;
}

static int read_list(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    json_t *items = json_array();

    bondy_source_list(view, call->realm, take, items);
    bondy_admin_list_finish(call, items, keys);
    return BONDY_OK;
}

struct wanted {
    struct bondy_slice username, cidr, authmethod;
    json_t *found;
};

static int take_wanted(void *context, const struct bondy_source *source)
{
    struct wanted *wanted = context;

    if (!bondy_slice_eq(source->username, wanted->username) ||
        !bondy_slice_eq(source->cidr, wanted->cidr) ||
        !bondy_slice_eq(source->authmethod, wanted->authmethod))
        return 0;
    wanted->found = bondy_source_external(source);
    return 1;
}

static int read_get(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct wanted wanted = {bondy_admin_text(call, 1), bondy_admin_text(call, 2),
                            bondy_admin_text(call, 3), NULL};

    bondy_source_list(view, call->realm, take_wanted, &wanted);
    if (wanted.found == NULL)
        return bondy_admin_fail(call,
                                bondy_problem(BONDY_ERR_NOT_FOUND, "There is no such source.", ""));
    call->value = wanted.found;
    return BONDY_OK;
}

/* The address may be text with or without brackets; no name. */
static int read_match(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_slice name = bondy_admin_text(call, 1), ip = bondy_admin_text(call, 2);
    struct bondy_address address;
    char text[BONDY_ADDRESS_TEXT];

    if (ip.len == 0)
        ip = bondy_admin_kwarg(call, "ip");
    if (ip.len >= sizeof text)
        return bondy_admin_fail(call, bondy_admin_invalid("ip", "'ip' is no address."));
    if (ip.len > 0)
        memcpy(text, ip.data, ip.len);
    text[ip.len] = '\0';
    if (ip.len > 0 && bondy_address_parse(text, 0, &address, NULL) < 0)
        return bondy_admin_fail(call, bondy_admin_invalid("ip", "'ip' is no address."));
    call->value = json_array();
    bondy_source_match(view, call->realm, name.len > 0 ? name : BONDY_SLICE("all"),
                       ip.len > 0 ? &address : NULL, take, call->value);
    return BONDY_OK;
}

/* ---- writing ----------------------------------------------------------------------------------*/

static int prepare_add(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    if (bondy_admin_need_object(call, 1, "data") < 0)
        return BONDY_EINVAL;
    return bondy_source_check(&call->edit, json_array_get(call->args, 1), &call->problem);
}

static int apply_add(struct bondy_admin_call *call)
{
    return bondy_source_apply_add(&call->edit, bondy_admin_text(call, 0),
                                  json_array_get(call->args, 1));
}

static int apply_delete(struct bondy_admin_call *call)
{
    struct bondy_slice method = bondy_admin_text(call, 3);

    return bondy_source_apply_delete(
        &call->edit, bondy_admin_text(call, 0), json_array_get(call->args, 1),
        bondy_admin_text(call, 2), method.len > 0 ? method : bondy_admin_kwarg(call, "authmethod"));
}

static void tell(struct bondy_admin_call *call, const char *topic, json_t *source)
{
    if (!call->is_dry_run && call->edit.writes > 0)
        bondy_admin_publish(call, bondy_slice_text(call->realm->uri), topic,
                            json_pack("[s, O]", call->realm->uri, source));
}

static void finish_add(struct bondy_admin_call *call)
{
    call->value = json_incref(call->edit.result);
    tell(call, "bondy.source.added", json_array_get(call->args, 1));
}

static void finish_delete(struct bondy_admin_call *call)
{
    json_t *source = json_pack("{s:O, s:O}", "usernames", json_array_get(call->args, 1), "cidr",
                               json_array_get(call->args, 2));

    tell(call, "bondy.source.deleted", source);
    json_decref(source);
}

static const char *const old_add[] = {"bondy.security.add_source", NULL};
static const char *const old_delete[] = {"bondy.security.delete_source", NULL};
static const char *const old_get[] = {"bondy.security.find_source", NULL};
static const char *const old_list[] = {"bondy.security.list_sources", NULL};

const struct bondy_procedure_row bondy_procedures_source[] = {
    {.info = {"bondy.source.add", old_add, 2, 2, 'R',
              "realm, data, dry_run=", "lets users log in from a network with a method", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &sources,
     .prepare = prepare_add,
     .apply = apply_add,
     .finish = finish_add},
    {.info = {"bondy.source.delete", old_delete, 3, 4, 'R',
              "realm, usernames, cidr, authmethod?, authmethod=, dry_run=",
              "takes that back, for one method or all", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &sources,
     .apply = apply_delete,
     .finish = finish_delete},
    {.info = {"bondy.source.get", old_get, 4, 4, 'R', "realm, username, cidr, authmethod",
              "one source", "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_get},
    {.info = {"bondy.source.list", old_list, 1, 1, 'R',
              "realm, limit=, cursor=, q=, fields=, sort=", "the sources of a realm", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_LIST,
     .read = read_list},
    {.info = {"bondy.source.match", NULL, 1, 3, 'R', "realm, username?, ip?, ip=",
              "the sources that count for a user, from an address", "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_match},
    {.info = {.uri = NULL}}};
