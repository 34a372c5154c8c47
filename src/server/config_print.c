/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server/config_print.h"

#include "src/base/alloc.h"
#include "src/base/json.h"

#define MASK "********"

/* The value in its normal form: durations and sizes with units, flags as on and off. */
static void append_value(const struct bondy_config_entry *entry, struct bondy_buf *out)
{
    const struct bondy_config_row *row = entry->key->row;
    const struct bondy_config_value *value = &entry->value;

    if (!value->is_set)
        return;
    if (row->flags & BONDY_KEY_IS_SECRET) {
        bondy_buf_append_text(out, MASK);
        return;
    }
    switch (row->type) {
    case BONDY_KEY_FLAG:
        if (value->text[0] >= '2' && value->text[0] <= '9')
            bondy_buf_append_text(out, value->text);
        else
            bondy_buf_append_text(out, value->number != 0 ? "on" : "off");
        break;
    case BONDY_KEY_MS:
    case BONDY_KEY_SECONDS:
        bondy_config_format_duration(value->number, out);
        break;
    case BONDY_KEY_BYTES:
        bondy_config_format_bytes(value->number, out);
        break;
    default:
        bondy_buf_append_text(out, value->text);
    }
}

static bool needs_quotes(struct bondy_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c < 0x20 || c == '"' || c == '\\' || c == '#')
            return true;
    }
    return text.len > 0 && (text.data[0] == ' ' || text.data[text.len - 1] == ' ');
}

/* As it would be written in a file. */
static void append_quoted(struct bondy_slice text, struct bondy_buf *out)
{
    if (!needs_quotes(text)) {
        bondy_buf_append_slice(out, text);
        return;
    }
    bondy_buf_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '"' || c == '\\')
            bondy_buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            bondy_buf_printf(out, "\\u%04x", c);
        else
            bondy_buf_append_byte(out, c);
    }
    bondy_buf_append_byte(out, '"');
}

static void append_origin(const struct bondy_config_entry *entry, struct bondy_buf *out)
{
    if (entry->origin.source == NULL)
        bondy_buf_append_text(out, "default");
    else if (entry->origin.line != 0)
        bondy_buf_printf(out, "%s:%u", entry->origin.source, entry->origin.line);
    else
        bondy_buf_append_text(out, entry->origin.source);
}

static bool is_default(const struct bondy_config_entry *entry, struct bondy_slice shown)
{
    struct bondy_config_entry other = {.key = entry->key};
    struct bondy_buf text = BONDY_BUF_EMPTY;
    const char *dflt = entry->key->row->dflt;
    bool same;

    if (entry->origin.source == NULL)
        return true;
    if (entry->key->row->flags & BONDY_KEY_IS_SECRET)
        return false;
    bondy_config_value_parse(entry->key->row, bondy_slice_text(dflt), &other.value, NULL);
    append_value(&other, &text);
    same = bondy_slice_eq(bondy_buf_slice(&text), shown);
    bondy_buf_fini(&text);
    bondy_config_value_fini(&other.value);
    return same;
}

static void print_line(const struct bondy_config_entry *entry, struct bondy_slice value,
                       bool with_origin, struct bondy_buf *out)
{
    bondy_buf_printf(out, "%s = ", entry->name);
    append_quoted(value, out);
    if (with_origin) {
        bondy_buf_append_text(out, "    # ");
        append_origin(entry, out);
    }
    bondy_buf_append_byte(out, '\n');
}

static void print_member(const struct bondy_config_entry *entry, struct bondy_slice value,
                         bool with_origin, json_t *object)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    json_t *shown = entry->value.is_set ? bondy_json_slice(value) : json_null();

    if (with_origin) {
        append_origin(entry, &text);
        shown = json_pack("{s:o, s:o}", "value", shown, "origin",
                          bondy_json_slice(bondy_buf_slice(&text)));
        bondy_buf_fini(&text);
    }
    json_object_set_new(object, entry->name, shown);
}

void bondy_config_print(const struct bondy_config *config, const struct bondy_config_print *how,
                        struct bondy_buf *out)
{
    json_t *object = how->json ? json_object() : NULL;
    struct bondy_buf value = BONDY_BUF_EMPTY;

    for (size_t i = 0; i < config->count; i++) {
        const struct bondy_config_entry *entry = &config->entries[i];

        bondy_buf_clear(&value, 4096);
        append_value(entry, &value);
        if (how->diff && is_default(entry, bondy_buf_slice(&value)))
            continue;
        if (how->json)
            print_member(entry, bondy_buf_slice(&value), how->origin, object);
        else
            print_line(entry, bondy_buf_slice(&value), how->origin, out);
    }
    if (how->json) {
        char *text = json_dumps(object, JSON_INDENT(2));

        bondy_buf_append_text(out, text);
        bondy_buf_append_byte(out, '\n');
        free(text);
        json_decref(object);
    }
    bondy_buf_fini(&value);
}
