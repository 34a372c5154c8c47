/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/map.h"
#include "src/security/entity/grant.h"
#include "src/security/policy/policy.h"
#include "src/security/entity/realm_entry.h"
#include "src/security/entity/stored.h"
#include "src/sys/publish.h"

/* The control thread keeps a row for each realm: what its records say, its policy, and what was
 * made of them last. Each commit that changed a realm makes it anew, with those that inherit from
 * it, and publishes a snapshot: a map of its own with a reference to each realm. Realms are few and
 * change seldom; readers never wait. */

struct row {
    struct bondy_realm_entry entry;
    uint8_t scope_hash[BONDY_SCOPE_HASH_LEN];
    struct bondy_policy *policy;
    struct bondy_realm *made; /* NULL: to be made */
    bool is_dirty;
};

struct snapshot {
    struct bondy_retired retired;
    struct bondy_map by_uri;
};

struct bondy_realms {
    struct snapshot *published; /* RCU */
    const struct bondy_security_rules *rules;
    struct bondy_security_rules own_rules;
    struct bondy_map rows;     /* control thread: URI to struct row */
    struct bondy_map by_scope; /* hash of the URI to the same */
    bool is_dirty;
};

/* ---- snapshots ---------------------------------------------------------------------------- */

static void free_snapshot(struct bondy_retired *retired)
{
    struct snapshot *snapshot = BONDY_CONTAINER(retired, struct snapshot, retired);
    struct bondy_slice uri;
    size_t cursor = 0;
    void *realm;

    while (bondy_map_next(&snapshot->by_uri, &cursor, &uri, &realm))
        bondy_realm_unref(realm);
    bondy_map_fini(&snapshot->by_uri);
    bondy_free(snapshot);
}

static void free_row(struct row *row)
{
    bondy_realm_entry_fini(&row->entry);
    bondy_realm_unref(row->made);
    bondy_policy_unref(row->policy);
    bondy_free(row);
}

struct bondy_realms *bondy_realms_create(const struct bondy_security_rules *rules)
{
    struct bondy_realms *realms = bondy_zalloc(sizeof *realms);

    bondy_security_rules_init(&realms->own_rules);
    realms->rules = rules == NULL ? &realms->own_rules : rules;
    realms->published = bondy_zalloc(sizeof *realms->published);
    return realms;
}

void bondy_realms_destroy(struct bondy_realms *realms)
{
    struct bondy_slice uri;
    size_t cursor = 0;
    void *row;

    if (realms == NULL)
        return;
    free_snapshot(&realms->published->retired);
    while (bondy_map_next(&realms->rows, &cursor, &uri, &row))
        free_row(row);
    bondy_map_fini(&realms->rows);
    bondy_map_fini(&realms->by_scope);
    bondy_free(realms);
}

/* ---- readers ------------------------------------------------------------------------------ */

const struct bondy_realm *bondy_realms_find(const struct bondy_realms *realms,
                                            struct bondy_slice uri)
{
    const struct snapshot *snapshot = bondy_publish_get(realms->published);
    char canonical[BONDY_REALM_URI_MAX];
    size_t len;

    if (!bondy_realm_canonical(realms->rules, uri, canonical, sizeof canonical, &len))
        return NULL;
    return bondy_map_find(&snapshot->by_uri, bondy_slice_of(canonical, len));
}

void bondy_realms_each(const struct bondy_realms *realms,
                       bool (*fn)(void *context, const struct bondy_realm *realm), void *context)
{
    const struct snapshot *snapshot = bondy_publish_get(realms->published);
    struct bondy_slice uri;
    size_t cursor = 0;
    void *realm;

    while (bondy_map_next(&snapshot->by_uri, &cursor, &uri, &realm))
        if (!fn(context, realm))
            return;
}

static int by_uri(const void *a, const void *b)
{
    const struct bondy_realm *const *left = a, *const *right = b;

    return strcmp((*left)->uri, (*right)->uri);
}

/* The caller frees the list, not what is in it. */
static const struct bondy_realm **sort(const struct snapshot *snapshot, size_t *count)
{
    const struct bondy_realm **sorted = bondy_calloc(snapshot->by_uri.count, sizeof *sorted);
    struct bondy_slice uri;
    size_t cursor = 0;
    void *realm;

    *count = 0;
    while (*count < snapshot->by_uri.count &&
           bondy_map_next(&snapshot->by_uri, &cursor, &uri, &realm))
        sorted[(*count)++] = realm;
    qsort(sorted, *count, sizeof *sorted, by_uri);
    return sorted;
}

json_t *bondy_realms_list(const struct bondy_realms *realms)
{
    size_t count;
    const struct bondy_realm **sorted = sort(bondy_publish_get(realms->published), &count);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, bondy_realm_external(sorted[i]));
    bondy_free(sorted);
    return list;
}

static bool is_text(const char *text, struct bondy_slice other)
{
    return text != NULL && bondy_slice_is(other, text);
}

json_t *bondy_realms_dependents(const struct bondy_realms *realms, struct bondy_slice uri)
{
    const struct bondy_realm *realm = bondy_realms_find(realms, uri);
    size_t count;
    const struct bondy_realm **sorted = sort(bondy_publish_get(realms->published), &count);
    json_t *list = json_array();

    if (realm != NULL)
        uri = bondy_slice_text(realm->uri);
    for (size_t i = 0; i < count; i++)
        if (is_text(sorted[i]->prototype_uri, uri) || is_text(sorted[i]->sso_realm_uri, uri))
            json_array_append_new(list, json_string(sorted[i]->uri));
    bondy_free(sorted);
    return list;
}

/* ---- the feed: realms --------------------------------------------------------------------- */

static struct bondy_slice scope_key(const uint8_t hash[BONDY_SCOPE_HASH_LEN])
{
    return bondy_slice_of(hash, BONDY_SCOPE_HASH_LEN);
}

static void touch(struct bondy_realms *realms, struct row *row)
{
    row->is_dirty = true;
    realms->is_dirty = true;
}

static void remove_row(struct bondy_realms *realms, struct bondy_slice uri)
{
    struct row *row = bondy_map_remove(&realms->rows, uri);

    if (row == NULL)
        return;
    bondy_map_remove(&realms->by_scope, scope_key(row->scope_hash));
    free_row(row);
    realms->is_dirty = true;
}

static void on_realm(struct bondy_realms *realms, const struct bondy_record *record)
{
    struct bondy_slice uri = record->key.subkey;
    struct row *row = bondy_map_find(&realms->rows, uri);

    if (row != NULL && (record->is_tombstone || row->entry.gen != record->gen)) {
        remove_row(realms, uri);
        row = NULL;
    }
    if (record->is_tombstone)
        return;
    if (row != NULL) {
        bondy_realm_entry_update(&row->entry, record);
    } else {
        row = bondy_zalloc(sizeof *row);
        bondy_realm_entry_init(&row->entry, record);
        row->policy = bondy_policy_create(uri);
        bondy_store_scope_hash(uri, row->scope_hash);
        bondy_map_put(&realms->rows, uri, row);
        bondy_map_put(&realms->by_scope, scope_key(row->scope_hash), row);
    }
    touch(realms, row);
}

static void on_element(struct bondy_realms *realms, struct row *row,
                       const struct bondy_record *record)
{
    bondy_realm_entry_element(&row->entry, record);
    touch(realms, row);
}

/* ---- the feed: groups and grants ---------------------------------------------------------- */

/* A group made again after it was deleted has none of the old one's parents and grants: those were
 * deleted with it, in the same job. */
static void on_group(struct bondy_realms *realms, struct row *row,
                     const struct bondy_record *record)
{
    if (record->is_tombstone)
        bondy_policy_remove_group(row->policy, record->key.subkey);
    else
        bondy_policy_put_group(row->policy, record->key.subkey);
    realms->is_dirty = true;
}

static void on_group_element(struct bondy_realms *realms, struct row *row,
                             const struct bondy_record *record)
{
    struct bondy_element element;

    if (!bondy_element_parse(record->key.subkey, &element) || element.kind != 'g')
        return;
    if (record->is_tombstone)
        bondy_policy_remove_parent(row->policy, element.name, element.value);
    else
        bondy_policy_put_parent(row->policy, element.name, element.value);
    realms->is_dirty = true;
}

static void on_grant(struct bondy_realms *realms, struct row *row,
                     const struct bondy_record *record)
{
    struct bondy_grant grant;
    struct bondy_grant_key key;
    json_t *body;

    if (!bondy_grant_parse_key(record->key.subkey, &grant) ||
        !bondy_grant_match_parse(grant.match, &key.match))
        return;
    key.kind = grant.is_user ? BONDY_ROLE_USER : BONDY_ROLE_GROUP;
    key.name = grant.role;
    key.uri = grant.resource;
    body = record->is_tombstone ? NULL : bondy_stored_tree(record);
    if (body == NULL)
        bondy_policy_remove_grant(row->policy, &key);
    else
        bondy_policy_put_grant(row->policy, &key, json_object_get(body, "permissions"));
    json_decref(body);
    realms->is_dirty = true;
}

void bondy_realms_on_change(struct bondy_realms *realms, const struct bondy_change *change)
{
    static void (*const handlers[])(struct bondy_realms *, struct row *,
                                    const struct bondy_record *) = {
        [BONDY_RECORD_REALM_ELEMENT] = on_element,
        [BONDY_RECORD_GROUP] = on_group,
        [BONDY_RECORD_GROUP_ELEMENT] = on_group_element,
        [BONDY_RECORD_GRANT] = on_grant,
    };
    const struct bondy_record *record = &change->now;
    struct row *row;

    if (record->key.type == BONDY_RECORD_REALM) {
        on_realm(realms, record);
        return;
    }
    if ((size_t)record->key.type >= BONDY_COUNT(handlers) || handlers[record->key.type] == NULL)
        return;
    /* What belonged to an earlier realm of the same name is hidden (cluster.md B2.4). */
    row = bondy_map_find(&realms->by_scope, scope_key(record->scope_hash));
    if (row != NULL && row->entry.gen == record->key.gen)
        handlers[record->key.type](realms, row, record);
}

/* ---- publishing --------------------------------------------------------------------------- */

static struct row *prototype_of(struct bondy_realms *realms, const struct row *row)
{
    struct bondy_slice uri = bondy_realm_entry_prototype(&row->entry);

    return uri.len == 0 ? NULL : bondy_map_find(&realms->rows, uri);
}

static void configure_policy(struct bondy_realms *realms, struct row *row, struct row *prototype)
{
    const struct bondy_security_rules *rules = realms->rules;
    struct bondy_policy_settings settings = {
        .security_enabled = row->made->has_security,
        .inherits_anonymous = rules->inherit_anonymous,
        .prefixes_are_bytes = rules->prefix_by_octet,
        .coverage_is_literal = rules->literal_patterns,
        .max_groups = rules->max_groups,
        .max_depth = rules->group_depth,
        .prototype = prototype == NULL ? NULL : prototype->policy,
    };

    bondy_policy_configure(row->policy, &settings);
}

static void remake(struct bondy_realms *realms, struct row *row)
{
    struct row *prototype = prototype_of(realms, row);

    bondy_realm_unref(row->made);
    row->made = bondy_realm_entry_make(&row->entry, prototype == NULL ? NULL : &prototype->entry,
                                       realms->rules);
    row->made->keys = bondy_realm_entry_keys(&row->entry);
    row->made->policy = row->policy;
    bondy_policy_ref(row->policy);
    configure_policy(realms, row, prototype);
}

/* Whether what it was made of is not what is now: itself or its prototype changed. */
static bool is_stale(struct bondy_realms *realms, const struct row *row)
{
    const struct row *prototype = prototype_of(realms, row);

    return row->made == NULL || row->is_dirty || (prototype != NULL && prototype->is_dirty);
}

/* Policies are published before the table is, so that nobody finds a realm whose policy is not the
 * one of this commit; prototypes before those that inherit from them. */
static void publish_policies(struct bondy_realms *realms, bool of_prototypes)
{
    struct bondy_slice uri;
    size_t cursor = 0;
    void *value;

    while (bondy_map_next(&realms->rows, &cursor, &uri, &value)) {
        struct row *row = value;

        if (row->made->is_prototype == of_prototypes)
            bondy_policy_publish(row->policy);
    }
}

void bondy_realms_publish(struct bondy_realms *realms)
{
    struct snapshot *made, *old = realms->published;
    struct bondy_slice uri;
    size_t cursor = 0;
    void *value;

    if (!realms->is_dirty)
        return;
    realms->is_dirty = false;
    while (bondy_map_next(&realms->rows, &cursor, &uri, &value))
        if (is_stale(realms, value))
            remake(realms, value);
    publish_policies(realms, true);
    publish_policies(realms, false);
    made = bondy_zalloc(sizeof *made);
    cursor = 0;
    while (bondy_map_next(&realms->rows, &cursor, &uri, &value)) {
        struct row *row = value;

        row->is_dirty = false;
        bondy_realm_ref(row->made);
        bondy_map_put(&made->by_uri, uri, row->made);
    }
    bondy_publish_set(realms->published, made);
    bondy_publish_retire(&old->retired, free_snapshot);
}

/* ---- loading ------------------------------------------------------------------------------ */

static int load_one(void *context, const struct bondy_record *record)
{
    struct bondy_change change = {.now = *record};

    bondy_realms_on_change(context, &change);
    return 0;
}

int bondy_realms_load_wait(struct bondy_realms *realms, struct bondy_store *store,
                           struct bondy_error *err)
{
    /* In this order each record finds what it belongs to. Deleted elements still count for the
     * version of a realm. */
    static const enum bondy_record_type types[] = {BONDY_RECORD_REALM, BONDY_RECORD_REALM_ELEMENT,
                                                   BONDY_RECORD_GROUP, BONDY_RECORD_GROUP_ELEMENT,
                                                   BONDY_RECORD_GRANT};
    struct bondy_store_view *view = NULL;
    int rc = bondy_store_view_begin(store, &view, err);

    for (size_t i = 0; rc == BONDY_OK && i < BONDY_COUNT(types); i++) {
        const struct bondy_store_range range = {.type = types[i],
                                                .is_any_scope = true,
                                                .with_tombstones =
                                                    types[i] == BONDY_RECORD_REALM_ELEMENT};

        rc = bondy_store_view_scan(view, &range, load_one, realms);
    }
    bondy_store_view_end(view);
    if (rc != 0)
        return bondy_fail(err, BONDY_EIO, "reading the realms from the store");
    realms->is_dirty = true;
    bondy_realms_publish(realms);
    return BONDY_OK;
}
