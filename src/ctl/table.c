/* SPDX-License-Identifier: Apache-2.0 */
#include "src/ctl/table.h"

#include "src/base/alloc.h"

#define COLUMNS_MAX 32
#define PAD_MAX 60 /* a longer cell pushes the next ones aside */

/* C0, DEL and C1 (two octets in UTF-8). */
void bondy_table_text(struct bondy_slice text, bool may_have_lines, struct bondy_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char octet = (unsigned char)text.data[i];
        bool is_c1 = octet == 0xC2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xA0;

        if (is_c1)
            i++;
        if (is_c1 || octet == 0x7F || (octet < 0x20 && !(octet == '\n' && may_have_lines)))
            bondy_buf_append_byte(out, '?');
        else
            bondy_buf_append_byte(out, octet);
    }
}

static bool is_texts(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_array_get(list, i)))
            return false;
    return json_is_array(list);
}

static void format_cell(const json_t *value, struct bondy_buf *out)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;

    if (value == NULL || json_is_null(value)) {
        bondy_buf_append_byte(out, '-');
        return;
    }
    if (json_is_string(value)) {
        bondy_buf_append(&text, json_string_value(value), json_string_length(value));
    } else if (is_texts(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            bondy_buf_printf(&text, "%s%s", i == 0 ? "" : ",",
                             json_string_value(json_array_get(value, i)));
    } else {
        bondy_json_format(value, &text);
    }
    if (text.len == 0)
        bondy_buf_append_byte(out, '-');
    bondy_table_text(bondy_buf_slice(&text), false, out);
    bondy_buf_fini(&text);
}

/* Characters, not octets. */
static size_t width_of(struct bondy_slice text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.len; i++)
        width += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return width;
}

static void pad(struct bondy_buf *out, size_t from, size_t width)
{
    size_t has = width_of(bondy_slice_of(out->data + from, out->len - from));

    for (; has < width; has++)
        bondy_buf_append_byte(out, ' ');
}

/* ---- a list of objects ----------------------------------------------------------------------- */

struct columns {
    const char *keys[COLUMNS_MAX];
    size_t widths[COLUMNS_MAX];
    size_t count;
};

/* Containers in containers are too long for a cell. */
static bool is_deep(const json_t *value)
{
    const char *key;
    json_t *member;

    for (size_t i = 0; i < json_array_size(value); i++) {
        member = json_array_get(value, i);
        if (json_is_object(member) || json_is_array(member))
            return true;
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (json_is_object(member) || json_is_array(member))
            return true;
    }
    return false;
}

/* What a list for people leaves out. */
static const char *const hidden[] = {"type", "version", "etag", "created_at", "updated_at"};

static bool is_left_out(const json_t *list, const char *key)
{
    for (size_t i = 0; i < BONDY_COUNT(hidden); i++)
        if (strcmp(hidden[i], key) == 0)
            return true;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (is_deep(json_object_get(json_array_get(list, i), key)))
            return true;
    return false;
}

static void add_columns(struct columns *columns, const json_t *list, const json_t *row)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)row, key, value)
    {
        bool is_known = false;

        for (size_t i = 0; i < columns->count; i++)
            is_known = is_known || strcmp(columns->keys[i], key) == 0;
        if (!is_known && columns->count < COLUMNS_MAX && !is_left_out(list, key))
            columns->keys[columns->count++] = key;
    }
}

static void measure(struct columns *columns, const json_t *list)
{
    struct bondy_buf cell = BONDY_BUF_EMPTY;

    for (size_t i = 0; i < columns->count; i++) {
        columns->widths[i] = width_of(bondy_slice_text(columns->keys[i]));
        for (size_t j = 0; j < json_array_size(list); j++) {
            size_t width;

            cell.len = 0;
            format_cell(json_object_get(json_array_get(list, j), columns->keys[i]), &cell);
            width = width_of(bondy_buf_slice(&cell));
            if (width > columns->widths[i])
                columns->widths[i] = width < PAD_MAX ? width : PAD_MAX;
        }
    }
    bondy_buf_fini(&cell);
}

static void format_head(const char *key, struct bondy_buf *out)
{
    size_t from = out->len;

    bondy_table_text(bondy_slice_text(key), false, out);
    for (char *at = out->data + from; at < out->data + out->len; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
}

/* NULL: the heads. */
static void format_row(const struct columns *columns, const json_t *row, struct bondy_buf *out)
{
    for (size_t i = 0; i < columns->count; i++) {
        size_t from = out->len;

        if (row == NULL)
            format_head(columns->keys[i], out);
        else
            format_cell(json_object_get(row, columns->keys[i]), out);
        if (i + 1 < columns->count) {
            pad(out, from, columns->widths[i]);
            bondy_buf_append_text(out, "  ");
        }
    }
    bondy_buf_append_byte(out, '\n');
}

static bool is_objects(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_object(json_array_get(list, i)))
            return false;
    return json_array_size(list) > 0;
}

static void format_list(const json_t *list, struct bondy_buf *out)
{
    struct columns columns = {.count = 0};

    for (size_t i = 0; i < json_array_size(list); i++) {
        if (is_objects(list)) {
            add_columns(&columns, list, json_array_get(list, i));
        } else {
            format_cell(json_array_get(list, i), out);
            bondy_buf_append_byte(out, '\n');
        }
    }
    if (columns.count == 0)
        return;
    measure(&columns, list);
    format_row(&columns, NULL, out);
    for (size_t i = 0; i < json_array_size(list); i++)
        format_row(&columns, json_array_get(list, i), out);
}

/* ---- one object ------------------------------------------------------------------------------ */

/* A list of objects in it gets lines of its own. */
static void format_object(const json_t *object, struct bondy_buf *out)
{
    size_t width = 0;
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (width_of(bondy_slice_text(key)) > width)
            width = width_of(bondy_slice_text(key));
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t from = out->len, index;
        json_t *item;

        bondy_table_text(bondy_slice_text(key), false, out);
        if (is_objects(value)) {
            bondy_buf_append_byte(out, '\n');
            json_array_foreach(value, index, item)
            {
                bondy_buf_append_text(out, "    ");
                format_cell(item, out);
                bondy_buf_append_byte(out, '\n');
            }
            continue;
        }
        pad(out, from, width);
        bondy_buf_append_text(out, "  ");
        format_cell(value, out);
        bondy_buf_append_byte(out, '\n');
    }
}

void bondy_table_format(const json_t *value, struct bondy_buf *out)
{
    if (json_is_array(value)) {
        format_list(value, out);
    } else if (json_is_object(value)) {
        format_object(value, out);
    } else {
        format_cell(value, out);
        bondy_buf_append_byte(out, '\n');
    }
}
