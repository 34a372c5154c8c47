/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/realm.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/security/entity/stored.h"

/* What a realm shows (1.2), and its keys. The table is in realm_table.c. */

/* ---- names -------------------------------------------------------------------------------- */

bool bondy_realm_canonical(const struct bondy_security_rules *rules, struct bondy_slice uri,
                           char *out, size_t room, size_t *len)
{
    static const char *const usual[] = {"bondy", NULL};
    const char *const *alias = rules == NULL ? usual : rules->master_aliases;

    if (uri.len > room)
        return false;
    for (size_t i = 0; i < uri.len; i++)
        out[i] = uri.data[i] >= 'A' && uri.data[i] <= 'Z' ? (char)(uri.data[i] - 'A' + 'a')
                                                          : uri.data[i];
    *len = uri.len;
    for (; alias != NULL && *alias != NULL; alias++)
        if (bondy_slice_is(bondy_slice_of(out, uri.len), *alias) &&
            room >= sizeof BONDY_MASTER_REALM - 1) {
            *len = sizeof BONDY_MASTER_REALM - 1;
            memcpy(out, BONDY_MASTER_REALM, *len);
            break;
        }
    return true;
}

bool bondy_realm_has_authmethod(const struct bondy_realm *realm, struct bondy_slice method)
{
    return bondy_stored_list_has(realm->authmethods, method);
}

/* ---- keys --------------------------------------------------------------------------------- */

static bool verifies(const struct bondy_realm_key *key, uint64_t now_ms)
{
    return key->retired_ms == 0 || key->retired_ms > now_ms;
}

json_t *bondy_realm_jwks(const struct bondy_realm *realm, uint64_t now_ms)
{
    json_t *keys = json_array();

    for (size_t i = 0; realm->keys != NULL && i < realm->keys->signing_count; i++)
        if (verifies(&realm->keys->signing[i], now_ms))
            json_array_append(keys, realm->keys->signing[i].key->jwk);
    return json_pack("{s:o}", "keys", keys);
}

const struct bondy_key *bondy_realm_find_key(const struct bondy_realm *realm,
                                             struct bondy_slice kid, uint64_t now_ms)
{
    for (size_t i = 0; realm->keys != NULL && i < realm->keys->signing_count; i++)
        if (bondy_slice_is(kid, realm->keys->signing[i].key->kid) &&
            verifies(&realm->keys->signing[i], now_ms))
            return realm->keys->signing[i].key;
    return NULL;
}

static size_t count_in_use(const struct bondy_realm *realm)
{
    size_t count = 0;

    for (size_t i = 0; realm->keys != NULL && i < realm->keys->signing_count; i++)
        count += realm->keys->signing[i].retired_ms == 0;
    return count;
}

const struct bondy_key *bondy_realm_signing_key(const struct bondy_realm *realm)
{
    size_t count = count_in_use(realm), chosen;

    if (count == 0)
        return NULL;
    chosen = (size_t)(bondy_id_random() % count);
    for (size_t i = 0; i < realm->keys->signing_count; i++)
        if (realm->keys->signing[i].retired_ms == 0 && chosen-- == 0)
            return realm->keys->signing[i].key;
    return NULL;
}

bool bondy_realm_needs_keys(const struct bondy_realm *realm)
{
    return count_in_use(realm) == 0;
}

/* ---- outside ------------------------------------------------------------------------------ */

static json_t *resolved(json_t *value, bool is_inherited)
{
    return json_pack("{s:o, s:b}", "value", value, "inherited", is_inherited);
}

static bool is_given(const struct bondy_realm *realm, const char *key)
{
    const json_t *value = json_object_get(realm->document, key);

    return value != NULL && !json_is_null(value);
}

static json_t *text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static json_t *effective(const struct bondy_realm *realm)
{
    json_t *object = json_object();

    json_object_set_new(
        object, "allow_connections",
        resolved(json_boolean(realm->allows_connections), realm->connections_given < 0));
    json_object_set_new(object, "authmethods",
                        resolved(json_incref(realm->authmethods), !is_given(realm, "authmethods")));
    json_object_set_new(
        object, "sso_realm_uri",
        resolved(text_or_null(realm->sso_realm_uri), !is_given(realm, "sso_realm_uri")));
    json_object_set_new(object, "security_enabled",
                        resolved(json_boolean(realm->has_security), realm->security_given < 0));
    return object;
}

/* Of `info` only the providers are shown, without their secrets. */
static void add_providers(const struct bondy_realm *realm, json_t *object)
{
    json_t *providers = json_object_get(realm->info, "oidc_providers"), *shown, *provider;
    const char *name;

    if (!json_is_object(providers))
        return;
    shown = json_deep_copy(providers);
    json_object_foreach(shown, name, provider)
    {
        if (json_object_get(provider, "client_secret") != NULL)
            json_object_set_new(provider, "client_secret", json_string(BONDY_REALM_REDACTED));
    }
    json_object_set_new(object, "info", json_pack("{s:o}", "oidc_providers", shown));
}

/* Those that only verify are in the key set (JWKS) alone. */
static json_t *keys_in_use(const struct bondy_realm *realm)
{
    json_t *keys = json_array();

    for (size_t i = 0; realm->keys != NULL && i < realm->keys->signing_count; i++)
        if (realm->keys->signing[i].retired_ms == 0)
            json_array_append(keys, realm->keys->signing[i].key->jwk);
    return keys;
}

/* Only what is of this realm itself, never what it inherits. */
static void add_given(const struct bondy_realm *realm, json_t *object)
{
    static const char *const keys[] = {"prototype_uri", "sso_realm_uri", "authmethods",
                                       "authenticator", "authorizer"};

    for (size_t i = 0; i < BONDY_COUNT(keys); i++)
        if (is_given(realm, keys[i]))
            json_object_set(object, keys[i], json_object_get(realm->document, keys[i]));
    if (realm->connections_given >= 0)
        json_object_set_new(object, "allow_connections", json_boolean(realm->connections_given));
    if (is_given(realm, "password_opts") ||
        json_array_size(json_object_get(realm->document, "authmethods")) > 0)
        json_object_set_new(object, "password_opts",
                            bondy_password_opts_format(&realm->password_opts));
    add_providers(realm, object);
}

json_t *bondy_realm_external(const struct bondy_realm *realm)
{
    json_t *object =
        json_pack("{s:s, s:s, s:b, s:b}", "uri", realm->uri, "description", realm->description,
                  "is_prototype", realm->is_prototype, "is_sso_realm", realm->is_sso_realm);

    add_given(realm, object);
    json_object_set_new(object, "security_status",
                        json_string(realm->has_security ? "enabled" : "disabled"));
    json_object_set_new(object, "public_keys", keys_in_use(realm));
    json_object_set_new(object, "effective", effective(realm));
    bondy_stored_describe(object, bondy_stored_is_managed(realm->document), realm->created_ms,
                          realm->updated_ms, realm->version);
    return object;
}
