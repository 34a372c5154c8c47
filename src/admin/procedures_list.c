/* SPDX-License-Identifier: Apache-2.0 */
/* procedures_list: limit, cursor, q, fields and sort of lists. wamp-admin-api.md 1.4;
 * admin-http-api.md 8.
 *
 * A cursor says after which item to go on, by its place in the order: what it was sorted by and its
 * key, never a count; so items that come or go meanwhile move nothing. It is JSON in base64url,
 * which only we read. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "src/admin/procedures_local.h"
#include "src/base/alloc.h"
#include "src/base/problem.h"

#define LIMIT_MAX 1000
#define CURSOR_MAX 4096
#define FIELDS_MAX 32

/* ---- what was asked for -----------------------------------------------------------------------*/

/* A number, or the text of one that a query has. False: it is neither, or out of range. */
static bool read_limit(struct bondy_admin_call *call)
{
    const json_t *value = json_object_get(call->kwargs, "limit");
    struct bondy_slice text = bondy_admin_kwarg(call, "limit");
    uint64_t number = 0;

    if (value == NULL || json_is_null(value) || (json_is_string(value) && text.len == 0))
        return true;
    if (json_is_integer(value) && json_integer_value(value) > 0)
        number = (uint64_t)json_integer_value(value);
    for (size_t i = 0; i < text.len && number <= LIMIT_MAX; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    call->list.limit = (size_t)number;
    return number >= 1 && number <= LIMIT_MAX;
}

static char *cursor_text(const json_t *place)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    size_t room;
    char *out;

    bondy_json_format(place, &text);
    room = sodium_base64_encoded_len(text.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out = bondy_alloc(room);
    sodium_bin2base64(out, room, (const unsigned char *)text.data, text.len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    bondy_buf_fini(&text);
    return out;
}

static bool read_cursor(struct bondy_admin_call *call)
{
    struct bondy_slice text = bondy_admin_kwarg(call, "cursor");
    char bytes[CURSOR_MAX];
    size_t len;

    if (text.len == 0)
        return true;
    if (sodium_base642bin((unsigned char *)bytes, sizeof bytes, text.data, text.len, NULL, &len,
                          NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return false;
    call->list.after = bondy_json_parse(bondy_slice_of(bytes, len), 4, NULL);
    return json_array_size(call->list.after) == 2 &&
           json_is_string(json_array_get(call->list.after, 1));
}

/* "a,b" or a list of texts. */
static bool read_fields(struct bondy_admin_call *call)
{
    const json_t *value = json_object_get(call->kwargs, "fields");
    struct bondy_slice text = bondy_admin_kwarg(call, "fields");

    if (json_is_array(value)) {
        call->list.fields = json_copy((json_t *)value);
    } else if (text.len > 0) {
        call->list.fields = json_array();
        for (size_t start = 0, i = 0; i <= text.len; i++) {
            if (i < text.len && text.data[i] != ',')
                continue;
            json_array_append_new(call->list.fields, json_stringn(text.data + start, i - start));
            start = i + 1;
        }
    }
    for (size_t i = 0; i < json_array_size(call->list.fields); i++)
        if (json_string_length(json_array_get(call->list.fields, i)) == 0)
            return false;
    return json_array_size(call->list.fields) <= FIELDS_MAX;
}

static void read_sort(struct bondy_admin_call *call)
{
    const char *sort = json_string_value(json_object_get(call->kwargs, "sort"));

    if (sort == NULL || *sort == '\0')
        return;
    call->list.is_descending = *sort == '-';
    call->list.sort = sort + (*sort == '-');
}

static void read_q(struct bondy_admin_call *call)
{
    struct bondy_slice given = bondy_admin_kwarg(call, "q");

    if (given.len == 0)
        return;
    call->list.q_text = bondy_memdup0(given.data, given.len);
    for (char *at = call->list.q_text; *at != '\0'; at++)
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at | 0x20) : *at;
    call->list.q = bondy_slice_of(call->list.q_text, given.len);
}

json_t *bondy_admin_list_read(struct bondy_admin_call *call)
{
    read_q(call);
    read_sort(call);
    if (!read_limit(call))
        return bondy_admin_invalid("limit", "'limit' is a number from 1 to 1000.");
    if (!read_cursor(call))
        return bondy_json_with(
            bondy_problem("bondy.error.invalid_cursor", "This is no cursor of this list.", ""),
            "key", json_string("cursor"));
    if (!read_fields(call))
        return bondy_admin_invalid("fields", "'fields' is a list of names.");
    return NULL;
}

void bondy_admin_list_fini(struct bondy_admin_list *list)
{
    bondy_free(list->q_text);
    json_decref(list->after);
    json_decref(list->fields);
}

/* ---- order ------------------------------------------------------------------------------------*/

struct entry {
    json_t *item;         /* borrowed */
    const json_t *sorted; /* its member that is sorted by; may be NULL */
    char *key;
};

static char *key_of(const json_t *item, const char *const *keys)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;

    for (; *keys != NULL; keys++) {
        const json_t *value = json_object_get(item, *keys);

        if (json_is_string(value))
            bondy_buf_append(&out, json_string_value(value), json_string_length(value));
        else if (value != NULL)
            bondy_json_canonical(value, &out);
        if (keys[1] != NULL)
            bondy_buf_append_byte(&out, 1);
    }
    return bondy_buf_take_text(&out);
}

static int rank_of(const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return 0;
    if (json_is_boolean(value))
        return 1;
    return json_is_number(value) ? 2 : 3;
}

static int compare_values(const json_t *a, const json_t *b)
{
    int left = rank_of(a), right = rank_of(b);
    double x, y;

    if (left != right || left == 0)
        return left - right;
    if (left == 1)
        return json_is_true(a) - json_is_true(b);
    if (left == 3)
        return json_is_string(a) && json_is_string(b)
                   ? strcmp(json_string_value(a), json_string_value(b))
                   : 0;
    x = json_number_value(a);
    y = json_number_value(b);
    return (x > y) - (x < y);
}

static int compare_places(const json_t *a, const char *a_key, const json_t *b, const char *b_key)
{
    int order = compare_values(a, b);

    return order != 0 ? order : strcmp(a_key, b_key);
}

static int ascending(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;

    return compare_places(left->sorted, left->key, right->sorted, right->key);
}

static int descending(const void *a, const void *b)
{
    return ascending(b, a);
}

/* ---- answers ----------------------------------------------------------------------------------*/

static json_t *pick(const struct bondy_admin_list *list, json_t *item)
{
    json_t *out;

    if (list->fields == NULL)
        return json_incref(item);
    out = json_object();
    for (size_t i = 0; i < json_array_size(list->fields); i++) {
        const char *name = json_string_value(json_array_get(list->fields, i));
        json_t *value = json_object_get(item, name);

        if (value != NULL)
            json_object_set(out, name, value);
    }
    return out;
}

/* NULL when there was no page to ask for: the plain list of old clients. */
static json_t *page_kwargs(const struct bondy_admin_call *call, const json_t *place,
                           const size_t *total)
{
    json_t *kwargs = json_object();
    char *cursor = place == NULL ? NULL : cursor_text(place);

    if (cursor != NULL)
        json_object_set_new(kwargs, "next_cursor", json_string(cursor));
    if (total != NULL)
        json_object_set_new(kwargs, "total", json_integer((json_int_t)*total));
    if (call->list.limit == 0 && total == NULL) {
        json_decref(kwargs);
        kwargs = NULL;
    }
    bondy_free(cursor);
    return kwargs;
}

static bool is_after(const struct bondy_admin_list *list, const struct entry *entry)
{
    int order;

    if (list->after == NULL)
        return true;
    order = compare_places(entry->sorted, entry->key, json_array_get(list->after, 0),
                           json_string_value(json_array_get(list->after, 1)));
    return list->is_descending ? order < 0 : order > 0;
}

static size_t gather(const struct bondy_admin_list *list, const json_t *items,
                     const char *const *keys, struct entry *entries)
{
    size_t count = 0, i;
    json_t *item;

    json_array_foreach((json_t *)items, i, item)
    {
        if (!bondy_slice_starts(bondy_json_text(item, keys[0]), list->q))
            continue;
        entries[count].item = item;
        entries[count].sorted = list->sort == NULL ? NULL : json_object_get(item, list->sort);
        entries[count++].key = key_of(item, keys);
    }
    if (count > 0)
        qsort(entries, count, sizeof *entries, list->is_descending ? descending : ascending);
    return count;
}

void bondy_admin_list_finish(struct bondy_admin_call *call, json_t *items, const char *const *keys)
{
    const struct bondy_admin_list *list = &call->list;
    size_t all = json_array_size(items), count, taken = 0;
    struct entry *entries = bondy_calloc(all == 0 ? 1 : all, sizeof *entries);
    json_t *page = json_array(), *place = NULL;

    count = gather(list, items, keys, entries);
    for (size_t i = 0; i < count; i++) {
        if (!is_after(list, &entries[i]))
            continue;
        if (list->limit != 0 && taken == list->limit)
            break;
        json_array_append_new(page, pick(list, entries[i].item));
        taken++;
        if (taken == list->limit && i + 1 < count)
            place = json_pack("[o, s]",
                              entries[i].sorted == NULL ? json_null()
                                                        : json_incref((json_t *)entries[i].sorted),
                              entries[i].key);
    }
    call->value = page;
    call->extra = page_kwargs(call, place, &count);
    json_decref(place);
    for (size_t i = 0; i < count; i++)
        bondy_free(entries[i].key);
    bondy_free(entries);
    json_decref(items);
}

bool bondy_admin_list_is_by_name(const struct bondy_admin_call *call, const char *key,
                                 struct bondy_slice *after)
{
    const struct bondy_admin_list *list = &call->list;

    *after = bondy_slice_text(json_string_value(json_array_get(list->after, 1)));
    return !list->is_descending && (list->sort == NULL || strcmp(list->sort, key) == 0);
}

void bondy_admin_list_page(struct bondy_admin_call *call, json_t *items, struct bondy_slice next)
{
    size_t total = json_array_size(items);
    bool is_whole = call->list.after == NULL && next.len == 0;
    json_t *page = json_array(), *place = NULL;

    for (size_t i = 0; i < total; i++)
        json_array_append_new(page, pick(&call->list, json_array_get(items, i)));
    if (next.len > 0)
        place = json_pack("[n, o]", bondy_json_slice(next));
    call->value = page;
    call->extra = page_kwargs(call, place, is_whole ? &total : NULL);
    json_decref(place);
    json_decref(items);
}
