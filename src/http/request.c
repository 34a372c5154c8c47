/* SPDX-License-Identifier: Apache-2.0 */
#include "src/http/request.h"

#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/http/internal.h"

static const char *const method_names[BONDY_METHODS] = {
    [BONDY_METHOD_GET] = "GET",         [BONDY_METHOD_HEAD] = "HEAD",
    [BONDY_METHOD_POST] = "POST",       [BONDY_METHOD_PUT] = "PUT",
    [BONDY_METHOD_PATCH] = "PATCH",     [BONDY_METHOD_DELETE] = "DELETE",
    [BONDY_METHOD_OPTIONS] = "OPTIONS", [BONDY_METHOD_OTHER] = "other",
};

const char *bondy_method_name(enum bondy_method method)
{
    return (unsigned)method < BONDY_METHODS ? method_names[method] : "other";
}

/* Version 4, from the numbers that base/id draws in blocks: a system call for each request would
 * cost more than the rest of this function. */
static void make_id(struct bondy_request *request)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t random[3] = {bondy_id_random() - 1, bondy_id_random() - 1, bondy_id_random() - 1};
    char *out = request->id;
    unsigned nibble = 0;

    for (unsigned i = 0; i < 36; i++) {
        unsigned value;

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            *out++ = '-';
            continue;
        }
        value = (unsigned)(random[nibble / 12] >> (nibble % 12 * 4)) & 15;
        if (i == 14)
            value = 4;
        else if (i == 19)
            value = 8 | (value & 3);
        nibble++;
        *out++ = digits[value];
    }
    *out = '\0';
    request->id_len = 36;
    request->id_is_ours = true;
}

struct bondy_request *bondy_request_create(struct bondy_http_connection *connection,
                                           const char *uri)
{
    struct bondy_request *request = bondy_slab_alloc(connection->server->requests);

    memset(request, 0, offsetof(struct bondy_request, id));
    bondy_list_init(&request->link);
    request->connection = connection;
    request->raw_uri = uri;
    request->uri_len = uri == NULL ? 0 : strlen(uri);
    request->uri = request->uri_len < BONDY_INLINE_URI ? request->uri_space
                                                       : bondy_alloc(request->uri_len + 1);
    memcpy(request->uri, uri == NULL ? "" : uri, request->uri_len + 1);
    request->headers = request->header_space;
    request->header_cap = BONDY_INLINE_HEADERS;
    request->body_max = connection->listener->limits.max_body_size;
    request->body_timeout_ms = connection->listener->limits.body_timeout_ms;
    request->method = BONDY_METHOD_OTHER;
    request->started_ns = bondy_clock_mono_ns();
    make_id(request);
    return request;
}

void bondy_request_destroy(struct bondy_request *request)
{
    if (request == NULL)
        return;
    if (request->uri != request->uri_space)
        bondy_free(request->uri);
    if (request->headers != request->header_space)
        bondy_free(request->headers);
    if (request->host.data != NULL && request->host.data != request->host_space)
        bondy_free((char *)request->host.data);
    bondy_buf_fini(&request->body);
    bondy_response_destroy(request->answer);
    if (request->prepared != NULL)
        bondy_prepared_give_back(request->prepared);
    bondy_slab_free(request->connection->server->requests, request);
}

enum bondy_method bondy_request_method(const struct bondy_request *request)
{
    return request->method;
}

struct bondy_slice bondy_request_path(const struct bondy_request *request)
{
    return request->path;
}

struct bondy_slice bondy_request_query(const struct bondy_request *request)
{
    return request->query;
}

static bool same_name(struct bondy_slice name, const char *lower, size_t len)
{
    if (name.len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name.data[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 'a' - 'A');
        if (c != lower[i])
            return false;
    }
    return true;
}

struct bondy_slice bondy_request_header(const struct bondy_request *request, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < request->header_count; i++) {
        if (same_name(request->headers[i].name, name, len))
            return request->headers[i].value;
    }
    return BONDY_SLICE_EMPTY;
}

void bondy_request_headers(const struct bondy_request *request,
                           bool (*fn)(void *context, struct bondy_slice name,
                                      struct bondy_slice value),
                           void *context)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (!fn(context, request->headers[i].name, request->headers[i].value))
            return;
    }
}

struct bondy_slice bondy_request_host(const struct bondy_request *request)
{
    return request->host;
}

uint16_t bondy_request_port(const struct bondy_request *request)
{
    return request->port;
}

struct bondy_slice bondy_request_body(const struct bondy_request *request)
{
    return bondy_buf_slice(&request->body);
}

const struct bondy_http_peer *bondy_request_peer(const struct bondy_request *request)
{
    return &request->connection->peer;
}

const struct bondy_http_listener *bondy_request_listener(const struct bondy_request *request)
{
    return request->connection->listener;
}

struct bondy_loop *bondy_request_loop(const struct bondy_request *request)
{
    return request->connection->server->loop;
}

struct bondy_slice bondy_request_id(const struct bondy_request *request)
{
    return (struct bondy_slice){request->id, request->id_len};
}

void bondy_request_set_user(struct bondy_request *request, void *user)
{
    request->user = user;
}

void *bondy_request_user(const struct bondy_request *request)
{
    return request->user;
}

void bondy_request_expect_body(struct bondy_request *request, size_t max_len, uint64_t timeout_ms)
{
    request->body_max = max_len;
    if (timeout_ms != 0)
        request->body_timeout_ms = timeout_ms;
}

bool bondy_request_has_body(const struct bondy_request *request)
{
    return request->has_body;
}

uint64_t bondy_request_content_length(const struct bondy_request *request)
{
    return request->is_chunked ? UINT64_MAX : request->content_length;
}

void bondy_request_stream(struct bondy_request *request, const struct bondy_body_sink *sink)
{
    BONDY_BUG_ON(request->body_seen > 0);
    request->sink = *sink;
}

void bondy_request_pause(struct bondy_request *request)
{
    BONDY_BUG_ON(!request->in_handler || request->state > BONDY_REQUEST_BODY);
    request->is_paused = true;
}

void bondy_request_resume(struct bondy_request *request)
{
    if (!request->is_paused)
        return;
    request->is_paused = false;
    if (request->is_suspended)
        bondy_connection_resume_body(request->connection);
}
