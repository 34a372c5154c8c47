/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/source.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/security/entity/realm.h"
#include "src/security/entity/stored.h"

/* username NUL cidr NUL authmethod; borrowed from `subkey`. */
static bool parse_key(struct bondy_slice subkey, struct bondy_source *out)
{
    struct bondy_slice *const parts[] = {&out->username, &out->cidr};
    struct bondy_slice rest = subkey;

    for (size_t i = 0; i < BONDY_COUNT(parts); i++) {
        const char *end = rest.len == 0 ? NULL : memchr(rest.data, 0, rest.len);

        if (end == NULL)
            return false;
        *parts[i] = bondy_slice_of(rest.data, (size_t)(end - rest.data));
        rest = bondy_slice_skip(rest, parts[i]->len + 1);
    }
    out->authmethod = rest;
    return bondy_cidr_parse(out->cidr, &out->network, NULL) == BONDY_OK;
}

/* The caller drops out->meta. */
static bool take(const struct bondy_record *record, bool is_inherited, struct bondy_source *out)
{
    json_t *body, *meta;

    if (!parse_key(record->key.subkey, out))
        return false;
    body = bondy_stored_tree(record);
    meta = json_object_get(body, "meta");
    out->meta = meta == NULL ? json_object() : json_incref(meta);
    out->is_managed = bondy_stored_is_managed(body);
    out->is_inherited = is_inherited;
    json_decref(body);
    return true;
}

json_t *bondy_source_external(const struct bondy_source *source)
{
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:O}", "type", "source", "version", "1.1", "username",
                  bondy_json_slice(source->username), "cidr", bondy_json_slice(source->cidr),
                  "authmethod", bondy_json_slice(source->authmethod), "meta", source->meta);

    if (source->is_managed)
        json_object_set_new(object, "managed_by", json_string("file"));
    return object;
}

/* ---- lists -------------------------------------------------------------------------------- */

struct listing {
    int (*fn)(void *context, const struct bondy_source *source);
    void *context;
};

static int list_one(void *context, const struct bondy_record *record)
{
    struct listing *listing = context;
    struct bondy_source source;
    int rc;

    if (!take(record, false, &source))
        return 0;
    rc = listing->fn(listing->context, &source);
    json_decref(source.meta);
    return rc;
}

int bondy_source_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                      int (*fn)(void *context, const struct bondy_source *source), void *context)
{
    struct listing listing = {fn, context};
    const struct bondy_store_range range = {
        .type = BONDY_RECORD_SOURCE, .scope = bondy_slice_text(realm->uri), .gen = realm->gen};

    return bondy_store_view_scan(view, &range, list_one, &listing);
}

/* ---- matching ----------------------------------------------------------------------------- */

struct found {
    struct bondy_source source;
    bool is_own; /* of the user, not of all */
    unsigned bits;
    size_t order;
};

struct matching {
    const struct bondy_address *address;
    bool is_own, is_inherited;
    struct found *found;
    size_t count, room;
};

static int match_one(void *context, const struct bondy_record *record)
{
    struct matching *matching = context;
    struct found found = {.is_own = matching->is_own, .order = matching->count};

    if (!take(record, matching->is_inherited, &found.source))
        return 0;
    if (matching->address != NULL && !bondy_cidr_admits(&found.source.network, matching->address)) {
        json_decref(found.source.meta);
        return 0;
    }
    found.bits = bondy_cidr_is_all(&found.source.network) ? 0 : found.source.network.prefix;
    if (matching->count == matching->room) {
        matching->room = matching->room == 0 ? 16 : 2 * matching->room;
        matching->found = bondy_realloc(matching->found, matching->room * sizeof *matching->found);
    }
    matching->found[matching->count++] = found;
    return 0;
}

/* The sources of one username, or `all`, in one realm. */
static void gather(const struct bondy_store_view *view, struct matching *matching,
                   struct bondy_slice realm_uri, uint32_t realm_gen, struct bondy_slice username)
{
    struct bondy_buf prefix = BONDY_BUF_EMPTY;
    struct bondy_store_range range = {
        .type = BONDY_RECORD_SOURCE, .scope = realm_uri, .gen = realm_gen};

    bondy_buf_append_slice(&prefix, username);
    bondy_buf_append_byte(&prefix, 0);
    range.prefix = bondy_buf_slice(&prefix);
    bondy_store_view_scan(view, &range, match_one, matching);
    bondy_buf_fini(&prefix);
}

static int by_network(const void *a, const void *b)
{
    const struct found *left = a, *right = b;

    if (left->bits != right->bits)
        return left->bits > right->bits ? -1 : 1;
    if (left->is_own != right->is_own)
        return left->is_own ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

int bondy_source_match(const struct bondy_store_view *view, const struct bondy_realm *realm,
                       struct bondy_slice username, const struct bondy_address *address,
                       int (*fn)(void *context, const struct bondy_source *source), void *context)
{
    struct matching matching = {.address = address};
    int rc = 0;

    if (username.len > 0 && !bondy_slice_is(username, "all")) {
        matching.is_own = true;
        gather(view, &matching, bondy_slice_text(realm->uri), realm->gen, username);
        matching.is_own = false;
    }
    gather(view, &matching, bondy_slice_text(realm->uri), realm->gen, BONDY_SLICE("all"));
    if (realm->prototype_uri != NULL) {
        matching.is_inherited = true;
        gather(view, &matching, bondy_slice_text(realm->prototype_uri), realm->prototype_gen,
               BONDY_SLICE("all"));
    }
    if (matching.count > 0)
        qsort(matching.found, matching.count, sizeof *matching.found, by_network);
    for (size_t i = 0; i < matching.count; i++) {
        if (rc == 0)
            rc = fn(context, &matching.found[i].source);
        json_decref(matching.found[i].source.meta);
    }
    bondy_free(matching.found);
    return rc;
}
