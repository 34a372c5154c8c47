/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/group.h"

#include <string.h>

#include "src/base/alloc.h"
#include "src/security/entity/group_local.h"
#include "src/security/entity/input.h"
#include "src/security/entity/realm.h"
#include "src/security/entity/user_local.h"

/* ---- one group ---------------------------------------------------------------------------- */

struct bondy_group_place bondy_group_place_of(const struct bondy_realm *realm)
{
    return (struct bondy_group_place){bondy_slice_text(realm->uri), realm->gen};
}

struct bondy_group_place bondy_group_place_of_prototype(const struct bondy_realm *realm)
{
    return (struct bondy_group_place){bondy_slice_text(realm->prototype_uri), realm->prototype_gen};
}

struct bondy_store_key bondy_group_key(const struct bondy_group_place *place,
                                       struct bondy_slice name)
{
    return (struct bondy_store_key){.type = BONDY_RECORD_GROUP,
                                    .scope = place->realm_uri,
                                    .gen = place->realm_gen,
                                    .subkey = name};
}

static int take_element(void *context, const struct bondy_record *record)
{
    struct bondy_group *group = context;
    struct bondy_element element;

    if (!bondy_element_parse(record->key.subkey, &element))
        return 0;
    bondy_stored_newer(group->version, record->version);
    if (!record->is_tombstone && element.kind == 'g')
        json_array_append_new(group->groups, bondy_json_slice(element.value));
    return 0;
}

/* Takes `body`. */
static void fill(const struct bondy_store_view *view, const struct bondy_group_place *place,
                 const struct bondy_record *record, json_t *body, struct bondy_group *out)
{
    struct bondy_buf prefix = BONDY_BUF_EMPTY;
    struct bondy_store_range range = {.type = BONDY_RECORD_GROUP_ELEMENT,
                                      .scope = place->realm_uri,
                                      .gen = place->realm_gen,
                                      .with_tombstones = true};
    json_t *meta = json_object_get(body, "meta");

    *out = (struct bondy_group){
        .name = bondy_memdup0(record->key.subkey.data, record->key.subkey.len),
        .ggen = record->gen,
        .is_managed = bondy_stored_is_managed(body),
        .groups = json_array(),
        .meta = meta == NULL ? json_object() : json_incref(meta),
        .created_ms = bondy_stored_created(body, record->version),
    };
    memcpy(out->version, record->version, BONDY_VERSION_LEN);
    json_decref(body);
    bondy_element_prefix(bondy_slice_text(out->name), out->ggen, &prefix);
    range.prefix = bondy_buf_slice(&prefix);
    bondy_store_view_scan(view, &range, take_element, out);
    bondy_buf_fini(&prefix);
    out->updated_ms = bondy_version_wall_ms(out->version);
}

bool bondy_group_read(const struct bondy_store_view *view, const struct bondy_group_place *place,
                      struct bondy_slice name, struct bondy_group *out)
{
    struct bondy_store_key key;
    struct bondy_record record;
    struct bondy_name folded;
    json_t *body;

    if (place->realm_uri.len == 0 || !bondy_name_fold(name, &folded))
        return false;
    key = bondy_group_key(place, bondy_name_slice(&folded));
    if ((body = bondy_stored_get(view, &key, &record)) == NULL)
        return false;
    fill(view, place, &record, body, out);
    return true;
}

/* Its version is always the same: it cannot be changed. */
static void make_anonymous(struct bondy_group *out)
{
    *out = (struct bondy_group){
        .name = bondy_strdup("anonymous"), .groups = json_array(), .meta = json_object()};
}

bool bondy_group_find(const struct bondy_store_view *view, const struct bondy_realm *realm,
                      struct bondy_slice name, struct bondy_group *out)
{
    const struct bondy_group_place place = bondy_group_place_of(realm);
    struct bondy_name folded;

    if (bondy_name_fold(name, &folded) && bondy_slice_is(bondy_name_slice(&folded), "anonymous")) {
        make_anonymous(out);
        return true;
    }
    return bondy_group_read(view, &place, name, out);
}

void bondy_group_fini(struct bondy_group *group)
{
    bondy_free(group->name);
    json_decref(group->groups);
    json_decref(group->meta);
    *group = (struct bondy_group){0};
}

bool bondy_group_is_known(const struct bondy_store_view *view, const struct bondy_realm *realm,
                          struct bondy_slice name)
{
    const struct bondy_group_place here = bondy_group_place_of(realm);
    const struct bondy_group_place there = bondy_group_place_of_prototype(realm);
    struct bondy_store_key key;
    struct bondy_name folded;

    if (!bondy_name_fold(name, &folded))
        return false;
    name = bondy_name_slice(&folded);
    if (bondy_slice_is(name, "anonymous"))
        return true;
    key = bondy_group_key(&here, name);
    if (bondy_stored_has(view, &key))
        return true;
    key = bondy_group_key(&there, name);
    return there.realm_uri.len > 0 && bondy_stored_has(view, &key);
}

json_t *bondy_group_external(const struct bondy_group *group)
{
    json_t *object = json_pack("{s:s, s:s, s:s, s:O, s:O}", "type", "group", "version", "1.1",
                               "name", group->name, "groups", group->groups, "meta", group->meta);

    bondy_stored_describe(object, group->is_managed, group->created_ms, group->updated_ms,
                          group->version);
    return object;
}

/* ---- lists -------------------------------------------------------------------------------- */

struct listing {
    const struct bondy_store_view *view;
    struct bondy_group_place place;
    const struct bondy_list_options *options;
    int (*fn)(void *context, const struct bondy_group *group);
    void *context;
    struct bondy_name last;
    size_t count;
    bool has_more, is_anonymous_due;
};

/* Ends `group`. */
static int give(struct listing *listing, struct bondy_group *group)
{
    int rc = 1;

    listing->has_more = listing->options->limit != 0 && listing->count == listing->options->limit;
    if (!listing->has_more) {
        bondy_name_keep(bondy_slice_text(group->name), &listing->last);
        listing->count++;
        rc = listing->fn(listing->context, group);
    }
    bondy_group_fini(group);
    return rc;
}

static int give_anonymous(struct listing *listing)
{
    struct bondy_group group;

    listing->is_anonymous_due = false;
    make_anonymous(&group);
    return give(listing, &group);
}

/* The built-in group comes where its name belongs. */
static int list_one(void *context, const struct bondy_record *record)
{
    struct listing *listing = context;
    struct bondy_group group;
    int rc;

    if (listing->is_anonymous_due &&
        bondy_slice_cmp(record->key.subkey, BONDY_SLICE("anonymous")) > 0 &&
        (rc = give_anonymous(listing)) != 0)
        return rc;
    fill(listing->view, &listing->place, record, bondy_stored_tree(record), &group);
    return give(listing, &group);
}

int bondy_group_list(const struct bondy_store_view *view, const struct bondy_realm *realm,
                     const struct bondy_list_options *options,
                     int (*fn)(void *context, const struct bondy_group *group), void *context,
                     struct bondy_name *next)
{
    struct listing listing = {.view = view,
                              .place = bondy_group_place_of(realm),
                              .options = options,
                              .fn = fn,
                              .context = context};
    struct bondy_store_range range = {
        .type = BONDY_RECORD_GROUP, .scope = bondy_slice_text(realm->uri), .gen = realm->gen};
    struct bondy_name q = {.len = 0};
    int rc;

    if (next != NULL)
        next->len = 0;
    if (!bondy_list_range(options, &q, &range))
        return 0;
    listing.is_anonymous_due = bondy_slice_starts(BONDY_SLICE("anonymous"), range.prefix) &&
                               bondy_slice_cmp(options->after, BONDY_SLICE("anonymous")) < 0;
    rc = bondy_store_view_scan(view, &range, list_one, &listing);
    if (rc == 0 && listing.is_anonymous_due)
        rc = give_anonymous(&listing);
    if (listing.has_more)
        rc = 0;
    if (next != NULL && listing.has_more)
        *next = listing.last;
    return rc;
}

/* ---- input -------------------------------------------------------------------------------- */

static void check_name(struct bondy_input *input, const json_t *value)
{
    struct bondy_slice text = bondy_slice_of(json_string_value(value), json_string_length(value));

    /* What is reserved is known after what it is. */
    if (bondy_name_is_reserved(text))
        bondy_input_username(input, value);
    else
        bondy_input_name(input, value);
}

static void check_groups(struct bondy_input *input, const json_t *value)
{
    bondy_input_list(input, value, bondy_input_name);
    if (json_array_size(value) > input->rules->max_groups)
        bondy_input_wrong_value(input, value, "holds more groups than one may be in");
}

static const struct bondy_input_row rows[] = {
    {"name", BONDY_INPUT_REQUIRED | BONDY_INPUT_FIXED, check_name},
    {"groups", BONDY_INPUT_NULL, check_groups},
    {"meta", BONDY_INPUT_NULL, bondy_input_meta},
    {"type", BONDY_INPUT_EXTERNAL, NULL},
    {"version", BONDY_INPUT_EXTERNAL, NULL},
    {"managed_by", BONDY_INPUT_EXTERNAL, NULL},
    {"inherited_from", BONDY_INPUT_EXTERNAL, NULL},
    {"created_at", BONDY_INPUT_EXTERNAL, NULL},
    {"updated_at", BONDY_INPUT_EXTERNAL, NULL},
    {"etag", BONDY_INPUT_EXTERNAL, NULL},
};

const struct bondy_input_table bondy_group_table = {"group", rows, BONDY_COUNT(rows), NULL};

int bondy_group_check(const struct bondy_edit *edit, const json_t *input, bool is_update,
                      json_t **problem)
{
    struct bondy_input check;

    bondy_input_start(&check, edit, is_update);
    bondy_input_object(&check, &bondy_group_table, input);
    return bondy_input_end(&check, problem);
}
