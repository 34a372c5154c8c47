/* SPDX-License-Identifier: Apache-2.0 */

/* As what somebody is let in: the roles that were asked for (realms-and-security.md 3.2, step 7)
 * and the identity of WELCOME (3.10). On a pool thread. */

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/security/login/login_local.h"
#include "src/wamp/errors.h"

/* ---- roles (3.2, step 7) --------------------------------------------------------------------- */

static bool is_member(const json_t *groups, const char *name)
{
    size_t index;
    json_t *group;

    json_array_foreach((json_t *)(uintptr_t)groups, index, group)
    {
        if (strcmp(json_string_value(group), name) == 0)
            return true;
    }
    return false;
}

static bool is_no_choice(struct bondy_slice role)
{
    return role.len == 0 || bondy_slice_is(role, "default") || bondy_slice_is(role, "all");
}

/* What somebody may choose from. */
json_t *bondy_login_groups(const struct bondy_login *login)
{
    if (login->granted != NULL)
        return login->granted;
    return login->has_user ? login->user.groups : NULL;
}

/* Folds names; those that are no text at all cannot be roles. */
static void choose_role(struct bondy_login *login, struct bondy_slice role)
{
    struct bondy_name name;

    if (login->chosen == NULL)
        login->chosen = json_array();
    if (bondy_name_fold(role, &name) && is_member(login->chosen, name.text))
        return; /* said twice */
    if (bondy_name_fold(role, &name) && is_member(bondy_login_groups(login), name.text))
        json_array_append_new(login->chosen, json_string(name.text));
    else
        json_array_append_new(login->bad_roles, bondy_json_slice(role));
}

/* False: x_authroles is no list. */
bool bondy_login_read_roles(struct bondy_login *login)
{
    const json_t *list = json_object_get(login->details, "x_authroles"), *one;
    struct bondy_slice role = bondy_json_text(login->details, "authrole");
    size_t index;

    login->bad_roles = json_array();
    if (list == NULL)
        list = json_object_get(login->details, "_authroles");
    if (list != NULL && !json_is_null(list) && !json_is_array(list)) {
        bondy_login_refuse(login, BONDY_ERR_PROTOCOL_VIOLATION,
                           "HELLO.Details.x_authroles must be a list of group names");
        return false;
    }
    json_array_foreach((json_t *)(uintptr_t)list, index, one)
    {
        choose_role(login, json_is_string(one) ? bondy_slice_text(json_string_value(one))
                                               : BONDY_SLICE_EMPTY);
    }
    if (json_array_size(list) == 0 && !is_no_choice(role))
        choose_role(login, role);
    return true;
}

void bondy_login_refuse_roles(struct bondy_login *login)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    size_t index;
    json_t *role;

    bondy_buf_printf(&text, "the user has not these roles:");
    json_array_foreach(login->bad_roles, index, role)
    {
        bondy_buf_printf(&text, "%s %.64s", index == 0 ? "" : ",", json_string_value(role));
    }
    bondy_buf_append_byte(&text, '\0');
    login->doom = "no_such_role";
    bondy_login_refuse(login, BONDY_ERR_NO_SUCH_ROLE, text.data);
    bondy_buf_fini(&text);
}

/* ---- welcome (3.10) -------------------------------------------------------------------------- */

/* The texts of an identity lie one behind the other in login->texts. */
struct texts {
    char *at;
};

static struct bondy_slice keep(struct texts *texts, struct bondy_slice text)
{
    char *start = texts->at;

    if (text.len > 0)
        memcpy(start, text.data, text.len);
    texts->at += text.len;
    return bondy_slice_of(start, text.len);
}

static size_t total_len(const json_t *names)
{
    size_t index, len = 0;
    json_t *name;

    json_array_foreach((json_t *)(uintptr_t)names, index, name)
    {
        len += json_string_length(name) + 1;
    }
    return len;
}

/* The chosen role, else the only group, else all of them (2.8, 3.10). */
static struct bondy_slice join_names(struct texts *texts, const json_t *names)
{
    char *start = texts->at;
    size_t index;
    json_t *name;

    json_array_foreach((json_t *)(uintptr_t)names, index, name)
    {
        if (index > 0)
            *texts->at++ = ',';
        keep(texts, bondy_slice_of(json_string_value(name), json_string_length(name)));
    }
    return bondy_slice_of(start, (size_t)(texts->at - start));
}

static json_t *make_extra(const struct bondy_login *login, const json_t *groups)
{
    json_t *authextra = json_object(), *extra = json_object();
    char guid[37];

    bondy_id_uuid7(guid);
    json_object_set_new(authextra, "meta",
                        login->meta == NULL ? json_object() : json_incref(login->meta));
    json_object_set_new(authextra, "session_guid", json_string(guid));
    json_object_set_new(authextra, "node", json_string(login->auth->options.node_name));
    if (login->scram_verifier[0] != '\0')
        json_object_set_new(authextra, "verifier", json_string(login->scram_verifier));
    json_object_set_new(extra, "authextra", authextra);
    if (bondy_login_is_somebody(login))
        json_object_set_new(extra, "x_authroles", json_deep_copy(groups));
    if (login->ticket != NULL)
        json_object_set(extra, "ticket", login->ticket);
    return extra;
}

static void fill_groups(struct bondy_login *login, struct texts *texts, const json_t *groups)
{
    size_t count = json_array_size(groups);

    login->groups = bondy_calloc(count + 1, sizeof login->groups[0]);
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(groups, i);

        login->groups[i] =
            keep(texts, bondy_slice_of(json_string_value(name), json_string_length(name)));
    }
    login->answer.identity.groups = login->groups;
    login->answer.identity.group_count = count;
}

/* A cookie is the way a ticket came; how its owner proved itself stands in the ticket. */
static struct bondy_slice authmethod_of(const struct bondy_login *login)
{
    if (strcmp(login->method->name, "cookie") == 0)
        return bondy_json_text(login->ticket, "authmethod");
    return bondy_slice_text(login->method->name);
}

void bondy_login_welcome(struct bondy_login *login)
{
    bool is_anonymous = !bondy_login_is_somebody(login);
    json_t *groups = is_anonymous            ? json_pack("[s]", "anonymous")
                     : login->chosen != NULL ? json_incref(login->chosen)
                                             : json_incref(bondy_login_groups(login));
    struct bondy_identity *identity = &login->answer.identity;
    struct texts texts;

    if (json_array_size(login->bad_roles) > 0) {
        json_decref(groups);
        bondy_login_refuse_roles(login);
        return;
    }
    bondy_free(login->texts);
    texts.at = login->texts = bondy_alloc(login->name.len + 2 * total_len(groups) + 1);
    *identity = (struct bondy_identity){
        .authid = is_anonymous ? BONDY_SLICE_EMPTY : keep(&texts, bondy_name_slice(&login->name)),
        .authmethod = authmethod_of(login),
        .authprovider = BONDY_SLICE(BONDY_AUTHPROVIDER),
        .groups_are_chosen = login->chosen != NULL || login->granted != NULL,
        .principal = login->principal,
        .principal_seq = login->principal_seq,
    };
    identity->authrole = join_names(&texts, groups);
    fill_groups(login, &texts, groups);
    login->welcome_extra = make_extra(login, groups);
    identity->extra = login->welcome_extra;
    identity->ticket = login->ticket;
    identity->token = login->token;
    login->answer.step = BONDY_LOGIN_WELCOME;
    login->answer.extra = NULL;
    json_decref(groups);
}
