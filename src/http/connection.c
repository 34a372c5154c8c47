/* SPDX-License-Identifier: Apache-2.0 */

/* connection: one HTTP connection and the request on it, step by step.
 *
 *   adopt -> HEAD -> (BODY) -> handler -> SENDING -> IDLE -> HEAD ...
 *                                 |  no answer yet: suspended
 *                                 v
 *                              WAITING -> resumed -> SENDING
 *
 * Times are ours: libmicrohttpd counts whole seconds of silence only, and none while suspended. */

#include <errno.h>
#include <sys/socket.h>

#include "src/base/log.h"
#include "src/http/internal.h"

/* ---- time ------------------------------------------------------------------------------------ */

static void watch_closed(uv_handle_t *handle)
{
    bondy_free(handle->data);
}

static void watch_stop(struct bondy_http_connection *connection)
{
    struct bondy_http_watch *watch = connection->watch;

    if (watch == NULL)
        return;
    connection->watch = NULL;
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, watch_closed);
}

static void watch_saw(uv_poll_t *poll, int status, int events)
{
    struct bondy_http_watch *watch = poll->data;
    struct bondy_request *request = watch->connection->request;

    if (status == 0 && (events & UV_DISCONNECT) == 0)
        return;
    bondy_request_give_up(request, 0);
}

/* A suspended connection is out of libmicrohttpd's epoll set, so ours sees its end. */
static void watch_start(struct bondy_http_connection *connection)
{
    struct bondy_http_watch *watch = bondy_zalloc(sizeof *watch);

    watch->connection = connection;
    if (uv_poll_init(bondy_loop_uv(connection->server->loop), &watch->poll, connection->fd) < 0) {
        bondy_free(watch); /* without a watch the call's own deadline ends the request */
        return;
    }
    watch->poll.data = watch;
    connection->watch = watch;
    uv_poll_start(&watch->poll, UV_DISCONNECT, watch_saw);
}

static void refuse_late(struct bondy_http_connection *connection, const char *message)
{
    struct bondy_request *request = connection->request;

    if (request->answer != NULL) { /* it waited for the end of the body */
        bondy_response_write(connection, request, BONDY_MOVE(request->answer));
        bondy_connection_shut(connection);
        return;
    }
    bondy_response_write(connection, request,
                         bondy_problem_response(request, 408, "request_timeout", message));
    bondy_connection_shut(connection);
}

static void phase_ended(struct bondy_timer *timer)
{
    struct bondy_http_connection *connection =
        BONDY_CONTAINER(timer, struct bondy_http_connection, timer);

    switch (connection->phase) {
    case BONDY_PHASE_WAITING:
        watch_start(connection);
        return;
    case BONDY_PHASE_HEAD:
        if (connection->request != NULL)
            refuse_late(connection, "the request's head took too long");
        else
            bondy_connection_shut(connection);
        return;
    case BONDY_PHASE_BODY:
        refuse_late(connection, "the request's body took too long");
        return;
    case BONDY_PHASE_IDLE:
    case BONDY_PHASE_SENDING:
    case BONDY_PHASE_REFUSED:
        bondy_connection_shut(connection);
        return;
    }
}

static uint64_t phase_time(const struct bondy_http_connection *connection)
{
    const struct bondy_http_limits *limits = &connection->listener->limits;

    switch (connection->phase) {
    case BONDY_PHASE_IDLE:
        return limits->idle_timeout_ms;
    case BONDY_PHASE_HEAD:
        return limits->request_timeout_ms;
    case BONDY_PHASE_BODY:
        return connection->request->body_timeout_ms;
    case BONDY_PHASE_WAITING:
        return BONDY_WATCH_AFTER_MS;
    case BONDY_PHASE_REFUSED:
        return BONDY_LINGER_MS;
    case BONDY_PHASE_SENDING:
        break; /* silence of a reader: libmicrohttpd's own timeout */
    }
    return 0;
}

void bondy_connection_enter(struct bondy_http_connection *connection,
                            enum bondy_connection_phase phase)
{
    struct bondy_wheel *wheel = bondy_loop_wheel(connection->server->loop);
    uint64_t time_ms;

    connection->phase = phase;
    time_ms = phase_time(connection);
    if (time_ms > 0)
        bondy_timer_start(wheel, &connection->timer, time_ms);
    else
        bondy_timer_stop(wheel, &connection->timer);
}

void bondy_connection_shut(struct bondy_http_connection *connection)
{
    bondy_timer_stop(bondy_loop_wheel(connection->server->loop), &connection->timer);
    shutdown(connection->fd, SHUT_RDWR);
}

/* ---- birth and death ------------------------------------------------------------------------- */

struct bondy_http_connection *bondy_connection_create(struct bondy_http_server *server,
                                                      struct bondy_http_engine *engine, int fd,
                                                      const struct bondy_http_listener *listener,
                                                      const struct bondy_http_peer *peer)
{
    struct bondy_http_connection *connection = bondy_zalloc(sizeof *connection);

    connection->server = server;
    connection->engine = engine;
    connection->listener = listener;
    connection->peer = *peer;
    connection->fd = fd;
    bondy_timer_init(&connection->timer, phase_ended);
    bondy_list_append(&server->connections, &connection->link);
    return connection;
}

void bondy_connection_destroy(struct bondy_http_connection *connection)
{
    watch_stop(connection);
    bondy_timer_stop(bondy_loop_wheel(connection->server->loop), &connection->timer);
    bondy_list_remove(&connection->link);
    if (connection->peer.on_closed != NULL)
        connection->peer.on_closed(connection->peer.token);
    bondy_free(connection);
}

void bondy_connection_on_notify(void *context, struct MHD_Connection *mhd, void **slot,
                                enum MHD_ConnectionNotificationCode code)
{
    struct bondy_http_engine *engine = context;
    struct bondy_http_connection *connection = engine->server->adopting;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection->mhd = mhd;
        *slot = connection;
        bondy_connection_enter(connection, BONDY_PHASE_HEAD);
        return;
    }
    if (*slot != NULL)
        bondy_connection_destroy(*slot);
    *slot = NULL;
}

static struct bondy_http_connection *connection_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void *bondy_connection_on_uri(void *context, const char *uri, struct MHD_Connection *mhd)
{
    struct bondy_http_connection *connection = connection_of(mhd);

    (void)context;
    connection->request = bondy_request_create(connection, uri);
    if (connection->phase != BONDY_PHASE_HEAD)
        bondy_connection_enter(connection, BONDY_PHASE_HEAD);
    return connection->request;
}

void bondy_request_tell_gone(struct bondy_request *request)
{
    const struct bondy_http_listener *listener = request->connection->listener;

    if (!request->handler_knows)
        return;
    request->handler_knows = false;
    listener->handler->on_gone(listener->context, request);
}

static void leave_pending(struct bondy_request *request)
{
    struct bondy_http_connection *connection = request->connection;

    if (!request->is_waiting)
        return;
    request->is_waiting = false;
    bondy_list_remove(&request->link);
    connection->server->pending_count--;
    if (!request->is_suspended)
        connection->engine->unsuspended_count--;
}

void bondy_connection_on_completed(void *context, struct MHD_Connection *mhd, void **slot,
                                   enum MHD_RequestTerminationCode code)
{
    struct bondy_http_connection *connection = connection_of(mhd);
    struct bondy_request *request = *slot;

    (void)context;
    *slot = NULL;
    connection->request = NULL;
    if (request != NULL) {
        leave_pending(request); /* the connection broke before it was suspended */
        watch_stop(connection);
        if (request->state < BONDY_REQUEST_ANSWERED)
            bondy_request_tell_gone(request);
        bondy_http_count_request(request);
        bondy_request_destroy(request);
    }
    if (connection->lingers)
        bondy_linger_start(connection);
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK && !connection->lingers)
        bondy_connection_enter(connection, BONDY_PHASE_IDLE);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void resume(struct bondy_http_connection *connection, enum bondy_connection_phase phase)
{
    struct bondy_request *request = connection->request;

    leave_pending(request);
    watch_stop(connection); /* before libmicrohttpd polls the descriptor again */
    bondy_connection_enter(connection, phase);
    if (request->is_suspended)
        MHD_resume_connection(connection->mhd);
    request->is_suspended = false;
    connection->engine->is_due = true;
    bondy_loop_again(connection->server->loop);
}

void bondy_connection_resume(struct bondy_http_connection *connection)
{
    resume(connection, BONDY_PHASE_SENDING);
}

void bondy_connection_resume_body(struct bondy_http_connection *connection)
{
    resume(connection, BONDY_PHASE_BODY);
}

/* Of a request that is suspended with octets of its body unread. */
static void answer_in_body(struct bondy_request *request)
{
    resume(request->connection,
           bondy_body_answer(request) ? BONDY_PHASE_BODY : BONDY_PHASE_REFUSED);
}

void bondy_request_give_up(struct bondy_request *request, unsigned status)
{
    bool is_in_body = request->state == BONDY_REQUEST_BODY && request->has_body;

    bondy_request_tell_gone(request);
    request->is_early = request->state == BONDY_REQUEST_HELD;
    if (status == 0) {
        request->state = BONDY_REQUEST_GONE;
    } else {
        request->state = BONDY_REQUEST_ANSWERED;
        request->answer =
            bondy_problem_response(request, status, "shutting_down", "the server is shutting down");
        request->answer->closes = true;
        if (is_in_body) {
            answer_in_body(request);
            return;
        }
    }
    bondy_connection_resume(request->connection);
}

void bondy_response_send(struct bondy_request *request, struct bondy_response *response)
{
    bool is_in_body = request->state == BONDY_REQUEST_BODY && request->has_body;

    BONDY_BUG_ON(request->state >= BONDY_REQUEST_ANSWERED);
    request->is_early = request->state == BONDY_REQUEST_HELD;
    request->state = BONDY_REQUEST_ANSWERED;
    request->handler_knows = false;
    request->answer = response;
    if (is_in_body && !request->in_handler)
        answer_in_body(request);
    else if (request->is_waiting)
        bondy_connection_resume(request->connection);
    else
        BONDY_BUG_ON(!request->in_handler);
}

static enum MHD_Result queue_answer(struct bondy_request *request)
{
    request->state = BONDY_REQUEST_SENT;
    request->connection->engine->has_more = true;
    bondy_connection_enter(request->connection, BONDY_PHASE_SENDING);
    return bondy_response_queue(request, BONDY_MOVE(request->answer)) ? MHD_YES : MHD_NO;
}

/* The answer stands before the body was read. libmicrohttpd closes a connection that is answered
 * now, so the answer waits for the end of the request; but not for a long body, and a client that
 * asked whether to send its body is told at once. */
static enum MHD_Result answer_early(struct bondy_request *request)
{
    struct bondy_http_connection *connection = request->connection;

    if (!request->has_body)
        return MHD_YES;
    if (!request->expects_continue && !request->answer->closes && !request->is_chunked &&
        request->content_length <= BONDY_SKIP_BODY_MAX) {
        request->body_dropped = true;
        bondy_connection_enter(connection, BONDY_PHASE_BODY);
        return MHD_YES;
    }
    request->answer->closes = true;
    connection->lingers = true;
    return queue_answer(request);
}

static enum MHD_Result refuse(struct bondy_request *request, unsigned status, const char *why)
{
    static const struct {
        unsigned status;
        const char *code;
    } codes[] = {
        {413, "body_max_bytes_exceeded"},
        {415, "unsupported_media_type"},
        {417, "expectation_failed"},
        {426, "upgrade_required"},
    };
    const char *code = "invalid_request";

    bondy_http_count_early(request->connection->server);
    for (size_t i = 0; i < BONDY_COUNT(codes); i++) {
        if (codes[i].status == status)
            code = codes[i].code;
    }
    request->state = BONDY_REQUEST_ANSWERED;
    request->answer = bondy_problem_response(request, status, code, why);
    request->answer->closes = true;
    if (status == 426)
        bondy_response_header(request->answer, "upgrade", BONDY_SLICE("websocket"), NULL);
    /* What follows a head that is not understood may be a body: it is thrown away. */
    request->connection->lingers = true;
    return queue_answer(request);
}

/* 400, 413, or 0 when the connection's request has no such fault. */
static unsigned fault_of_length(const struct bondy_http_connection *connection)
{
    const char *value;
    size_t len;
    uint64_t number;

    if (connection->phase != BONDY_PHASE_HEAD || connection->request == NULL ||
        connection->request->state != BONDY_REQUEST_HEAD ||
        MHD_lookup_connection_value_n(connection->mhd, MHD_HEADER_KIND, "Content-Length",
                                      strlen("Content-Length"), &value, &len) == MHD_NO)
        return 0;
    if (!bondy_head_length((struct bondy_slice){value, len}, &number))
        return 400;
    return number == UINT64_MAX ? 413 : 0;
}

void bondy_connection_refuse_lengths(struct bondy_http_engine *engine)
{
    BONDY_LIST_EACH(link, &engine->server->connections)
    {
        struct bondy_http_connection *connection =
            BONDY_LIST_ENTRY(link, struct bondy_http_connection, link);

        unsigned status = connection->engine == engine ? fault_of_length(connection) : 0;

        if (status == 0)
            continue;
        connection->request->state = BONDY_REQUEST_SENT;
        connection->lingers = true;
        bondy_response_write(
            connection, connection->request,
            status == 413
                ? bondy_problem_response(connection->request, 413, "body_max_bytes_exceeded",
                                         "the body is too large")
                : bondy_problem_response(connection->request, 400, "invalid_request",
                                         "Content-Length is not a number"));
        shutdown(connection->fd, SHUT_WR); /* nothing else gets out */
    }
}

/* ---- the steps ------------------------------------------------------------------------------- */

/* libmicrohttpd reads the body next. */
static enum MHD_Result expect_body(struct bondy_request *request)
{
    struct bondy_http_connection *connection = request->connection;

    if (request->content_length > request->body_max) {
        bondy_request_tell_gone(request);
        return refuse(request, 413, "the body is larger than this resource takes");
    }
    request->state = BONDY_REQUEST_BODY;
    if (request->has_body) {
        connection->engine->has_more = true;
        bondy_connection_enter(connection, BONDY_PHASE_BODY);
    }
    return MHD_YES;
}

static enum MHD_Result take_head(struct bondy_request *request, const char *method,
                                 const char *version)
{
    struct bondy_http_connection *connection = request->connection;
    const struct bondy_http_listener *listener = connection->listener;
    const char *why = NULL;
    unsigned status = bondy_head_check(request, method, version, &why);

    connection->request_count++;
    if (status != 0)
        return refuse(request, status, why);
    request->handler_knows = true;
    request->in_handler = true;
    listener->handler->on_head(listener->context, request);
    request->in_handler = false;
    if (request->state == BONDY_REQUEST_ANSWERED)
        return answer_early(request);
    if (!request->is_paused)
        return expect_body(request);
    request->state = BONDY_REQUEST_HELD;
    return bondy_body_wait(request);
}

static enum MHD_Result take_whole(struct bondy_request *request)
{
    struct bondy_http_connection *connection = request->connection;
    const struct bondy_http_listener *listener = connection->listener;

    request->state = BONDY_REQUEST_WITH_HANDLER;
    request->in_handler = true;
    listener->handler->on_request(listener->context, request);
    request->in_handler = false;
    if (request->state == BONDY_REQUEST_ANSWERED)
        return queue_answer(request);
    request->is_waiting = true;
    request->waiting_since_ms = bondy_loop_now_ms(connection->server->loop);
    bondy_list_append(&connection->server->pending, &request->link);
    connection->server->pending_count++;
    connection->engine->unsuspended_count++;
    bondy_connection_enter(connection, BONDY_PHASE_WAITING);
    return MHD_YES;
}

/* libmicrohttpd asks whether there is an answer by now. */
static enum MHD_Result wait_on(struct bondy_request *request)
{
    struct bondy_http_connection *connection = request->connection;

    if (bondy_loop_now_ms(connection->server->loop) - request->waiting_since_ms <
        BONDY_SUSPEND_AFTER_MS)
        return MHD_YES;
    request->is_suspended = true;
    connection->engine->unsuspended_count--;
    MHD_suspend_connection(connection->mhd);
    return MHD_YES;
}

enum MHD_Result bondy_connection_on_access(void *context, struct MHD_Connection *mhd,
                                           const char *url, const char *method, const char *version,
                                           const char *data, size_t *data_len, void **slot)
{
    struct bondy_request *request = *slot;

    (void)context;
    (void)mhd;
    (void)url;
    switch (request->state) {
    case BONDY_REQUEST_HEAD:
        return take_head(request, method, version);
    case BONDY_REQUEST_HELD: /* once more, now that it was resumed */
        return expect_body(request);
    case BONDY_REQUEST_BODY:
        return *data_len > 0 ? bondy_body_take(request, data, data_len) : take_whole(request);
    case BONDY_REQUEST_ANSWERED:
        if (request->is_early) {
            request->is_early = false;
            return answer_early(request);
        }
        return *data_len > 0 ? bondy_body_take(request, data, data_len) : queue_answer(request);
    case BONDY_REQUEST_WITH_HANDLER:
        return wait_on(request);
    case BONDY_REQUEST_SENT:
    case BONDY_REQUEST_GONE:
        break;
    }
    return MHD_NO;
}
