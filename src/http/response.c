/* SPDX-License-Identifier: Apache-2.0 */
#include "src/http/response.h"

#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "src/http/internal.h"

struct bondy_response *bondy_response_create(unsigned status)
{
    struct bondy_response *response = bondy_zalloc(sizeof *response);

    response->status = status;
    bondy_buf_reserve(&response->headers, 256); /* most answers need no more */
    return response;
}

void bondy_response_destroy(struct bondy_response *response)
{
    if (response == NULL)
        return;
    if (response->has_file)
        close(response->fd);
    bondy_buf_fini(&response->body);
    bondy_buf_fini(&response->headers);
    bondy_free(response);
}

/* ---- headers --------------------------------------------------------------------------------- */

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

/* RFC 9110, 5.6.2 */
static const bool is_token[256] = {
    ['!'] = true,         ['#' ... '\''] = true, ['*'] = true,         ['+'] = true,
    ['-'] = true,         ['.'] = true,          ['0' ... '9'] = true, ['A' ... 'Z'] = true,
    ['^' ... 'z'] = true, ['|'] = true,          ['~'] = true,
};

/* The one place that every header of an answer passes (H3). */
static int check_header(const char *name, struct bondy_slice value, struct bondy_error *err)
{
    if (*name == '\0')
        return bondy_fail(err, BONDY_EINVAL, "a header has no name");
    for (const char *c = name; *c != '\0'; c++) {
        if (!is_token[(unsigned char)*c])
            return bondy_fail(err, BONDY_EINVAL, "\"%.64s\" is not a header name", name);
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return bondy_fail(
                err, BONDY_EINVAL,
                "the value of header %.64s has octet 0x%02x, which no header may have", name, c);
    }
    return BONDY_OK;
}

static void put_header(struct bondy_response *response, const char *name, struct bondy_slice value)
{
    size_t name_len = strlen(name);
    char *out = bondy_buf_reserve(&response->headers, name_len + value.len + 2);
    for (size_t i = 0; i <= name_len; i++)
        *out++ = lower(name[i]);
    if (value.len > 0)
        memcpy(out, value.data, value.len);
    out[value.len] = '\0';
    response->headers.len += name_len + value.len + 2;
}

int bondy_response_header(struct bondy_response *response, const char *name,
                          struct bondy_slice value, struct bondy_error *err)
{
    int rc = check_header(name, value, err);

    if (rc == BONDY_OK)
        put_header(response, name, value);
    return rc;
}

/* Walks the headers; *at starts at 0. */
static bool next_header(const struct bondy_buf *headers, size_t *at, const char **name,
                        const char **value)
{
    if (*at >= headers->len)
        return false;
    *name = headers->data + *at;
    *value = *name + strlen(*name) + 1;
    *at = (size_t)(*value - headers->data) + strlen(*value) + 1;
    return true;
}

int bondy_response_set_header(struct bondy_response *response, const char *name,
                              struct bondy_slice value, struct bondy_error *err)
{
    struct bondy_buf *headers = &response->headers;
    const char *old_name, *old_value;
    size_t at = 0, start = 0;
    int rc = check_header(name, value, err);

    if (rc < 0)
        return rc;
    while (next_header(headers, &at, &old_name, &old_value)) {
        if (strcasecmp(old_name, name) == 0) {
            memmove(headers->data + start, headers->data + at, headers->len - at);
            headers->len -= at - start;
            at = start;
        }
        start = at;
    }
    put_header(response, name, value);
    return BONDY_OK;
}

bool bondy_response_has_header(const struct bondy_response *response, const char *name)
{
    const char *old_name, *old_value;
    size_t at = 0;

    while (next_header(&response->headers, &at, &old_name, &old_value)) {
        if (strcasecmp(old_name, name) == 0)
            return true;
    }
    return false;
}

void bondy_response_retry_after(struct bondy_response *response, unsigned seconds)
{
    char text[16];

    snprintf(text, sizeof text, "%u", seconds);
    bondy_response_set_header(response, "retry-after", bondy_slice_text(text), NULL);
}

void bondy_response_body(struct bondy_response *response, struct bondy_buf *body,
                         const char *content_type)
{
    bondy_buf_fini(&response->body);
    response->body = *body;
    *body = (struct bondy_buf)BONDY_BUF_EMPTY;
    response->content_type = content_type;
}

void bondy_response_file(struct bondy_response *response, int fd, uint64_t offset, uint64_t len,
                         const char *content_type)
{
    BONDY_BUG_ON(response->has_file);
    response->has_file = true;
    response->fd = fd;
    response->file_offset = offset;
    response->file_len = len;
    response->content_type = content_type;
}

void bondy_response_close(struct bondy_response *response)
{
    response->closes = true;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* RFC 9110, 15: these never have a body. */
static bool has_no_body(unsigned status)
{
    return status < 200 || status == 204 || status == 304;
}

static bool must_close(const struct bondy_http_connection *connection,
                       const struct bondy_response *response)
{
    return response->closes || connection->server->is_draining ||
           connection->request_count >= connection->listener->limits.max_keepalive;
}

const char bondy_http_json_policy[] = "default-src 'none'; frame-ancestors 'none'";

static bool is_json(const struct bondy_response *response)
{
    static const char *const types[] = {"application/json", "application/problem+json"};

    if (response->content_type == NULL || has_no_body(response->status) ||
        bondy_response_has_header(response, "content-type"))
        return false;
    for (size_t i = 0; i < BONDY_COUNT(types); i++)
        if (strncmp(response->content_type, types[i], strlen(types[i])) == 0)
            return true;
    return false;
}

/* What every answer says, in order; NULL-terminated pairs appended to `out`. */
#define MAX_COMMON 32
static size_t common_headers(const struct bondy_http_connection *connection,
                             const struct bondy_request *request,
                             const struct bondy_response *response, const char *out[MAX_COMMON][2])
{
    const char *const *listener = connection->listener->response_headers;
    size_t count = 0;

    for (; listener != NULL && listener[0] != NULL && count < MAX_COMMON - 3; listener += 2) {
        if (bondy_response_has_header(response, listener[0]) ||
            (listener[1] == bondy_http_json_policy && !is_json(response)))
            continue;
        out[count][0] = listener[0];
        out[count++][1] = listener[1];
    }
    if (response->content_type != NULL && !has_no_body(response->status) &&
        !bondy_response_has_header(response, "content-type")) {
        out[count][0] = "content-type";
        out[count++][1] = response->content_type;
    }
    if (must_close(connection, response)) {
        out[count][0] = "connection";
        out[count++][1] = "close";
    }
    if (request != NULL && !bondy_response_has_header(response, "x-request-id")) {
        out[count][0] = "x-request-id"; /* last: response_queue looks for it there */
        out[count++][1] = request->id;
    }
    return count;
}

static void free_body(void *data)
{
    bondy_free(data);
}

/* All headers but the request id in one piece, or false when they are too long for it. */
static bool flatten(const struct bondy_response *response, const char *const common[][2],
                    size_t count, char out[BONDY_PREPARED_HEADERS_MAX], size_t *out_len)
{
    size_t len = response->headers.len;

    if (len > BONDY_PREPARED_HEADERS_MAX)
        return false;
    if (len > 0)
        memcpy(out, response->headers.data, len);
    for (size_t i = 0; i < 2 * count; i++) {
        const char *text = common[i / 2][i % 2];
        size_t text_len = strlen(text) + 1;

        if (text_len > BONDY_PREPARED_HEADERS_MAX - len)
            return false;
        memcpy(out + len, text, text_len);
        len += text_len;
    }
    *out_len = len;
    return true;
}

/* A small answer, from those that were sent before; NULL when it is not small. */
static struct MHD_Response *take_prepared(struct bondy_request *request,
                                          const struct bondy_response *response,
                                          const char *const common[][2], size_t count)
{
    bool has_id = count > 0 && common[count - 1][1] == request->id;
    struct bondy_slice id = has_id ? bondy_request_id(request) : BONDY_SLICE_EMPTY;
    struct bondy_slice body = BONDY_SLICE_EMPTY;
    char headers[BONDY_PREPARED_HEADERS_MAX];
    size_t len;

    if (!has_no_body(response->status))
        body = bondy_buf_slice(&response->body);
    if (response->has_file || body.len > BONDY_PREPARED_BODY_MAX ||
        !flatten(response, common, has_id ? count - 1 : count, headers, &len))
        return NULL;
    request->prepared = bondy_prepared_take(request->connection->server,
                                            (struct bondy_slice){headers, len}, id, body);
    return request->prepared == NULL ? NULL : bondy_prepared_mhd(request->prepared);
}

static struct MHD_Response *make_of_file(struct bondy_response *response)
{
    struct MHD_Response *out = MHD_create_response_from_fd_at_offset64(
        response->file_len, response->fd, response->file_offset);

    if (out != NULL)
        response->has_file = false; /* it has the descriptor now */
    return out;
}

/* Any answer. Takes the body. */
static struct MHD_Response *make_new(struct bondy_response *response, const char *const common[][2],
                                     size_t count)
{
    const char *name, *value;
    struct MHD_Response *out;
    size_t at = 0;

    if (response->has_file && response->file_len > 0 && !has_no_body(response->status))
        out = make_of_file(response);
    else if (has_no_body(response->status) || response->body.len == 0)
        out = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    else
        out = MHD_create_response_from_buffer_with_free_callback(
            response->body.len, BONDY_MOVE(response->body.data), free_body);
    if (out == NULL)
        return NULL;
    while (next_header(&response->headers, &at, &name, &value))
        MHD_add_response_header(out, name, value);
    for (size_t i = 0; i < count; i++)
        MHD_add_response_header(out, common[i][0], common[i][1]);
    return out;
}

bool bondy_response_queue(struct bondy_request *request, struct bondy_response *response)
{
    struct bondy_http_connection *connection = request->connection;
    const char *common[MAX_COMMON][2];
    const char *const(*headers)[2] = (const char *const(*)[2])common;
    size_t count = common_headers(connection, request, response, common);
    struct MHD_Response *out = take_prepared(request, response, headers, count);
    enum MHD_Result queued = MHD_NO;

    if (out == NULL)
        out = make_new(response, headers, count);
    if (out != NULL) {
        request->status = response->status;
        queued = MHD_queue_response(connection->mhd, response->status, out);
    }
    if (out != NULL && request->prepared == NULL)
        MHD_destroy_response(out);
    bondy_response_destroy(response);
    return queued == MHD_YES;
}

static void put_date(struct bondy_buf *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    bondy_buf_printf(out, "date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[utc.tm_wday],
                     utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                     utc.tm_sec);
}

void bondy_response_write(struct bondy_http_connection *connection, struct bondy_request *request,
                          struct bondy_response *response)
{
    struct bondy_buf out = BONDY_BUF_EMPTY;
    const char *common[MAX_COMMON][2];
    const char *name, *value;
    size_t count, at = 0;
    ssize_t sent;

    response->closes = true;
    if (request != NULL)
        request->status = response->status;
    bondy_buf_printf(&out, "HTTP/1.1 %u %s\r\n", response->status,
                     MHD_get_reason_phrase_for(response->status));
    put_date(&out);
    while (next_header(&response->headers, &at, &name, &value))
        bondy_buf_printf(&out, "%s: %s\r\n", name, value);
    count = common_headers(connection, request, response, common);
    for (size_t i = 0; i < count; i++)
        bondy_buf_printf(&out, "%s: %s\r\n", common[i][0], common[i][1]);
    bondy_buf_printf(&out, "content-length: %zu\r\n\r\n", response->body.len);
    bondy_buf_append_slice(&out, bondy_buf_slice(&response->body));
    /* A few hundred octets into an empty socket buffer; what does not fit is lost with a
     * connection that ends anyway. */
    sent = send(connection->fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent;
    bondy_buf_fini(&out);
    bondy_response_destroy(response);
}

void bondy_response_empty(struct bondy_request *request, unsigned status)
{
    bondy_response_send(request, bondy_response_create(status));
}
