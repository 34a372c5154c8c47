/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_user: bondy.user.*. wamp-admin-api.md 2.3; realms-and-security.md 2.3. */
#include <sodium.h>
#include <string.h>

#include "src/admin/procedures_user.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/login/principal.h"
#include "src/wamp/errors.h"

/* A list that is not in order of names is sorted in memory: not of a million. */
#define SORTED_MAX 10000u

/* ---- the kind ---------------------------------------------------------------------------------*/

json_t *bondy_admin_look_user(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_user user;
    json_t *external;

    if (!bondy_user_find(view, call->realm, bondy_slice_text(call->target), &user))
        return NULL;
    external = bondy_user_external(&user);
    bondy_user_fini(&user);
    return external;
}

static const struct bondy_admin_event events[] = {
    {BONDY_EDIT_CREATED, "bondy.user.added", true},
    {BONDY_EDIT_UPDATED, "bondy.user.updated", false},
    {BONDY_EDIT_DELETED, "bondy.user.deleted", false},
    {BONDY_EDIT_CREDENTIALS, "bondy.user.credentials_changed", false},
    {BONDY_EDIT_DISABLED, "bondy.user.disabled", false},
    {BONDY_EDIT_ENABLED, "bondy.user.enabled", false},
    {0, NULL, false}};

const struct bondy_admin_kind bondy_admin_users = {
    .noun = "users", .name_key = "username", .look = bondy_admin_look_user, .events = events};

/* ---- reading ----------------------------------------------------------------------------------*/

json_t *bondy_admin_no_user(const char *code, struct bondy_slice name)
{
    return bondy_json_with(bondy_problem_format(code, BONDY_SLICE_FMT, BONDY_SLICE_ARG(name)),
                           "description", json_string("There is no such user."));
}

static int read_get(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_user user;

    if (!bondy_user_find(view, call->realm, bondy_admin_text(call, 1), &user))
        return bondy_admin_fail(
            call, bondy_admin_no_user(BONDY_ERR_NOT_FOUND, bondy_admin_text(call, 1)));
    call->value = bondy_user_external(&user);
    call->extra = bondy_admin_etag_of(call->value);
    bondy_user_fini(&user);
    return BONDY_OK;
}

static int read_is_enabled(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_user user;

    if (!bondy_user_find(view, call->realm, bondy_admin_text(call, 1), &user))
        return bondy_admin_fail(
            call, bondy_admin_no_user(BONDY_ERR_NO_SUCH_PRINCIPAL, bondy_admin_text(call, 1)));
    call->value = json_boolean(user.is_enabled);
    bondy_user_fini(&user);
    return BONDY_OK;
}

struct walk {
    struct bondy_admin_call *call;
    bool (*is_wanted)(const struct bondy_user *user);
    json_t *items;
    size_t limit;
    bool has_more;
};

static int take(void *context, const struct bondy_user *user)
{
    struct walk *walk = context;

    if (walk->is_wanted != NULL && !walk->is_wanted(user))
        return 0;
    if (walk->limit != 0 && json_array_size(walk->items) == walk->limit) {
        walk->has_more = true;
        return 1;
    }
    json_array_append_new(walk->items, bondy_user_external(user));
    return 0;
}

int bondy_admin_list_users(struct bondy_admin_call *call, const struct bondy_store_view *view,
                           bool (*is_wanted)(const struct bondy_user *user))
{
    static const char *const keys[] = {"username", NULL};
    struct bondy_list_options options = {.q = call->list.q};
    struct walk walk = {call, is_wanted, json_array(), call->list.limit, false};
    bool is_by_name = bondy_admin_list_is_by_name(call, "username", &options.after);
    struct bondy_name next;

    if (!is_by_name) {
        options.after = BONDY_SLICE_EMPTY;
        walk.limit = SORTED_MAX;
    }
    bondy_user_list(view, call->realm, &options, take, &walk, &next);
    if (!is_by_name && walk.has_more) {
        json_decref(walk.items);
        return bondy_admin_fail(
            call, bondy_admin_invalid("sort", "This list is too long to be sorted so."));
    }
    if (is_by_name)
        bondy_admin_list_page(
            call, walk.items,
            walk.has_more ? bondy_json_text(json_array_get(walk.items, walk.limit - 1), "username")
                          : BONDY_SLICE_EMPTY);
    else
        bondy_admin_list_finish(call, walk.items, keys);
    return BONDY_OK;
}

static int read_list(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    return bondy_admin_list_users(call, view, NULL);
}

/* ---- adding and updating ----------------------------------------------------------------------*/

int bondy_admin_prepare_user(struct bondy_admin_call *call, json_t *input, bool is_update)
{
    return bondy_user_prepare(&call->edit, &call->realm->password_opts, input, is_update, NULL,
                              &call->problem);
}

static int prepare_add(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    call->edit.is_rebase = bondy_slice_is(bondy_admin_kwarg(call, "if_exists"), "update");
    if (bondy_admin_need_object(call, 1, "data") < 0)
        return BONDY_EINVAL;
    return bondy_admin_prepare_user(call, json_array_get(call->args, 1), false);
}

static int apply_add(struct bondy_admin_call *call)
{
    return bondy_user_apply_add(&call->edit, bondy_admin_text(call, 0),
                                json_array_get(call->args, 1));
}

static int prepare_update(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    (void)view;
    if (bondy_admin_need_object(call, 2, "data") < 0)
        return BONDY_EINVAL;
    return bondy_admin_prepare_user(call, json_array_get(call->args, 2), true);
}

static const struct bondy_admin_default defaults[] = {
    {"groups", JSON_ARRAY}, {"authorized_keys", JSON_ARRAY}, {"meta", JSON_OBJECT}, {NULL, 0}};

static int apply_update(struct bondy_admin_call *call)
{
    json_t *input = bondy_admin_merged(call, 2, defaults);
    int rc = bondy_user_apply_update(&call->edit, bondy_admin_text(call, 0),
                                     bondy_admin_text(call, 1), input);

    json_decref(input);
    return rc;
}

static int apply_delete(struct bondy_admin_call *call)
{
    return bondy_user_apply_delete(&call->edit, bondy_admin_text(call, 0),
                                   bondy_admin_text(call, 1), bondy_admin_flag(call, "force"));
}

static int apply_enable(struct bondy_admin_call *call)
{
    return bondy_user_apply_set_enabled(&call->edit, bondy_admin_text(call, 0),
                                        bondy_admin_text(call, 1), true);
}

static int apply_disable(struct bondy_admin_call *call)
{
    return bondy_user_apply_set_enabled(&call->edit, bondy_admin_text(call, 0),
                                        bondy_admin_text(call, 1), false);
}

/* ---- passwords --------------------------------------------------------------------------------*/

/* What the old password was checked against, so that apply knows whether it still is. */
struct change {
    json_t *verifiers, *seen;
    bool is_same; /* the new one is the old one: nothing to do */
};

static void free_change(void *state)
{
    struct change *change = state;

    json_decref(change->verifiers);
    json_decref(change->seen);
    bondy_free(change);
}

/* Text that came in is zeroed where it lies. */
static void forget_text(struct bondy_admin_call *call, size_t index)
{
    struct bondy_slice text = bondy_admin_text(call, index);

    if (text.len > 0)
        sodium_memzero((char *)(uintptr_t)text.data, text.len);
}

static json_t *old_is_required(void)
{
    return bondy_json_with(bondy_problem("bondy.error.missing_required_value",
                                         "Missing required value.",
                                         "A value for 'old' is required."),
                           "key", json_string("old"));
}

/* Who comes by the local socket is the machine's owner, who may have forgotten a password. */
static bool is_self(const struct bondy_admin_call *call, const struct bondy_user *user)
{
    struct bondy_slice method = bondy_invocation_caller(call->invocation)->authmethod;

    return !bondy_slice_is(method, "trust") &&
           bondy_slice_is(bondy_admin_authid(call), user->username) &&
           bondy_slice_is(bondy_invocation_realm(call->invocation), call->realm->uri);
}

static int check_old(struct bondy_admin_call *call, const struct bondy_user *user)
{
    struct bondy_slice old = bondy_admin_text(call, 3);
    bool matches = false;

    if (json_array_size(user->passwords) == 0)
        return BONDY_OK;
    if (bondy_password_verify_wait(user->passwords, old, &matches, NULL) < 0)
        return BONDY_EIO;
    return matches ? BONDY_OK
                   : bondy_admin_fail(call, bondy_problem("bondy.error.bad_signature",
                                                          "The old password is wrong.", ""));
}

static int check_right(struct bondy_admin_call *call, const struct bondy_user *user)
{
    struct bondy_buf resource = BONDY_BUF_EMPTY;
    bool has_old = bondy_admin_text(call, 3).len > 0;

    if (is_self(call, user)) {
        if (!has_old && json_array_size(user->passwords) > 0)
            return bondy_admin_fail(call, old_is_required());
    } else if (call->may == 0) {
        bondy_buf_printf(&resource, "bondy.user.%s", user->username);
        bondy_admin_fail(call,
                         bondy_problem_format(BONDY_ERR_NOT_AUTHORIZED,
                                              "Permission denied. This needs permission "
                                              "'bondy.user.set_password' on '" BONDY_SLICE_FMT "'",
                                              BONDY_SLICE_ARG(bondy_buf_slice(&resource))));
        bondy_buf_fini(&resource);
        return BONDY_EDENIED;
    }
    return has_old ? check_old(call, user) : BONDY_OK;
}

static int prepare_for(struct bondy_admin_call *call, const struct bondy_user *user)
{
    struct bondy_slice text = bondy_admin_text(call, 2);
    struct change *change;
    int rc = check_right(call, user);

    if (rc < 0)
        return rc;
    change = bondy_zalloc(sizeof *change);
    call->state = change;
    call->free_state = free_change;
    change->is_same = text.len > 0 && bondy_slice_eq(text, bondy_admin_text(call, 3));
    if (bondy_admin_text(call, 3).len > 0)
        change->seen = json_incref(user->passwords);
    if (change->is_same)
        return BONDY_OK;
    return bondy_user_prepare_password(call->node->rules, &call->realm->password_opts, text,
                                       &change->verifiers, &call->problem);
}

static void run_password(struct bondy_admin_call *call)
{
    call->may = bondy_admin_may(call, BONDY_PERMISSION_SET_PASSWORD, "bondy.user.",
                                bondy_admin_text(call, 1));
    bondy_admin_go_on(call);
}

static int prepare_password(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_user user;
    int rc;

    if (bondy_user_resolve(view, call->realm, bondy_admin_text(call, 1), &user)) {
        rc = prepare_for(call, &user);
        bondy_user_fini(&user);
    } else {
        rc = bondy_admin_fail(call,
                              bondy_admin_no_user(BONDY_ERR_NOT_FOUND, bondy_admin_text(call, 1)));
    }
    forget_text(call, 2);
    forget_text(call, 3);
    return rc;
}

static int apply_password(struct bondy_admin_call *call)
{
    const struct change *change = call->state;

    if (change->is_same)
        return BONDY_OK;
    if (call->node->principals != NULL)
        bondy_principals_spare(call->node->principals, bondy_admin_text(call, 0),
                               bondy_admin_text(call, 1),
                               bondy_invocation_session(call->invocation));
    return bondy_user_apply_set_password(&call->edit, bondy_admin_text(call, 0),
                                         bondy_admin_text(call, 1), change->verifiers,
                                         change->seen);
}

/* ---- rows -------------------------------------------------------------------------------------*/

static const char *const old_add[] = {"bondy.security.add_user", NULL};
static const char *const old_get[] = {"bondy.security.find_user", NULL};
static const char *const old_list[] = {"bondy.security.list_users", NULL};
static const char *const old_update[] = {"bondy.security.update_user", NULL};
static const char *const old_delete[] = {"bondy.security.delete_user", NULL};
static const char *const old_password[] = {"bondy.security.change_password", NULL};

const struct bondy_procedure_row bondy_procedures_user[] = {
    {.info = {"bondy.user.add", old_add, 2, 2, 'R',
              "realm, data, if_exists=, dry_run=", "adds a user", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_RESULT | BONDY_ROW_HASH,
     .kind = &bondy_admin_users,
     .prepare = prepare_add,
     .apply = apply_add},
    {.info = {"bondy.user.get", old_get, 2, 2, 'R', "realm, username", "one user, by name or alias",
              "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_get},
    {.info = {"bondy.user.list", old_list, 1, 1, 'R',
              "realm, limit=, cursor=, q=, fields=, sort=", "the users of a realm, by name", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_LIST,
     .read = read_list},
    {.info = {"bondy.user.update", old_update, 3, 3, 'R',
              "realm, username, data, patch=, if_version=, dry_run=", "changes what `data` names",
              "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_RESULT | BONDY_ROW_HASH,
     .kind = &bondy_admin_users,
     .prepare = prepare_update,
     .apply = apply_update},
    {.info = {"bondy.user.delete", old_delete, 2, 2, 'R',
              "realm, username, force=, if_version=, dry_run=",
              "deletes a user, its aliases, sources and grants, and closes its sessions", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &bondy_admin_users,
     .apply = apply_delete},
    {.info = {"bondy.user.change_password", old_password, 3, 4, 'R',
              "realm, username, new, old?, dry_run=",
              "sets a password; of oneself with the old one", "0.1"},
     .flags = BONDY_ROW_REALM | BONDY_ROW_HASH,
     .kind = &bondy_admin_users,
     .run = run_password,
     .prepare = prepare_password,
     .apply = apply_password},
    {.info = {"bondy.user.is_enabled", NULL, 2, 2, 'R', "realm, username",
              "whether the user may log in", "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_is_enabled},
    {.info = {"bondy.user.enable", NULL, 2, 2, 'R',
              "realm, username, dry_run=", "lets the user log in", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &bondy_admin_users,
     .apply = apply_enable},
    {.info = {"bondy.user.disable", NULL, 2, 2, 'R',
              "realm, username, dry_run=", "keeps the user out and closes its sessions", "0.1"},
     .flags = BONDY_ROW_REALM,
     .kind = &bondy_admin_users,
     .apply = apply_disable},
    {.info = {.uri = NULL}}};
