/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/grant.h"

#include <string.h>

#include "src/security/entity/realm.h"
#include "src/security/entity/stored.h"

#define GEN_LEN 4

/* Splits off what stands before the next NUL. */
static bool next_part(struct bondy_slice *rest, struct bondy_slice *out)
{
    const char *end = rest->len == 0 ? NULL : memchr(rest->data, 0, rest->len);

    if (end == NULL)
        return false;
    *out = bondy_slice_of(rest->data, (size_t)(end - rest->data));
    *rest = bondy_slice_skip(*rest, out->len + 1);
    return true;
}

bool bondy_grant_parse_key(struct bondy_slice subkey, struct bondy_grant *out)
{
    struct bondy_slice rest = subkey, kind;

    *out = (struct bondy_grant){.is_user = false};
    if (!next_part(&rest, &kind) || !next_part(&rest, &out->role) || rest.len <= GEN_LEN ||
        rest.data[GEN_LEN] != 0)
        return false;
    for (size_t i = 0; i < GEN_LEN; i++)
        out->gen = out->gen << 8 | (uint8_t)rest.data[i];
    rest = bondy_slice_skip(rest, GEN_LEN + 1);
    if (!next_part(&rest, &out->match))
        return false;
    out->resource = rest;
    out->is_user = bondy_slice_is(kind, "u");
    return out->is_user || bondy_slice_is(kind, "g");
}

static json_t *role_text(const struct bondy_grant *grant)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *role;

    if (!grant->is_user &&
        (bondy_slice_is(grant->role, "all") || bondy_slice_is(grant->role, "anonymous")))
        return bondy_json_slice(grant->role);
    bondy_buf_append_text(&text, grant->is_user ? "user/" : "group/");
    bondy_buf_append_slice(&text, grant->role);
    role = bondy_json_slice(bondy_buf_slice(&text));
    bondy_buf_fini(&text);
    return role;
}

json_t *bondy_grant_external(const struct bondy_grant *grant, bool with_role)
{
    json_t *object = json_pack("{s:O}", "permissions", grant->permissions);

    if (bondy_slice_is(grant->match, "any"))
        json_object_set_new(object, "resource", json_pack("{s:s}", "uri", "any"));
    else
        json_object_set_new(object, "resource",
                            json_pack("{s:o, s:o}", "uri", bondy_json_slice(grant->resource),
                                      "match", bondy_json_slice(grant->match)));
    if (grant->meta != NULL)
        json_object_set(object, "meta", grant->meta);
    if (with_role)
        json_object_set_new(object, "roles", json_pack("[o]", role_text(grant)));
    if (grant->is_managed)
        json_object_set_new(object, "managed_by", json_string("file"));
    return object;
}

struct listing {
    int (*fn)(void *context, const struct bondy_grant *grant);
    void *context;
};

static int list_one(void *context, const struct bondy_record *record)
{
    struct listing *listing = context;
    struct bondy_grant grant;
    json_t *body;
    int rc;

    if (!bondy_grant_parse_key(record->key.subkey, &grant))
        return 0;
    body = bondy_stored_tree(record);
    grant.permissions = json_object_get(body, "permissions");
    grant.meta = json_object_get(body, "meta");
    grant.is_managed = bondy_stored_is_managed(body);
    rc = listing->fn(listing->context, &grant);
    json_decref(body);
    return rc;
}

int bondy_grant_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                     int (*fn)(void *context, const struct bondy_grant *grant), void *context)
{
    struct listing listing = {fn, context};
    const struct bondy_store_range range = {
        .type = BONDY_RECORD_GRANT, .scope = bondy_slice_text(realm->uri), .gen = realm->gen};

    return bondy_store_view_scan(view, &range, list_one, &listing);
}
