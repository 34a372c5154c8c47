/* SPDX-License-Identifier: Apache-2.0 */

/* Logins with an API key, for HTTP requests alone: http-gateway.md 1.6, admin-http-api.md 8. On a
 * pool thread.
 *
 * A key is an object of the realm that somebody made there on purpose, with networks of its own: it
 * asks for no method in the realm's authmethods and for no source. */

#include "src/base/clock.h"
#include "src/security/login/login_local.h"
#include "src/security/token/api_key.h"

static bool comes_from(const struct bondy_login *login, const json_t *cidrs)
{
    size_t index;
    json_t *text;

    json_array_foreach((json_t *)(uintptr_t)cidrs, index, text)
    {
        struct bondy_cidr cidr;

        if (bondy_cidr_parse(bondy_slice_text(json_string_value(text)), &cidr, NULL) == BONDY_OK &&
            bondy_cidr_admits(&cidr, &login->peer.address))
            return true;
    }
    return json_array_size(cidrs) == 0;
}

static const char *find_fault(const struct bondy_login *login, const struct bondy_api_key *key)
{
    if (key->expires_ms != 0 && key->expires_ms <= bondy_clock_wall_ms())
        return "expired";
    if (!login->has_user || login->user.ugen != key->ugen)
        return "unknown_user";
    if (!login->user.is_enabled)
        return "disabled_user";
    return comes_from(login, key->cidrs) ? NULL : "no_source_or_capability";
}

static bool find_key(struct bondy_login *login, struct bondy_api_key *out)
{
    struct bondy_store_view *view = NULL;
    bool is_found;

    if (bondy_store_view_begin(login->auth->options.store, &view, NULL) < 0)
        return false;
    is_found = bondy_api_key_find(view, login->realm, bondy_login_signature(login), out);
    bondy_store_view_end(view);
    return is_found;
}

/* The user is read in a view that is begun after there is a principal, the key before: looked up
 * again in that view, so that both are of one moment. */
static const char *check_key(struct bondy_login *login, const struct bondy_store_view *view)
{
    struct bondy_api_key key;
    const char *fault;

    if (!bondy_api_key_find(view, login->realm, bondy_login_signature(login), &key))
        return "unknown_key";
    fault = find_fault(login, &key);
    login->answer.expires_ms = key.expires_ms;
    bondy_api_key_fini(&key);
    return fault;
}

static bool read_name(struct bondy_login *login)
{
    struct bondy_api_key key;
    bool is_name;

    if (!find_key(login, &key))
        return false;
    is_name = bondy_name_fold(bondy_slice_text(key.authid), &login->name);
    bondy_api_key_fini(&key);
    return is_name;
}

/* What is to be proved was proved when the key was found. */
bool bondy_login_verify_api_key(struct bondy_login *login)
{
    return login->has_user;
}

void bondy_login_find_by_api_key(struct bondy_login *login)
{
    struct bondy_store_view *view;
    const char *fault;

    login->method = bondy_login_method(BONDY_SLICE("api_key"));
    if (!read_name(login)) {
        bondy_login_deny(login, "unknown_key");
        return;
    }
    if ((view = bondy_login_read_user(login)) == NULL)
        return;
    fault = check_key(login, view);
    if (fault == NULL) {
        bondy_login_collect_meta(login, view, login->user.groups);
        bondy_login_welcome(login);
    } else {
        bondy_login_deny(login, fault);
    }
    bondy_store_view_end(view);
    if (fault != NULL)
        bondy_login_drop_user(login);
}
