/* SPDX-License-Identifier: Apache-2.0 */
#include "src/transport/upgrade.h"

#include <stdint.h>
#include <strings.h>

#include "src/base/alloc.h"
#include "src/wamp/codec.h"

#define KEY_LEN 24 /* 16 octets as base64 */

size_t bondy_upgrade_head_len(struct bondy_slice bytes)
{
    const char *at = bytes.data;
    const char *end = bytes.data + bytes.len;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && *at == '\n')
            return (size_t)(at + 1 - bytes.data);
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            return (size_t)(at + 2 - bytes.data);
    }
    return 0;
}

static bool is_token_octet(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return true;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(struct bondy_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_token_octet((unsigned char)text.data[i]))
            return false;
    }
    return text.len > 0;
}

/* OWS of RFC 9110 and no more: a carriage return in here is no white space, but an attack. */
static struct bondy_slice trim(struct bondy_slice text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = bondy_slice_skip(text, 1);
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static bool equals_ignoring_case(struct bondy_slice text, const char *literal)
{
    return text.len == strlen(literal) && strncasecmp(text.data, literal, text.len) == 0;
}

/* Takes the next element off a comma-separated list; false at the end. */
static bool next_element(struct bondy_slice *list, struct bondy_slice *element)
{
    const char *comma;

    if (list->len == 0)
        return false;
    comma = memchr(list->data, ',', list->len);
    element->data = list->data;
    element->len = comma == NULL ? list->len : (size_t)(comma - list->data);
    *list = bondy_slice_skip(*list, element->len + (comma != NULL));
    *element = trim(*element);
    return true;
}

static bool list_has(struct bondy_slice list, const char *name)
{
    struct bondy_slice element;

    while (next_element(&list, &element)) {
        if (equals_ignoring_case(element, name))
            return true;
    }
    return false;
}

/* Takes a line off `rest`; it ends with LF or CR LF, which are not part of it. */
static bool next_line(struct bondy_slice *rest, struct bondy_slice *line, bool *has_cr)
{
    const char *lf = rest->len == 0 ? NULL : memchr(rest->data, '\n', rest->len);

    if (lf == NULL)
        return false;
    line->data = rest->data;
    line->len = (size_t)(lf - rest->data);
    *rest = bondy_slice_skip(*rest, line->len + 1);
    *has_cr = line->len > 0 && line->data[line->len - 1] == '\r';
    if (*has_cr)
        line->len--;
    return true;
}

bool bondy_upgrade_is_wanted(struct bondy_slice head)
{
    struct bondy_slice line;
    bool has_cr;

    if (!next_line(&head, &line, &has_cr))
        return false;
    while (next_line(&head, &line, &has_cr) && line.len > 0) {
        const char *colon = memchr(line.data, ':', line.len);
        size_t name_len = colon == NULL ? 0 : (size_t)(colon - line.data);

        if (colon != NULL &&
            equals_ignoring_case(trim(bondy_slice_of(line.data, name_len)), "upgrade") &&
            list_has(bondy_slice_skip(line, name_len + 1), "websocket"))
            return true;
    }
    return false;
}

/* What has been seen while the headers are read. */
struct reading {
    struct bondy_upgrade *out;
    unsigned hosts, keys, versions, cookies;
    bool has_upgrade, has_connection, has_body, has_offer;
    bool bad_version;
    bool bad_list;
};

static void read_host(struct reading *reading, struct bondy_slice value)
{
    reading->hosts++;
    reading->out->host = value;
}

static void read_origin(struct reading *reading, struct bondy_slice value)
{
    reading->out->origin_count++;
    reading->out->origin = value;
}

static void read_cookie(struct reading *reading, struct bondy_slice value)
{
    reading->cookies++;
    reading->out->cookies = value;
}

static void read_upgrade(struct reading *reading, struct bondy_slice value)
{
    reading->has_upgrade |= list_has(value, "websocket");
}

static void read_connection(struct reading *reading, struct bondy_slice value)
{
    reading->has_connection |= list_has(value, "upgrade");
}

static void read_key(struct reading *reading, struct bondy_slice value)
{
    reading->keys++;
    reading->out->key = value;
}

static void read_version(struct reading *reading, struct bondy_slice value)
{
    reading->versions++;
    reading->bad_version |= !bondy_slice_is(value, "13");
}

/* The first name known of the client's list, over all its header lines (WAMP WS-SUB-3). */
static void read_protocol(struct reading *reading, struct bondy_slice value)
{
    struct bondy_slice name;

    while (next_element(&value, &name)) {
        if (!is_token(name)) {
            reading->bad_list = true;
            return;
        }
        reading->has_offer = true;
        if (reading->out->serializer == 0)
            reading->out->serializer = bondy_serializer_of_subprotocol(name);
    }
}

/* RFC 7692, 7.1: an offer may be accepted when we can keep what it asks for. A window smaller than
 * the usual one (server_max_window_bits) is not among that. */
static bool is_deflate_offer(struct bondy_slice offer)
{
    static const char *const known[] = {"client_no_context_takeover", "server_no_context_takeover",
                                        "client_max_window_bits"};
    bool is_first = true;

    while (offer.len > 0) {
        const char *semicolon = memchr(offer.data, ';', offer.len);
        size_t len = semicolon == NULL ? offer.len : (size_t)(semicolon - offer.data);
        struct bondy_slice word = trim(bondy_slice_of(offer.data, len));
        const char *equals = word.len == 0 ? NULL : memchr(word.data, '=', word.len);
        bool is_known = false;

        if (equals != NULL)
            word = trim(bondy_slice_of(word.data, (size_t)(equals - word.data)));
        if (is_first && !equals_ignoring_case(word, "permessage-deflate"))
            return false;
        for (size_t i = 0; i < BONDY_COUNT(known); i++)
            is_known |= equals_ignoring_case(word, known[i]);
        if (!is_first && !is_known)
            return false;
        is_first = false;
        offer = bondy_slice_skip(offer, len + (semicolon != NULL));
    }
    return !is_first;
}

static void read_extensions(struct reading *reading, struct bondy_slice value)
{
    struct bondy_slice element;

    while (next_element(&value, &element))
        reading->out->offers_deflate |= is_deflate_offer(element);
}

/* A request to upgrade has no body; one that announces it may hide another request in it. */
static void read_body_mark(struct reading *reading, struct bondy_slice value)
{
    reading->has_body |= !bondy_slice_is(value, "0");
}

static const struct {
    const char *name;
    void (*read)(struct reading *reading, struct bondy_slice value);
} header_readers[] = {
    {"host", read_host},
    {"origin", read_origin},
    {"cookie", read_cookie},
    {"upgrade", read_upgrade},
    {"connection", read_connection},
    {"sec-websocket-key", read_key},
    {"sec-websocket-version", read_version},
    {"sec-websocket-protocol", read_protocol},
    {"sec-websocket-extensions", read_extensions},
    {"content-length", read_body_mark},
    {"transfer-encoding", read_body_mark},
};

static bool read_header(struct reading *reading, struct bondy_slice line, const char **why)
{
    const char *colon = memchr(line.data, ':', line.len);
    struct bondy_slice name, value;

    if (colon == NULL) {
        *why = "header line without a colon";
        return false;
    }
    name = bondy_slice_of(line.data, (size_t)(colon - line.data));
    value = trim(bondy_slice_skip(line, name.len + 1));
    if (!is_token(name)) {
        *why = "bad header name";
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            *why = "control octet in a header";
            return false;
        }
    }
    for (size_t i = 0; i < BONDY_COUNT(header_readers); i++) {
        if (equals_ignoring_case(name, header_readers[i].name))
            header_readers[i].read(reading, value);
    }
    return true;
}

static bool read_request_line(struct bondy_slice line, struct bondy_upgrade *out, const char **why)
{
    const struct bondy_slice start = BONDY_SLICE("GET /");
    const struct bondy_slice end = BONDY_SLICE(" HTTP/1.1");
    struct bondy_slice target;
    const char *query;

    *why = "bad request line";
    if (!bondy_slice_starts(line, start) || line.len < start.len + end.len ||
        memcmp(line.data + line.len - end.len, end.data, end.len) != 0)
        return false;
    target = bondy_slice_of(line.data + 4, line.len - 4 - end.len);
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.data[i];

        if (c <= 0x20 || c >= 0x7f)
            return false;
    }
    query = memchr(target.data, '?', target.len);
    if (query != NULL)
        target.len = (size_t)(query - target.data);
    out->path = target;
    return true;
}

/* The key is base64 of 16 octets (RFC 6455, 4.2.1, point 5). */
static bool is_key(struct bondy_slice key)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *last;

    if (key.len != KEY_LEN || key.data[22] != '=' || key.data[23] != '=')
        return false;
    for (size_t i = 0; i < 22; i++) {
        if (key.data[i] == '\0' || strchr(alphabet, key.data[i]) == NULL)
            return false;
    }
    /* 22 digits are 132 bits: the four beyond 128 are zero. */
    last = strchr(alphabet, key.data[21]);
    return ((last - alphabet) & 15) == 0;
}

static int judge(const struct reading *reading, const char **why)
{
    const struct {
        bool is_wrong;
        int status;
        const char *why;
    } rules[] = {
        {reading->hosts != 1 || reading->out->host.len == 0, 400, "exactly one Host is needed"},
        {reading->has_body, 400, "a request to upgrade has no body"},
        /* RFC 6265, 5.4: a client sends one. */
        {reading->cookies > 1, 400, "more than one Cookie header"},
        {!reading->has_upgrade, 400, "Upgrade does not name websocket"},
        {!reading->has_connection, 400, "Connection does not name Upgrade"},
        {reading->versions != 1 || reading->bad_version, 426, "Sec-WebSocket-Version is not 13"},
        {reading->keys != 1 || !is_key(reading->out->key), 400, "bad Sec-WebSocket-Key"},
        {reading->bad_list, 400, "bad Sec-WebSocket-Protocol"},
        {reading->out->serializer == 0, 400,
         reading->has_offer ? "no subprotocol offered is known here" : "no subprotocol offered"},
    };

    for (size_t i = 0; i < BONDY_COUNT(rules); i++) {
        if (rules[i].is_wrong) {
            *why = rules[i].why;
            return rules[i].status;
        }
    }
    return 0;
}

int bondy_upgrade_parse(struct bondy_slice head, struct bondy_upgrade *out, const char **why)
{
    struct reading reading = {.out = out};
    struct bondy_slice line;
    unsigned count = 0;
    bool has_cr;

    *out = (struct bondy_upgrade){.serializer = 0};
    *why = "bad line end";
    if (!next_line(&head, &line, &has_cr) || !has_cr)
        return 400;
    if (!read_request_line(line, out, why))
        return 400;
    for (;;) {
        *why = "bad line end";
        if (!next_line(&head, &line, &has_cr) || !has_cr)
            return 400;
        if (line.len == 0)
            break;
        if (++count > BONDY_UPGRADE_HEADERS_MAX) {
            *why = "too many headers";
            return 431;
        }
        if (!read_header(&reading, line, why))
            return 400;
    }
    return judge(&reading, why);
}

void bondy_upgrade_format(const struct bondy_upgrade *upgrade, bool deflate, struct bondy_buf *out)
{
    bondy_buf_printf(out,
                     "GET /ws HTTP/1.1\r\nHost: bondy\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: " BONDY_SLICE_FMT
                     "\r\nSec-WebSocket-Protocol: %s\r\n%s\r\n",
                     BONDY_SLICE_ARG(upgrade->key), bondy_subprotocol(upgrade->serializer),
                     deflate && upgrade->offers_deflate
                         ? "Sec-WebSocket-Extensions: permessage-deflate; "
                           "client_no_context_takeover; server_no_context_takeover\r\n"
                         : "");
}
