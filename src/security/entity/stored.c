/* SPDX-License-Identifier: Apache-2.0 */
#include "src/security/entity/stored.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/wamp/codec.h"

#define SCHEMA 1
#define GEN_LEN 4
#define BUILTIN_REVISION 2 /* of the bodies of built-in defaults: to be raised with any change */

/* ---- subkeys of elements ------------------------------------------------------------------ */

void bondy_element_prefix(struct bondy_slice name, uint32_t gen, struct bondy_buf *out)
{
    bondy_buf_append_slice(out, name);
    bondy_buf_append_byte(out, 0);
    for (int shift = 24; shift >= 0; shift -= 8)
        bondy_buf_append_byte(out, gen >> shift & 0xff);
    bondy_buf_append_byte(out, 0);
}

void bondy_element_format(const struct bondy_element *element, struct bondy_buf *out)
{
    bondy_element_prefix(element->name, element->gen, out);
    bondy_buf_append_byte(out, (unsigned char)element->kind);
    bondy_buf_append_byte(out, 0);
    bondy_buf_append_slice(out, element->value);
}

void bondy_element_suffix(char kind, struct bondy_slice value, struct bondy_buf *out)
{
    bondy_buf_append_byte(out, 0);
    bondy_buf_append_byte(out, (unsigned char)kind);
    bondy_buf_append_byte(out, 0);
    bondy_buf_append_slice(out, value);
}

bool bondy_element_parse(struct bondy_slice subkey, struct bondy_element *out)
{
    const char *end = subkey.len == 0 ? NULL : memchr(subkey.data, 0, subkey.len);
    struct bondy_slice rest;

    if (end == NULL)
        return false;
    out->name = bondy_slice_of(subkey.data, (size_t)(end - subkey.data));
    rest = bondy_slice_skip(subkey, out->name.len + 1);
    if (out->name.len == 0 || rest.len < GEN_LEN + 3 || rest.data[GEN_LEN] != 0 ||
        rest.data[GEN_LEN + 2] != 0)
        return false;
    out->gen = 0;
    for (size_t i = 0; i < GEN_LEN; i++)
        out->gen = out->gen << 8 | (uint8_t)rest.data[i];
    out->kind = rest.data[GEN_LEN + 1];
    out->value = bondy_slice_skip(rest, GEN_LEN + 3);
    return true;
}

/* ---- reading ------------------------------------------------------------------------------ */

json_t *bondy_stored_tree(const struct bondy_record *record)
{
    struct bondy_buf room = BONDY_BUF_EMPTY;
    struct bondy_slice body;
    json_t *tree = NULL;

    if (bondy_record_open(record, &room, &body, NULL) == BONDY_OK)
        tree = bondy_value_tree(BONDY_CBOR, body);
    bondy_record_close(&room);
    return tree;
}

json_t *bondy_stored_get(const struct bondy_store_view *view, const struct bondy_store_key *key,
                         struct bondy_record *record)
{
    struct bondy_record found;

    if (!bondy_store_view_get(view, key, &found))
        return NULL;
    if (record != NULL)
        *record = found;
    return bondy_stored_tree(&found);
}

bool bondy_stored_has(const struct bondy_store_view *view, const struct bondy_store_key *key)
{
    struct bondy_record found;

    return bondy_store_view_get(view, key, &found);
}

struct counting {
    size_t count, enough;
};

static int count_one(void *context, const struct bondy_record *record)
{
    struct counting *counting = context;

    (void)record;
    return ++counting->count >= counting->enough;
}

size_t bondy_stored_count(const struct bondy_store_view *view,
                          const struct bondy_store_range *range, size_t enough)
{
    struct counting counting = {0, enough};

    bondy_store_view_scan(view, range, count_one, &counting);
    return counting.count;
}

void bondy_stored_newer(uint8_t version[BONDY_VERSION_LEN], const uint8_t *other)
{
    if (memcmp(other, version, BONDY_VERSION_LEN) > 0)
        memcpy(version, other, BONDY_VERSION_LEN);
}

json_t *bondy_stored_etag(const uint8_t version[BONDY_VERSION_LEN])
{
    char text[2 * BONDY_VERSION_LEN + 1];

    for (int i = 0; i < BONDY_VERSION_LEN; i++)
        snprintf(text + 2 * i, 3, "%02x", version[i]);
    return json_string(text);
}

json_t *bondy_stored_time(uint64_t wall_ms)
{
    char text[25];

    bondy_clock_format(wall_ms, text);
    return json_string(text);
}

void bondy_stored_describe(json_t *object, bool is_managed, uint64_t created_ms,
                           uint64_t updated_ms, const uint8_t version[BONDY_VERSION_LEN])
{
    if (is_managed)
        json_object_set_new(object, "managed_by", json_string("file"));
    if (created_ms != 0)
        json_object_set_new(object, "created_at", bondy_stored_time(created_ms));
    if (updated_ms > BONDY_BUILTIN_WALL_MS)
        json_object_set_new(object, "updated_at", bondy_stored_time(updated_ms));
    json_object_set_new(object, "etag", bondy_stored_etag(version));
}

uint64_t bondy_stored_created(const json_t *body, const uint8_t version[BONDY_VERSION_LEN])
{
    uint64_t created_ms = (uint64_t)json_integer_value(json_object_get(body, "created_ms"));
    uint64_t changed_ms = bondy_version_wall_ms(version);

    return created_ms < changed_ms ? created_ms : changed_ms;
}

bool bondy_stored_is_managed(const json_t *body)
{
    return bondy_slice_is(bondy_json_text(body, "managed_by"), "file");
}

json_t *bondy_stored_body(const struct bondy_edit *edit)
{
    json_t *body = json_object();

    /* Built-in defaults are the same octets on every node. */
    if (!edit->is_builtin)
        json_object_set_new(body, "created_ms", json_integer((json_int_t)bondy_clock_wall_ms()));
    if (edit->is_file)
        json_object_set_new(body, "managed_by", json_string("file"));
    return body;
}

/* ---- what was put ------------------------------------------------------------------------- */

static void format_touched(enum bondy_record_type type, struct bondy_slice subkey,
                           struct bondy_buf *out)
{
    bondy_buf_append_byte(out, type);
    bondy_buf_append_slice(out, subkey);
}

bool bondy_stored_is_touched(const struct bondy_edit *edit, enum bondy_record_type type,
                             struct bondy_slice subkey)
{
    struct bondy_buf key = BONDY_BUF_EMPTY;
    bool is_touched;

    format_touched(type, subkey, &key);
    is_touched = bondy_map_find(edit->touched, bondy_buf_slice(&key)) != NULL;
    bondy_buf_fini(&key);
    return is_touched;
}

static void touch(struct bondy_edit *edit, const struct bondy_store_key *key)
{
    struct bondy_buf touched = BONDY_BUF_EMPTY;

    format_touched(key->type, key->subkey, &touched);
    bondy_map_put(edit->touched, bondy_buf_slice(&touched), edit);
    bondy_buf_fini(&touched);
}

/* ---- writing ------------------------------------------------------------------------------ */

int bondy_stored_put(struct bondy_edit *edit, const struct bondy_store_key *key, uint32_t gen,
                     const json_t *body)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;
    struct bondy_store_value value = {.schema = SCHEMA, .gen = gen};
    struct bondy_record record;
    struct bondy_error err;
    int rc = BONDY_OK;

    if (edit->touched != NULL)
        touch(edit, key);
    if (bondy_store_get(edit->write, key, &record) && record.gen == gen) {
        json_t *stored = bondy_stored_tree(&record);
        bool is_same = json_equal(stored, body);

        json_decref(stored);
        if (is_same)
            return BONDY_OK;
    }
    bondy_value_format(BONDY_CBOR, body, &bytes);
    value.body = bondy_buf_slice(&bytes);
    rc = edit->is_builtin
             ? bondy_store_put_builtin(edit->write, key, &value, BUILTIN_REVISION, &err)
             : bondy_store_put(edit->write, key, &value, NULL, &err);
    bondy_buf_fini(&bytes);
    if (rc < 0)
        return bondy_edit_refuse_store(edit, rc, &err);
    edit->writes++;
    return BONDY_OK;
}

int bondy_stored_delete(struct bondy_edit *edit, const struct bondy_store_key *key)
{
    struct bondy_error err;
    int rc = bondy_store_delete(edit->write, key, NULL, &err);

    if (rc == BONDY_ENOENT)
        return BONDY_OK;
    if (rc < 0)
        return bondy_edit_refuse_store(edit, rc, &err);
    edit->writes++;
    return BONDY_OK;
}

/* What is found is noted first: a scan does not see writes in its own range. */
struct gathering {
    struct bondy_buf subkeys; /* each with its length (size_t) in front */
    bool (*is_meant)(void *context, const struct bondy_record *record);
    void *context;
};

static int gather(void *context, const struct bondy_record *record)
{
    struct gathering *gathering = context;
    size_t len = record->key.subkey.len;

    if (gathering->is_meant != NULL && !gathering->is_meant(gathering->context, record))
        return 0;
    bondy_buf_append(&gathering->subkeys, &len, sizeof len);
    bondy_buf_append_slice(&gathering->subkeys, record->key.subkey);
    return 0;
}

int bondy_stored_delete_range(struct bondy_edit *edit, const struct bondy_store_range *range,
                              bool (*is_meant)(void *context, const struct bondy_record *record),
                              void *context)
{
    struct gathering found = {BONDY_BUF_EMPTY, is_meant, context};
    struct bondy_slice rest;
    int rc = BONDY_OK;

    bondy_store_view_scan(bondy_edit_view(edit), range, gather, &found);
    rest = bondy_buf_slice(&found.subkeys);
    while (rest.len > 0 && rc == BONDY_OK) {
        struct bondy_store_key key = {
            .type = range->type, .scope = range->scope, .gen = range->gen};

        memcpy(&key.subkey.len, rest.data, sizeof key.subkey.len);
        key.subkey.data = rest.data + sizeof key.subkey.len;
        rest = bondy_slice_skip(rest, sizeof key.subkey.len + key.subkey.len);
        rc = bondy_stored_delete(edit, &key);
    }
    bondy_buf_fini(&found.subkeys);
    return rc;
}

/* ---- lists -------------------------------------------------------------------------------- */

static struct bondy_slice text_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

bool bondy_stored_list_has(const json_t *list, struct bondy_slice text)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        if (json_is_string(item) && bondy_slice_eq(text_of(item), text))
            return true;
    }
    return false;
}

static int by_text(const void *a, const void *b)
{
    json_t *const *left = a, *const *right = b;

    return bondy_slice_cmp(text_of(*left), text_of(*right));
}

json_t *bondy_stored_sorted(const json_t *list)
{
    size_t count = json_array_size(list);
    json_t **items = bondy_calloc(count, sizeof *items);
    json_t *sorted = json_array();

    for (size_t i = 0; i < count; i++)
        items[i] = json_array_get(list, i);
    qsort(items, count, sizeof *items, by_text);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || by_text(&items[i - 1], &items[i]) != 0)
            json_array_append(sorted, items[i]);
    bondy_free(items);
    return sorted;
}

void bondy_stored_wipe(char *secret)
{
    if (secret != NULL)
        sodium_memzero(secret, strlen(secret));
    bondy_free(secret);
}
