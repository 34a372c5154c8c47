/* SPDX-License-Identifier: Apache-2.0 */

/* Who wants in, and how it may prove it: realms-and-security.md 3.2 and 3.3. On a pool thread.
 *
 * Three gates must open: the realm lists the method, a source lets the user use it from this
 * address, and the user has what the method needs. With hide_unknown_users everything that depends
 * on the user is found out only after the proof: until then an unknown user, a disabled one and one
 * without source look like somebody who is about to fail. */

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/security/entity/group.h"
#include "src/security/login/login_local.h"
#include "src/security/login/principal.h"
#include "src/security/entity/source.h"
#include "src/security/credential/token.h"
#include "src/wamp/base64.h"

#define META_GROUPS_MAX 1000

static bool hides(const struct bondy_login *login)
{
    return login->auth->options.hides_unknown_users;
}

/* ---- what is offered ------------------------------------------------------------------------- */

/* A password in clear text goes over TLS, or it never leaves this machine. */
static bool may_be_sent(const struct bondy_login *login, const struct bondy_login_method *method)
{
    return strcmp(method->name, "password") != 0 || login->peer.is_secure ||
           login->auth->options.takes_cleartext;
}

static struct bondy_slice certificate_of(const struct bondy_login *login)
{
    return bondy_slice_text(login->peer.certificate);
}

/* A certificate is needed for `tls`, and where the realm's authenticator decides, who knows of no
 * aliases, it names whoever wants in. */
static bool has_certificate(const struct bondy_login *login,
                            const struct bondy_login_method *method)
{
    struct bondy_name name;

    if (!method->is_certificate)
        return true;
    if (certificate_of(login).len == 0)
        return false;
    return login->authid.len == 0 || !bondy_login_is_dynamic(login, method) ||
           (bondy_name_fold(certificate_of(login), &name) &&
            bondy_slice_is(bondy_name_slice(&login->name), name.text));
}

/* The methods of HELLO that the realm has, in the client's order; those without authid only when
 * there is none. */
static void read_offer(struct bondy_login *login)
{
    const json_t *list = json_object_get(login->details, "authmethods"), *one;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)list, index, one)
    {
        const struct bondy_login_method *method;
        struct bondy_slice name;

        if (!json_is_string(one) || login->offered_count == BONDY_LOGIN_METHODS_MAX)
            continue;
        name = bondy_slice_of(json_string_value(one), json_string_length(one));
        method = bondy_login_method(name);
        if (method != NULL && (login->is_check || !method->is_outside) &&
            bondy_realm_has_authmethod(login->realm, name) && may_be_sent(login, method) &&
            has_certificate(login, method))
            login->offered[login->offered_count++] = method;
    }
}

static bool offers_nothing(const struct bondy_login *login)
{
    return json_array_size(json_object_get(login->details, "authmethods")) == 0;
}

/* What a check is of. */
static struct bondy_slice first_offer(const struct bondy_login *login)
{
    const json_t *one = json_array_get(json_object_get(login->details, "authmethods"), 0);

    return bondy_slice_of(json_string_value(one), json_string_length(one));
}

static const struct bondy_login_method *find_offered(const struct bondy_login *login,
                                                     const char *name)
{
    for (size_t i = 0; i < login->offered_count; i++)
        if (strcmp(login->offered[i]->name, name) == 0)
            return login->offered[i];
    return NULL;
}

/* The older router tells a user's methods from anonymous not being possible. */
static const char *reason_for(const struct bondy_login *login, const char *reason)
{
    if (!login->auth->options.has_bondy_errors)
        return reason;
    return login->authid.len == 0 ? BONDY_ERR_AUTHENTICATION_FAILED : "wamp.error.not_auth_method";
}

static void refuse_methods(struct bondy_login *login)
{
    json_t *requested = json_object_get(login->details, "authmethods");

    login->extra = json_object();
    if (requested != NULL)
        json_object_set(login->extra, "requested_methods", requested);
    bondy_login_refuse(login, reason_for(login, BONDY_ERR_NO_MATCHING_AUTH_METHOD),
                       "The requested authentication methods are not available for this user, "
                       "realm and address.");
}

static void require_methods(struct bondy_login *login)
{
    bondy_login_refuse(login, reason_for(login, BONDY_ERR_AUTHENTICATION_REQUIRED),
                       "This realm needs an identity: HELLO.Details.authmethods names no method.");
}

/* ---- sources --------------------------------------------------------------------------------- */

struct allowed {
    const struct bondy_login *login;
    const struct bondy_login_method *method; /* looked for */
    bool is_found;
};

static int look_at_source(void *context, const struct bondy_source *source)
{
    struct allowed *allowed = context;

    allowed->is_found = bondy_slice_is(source->authmethod, allowed->method->name);
    return allowed->is_found;
}

static bool has_source(const struct bondy_login *login, const struct bondy_store_view *view,
                       struct bondy_slice username, const struct bondy_login_method *method)
{
    struct allowed allowed = {login, method, false};

    bondy_source_match(view, login->realm, username, &login->peer.address, look_at_source,
                       &allowed);
    return allowed.is_found;
}

/* ---- the user -------------------------------------------------------------------------------- */

void bondy_login_drop_user(struct bondy_login *login)
{
    if (login->has_user)
        bondy_user_fini(&login->user);
    login->has_user = false;
    bondy_principal_unref(BONDY_MOVE(login->principal));
}

static struct bondy_store_view *begin_view(struct bondy_login *login)
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
        if ((view = begin_view(login)) == NULL)
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
static json_t *groups_of(const struct bondy_login *login)
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
    if (bondy_name_fold(role, &name) && is_member(groups_of(login), name.text))
        json_array_append_new(login->chosen, json_string(name.text));
    else
        json_array_append_new(login->bad_roles, bondy_json_slice(role));
}

/* False: x_authroles is no list. */
static bool read_roles(struct bondy_login *login)
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

static void refuse_roles(struct bondy_login *login)
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

/* ---- the method ------------------------------------------------------------------------------ */

/* The certificate bears the user's name or one of its aliases. */
static bool is_users_certificate(const struct bondy_login *login,
                                 const struct bondy_store_view *view)
{
    struct bondy_user user;
    struct bondy_name name;
    bool is_same;

    if (!bondy_name_fold(certificate_of(login), &name))
        return false;
    if (bondy_slice_is(bondy_name_slice(&name), login->user.username))
        return true;
    if (!bondy_user_resolve(view, login->realm, bondy_name_slice(&name), &user))
        return false;
    is_same = strcmp(user.username, login->user.username) == 0;
    bondy_user_fini(&user);
    return is_same;
}

static bool is_open_to_user(const struct bondy_login *login, const struct bondy_store_view *view,
                            const struct bondy_login_method *method)
{
    return method->needs_authid && (method->suits == NULL || method->suits(&login->user)) &&
           (!method->is_certificate || is_users_certificate(login, view)) &&
           has_source(login, view, bondy_slice_text(login->user.username), method);
}

/* The first of the offer that is open to the user. */
static void choose_method(struct bondy_login *login, const struct bondy_store_view *view)
{
    for (size_t i = 0; i < login->offered_count && login->method == NULL; i++)
        if (is_open_to_user(login, view, login->offered[i]))
            login->method = login->offered[i];
}

/* The first that needs a user. */
static const struct bondy_login_method *first_with_authid(const struct bondy_login *login)
{
    for (size_t i = 0; i < login->offered_count; i++)
        if (login->offered[i]->needs_authid)
            return login->offered[i];
    return NULL;
}

/* For somebody who will not get in: one that is challenged when there is any, as it would be for a
 * user who may not be trusted from here. */
static const struct bondy_login_method *first_with_challenge(const struct bondy_login *login)
{
    for (size_t i = 0; i < login->offered_count; i++)
        if (login->offered[i]->needs_authid && login->offered[i]->challenge != NULL)
            return login->offered[i];
    return first_with_authid(login);
}

static void prove(struct bondy_login *login)
{
    if (login->method->challenge == NULL || login->is_check) {
        if (login->method->verify != NULL) {
            login->answer.step = BONDY_LOGIN_CHALLENGE;
            return;
        }
        if (login->doom != NULL)
            bondy_login_deny(login, login->doom);
        else
            bondy_login_welcome(login);
        return;
    }
    if (!login->method->challenge(login))
        return;
    login->answer.step = BONDY_LOGIN_CHALLENGE;
    login->answer.method = login->method->name;
    login->answer.extra = login->extra;
}

/* What is wrong with the user; NULL: nothing so far. */
static const char *find_fault(const struct bondy_login *login)
{
    if (!login->has_user)
        return "unknown_user";
    return login->user.is_enabled ? NULL : "disabled_user";
}

static void refuse_user(struct bondy_login *login, const char *fault)
{
    login->doom = fault;
    login->is_guess = true;
    bondy_login_refuse(login, BONDY_ERR_NO_SUCH_PRINCIPAL,
                       strcmp(fault, "disabled_user") == 0 ? "the user is disabled"
                                                           : "there is no such user");
}

static void find_named(struct bondy_login *login, const struct bondy_store_view *view)
{
    const char *fault = find_fault(login);

    if (!read_roles(login))
        return;
    if (fault != NULL && !hides(login)) {
        refuse_user(login, fault);
        return;
    }
    if (json_array_size(login->bad_roles) > 0 && !hides(login)) {
        refuse_roles(login);
        return;
    }
    if (fault == NULL) {
        choose_method(login, view);
        if (login->method == NULL)
            fault = "no_source_or_capability";
    }
    if (login->method == NULL && !hides(login)) {
        login->doom = fault;
        refuse_methods(login);
        return;
    }
    if (fault != NULL) {
        bondy_login_doom(login, fault);
        login->method = first_with_challenge(login);
    } else {
        bondy_login_collect_meta(login, view,
                                 login->chosen != NULL ? login->chosen : login->user.groups);
    }
    prove(login);
}

static void find_by_name(struct bondy_login *login)
{
    struct bondy_store_view *view;

    if (login->name.len == 0) { /* nobody can be called so */
        login->has_user = false;
        if ((view = begin_view(login)) == NULL)
            return;
    } else if ((view = bondy_login_read_user(login)) == NULL) {
        return;
    }
    find_named(login, view);
    bondy_store_view_end(view);
    if (login->answer.step == BONDY_LOGIN_ABORT)
        bondy_login_drop_user(login);
}

/* Cryptosign without authid: whose key it is (wamp.md AUTH-CSIGN-5). */
static void find_by_key(struct bondy_login *login)
{
    struct bondy_slice hex = bondy_login_extra(login, "pubkey");
    struct bondy_store_view *view = begin_view(login);

    if (view == NULL)
        return;
    if (bondy_user_find_by_key(view, login->realm, hex, &login->user)) {
        bondy_name_keep(bondy_slice_text(login->user.username), &login->name);
        bondy_user_fini(&login->user);
    } else if (!bondy_name_fold(hex, &login->name)) {
        login->name.len = 0;
    }
    bondy_store_view_end(view);
    find_by_name(login);
}

/* ---- who decides ----------------------------------------------------------------------------- */

/* The client's first usable choice decides who does: the realm's authenticator or its users. */
static bool begin_dynamic(struct bondy_login *login)
{
    const struct bondy_login_method *first = first_with_authid(login);

    if (first == NULL || !bondy_login_is_dynamic(login, first))
        return false;
    login->method = first;
    bondy_login_begin_dynamic(login);
    return true;
}

/* ---- anonymous ------------------------------------------------------------------------------- */

static void find_anonymous(struct bondy_login *login, const struct bondy_login_method *method)
{
    struct bondy_store_view *view;
    bool is_open;

    if (bondy_login_is_dynamic(login, method)) {
        login->method = method;
        bondy_login_begin_dynamic(login);
        return;
    }
    if ((view = begin_view(login)) == NULL)
        return;
    is_open = has_source(login, view, BONDY_SLICE("anonymous"), method);
    bondy_store_view_end(view);
    if (!login->realm->allows_anonymous || !is_open) {
        login->doom = "no_source";
        if (offers_nothing(login))
            require_methods(login);
        else
            refuse_methods(login);
        return;
    }
    login->method = method;
    bondy_login_welcome(login);
}

/* ---- who gives no name ----------------------------------------------------------------------- */

/* `tls` stands before the other ways in that need no name. */
static bool is_certificate_first(const struct bondy_login *login)
{
    for (size_t i = 0; i < login->offered_count; i++) {
        const struct bondy_login_method *method = login->offered[i];

        if (method->is_certificate)
            return true;
        if (!method->needs_authid ||
            (strcmp(method->name, "cryptosign") == 0 && bondy_login_extra(login, "pubkey").len > 0))
            return false;
    }
    return false;
}

/* Whom the certificate names. */
static void find_by_certificate(struct bondy_login *login)
{
    login->authid = certificate_of(login);
    if (!bondy_name_fold(login->authid, &login->name))
        login->name.len = 0;
    login->typed = login->name;
    login->offered[0] = bondy_login_method(BONDY_SLICE("tls"));
    login->offered_count = 1;
    if (!begin_dynamic(login))
        find_by_name(login);
}

static void find_without_name(struct bondy_login *login)
{
    const struct bondy_login_method *anonymous = bondy_login_method(BONDY_SLICE("anonymous"));
    const struct bondy_login_method *cryptosign = find_offered(login, "cryptosign");

    if (offers_nothing(login)) {
        if (bondy_realm_has_authmethod(login->realm, BONDY_SLICE("anonymous")))
            find_anonymous(login, anonymous);
        else
            require_methods(login);
    } else if (is_certificate_first(login)) {
        find_by_certificate(login);
    } else if (find_offered(login, "anonymous") != NULL) {
        find_anonymous(login, anonymous);
    } else if (cryptosign != NULL && bondy_login_extra(login, "pubkey").len > 0) {
        login->offered[0] = cryptosign;
        login->offered_count = 1;
        find_by_key(login);
    } else {
        refuse_methods(login);
    }
}

/* ---- cookies (3.8) --------------------------------------------------------------------------- */

static bool wants_cookie(const struct bondy_login *login)
{
    const struct bondy_login_method *cookie = bondy_login_method(BONDY_SLICE("cookie"));

    if (login->cookie.len == 0)
        return false;
    if (find_offered(login, "cookie") != NULL)
        return true;
    return login->authid.len == 0 && offers_nothing(login) &&
           bondy_realm_has_authmethod(login->realm, bondy_slice_text(cookie->name));
}

/* Whose ticket it says it is; what it says is proved afterwards. The name in HELLO does not count.
 */
static bool read_cookie_name(struct bondy_login *login)
{
    struct bondy_token token;
    bool is_name;

    login->name.len = 0;
    if (bondy_token_peek(login->cookie, &token, NULL) < 0)
        return false;
    is_name = bondy_name_fold(bondy_json_text(token.claims, "authid"), &login->name) &&
              !bondy_name_is_reserved(bondy_name_slice(&login->name));
    bondy_token_fini(&token);
    return is_name;
}

/* The ticket was good: where from, and as what. */
static void let_in_by_cookie(struct bondy_login *login, const struct bondy_store_view *view)
{
    json_t *groups;

    if (login->has_user &&
        !has_source(login, view, bondy_slice_text(login->user.username), login->method)) {
        bondy_login_deny(login, "no_source_or_capability");
        return;
    }
    if (!read_roles(login))
        return;
    groups = login->chosen != NULL ? login->chosen : groups_of(login);
    bondy_login_collect_meta(login, view, groups);
    bondy_login_welcome(login);
}

static void find_by_cookie(struct bondy_login *login)
{
    struct bondy_store_view *view;

    login->method = bondy_login_method(BONDY_SLICE("cookie"));
    if (!read_cookie_name(login)) {
        bondy_login_deny(login, "malformed");
        return;
    }
    if ((view = bondy_login_read_user(login)) == NULL)
        return;
    if (!login->has_user)
        bondy_principal_unref(BONDY_MOVE(login->principal));
    if (login->method->verify(login))
        let_in_by_cookie(login, view);
    else
        bondy_login_deny(login, login->doom == NULL ? "store" : login->doom);
    bondy_store_view_end(view);
    if (login->answer.step == BONDY_LOGIN_ABORT)
        bondy_login_drop_user(login);
}

/* ---- whatever was offered ----------------------------------------------------------------------
 */

void bondy_login_find(struct bondy_login *login)
{
    if (login->is_check && bondy_slice_is(first_offer(login), "api_key")) {
        bondy_login_find_by_api_key(login);
        return;
    }
    read_offer(login);
    if (wants_cookie(login)) {
        find_by_cookie(login);
        return;
    }
    if (login->authid.len == 0 && !login->is_check) {
        find_without_name(login);
        return;
    }
    if (offers_nothing(login))
        require_methods(login);
    else if (first_with_authid(login) == NULL)
        refuse_methods(login);
    else if (!begin_dynamic(login))
        find_by_name(login);
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
                                             : json_incref(groups_of(login));
    struct bondy_identity *identity = &login->answer.identity;
    struct texts texts;

    if (json_array_size(login->bad_roles) > 0) {
        json_decref(groups);
        refuse_roles(login);
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
