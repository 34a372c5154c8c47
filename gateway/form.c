/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/form.h"

#include <strings.h>

#include "src/base/json.h"
#include "src/base/utf8.h"
#include "src/http/negotiate.h"
#include "src/wamp/base64.h"

#define MAX_FORM_FIELDS 1000
#define MAX_PARTS 1000

/* ---- forms ----------------------------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool bondy_form_decode(struct bondy_slice text, struct bondy_buf *out)
{
    char *start = bondy_buf_reserve(out, text.len);
    char *to = start;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < text.len ? hex(text.data[i + 1]) : -1;
            int low = high < 0 ? -1 : hex(text.data[i + 2]);

            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        *to++ = c;
        out->len++;
    }
    return bondy_utf8_is_valid((struct bondy_slice){start, (size_t)(to - start)});
}

static void add_field(json_t *object, struct bondy_slice name, json_t *value,
                      enum bondy_form_mode mode)
{
    json_t *before = mode == BONDY_FORM_LAST ? NULL : json_object_getn(object, name.data, name.len);

    if (before != NULL && json_is_array(before)) {
        json_array_append_new(before, value);
        return;
    }
    if (mode == BONDY_FORM_LISTS)
        value = json_pack("[o]", value);
    else if (before != NULL)
        value = json_pack("[Oo]", before, value);
    json_object_setn_new_nocheck(object, name.data, name.len, value);
}

json_t *bondy_form_tree(struct bondy_slice text, enum bondy_form_mode mode)
{
    json_t *object = json_object();
    struct bondy_buf name = BONDY_BUF_EMPTY, value = BONDY_BUF_EMPTY;
    unsigned count = 0;
    bool sound = true;

    while (sound && text.len > 0) {
        const char *end = memchr(text.data, '&', text.len);
        struct bondy_slice pair = {text.data, end == NULL ? text.len : (size_t)(end - text.data)};
        const char *equals = pair.len == 0 ? NULL : memchr(pair.data, '=', pair.len);
        size_t name_len = equals == NULL ? pair.len : (size_t)(equals - pair.data);

        text = bondy_slice_skip(text, pair.len + 1);
        if (pair.len == 0)
            continue;
        bondy_buf_clear(&name, SIZE_MAX);
        bondy_buf_clear(&value, SIZE_MAX);
        sound = ++count <= MAX_FORM_FIELDS &&
                bondy_form_decode((struct bondy_slice){pair.data, name_len}, &name) &&
                bondy_form_decode(bondy_slice_skip(pair, name_len + 1), &value);
        if (sound)
            add_field(object, (struct bondy_slice){name.data == NULL ? "" : name.data, name.len},
                      equals == NULL && mode != BONDY_FORM_BODY
                          ? json_true()
                          : bondy_json_slice(bondy_buf_slice(&value)),
                      mode);
    }
    bondy_buf_fini(&name);
    bondy_buf_fini(&value);
    if (!sound) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* ---- multipart/form-data (RFC 7578) ---------------------------------------------------------- */

json_t *bondy_bytes_value(struct bondy_slice bytes)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;
    json_t *value;

    if (bondy_utf8_is_valid(bytes) && (bytes.len == 0 || bytes.data[0] != '\0'))
        return bondy_json_slice(bytes);
    bondy_buf_append_byte(&out, 0);
    bondy_base64_encode(bytes, bondy_buf_reserve(&out, bondy_base64_len(bytes.len)));
    out.len += bondy_base64_len(bytes.len);
    value = bondy_json_slice(bondy_buf_slice(&out));
    bondy_buf_fini(&out);
    return value;
}

static struct bondy_slice part_header(struct bondy_slice head, const char *name)
{
    size_t name_len = strlen(name);

    while (head.len > 0) {
        const char *end = memmem(head.data, head.len, "\r\n", 2);
        size_t len = end == NULL ? head.len : (size_t)(end - head.data);

        if (len > name_len && head.data[name_len] == ':' &&
            strncasecmp(head.data, name, name_len) == 0)
            return (struct bondy_slice){head.data + name_len + 1, len - name_len - 1};
        head = bondy_slice_skip(head, len + 2);
    }
    return BONDY_SLICE_EMPTY;
}

static json_t *text_or_null(struct bondy_slice text)
{
    return text.data == NULL || !bondy_utf8_is_valid(text) ? json_null() : bondy_json_slice(text);
}

static json_t *part_value(struct bondy_slice head, struct bondy_slice content)
{
    struct bondy_slice disposition = part_header(head, "content-disposition");
    struct bondy_slice type = part_header(head, "content-type");
    json_t *part = json_object();

    while (type.len > 0 && type.data[0] == ' ')
        type = bondy_slice_skip(type, 1);
    bondy_json_with(part, "name", text_or_null(bondy_media_parameter(disposition, "name")));
    bondy_json_with(part, "filename", text_or_null(bondy_media_parameter(disposition, "filename")));
    bondy_json_with(part, "content_type", text_or_null(type));
    return bondy_json_with(part, "content", bondy_bytes_value(content));
}

json_t *bondy_multipart_tree(struct bondy_slice body, struct bondy_slice boundary)
{
    struct bondy_buf mark = BONDY_BUF_EMPTY;
    json_t *parts = json_array();
    bool ended = false;

    if (boundary.len == 0 || boundary.len > 70)
        goto out;
    bondy_buf_append_text(&mark, "\r\n--");
    bondy_buf_append_slice(&mark, boundary);
    if (!bondy_slice_starts(body, bondy_slice_skip(bondy_buf_slice(&mark), 2)))
        goto out;
    body = bondy_slice_skip(body, mark.len - 2);
    while (json_array_size(parts) < MAX_PARTS) {
        const char *head_end, *end;
        struct bondy_slice head;

        if (bondy_slice_starts(body, BONDY_SLICE("--"))) {
            ended = true;
            break;
        }
        if (!bondy_slice_starts(body, BONDY_SLICE("\r\n")))
            break;
        head_end = memmem(body.data, body.len, "\r\n\r\n", 4);
        if (head_end == NULL)
            break;
        head = (struct bondy_slice){body.data + 2, (size_t)(head_end - body.data)};
        head.len = head.len < 2 ? 0 : head.len - 2;
        body = bondy_slice_skip(body, (size_t)(head_end - body.data) + 4);
        end = memmem(body.data, body.len, mark.data, mark.len);
        if (end == NULL)
            break;
        json_array_append_new(
            parts, part_value(head, (struct bondy_slice){body.data, (size_t)(end - body.data)}));
        body = bondy_slice_skip(body, (size_t)(end - body.data) + mark.len);
    }
out:
    bondy_buf_fini(&mark);
    if (!ended) {
        json_decref(parts);
        return NULL;
    }
    return parts;
}
