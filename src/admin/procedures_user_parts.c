/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_user_parts: aliases, groups, keys and rights of users. wamp-admin-api.md 2.3. */
#include <string.h>

#include "src/admin/procedures_user.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"
#include "src/security/policy/rbac.h"
#include "src/security/entity/source.h"
#include "src/wamp/errors.h"

/* ---- aliases and keys -------------------------------------------------------------------------*/

typedef int (*part_fn)(struct bondy_edit *edit, struct bondy_slice realm, struct bondy_slice name,
                       struct bondy_slice part);

/* A name, or an object with it: {"alias": "..."}. */
static struct bondy_slice part_of(const struct bondy_admin_call *call, const char *key)
{
    const json_t *given = json_array_get(call->args, 2);

    return json_is_object(given) ? bondy_json_text(given, key) : bondy_admin_text(call, 2);
}

static int apply_part(struct bondy_admin_call *call, const char *key, part_fn fn)
{
    struct bondy_slice part = part_of(call, key);

    if (part.len == 0) {
        call->edit.problem = bondy_admin_invalid(key, "A name is expected.");
        return BONDY_EINVAL;
    }
    return fn(&call->edit, bondy_admin_text(call, 0), bondy_admin_text(call, 1), part);
}

static int apply_add_alias(struct bondy_admin_call *call)
{
    return apply_part(call, "alias", bondy_user_apply_add_alias);
}

static int apply_remove_alias(struct bondy_admin_call *call)
{
    return apply_part(call, "alias", bondy_user_apply_remove_alias);
}

static int apply_add_key(struct bondy_admin_call *call)
{
    return apply_part(call, "authorized_key", bondy_user_apply_add_key);
}

static int apply_remove_key(struct bondy_admin_call *call)
{
    return apply_part(call, "authorized_key", bondy_user_apply_remove_key);
}

/* ---- groups -----------------------------------------------------------------------------------*/

typedef int (*groups_fn)(struct bondy_edit *edit, struct bondy_slice realm, struct bondy_slice name,
                         const json_t *groups);

/* One user or a list of them, one group or a list of them; all or nothing. */
static int apply_groups(struct bondy_admin_call *call, groups_fn fn)
{
    const json_t *users = json_array_get(call->args, 1), *given = json_array_get(call->args, 2);
    struct bondy_slice realm = bondy_admin_text(call, 0);
    json_t *groups = json_is_array(given) ? json_incref((json_t *)given) : json_pack("[O]", given);
    int rc = BONDY_OK;

    if (json_is_array(users)) {
        for (size_t i = 0; i < json_array_size(users) && rc == BONDY_OK; i++) {
            const json_t *user = json_array_get(users, i);

            rc = fn(&call->edit, realm, bondy_slice_text(json_string_value(user)), groups);
        }
    } else {
        rc = fn(&call->edit, realm, bondy_admin_text(call, 1), groups);
    }
    json_decref(groups);
    return rc;
}

static int apply_add_groups(struct bondy_admin_call *call)
{
    return apply_groups(call, bondy_user_apply_add_groups);
}

static int apply_remove_groups(struct bondy_admin_call *call)
{
    return apply_groups(call, bondy_user_apply_remove_groups);
}

/* ---- what a user may do -----------------------------------------------------------------------*/

/* [pool] Whose groups they are; `anonymous` and unknown users have none of their own. */
static int read_groups(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_user user;

    if (!bondy_user_find(view, call->realm, bondy_admin_text(call, 1), &user))
        return BONDY_OK;
    call->prepared = json_pack("{s:s, s:O}", "username", user.username, "groups", user.groups);
    bondy_user_fini(&user);
    return BONDY_OK;
}

/* [loop] Permissions are asked of the published policy, which RCU readers see. `fn` runs while the
 * subject's texts are there. */
static void with_rbac(struct bondy_admin_call *call, const json_t *groups, bool are_chosen,
                      void (*fn)(struct bondy_admin_call *call, const struct bondy_rbac *rbac))
{
    size_t count = json_array_size(groups);
    struct bondy_slice *names = bondy_calloc(count == 0 ? 1 : count, sizeof *names);
    struct bondy_rbac_subject subject = {.username = bondy_json_text(call->prepared, "username"),
                                         .groups = names,
                                         .group_count = count,
                                         .groups_are_chosen = are_chosen};
    struct bondy_rbac *rbac;

    for (size_t i = 0; i < count; i++)
        names[i] = bondy_slice_text(json_string_value(json_array_get(groups, i)));
    rbac = bondy_rbac_create(call->realm->policy, &subject);
    fn(call, rbac);
    bondy_rbac_destroy(rbac);
    bondy_free(names);
}

static void take_grants(struct bondy_admin_call *call, const struct bondy_rbac *rbac)
{
    call->value = bondy_rbac_grants(rbac);
}

static void finish_grants(struct bondy_admin_call *call)
{
    if (call->prepared == NULL && !bondy_slice_is(bondy_admin_text(call, 1), "anonymous"))
        call->value = json_array();
    else
        with_rbac(call, json_object_get(call->prepared, "groups"), false, take_grants);
}

static void take_decision(struct bondy_admin_call *call, const struct bondy_rbac *rbac)
{
    bool is_allowed =
        bondy_rbac_allows_text(rbac, bondy_admin_text(call, 2), bondy_admin_text(call, 3));
    struct bondy_buf text = BONDY_BUF_EMPTY;

    call->value = json_boolean(is_allowed);
    if (is_allowed)
        return;
    bondy_buf_printf(&text,
                     "User '" BONDY_SLICE_FMT "' does not have permission '" BONDY_SLICE_FMT
                     "' on '" BONDY_SLICE_FMT "'",
                     BONDY_SLICE_ARG(bondy_admin_text(call, 1)),
                     BONDY_SLICE_ARG(bondy_admin_text(call, 2)),
                     BONDY_SLICE_ARG(bondy_admin_text(call, 3)));
    call->extra = json_pack("{s:o}", "message", bondy_json_slice(bondy_buf_slice(&text)));
    bondy_buf_fini(&text);
}

static int read_subject(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_slice name = bondy_admin_text(call, 1);

    read_groups(call, view);
    if (call->prepared == NULL && !bondy_slice_is(name, "anonymous"))
        return bondy_admin_fail(call, bondy_admin_no_user(BONDY_ERR_NO_SUCH_PRINCIPAL, name));
    return BONDY_OK;
}

static void finish_authorize(struct bondy_admin_call *call)
{
    with_rbac(call, json_object_get(call->prepared, "groups"), false, take_decision);
}

/* ---- explaining -------------------------------------------------------------------------------*/

/* What explain is asked with: {match, authroles, ip, authmethod} as last argument or in kwargs. */
static const json_t *option(const struct bondy_admin_call *call, const char *key)
{
    const json_t *options = json_array_get(call->args, 4), *value = json_object_get(options, key);

    return value != NULL ? value : json_object_get(call->kwargs, key);
}

static bool read_match(const struct bondy_admin_call *call, enum bondy_match *out)
{
    static const struct {
        const char *word;
        enum bondy_match match;
    } words[] = {{"exact", BONDY_MATCH_EXACT},
                 {"prefix", BONDY_MATCH_PREFIX},
                 {"wildcard", BONDY_MATCH_WILDCARD}};
    const char *word = json_string_value(option(call, "match"));

    *out = BONDY_MATCH_EXACT;
    if (word == NULL || *word == '\0')
        return true;
    for (size_t i = 0; i < BONDY_COUNT(words); i++) {
        if (strcmp(words[i].word, word) != 0)
            continue;
        *out = words[i].match;
        return true;
    }
    return false;
}

struct sources {
    const char *method;
    json_t *list;
};

static int take_source(void *context, const struct bondy_source *source)
{
    struct sources *sources = context;

    if (sources->method == NULL || bondy_slice_is(source->authmethod, sources->method))
        json_array_append_new(sources->list, bondy_source_external(source));
    return 0;
}

static const char *missing_credential(const char *method, const struct bondy_user *user)
{
    bool needs_password = strcmp(method, "password") == 0 || strcmp(method, "wampcra") == 0 ||
                          strcmp(method, "wamp-scram") == 0;

    if (!user->is_enabled)
        return "the user is disabled";
    if (needs_password && json_array_size(user->passwords) == 0)
        return "the user has no password";
    if (strcmp(method, "cryptosign") == 0 && json_array_size(user->keys) == 0)
        return "the user has no authorized key";
    return NULL;
}

/* What speaks for and against one method from one address. */
static json_t *method_report(struct bondy_admin_call *call, const struct bondy_store_view *view,
                             const struct bondy_user *user, const char *method,
                             const struct bondy_address *address)
{
    struct sources sources = {method, json_array()};
    const char *reason;
    json_t *out;

    bondy_source_match(view, call->realm, bondy_slice_text(user->username), address, take_source,
                       &sources);
    if (!bondy_realm_has_authmethod(call->realm, bondy_slice_text(method)))
        reason = "the realm does not allow this method";
    else if (json_array_size(sources.list) == 0)
        reason = "no source matches";
    else
        reason = missing_credential(method, user);
    out = json_pack("{s:s, s:b, s:o}", "authmethod", method, "available", reason == NULL, "sources",
                    sources.list);
    if (reason != NULL)
        json_object_set_new(out, "reason", json_string(reason));
    return out;
}

/* False: it is no address. Empty: any. */
static bool read_address(struct bondy_slice text, struct bondy_address *room,
                         const struct bondy_address **out)
{
    char copy[BONDY_ADDRESS_TEXT];

    *out = NULL;
    if (text.len == 0)
        return true;
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *out = room;
    return bondy_address_parse(copy, 0, room, NULL) == BONDY_OK;
}

static int read_explain(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    const char *ip = json_string_value(option(call, "ip"));
    const char *method = json_string_value(option(call, "authmethod"));
    const struct bondy_address *address;
    struct bondy_address room;
    enum bondy_match match;
    struct bondy_user user;

    if (read_subject(call, view) < 0)
        return BONDY_EINVAL;
    if (!read_match(call, &match))
        return bondy_admin_fail(
            call, bondy_admin_invalid("match", "'match' is exact, prefix or wildcard."));
    if (!read_address(bondy_slice_text(ip), &room, &address))
        return bondy_admin_fail(call, bondy_admin_invalid("ip", "'ip' is no address."));
    if (method == NULL || *method == '\0' ||
        !bondy_user_resolve(view, call->realm, bondy_admin_text(call, 1), &user))
        return BONDY_OK;
    call->value = method_report(call, view, &user, method, address);
    bondy_user_fini(&user);
    return BONDY_OK;
}

static void take_explanation(struct bondy_admin_call *call, const struct bondy_rbac *rbac)
{
    enum bondy_match match;
    json_t *login = call->value;

    read_match(call, &match);
    call->value =
        bondy_rbac_explain(rbac, bondy_admin_text(call, 2), bondy_admin_text(call, 3), match);
    if (login != NULL)
        json_object_set_new(call->value, "login", login);
}

static void finish_explain(struct bondy_admin_call *call)
{
    const json_t *chosen = option(call, "authroles");

    with_rbac(call, json_is_array(chosen) ? chosen : json_object_get(call->prepared, "groups"),
              json_is_array(chosen), take_explanation);
}

static int read_authmethods(struct bondy_admin_call *call, const struct bondy_store_view *view)
{
    struct bondy_slice ip = bondy_admin_text(call, 2);
    const struct bondy_address *address;
    struct bondy_address room;
    struct bondy_user user;

    if (!read_address(ip.len > 0 ? ip : bondy_admin_kwarg(call, "ip"), &room, &address))
        return bondy_admin_fail(call, bondy_admin_invalid("ip", "'ip' is no address."));
    if (!bondy_user_resolve(view, call->realm, bondy_admin_text(call, 1), &user))
        return bondy_admin_fail(
            call, bondy_admin_no_user(BONDY_ERR_NO_SUCH_PRINCIPAL, bondy_admin_text(call, 1)));
    call->value = json_array();
    for (const char *const *method = bondy_name_authmethods; *method != NULL; method++)
        if (strcmp(*method, "anonymous") != 0)
            json_array_append_new(call->value, method_report(call, view, &user, *method, address));
    bondy_user_fini(&user);
    return BONDY_OK;
}

static void run_permissions(struct bondy_admin_call *call)
{
    json_t *names = json_array();

    for (unsigned i = 0; i < BONDY_PERMISSIONS; i++)
        json_array_append_new(names, json_string(bondy_permission_name((enum bondy_permission)i)));
    bondy_admin_answer(call, names, NULL);
}

/* ---- rows -------------------------------------------------------------------------------------*/

#define CHANGE(uri_, max_, args_, help_, fn)                                                       \
    {                                                                                              \
        .info = {uri_, NULL, 3, max_, 'R', args_ ", dry_run=", help_, "0.1"},                      \
        .flags = BONDY_ROW_REALM, .kind = &bondy_admin_users, .apply = fn                          \
    }

const struct bondy_procedure_row bondy_procedures_user_parts[] = {
    CHANGE("bondy.user.add_alias", 3, "realm, username, alias", "adds another name to log in with",
           apply_add_alias),
    CHANGE("bondy.user.remove_alias", 3, "realm, username, alias", "takes such a name away",
           apply_remove_alias),
    CHANGE("bondy.user.add_group", 3, "realm, username, group", "makes users members of a group",
           apply_add_groups),
    CHANGE("bondy.user.add_groups", 3, "realm, username, groups", "makes users members of groups",
           apply_add_groups),
    CHANGE("bondy.user.remove_group", 3, "realm, username, group", "takes users out of a group",
           apply_remove_groups),
    CHANGE("bondy.user.remove_groups", 3, "realm, username, groups", "takes users out of groups",
           apply_remove_groups),
    CHANGE("bondy.user.add_authorized_key", 3, "realm, username, key",
           "adds a public key for cryptosign", apply_add_key),
    CHANGE("bondy.user.remove_authorized_key", 3, "realm, username, key", "takes such a key away",
           apply_remove_key),
    {.info = {"bondy.user.grants", NULL, 2, 2, 'R', "realm, username",
              "all that a user may do, own and inherited", "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_groups,
     .finish = finish_grants},
    {.info = {"bondy.user.authmethods", NULL, 2, 3, 'R', "realm, username, ip?, ip=",
              "which methods the user can log in with from an address, and why not with others",
              "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_authmethods},
    {.info = {"bondy.rbac.authorize", NULL, 4, 4, 'R', "realm, authid, permission, resource",
              "whether a user may", "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_subject,
     .finish = finish_authorize},
    {.info = {"bondy.rbac.explain", NULL, 4, 5, 'R',
              "realm, authid, permission, resource, options?, match=, authroles=, ip=, "
              "authmethod=",
              "why a user may or may not", "0.1"},
     .flags = BONDY_ROW_REALM,
     .read = read_explain,
     .finish = finish_explain},
    {.info = {"bondy.rbac.permissions", NULL, 0, 0, 'A', "", "the permissions that are known",
              "0.1"},
     .run = run_permissions},
    {.info = {.uri = NULL}}};
