/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/draft.h"

#include <strings.h>

#include "src/base/json.h"
#include "src/http/negotiate.h"
#include "src/wamp/base64.h"
#include "src/wamp/codec.h"

void bondy_draft_fini(struct bondy_draft *draft)
{
    json_decref(draft->headers);
    json_decref(draft->body);
    json_decref(draft->uri);
}

static struct bondy_slice string_of(const json_t *value)
{
    return bondy_slice_of(json_string_value(value), json_string_length(value));
}

/* ---- bodies ---------------------------------------------------------------------------------- */

/* For media types without structure: text as it is, binary decoded, the rest as JSON. */
static void put_plain(const json_t *body, struct bondy_buf *out)
{
    struct bondy_slice text;

    if (!json_is_string(body)) {
        bondy_json_format(body, out);
        return;
    }
    text = string_of(body);
    if (text.len > 0 && text.data[0] == '\0' && bondy_base64_is_valid(bondy_slice_skip(text, 1))) {
        char *room = bondy_buf_reserve(out, text.len);

        out->len += bondy_base64_decode(bondy_slice_skip(text, 1), room);
        return;
    }
    bondy_buf_append_slice(out, text);
}

static void put_lines(const json_t *body, struct bondy_buf *out)
{
    if (!json_is_array(body)) {
        bondy_json_format(body, out);
        bondy_buf_append_byte(out, '\n');
    }
    for (size_t i = 0; i < json_array_size(body); i++) {
        bondy_json_format(json_array_get(body, i), out);
        bondy_buf_append_byte(out, '\n');
    }
}

static void put_body(enum bondy_media_kind kind, const json_t *body, bool sniffs_json,
                     struct bondy_buf *out)
{
    json_t *found = NULL;

    if (sniffs_json && json_is_string(body) && kind <= BONDY_MEDIA_CBOR) {
        found = bondy_json_parse(string_of(body), 32, NULL);
        if (found != NULL && kind == BONDY_MEDIA_JSON) {
            bondy_buf_append_slice(out, string_of(body));
            json_decref(found);
            return;
        }
        if (found != NULL)
            body = found;
    }
    switch (kind) {
    case BONDY_MEDIA_JSON:
        bondy_json_format(body, out);
        break;
    case BONDY_MEDIA_MSGPACK:
        bondy_value_format(BONDY_MSGPACK, body, out);
        break;
    case BONDY_MEDIA_CBOR:
        bondy_value_format(BONDY_CBOR, body, out);
        break;
    case BONDY_MEDIA_LINES:
        put_lines(body, out);
        break;
    case BONDY_MEDIA_FORM:
    case BONDY_MEDIA_MULTIPART:
    case BONDY_MEDIA_TEXT:
    case BONDY_MEDIA_OTHER:
        put_plain(body, out);
        break;
    }
    json_decref(found);
}

/* The usual types as static text; NULL: it was put as a header. */
static const char *put_type(struct bondy_response *response, const struct bondy_media *media)
{
    struct bondy_buf type = BONDY_BUF_EMPTY;

    if (media->kind == BONDY_MEDIA_JSON)
        return "application/json; charset=utf-8";
    if (bondy_response_has_header(response, "content-type"))
        return NULL;
    bondy_buf_append_text(&type, media->type);
    if (media->kind == BONDY_MEDIA_TEXT)
        bondy_buf_append_text(&type, "; charset=utf-8");
    bondy_response_header(response, "content-type", bondy_buf_slice(&type), NULL);
    bondy_buf_fini(&type);
    return NULL;
}

static enum bondy_media_kind written_kind(const struct bondy_draft *draft,
                                          const struct bondy_media *media)
{
    const json_t *written = json_object_get(draft->headers, "content-type");
    char type[BONDY_MEDIA_TYPE_MAX];
    size_t len;

    if (!json_is_string(written))
        return media->kind;
    len = bondy_media_type(string_of(written), type);
    return len == 0 ? media->kind : bondy_media_kind((struct bondy_slice){type, len});
}

void bondy_draft_encode(const struct bondy_draft *draft, const struct bondy_media *media,
                        struct bondy_response *response)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;

    if (bondy_draft_is_empty(draft->body) || draft->status == 204 || draft->status == 304)
        return;
    put_body(written_kind(draft, media), draft->body, draft->sniffs_json, &out);
    bondy_response_body(response, &out, put_type(response, media));
}

/* ---- headers --------------------------------------------------------------------------------- */

static bool is_ours(const char *name)
{
    return strcasecmp(name, "content-length") == 0 || strcasecmp(name, "transfer-encoding") == 0 ||
           strcasecmp(name, "connection") == 0;
}

static int put_header(struct bondy_response *response, const char *name, const json_t *value,
                      struct bondy_error *err)
{
    struct bondy_buf text = BONDY_BUF_EMPTY;
    int rc;

    if (is_ours(name))
        return bondy_fail(err, BONDY_EINVAL, "header %s is the server's", name);
    if (json_is_string(value))
        return bondy_response_header(response, name, string_of(value), err);
    if (json_is_array(value) || json_is_object(value))
        return bondy_fail(err, BONDY_EINVAL, "the value of header %.64s is not text", name);
    bondy_json_format(value, &text);
    rc = bondy_response_header(response, name, bondy_buf_slice(&text), err);
    bondy_buf_fini(&text);
    return rc;
}

int bondy_draft_headers(struct bondy_response *response, const json_t *headers,
                        struct bondy_error *err)
{
    const char *name;
    json_t *value;
    int rc;

    if (headers == NULL || json_is_null(headers))
        return BONDY_OK;
    if (!json_is_object(headers))
        return bondy_fail(err, BONDY_EINVAL, "the headers are not an object");
    json_object_foreach((json_t *)headers, name, value)
    {
        if (json_is_null(value))
            continue;
        rc = put_header(response, name, value, err);
        if (rc < 0)
            return rc;
    }
    return BONDY_OK;
}
