/* SPDX-License-Identifier: Apache-2.0 */

/* Who wants in, and how it may prove it: realms-and-security.md 3.2 and 3.3. On a pool thread.
 *
 * Three gates must open: the realm lists the method, a source lets the user use it from this
 * address, and the user has what the method needs. With hide_unknown_users everything that depends
 * on the user is found out only after the proof: until then an unknown user, a disabled one and one
 * without source look like somebody who is about to fail. */

#include <string.h>

#include "src/base/alloc.h"
#include "src/security/login/login_local.h"
#include "src/security/login/principal.h"
#include "src/security/entity/source.h"
#include "src/security/credential/token.h"

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

    if (!bondy_login_read_roles(login))
        return;
    if (fault != NULL && !hides(login)) {
        refuse_user(login, fault);
        return;
    }
    if (json_array_size(login->bad_roles) > 0 && !hides(login)) {
        bondy_login_refuse_roles(login);
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
        if ((view = bondy_login_begin_view(login)) == NULL)
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
    struct bondy_store_view *view = bondy_login_begin_view(login);

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
    if ((view = bondy_login_begin_view(login)) == NULL)
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
    if (!bondy_login_read_roles(login))
        return;
    groups = login->chosen != NULL ? login->chosen : bondy_login_groups(login);
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
