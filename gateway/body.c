/* SPDX-License-Identifier: Apache-2.0 */

/* body: request bodies, by media type, to the value that request.body is. http-gateway.md 1.7.
 *
 * A body is proved well-formed when it is whole (threat-model P3 to P7: sizes, depth, UTF-8,
 * duplicate keys); the value is made when an expression asks for it. */

#include "gateway/exchange.h"
#include "gateway/form.h"
#include "src/base/utf8.h"
#include "src/http/negotiate.h"
#include "src/wamp/codec.h"

/* The whole message may nest 32 deep; what goes around the body is counted when it is known. */
#define MAX_BODY_DEPTH 32

bool bondy_body_is_read(enum bondy_method method)
{
    return method == BONDY_METHOD_POST || method == BONDY_METHOD_PUT ||
           method == BONDY_METHOD_PATCH || method == BONDY_METHOD_DELETE;
}

static bool announces_body(const struct bondy_request *request)
{
    struct bondy_slice length = bondy_request_header(request, "content-length");

    if (bondy_request_header(request, "transfer-encoding").data != NULL)
        return true;
    for (size_t i = 0; i < length.len; i++) {
        if (length.data[i] != '0')
            return true;
    }
    return false;
}

bool bondy_body_has_type(const struct bondy_exchange *exchange)
{
    const struct bondy_media_list *accepts = &exchange->operation->path->accepts;
    struct bondy_slice given = bondy_request_header(exchange->request, "content-type");
    char type[BONDY_MEDIA_TYPE_MAX];
    size_t len;

    /* DELETE has one seldom: then a type says nothing. */
    if (given.data == NULL || bondy_request_method(exchange->request) == BONDY_METHOD_DELETE) {
        if (!announces_body(exchange->request))
            return true;
        if (given.data == NULL)
            return false;
    }
    len = bondy_media_type(given, type);
    for (size_t i = 0; len > 0 && i < accepts->count; i++) {
        if (strcmp(accepts->items[i].type, type) == 0 || strcmp(accepts->items[i].type, "*/*") == 0)
            return true;
    }
    return false;
}

static enum bondy_media_kind kind_of(const struct bondy_exchange *exchange)
{
    char type[BONDY_MEDIA_TYPE_MAX];
    size_t len = bondy_media_type(bondy_request_header(exchange->request, "content-type"), type);

    return bondy_media_kind((struct bondy_slice){type, len});
}

static enum bondy_serializer serializer_of(enum bondy_media_kind kind)
{
    switch (kind) {
    case BONDY_MEDIA_JSON:
        return BONDY_JSON;
    case BONDY_MEDIA_MSGPACK:
        return BONDY_MSGPACK;
    case BONDY_MEDIA_CBOR:
        return BONDY_CBOR;
    case BONDY_MEDIA_LINES:
    case BONDY_MEDIA_FORM:
    case BONDY_MEDIA_MULTIPART:
    case BONDY_MEDIA_TEXT:
    case BONDY_MEDIA_OTHER:
        break;
    }
    return (enum bondy_serializer)0;
}

static uint64_t most_values(const struct bondy_exchange *exchange)
{
    uint64_t own = exchange->operation->body_max_values;
    uint64_t most = own != 0 ? own : exchange->thread->gateway->options.max_body_values;

    return most == 0 ? UINT64_MAX : most;
}

/* ---- bodies ---------------------------------------------------------------------------------- */

/* No fewer values than a line can have, but `most`. */
static uint64_t values_at_most(struct bondy_slice line, uint64_t most)
{
    uint64_t count = 1;

    for (size_t i = 0; i < line.len; i++)
        count += line.data[i] == ',' || line.data[i] == '[' || line.data[i] == '{';
    return count < most ? count : most;
}

/* Each line is one JSON value, all of them together no more than a body may have; NULL with `err`.
 */
static json_t *lines_tree(const struct bondy_exchange *exchange, struct bondy_error *err)
{
    struct bondy_slice rest = bondy_request_body(exchange->request);
    uint64_t most = most_values(exchange);
    json_t *list = json_array();
    uint64_t left = most;
    size_t number = 0;

    while (rest.len > 0) {
        const char *end = memchr(rest.data, '\n', rest.len);
        struct bondy_slice line =
            bondy_slice_of(rest.data, end == NULL ? rest.len : (size_t)(end - rest.data));

        rest = bondy_slice_skip(rest, end == NULL ? rest.len : line.len + 1);
        line = bondy_slice_trim(line);
        number++;
        if (line.len == 0)
            continue;
        if (bondy_value_check_count(BONDY_JSON, line, MAX_BODY_DEPTH - 1, left, true, err) < 0) {
            bondy_wrap(err, "line %zu", number);
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, bondy_value_tree(BONDY_JSON, line));
        left -= left == UINT64_MAX ? 0 : values_at_most(line, left);
    }
    return list;
}

static json_t *special_tree(const struct bondy_exchange *exchange, enum bondy_media_kind kind)
{
    struct bondy_slice body = bondy_request_body(exchange->request);
    struct bondy_slice type = bondy_request_header(exchange->request, "content-type");
    char name[BONDY_MEDIA_TYPE_MAX] = "";
    json_t *object;

    if (kind == BONDY_MEDIA_FORM)
        return bondy_form_tree(body, BONDY_FORM_BODY);
    if (kind == BONDY_MEDIA_MULTIPART)
        return bondy_multipart_tree(body, bondy_media_parameter(type, "boundary"));
    if (kind == BONDY_MEDIA_TEXT)
        return bondy_utf8_is_valid(body) ? bondy_json_slice(body) : NULL;
    bondy_media_type(type, name);
    object = json_object();
    bondy_json_with(object, "type", json_string(name));
    return bondy_json_with(object, "content", bondy_bytes_value(body));
}

int bondy_body_check(struct bondy_exchange *exchange, struct bondy_error *err)
{
    struct bondy_slice body = bondy_request_body(exchange->request);
    uint64_t most = most_values(exchange);
    enum bondy_media_kind kind;
    enum bondy_serializer serializer;

    if (body.len == 0 || !bondy_body_is_read(exchange->operation->method))
        return BONDY_OK;
    kind = kind_of(exchange);
    serializer = serializer_of(kind);
    if (serializer != (enum bondy_serializer)0)
        return bondy_value_check_count(serializer, body, MAX_BODY_DEPTH, most, true, err);
    if (kind == BONDY_MEDIA_LINES) {
        exchange->fields[BONDY_FIELD_REQUEST_BODY] = lines_tree(exchange, err);
        return exchange->fields[BONDY_FIELD_REQUEST_BODY] == NULL ? BONDY_EINVAL : BONDY_OK;
    }
    exchange->fields[BONDY_FIELD_REQUEST_BODY] = special_tree(exchange, kind);
    if (exchange->fields[BONDY_FIELD_REQUEST_BODY] == NULL)
        return bondy_fail(err, BONDY_EINVAL, "the body is not what its media type says");
    return BONDY_OK;
}

json_t *bondy_body_tree(struct bondy_exchange *exchange)
{
    struct bondy_slice body = bondy_request_body(exchange->request);

    if (body.len == 0 || !bondy_body_is_read(exchange->operation->method))
        return json_string("");
    return bondy_value_tree(serializer_of(kind_of(exchange)), body);
}
