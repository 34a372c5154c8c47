/* SPDX-License-Identifier: Apache-2.0 */

/* head: what libmicrohttpd lets pass and we do not (threat-model H1).
 *
 * libmicrohttpd 0.9.75 cuts the head up in place: a NUL is written over what ends each part, and
 * parts are handed out as pointers into the octets received. So the parts can be checked to follow
 * each other without a gap: that finds what it hides from us (octets behind a NUL, folded lines,
 * bare line feeds, more than one space in the request line), since each of these leaves a gap. A
 * library that copied its parts would make every request fail here, and the first test with it. */

#include "src/http/internal.h"

#define TOKEN 1  /* RFC 9110, 5.6.2 */
#define TARGET 2 /* what may stand in a request target: visible ASCII */
#define HOST 4   /* reg-name or IP literal of RFC 3986 without percent-encoding and sub-delims */

static const unsigned char classes[256] = {
    ['!'] = TOKEN | TARGET,
    ['"'] = TARGET,
    ['#'] = TOKEN,
    ['$'] = TOKEN | TARGET,
    ['%'] = TOKEN | TARGET,
    ['&'] = TOKEN | TARGET,
    ['\''] = TOKEN | TARGET,
    ['('] = TARGET,
    [')'] = TARGET,
    ['*'] = TOKEN | TARGET,
    ['+'] = TOKEN | TARGET,
    [','] = TARGET,
    ['-'] = TOKEN | TARGET | HOST,
    ['.'] = TOKEN | TARGET | HOST,
    ['/'] = TARGET,
    ['0' ... '9'] = TOKEN | TARGET | HOST,
    [':'] = TARGET,
    [';'] = TARGET,
    ['<'] = TARGET,
    ['='] = TARGET,
    ['>'] = TARGET,
    ['?'] = TARGET,
    ['@'] = TARGET,
    ['A' ... 'Z'] = TOKEN | TARGET | HOST,
    ['['] = TARGET,
    ['\\'] = TARGET,
    [']'] = TARGET,
    ['^'] = TOKEN | TARGET,
    ['_'] = TOKEN | TARGET | HOST,
    ['`'] = TOKEN | TARGET,
    ['a' ... 'z'] = TOKEN | TARGET | HOST,
    ['{'] = TARGET,
    ['|'] = TOKEN | TARGET,
    ['}'] = TARGET,
    ['~'] = TOKEN | TARGET | HOST,
};

static bool is_all(struct bondy_slice text, unsigned char class)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((classes[(unsigned char)text.data[i]] & class) == 0)
            return false;
    }
    return true;
}

static bool same_text(struct bondy_slice text, const char *lower)
{
    size_t i = 0;

    for (; i < text.len && lower[i] != '\0'; i++) {
        char c = text.data[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 'a' - 'A');
        if (c != lower[i])
            return false;
    }
    return i == text.len && lower[i] == '\0';
}

/* ---- collecting ------------------------------------------------------------------------------ */

static enum MHD_Result collect(void *context, enum MHD_ValueKind kind, const char *key,
                               size_t key_len, const char *value, size_t value_len)
{
    struct bondy_request *request = context;
    struct bondy_header *header;

    (void)kind;
    if (request->header_count == request->header_cap) {
        size_t cap = request->header_cap * 2;
        struct bondy_header *more = bondy_calloc(cap, sizeof *more);

        memcpy(more, request->headers, request->header_count * sizeof *more);
        if (request->headers != request->header_space)
            bondy_free(request->headers);
        request->headers = more;
        request->header_cap = cap;
    }
    header = &request->headers[request->header_count++];
    header->name = (struct bondy_slice){key, key_len};
    header->value = (struct bondy_slice){value, value_len};
    return MHD_YES;
}

/* ---- layout ---------------------------------------------------------------------------------- */

static const char *after_line(const char *end)
{
    return end + 2; /* CR LF, both overwritten with NUL */
}

/* Whether method, target, version and headers follow each other as RFC 9112 writes them. */
static bool is_seamless(const struct bondy_request *request, const char *method,
                        const char *version)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    const char *next = method + request->method_text.len + 1;

    if (info == NULL || request->raw_uri != next)
        return false;
    next += request->uri_len + 1;
    if (version != next)
        return false;
    next = after_line(next + strlen(version));
    for (size_t i = 0; i < request->header_count; i++) {
        const struct bondy_header *header = &request->headers[i];

        if (header->name.data != next)
            return false;
        next = header->name.data + header->name.len + 1;
        while (next < header->value.data && (*next == ' ' || *next == '\t'))
            next++;
        if (header->value.data != next)
            return false;
        next = after_line(next + header->value.len);
    }
    return after_line(next) == method + info->header_size;
}

static bool values_are_clean(struct bondy_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        struct bondy_slice *value = &request->headers[i].value;

        for (size_t k = 0; k < value->len; k++) {
            unsigned char c = (unsigned char)value->data[k];

            if ((c < 0x20 && c != '\t') || c == 0x7f)
                return false;
        }
        while (value->len > 0 &&
               (value->data[value->len - 1] == ' ' || value->data[value->len - 1] == '\t'))
            value->len--;
    }
    return true;
}

/* ---- single headers -------------------------------------------------------------------------- */

struct framing {
    struct bondy_slice host, content_length, transfer_encoding, expect, upgrade, content_encoding,
        request_id;
    unsigned host_count, content_length_count, transfer_encoding_count;
};

static void look_at(struct bondy_request *request, struct framing *framing)
{
    static const struct {
        const char *name;
        size_t value_at, count_at;
    } known[] = {
        {"host", offsetof(struct framing, host), offsetof(struct framing, host_count)},
        {"content-length", offsetof(struct framing, content_length),
         offsetof(struct framing, content_length_count)},
        {"transfer-encoding", offsetof(struct framing, transfer_encoding),
         offsetof(struct framing, transfer_encoding_count)},
        {"expect", offsetof(struct framing, expect), 0},
        {"upgrade", offsetof(struct framing, upgrade), 0},
        {"content-encoding", offsetof(struct framing, content_encoding), 0},
        {"x-request-id", offsetof(struct framing, request_id), 0},
    };

    memset(framing, 0, sizeof *framing);
    for (size_t i = 0; i < request->header_count; i++) {
        for (size_t k = 0; k < BONDY_COUNT(known); k++) {
            if (!same_text(request->headers[i].name, known[k].name))
                continue;
            *(struct bondy_slice *)(void *)((char *)framing + known[k].value_at) =
                request->headers[i].value;
            if (known[k].count_at != 0)
                ++*(unsigned *)(void *)((char *)framing + known[k].count_at);
            break;
        }
    }
}

bool bondy_head_length(struct bondy_slice text, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = text.len > 19 ? UINT64_MAX : value;
    return text.len > 0;
}

static bool take_port(struct bondy_request *request, struct bondy_slice text)
{
    unsigned port = 0;

    if (text.len == 0)
        return true; /* "host:" is the default port: RFC 3986, 3.2.3 */
    if (text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (unsigned)(text.data[i] - '0');
    }
    request->port = (uint16_t)port;
    return port <= 65535;
}

static bool is_ip_literal(struct bondy_slice host)
{
    for (size_t i = 1; i + 1 < host.len; i++) {
        char c = host.data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
              c == ':' || c == '.'))
            return false;
    }
    return host.len > 2;
}

/* Host without port, lower case, and the port. */
static bool take_host(struct bondy_request *request, struct bondy_slice text)
{
    struct bondy_slice host = text;
    const char *colon;
    char *copy;

    if (text.len > 0 && text.data[0] == '[') {
        const char *end = memchr(text.data, ']', text.len);

        if (end == NULL)
            return false;
        host.len = (size_t)(end - text.data) + 1;
        if (!is_ip_literal(host))
            return false;
        text = bondy_slice_skip(text, host.len);
        if (text.len > 0 && (text.data[0] != ':' || !take_port(request, bondy_slice_skip(text, 1))))
            return false;
    } else {
        colon = text.len == 0 ? NULL : memchr(text.data, ':', text.len);
        if (colon != NULL) {
            host.len = (size_t)(colon - text.data);
            if (!take_port(request, bondy_slice_skip(text, host.len + 1)))
                return false;
        }
        if (!is_all(host, HOST))
            return false;
    }
    copy = host.len <= BONDY_INLINE_HOST ? request->host_space : bondy_alloc(host.len);
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];

        copy[i] = (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
    }
    request->host = (struct bondy_slice){copy, host.len};
    return true;
}

static void take_id(struct bondy_request *request, struct bondy_slice text)
{
    if (text.len == 0 || text.len > BONDY_REQUEST_ID_MAX || !is_all(text, TOKEN))
        return;
    memcpy(request->id, text.data, text.len);
    request->id[text.len] = '\0';
    request->id_len = text.len;
    request->id_is_ours = false;
}

static bool names_websocket(struct bondy_slice upgrade)
{
    static const char wanted[] = "websocket";

    for (size_t i = 0; i + sizeof wanted - 1 <= upgrade.len; i++) {
        if (same_text((struct bondy_slice){upgrade.data + i, sizeof wanted - 1}, wanted))
            return true;
    }
    return false;
}

/* ---- the request line ------------------------------------------------------------------------ */

static enum bondy_method find_method(const char *method)
{
    for (unsigned i = 0; i < BONDY_METHOD_OTHER; i++) {
        if (strcmp(method, bondy_method_name((enum bondy_method)i)) == 0)
            return (enum bondy_method)i;
    }
    return BONDY_METHOD_OTHER;
}

/* RFC 9112, 3.2: origin form, absolute form, and "*" for OPTIONS. */
static bool take_target(struct bondy_request *request)
{
    struct bondy_slice target = {request->uri, request->uri_len};
    const char *mark;

    if (!is_all(target, TARGET))
        return false;
    mark = target.len == 0 ? NULL : memchr(target.data, '?', target.len);
    request->path = target;
    if (mark != NULL) {
        request->path.len = (size_t)(mark - target.data);
        request->query = bondy_slice_skip(target, request->path.len + 1);
    }
    if (bondy_slice_starts(request->path, BONDY_SLICE("/")))
        return true;
    if (bondy_slice_is(request->path, "*"))
        return request->method == BONDY_METHOD_OPTIONS && mark == NULL;
    for (unsigned i = 0; i < 2; i++) {
        struct bondy_slice scheme = i == 0 ? BONDY_SLICE("http://") : BONDY_SLICE("https://");
        struct bondy_slice rest = bondy_slice_skip(request->path, scheme.len);
        const char *slash;

        if (request->path.len <= scheme.len ||
            strncasecmp(request->path.data, scheme.data, scheme.len) != 0)
            continue;
        slash = memchr(rest.data, '/', rest.len);
        request->authority =
            (struct bondy_slice){rest.data, slash == NULL ? rest.len : (size_t)(slash - rest.data)};
        request->path =
            slash == NULL ? BONDY_SLICE("/") : bondy_slice_skip(rest, request->authority.len);
        return request->authority.len > 0;
    }
    return false;
}

static unsigned check_framing(struct bondy_request *request, const struct framing *framing,
                              bool is_1_0, const char **why)
{
    if (framing->transfer_encoding_count > 0 && framing->content_length_count > 0) {
        *why = "Content-Length and Transfer-Encoding together";
        return 400;
    }
    if (framing->content_length_count > 1) {
        *why = "more than one Content-Length";
        return 400;
    }
    if (framing->content_length_count == 1 &&
        !bondy_head_length(framing->content_length, &request->content_length)) {
        *why = "Content-Length is not a number";
        return 400;
    }
    request->has_body = request->content_length > 0;
    if (framing->transfer_encoding_count > 1 ||
        (framing->transfer_encoding_count == 1 &&
         (is_1_0 || !same_text(framing->transfer_encoding, "chunked")))) {
        *why = "Transfer-Encoding is not \"chunked\"";
        return 400;
    }
    if (framing->transfer_encoding_count == 1) {
        request->is_chunked = true;
        request->has_body = true;
    }
    if (framing->host_count > 1 || (framing->host_count == 0 && !is_1_0)) {
        *why = "exactly one Host is needed";
        return 400;
    }
    if (!take_host(request, request->authority.len > 0 ? request->authority : framing->host)) {
        *why = "Host is not a host name with an optional port";
        return 400;
    }
    return 0;
}

static unsigned check_rest(struct bondy_request *request, const struct framing *framing,
                           bool is_1_0, const char **why)
{
    if (framing->expect.len > 0 && !is_1_0) {
        if (!same_text(framing->expect, "100-continue")) {
            *why = "only 100-continue is understood in Expect";
            return 417;
        }
        request->expects_continue = true;
    }
    if (framing->content_encoding.len > 0 && !same_text(framing->content_encoding, "identity")) {
        *why = "request bodies must not be compressed";
        return 415;
    }
    if (framing->upgrade.len > 0 && names_websocket(framing->upgrade)) {
        *why = "a WebSocket starts on a connection of its own";
        return 426;
    }
    return 0;
}

unsigned bondy_head_check(struct bondy_request *request, const char *method, const char *version,
                          const char **why)
{
    const struct bondy_http_limits *limits = &request->connection->listener->limits;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    bool is_1_0 = strcmp(version, "HTTP/1.0") == 0;
    struct framing framing;
    unsigned status;

    request->method_text = bondy_slice_text(method);
    request->method = find_method(method);
    if (info != NULL && info->header_size > limits->max_header_size) {
        *why = "the request's head is too large";
        return request->uri_len > limits->max_header_size / 2 ? 414 : 431;
    }
    MHD_get_connection_values_n(request->connection->mhd, MHD_HEADER_KIND, collect, request);
    if (request->header_count > limits->max_headers) {
        *why = "too many headers";
        return 431;
    }
    *why = "the request's head is malformed";
    if (request->method_text.len == 0 || !is_all(request->method_text, TOKEN) ||
        (!is_1_0 && strcmp(version, "HTTP/1.1") != 0) || !is_seamless(request, method, version) ||
        !values_are_clean(request) || !take_target(request))
        return 400;
    for (size_t i = 0; i < request->header_count; i++) {
        if (request->headers[i].name.len == 0 || !is_all(request->headers[i].name, TOKEN))
            return 400;
    }
    look_at(request, &framing);
    status = check_framing(request, &framing, is_1_0, why);
    if (status != 0)
        return status;
    take_id(request, framing.request_id);
    return check_rest(request, &framing, is_1_0, why);
}
