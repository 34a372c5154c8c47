/* SPDX-License-Identifier: Apache-2.0 */
#include "src/http/server.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/log.h"
#include "src/http/internal.h"

/* Room in libmicrohttpd's pool beside the head: its record of each header (about 80 octets) and the
 * head of the answer. */
#define POOL_EXTRA (12u << 10)
#define DRAIN_MS 500u

/* ---- engines --------------------------------------------------------------------------------- */

/* What the library says describes what peers do, or what we asked for: answers and metrics tell.
 * It goes out at debug level, where a person looks for it. One line is more: the library refuses a
 * Content-Length that is no number before it asks us, and 0.9.75 then writes the head of its
 * refusal twice; so this line makes us answer first. */
static void __attribute__((format(printf, 2, 0)))
library_says(void *context, const char *format, va_list args)
{
    char text[256];
    int len;

    if (strstr(format, "Content-Length") != NULL)
        bondy_connection_refuse_lengths(context);
    if (bondy_log_threshold < BONDY_LOG_DEBUG)
        return;
    len = vsnprintf(text, sizeof text, format, args);
    if (len < 0)
        return;
    if ((size_t)len >= sizeof text)
        len = (int)sizeof text - 1;
    while (len > 0 && text[len - 1] == '\n')
        len--;
    bondy_log(BONDY_LOG_DEBUG, "http_library", BONDY_F_SLICE("text", bondy_slice_of(text, len)));
}

/* Targets are decoded by whoever routes them, from the octets received. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static void engine_arm(struct bondy_http_engine *engine)
{
    struct bondy_wheel *wheel = bondy_loop_wheel(engine->server->loop);
    unsigned long long wait_ms;

    if (MHD_get_timeout(engine->daemon, &wait_ms) == MHD_NO) {
        bondy_timer_stop(wheel, &engine->timer);
        return;
    }
    if (wait_ms == 0 && engine->unsuspended_count > 0 && !engine->has_more) {
        /* The library wants to run again at once, maybe only because of these: their answers make
         * it due. Should there be more to do, it waits this little. */
        wait_ms = 1;
    } else if (wait_ms == 0) {
        engine->is_due = true;
        bondy_loop_again(engine->server->loop);
        return;
    }
    /* Timeouts only move away as connections live: a timer that fires too early costs less than
     * moving it after every run. */
    if (!bondy_timer_runs(&engine->timer) || engine->timer.due_ms > wheel->now_ms + wait_ms)
        bondy_timer_start(wheel, &engine->timer, wait_ms);
}

static void engine_run(struct bondy_http_engine *engine)
{
    if (engine->is_running)
        return;
    engine->is_running = true;
    engine->is_due = false;
    engine->has_more = false;
    MHD_run(engine->daemon);
    engine->is_running = false;
    engine_arm(engine);
}

static void engine_readable(uv_poll_t *poll, int status, int events)
{
    struct bondy_http_engine *engine = poll->data;

    (void)status;
    (void)events;
    engine->is_due = true; /* after what else came in this turn: answers of calls above all */
}

static void engine_timed_out(struct bondy_timer *timer)
{
    engine_run(BONDY_CONTAINER(timer, struct bondy_http_engine, timer));
}

static struct MHD_Daemon *start_daemon(struct bondy_http_engine *engine)
{
    unsigned max_connections = engine->server->max_connections;

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, bondy_connection_on_access, engine,
        /* first, so that it hears of mistakes in the others */
        MHD_OPTION_EXTERNAL_LOGGER, library_says, engine, /* */
        /* Level 1 would check two things that head.c checks too, and refuse them without or with a
         * garbled answer (threat-model H1 asked for 1 before head.c was complete). */
        MHD_OPTION_STRICT_FOR_CLIENT, 0,              /* */
        MHD_OPTION_CONNECTION_LIMIT, max_connections, /* */
        /* the front door counts by address, over all threads; this is the second fence */
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, max_connections,  /* */
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, engine->pool_len, /* */
        MHD_OPTION_CONNECTION_TIMEOUT, engine->timeout_s,     /* */
        /* it is ignored (src/sys/signals.h): files may go out with sendfile */
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,                               /* */
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,                  /* */
        MHD_OPTION_URI_LOG_CALLBACK, bondy_connection_on_uri, engine,       /* */
        MHD_OPTION_NOTIFY_COMPLETED, bondy_connection_on_completed, engine, /* */
        MHD_OPTION_NOTIFY_CONNECTION, bondy_connection_on_notify, engine,   /* */
        MHD_OPTION_END);
}

static void free_handle(uv_handle_t *handle)
{
    bondy_free(handle);
}

static int engine_create(struct bondy_http_server *server, size_t pool_len, unsigned timeout_s,
                         struct bondy_http_engine **out, struct bondy_error *err)
{
    struct bondy_http_engine *engine = bondy_zalloc(sizeof *engine);
    const union MHD_DaemonInfo *info;

    engine->server = server;
    engine->pool_len = pool_len;
    engine->timeout_s = timeout_s;
    bondy_timer_init(&engine->timer, engine_timed_out);
    engine->daemon = start_daemon(engine);
    if (engine->daemon == NULL) {
        bondy_free(engine);
        return bondy_fail(err, BONDY_EIO, "libmicrohttpd could not be started");
    }
    info = MHD_get_daemon_info(engine->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    engine->epoll_fd = info->epoll_fd;
    engine->poll = bondy_zalloc(sizeof *engine->poll);
    if (uv_poll_init(bondy_loop_uv(server->loop), engine->poll, engine->epoll_fd) < 0) {
        bondy_free(engine->poll);
        MHD_stop_daemon(engine->daemon);
        bondy_free(engine);
        return bondy_fail(err, BONDY_EIO, "libmicrohttpd's descriptor cannot be polled");
    }
    engine->poll->data = engine;
    uv_poll_start(engine->poll, UV_READABLE, engine_readable);
    bondy_list_append(&server->engines, &engine->link);
    *out = engine;
    return BONDY_OK;
}

static void engine_destroy(struct bondy_http_engine *engine)
{
    bondy_list_remove(&engine->link);
    bondy_timer_stop(bondy_loop_wheel(engine->server->loop), &engine->timer);
    uv_poll_stop(engine->poll);
    uv_close((uv_handle_t *)engine->poll, free_handle);
    MHD_stop_daemon(engine->daemon); /* closes the epoll descriptor: after its handle */
    bondy_free(engine);
}

/* libmicrohttpd's own timeout is the one for readers that do not read, and a fence behind ours. */
static unsigned library_timeout(const struct bondy_http_limits *limits)
{
    uint64_t most = limits->idle_timeout_ms;

    if (limits->body_timeout_ms > most)
        most = limits->body_timeout_ms;
    if (limits->request_timeout_ms > most)
        most = limits->request_timeout_ms;
    return (unsigned)(most / 1000) + 10;
}

static int find_engine(struct bondy_http_server *server, const struct bondy_http_limits *limits,
                       struct bondy_http_engine **out, struct bondy_error *err)
{
    size_t pool_len = limits->max_header_size + POOL_EXTRA;
    unsigned timeout_s = library_timeout(limits);

    BONDY_LIST_EACH(link, &server->engines)
    {
        struct bondy_http_engine *engine = BONDY_LIST_ENTRY(link, struct bondy_http_engine, link);

        if (engine->pool_len == pool_len && engine->timeout_s == timeout_s) {
            *out = engine;
            return BONDY_OK;
        }
    }
    return engine_create(server, pool_len, timeout_s, out, err);
}

/* ---- server ---------------------------------------------------------------------------------- */

static bool run_due(struct bondy_flush *flush)
{
    struct bondy_http_server *server = BONDY_CONTAINER(flush, struct bondy_http_server, flush);
    bool ran = false;

    BONDY_LIST_EACH(link, &server->engines)
    {
        struct bondy_http_engine *engine = BONDY_LIST_ENTRY(link, struct bondy_http_engine, link);

        if (engine->is_due) {
            engine_run(engine);
            ran = true;
        }
    }
    return ran;
}

int bondy_http_server_create(struct bondy_loop *loop, unsigned max_connections,
                             struct bondy_http_server **out, struct bondy_error *err)
{
    struct bondy_http_server *server;

    if (MHD_is_feature_supported(MHD_FEATURE_EPOLL) == MHD_NO)
        return bondy_fail(err, BONDY_EUNSUPPORTED, "libmicrohttpd was built without epoll");
    server = bondy_zalloc(sizeof *server);
    server->loop = loop;
    server->max_connections = max_connections;
    server->requests = bondy_slab_create(sizeof(struct bondy_request), 0);
    bondy_prepared_init(server);
    bondy_list_init(&server->engines);
    bondy_list_init(&server->connections);
    bondy_list_init(&server->pending);
    bondy_list_init(&server->lingerers);
    server->flush.rank = BONDY_FLUSH_HTTP;
    server->flush.fn = run_due;
    bondy_loop_add_flush(loop, &server->flush);
    *out = server;
    return BONDY_OK;
}

int bondy_http_server_adopt(struct bondy_http_server *server, int fd,
                            const struct bondy_http_listener *listener,
                            const struct bondy_http_peer *peer, struct bondy_error *err)
{
    struct bondy_http_engine *engine = NULL;
    enum MHD_Result added;
    int rc;

    if (server->is_stopping)
        rc = bondy_fail(err, BONDY_ESTATE, "the HTTP server is stopping");
    else
        rc = find_engine(server, &listener->limits, &engine, err);
    if (rc < 0) {
        close(fd);
        if (peer->on_closed != NULL)
            peer->on_closed(peer->token);
        return rc;
    }
    server->adopting = bondy_connection_create(server, engine, fd, listener, peer);
    added = MHD_add_connection(engine->daemon, fd, &peer->address.any, peer->address.len);
    if (added == MHD_NO && server->adopting->mhd == NULL)
        bondy_connection_destroy(server->adopting);
    server->adopting = NULL;
    if (added == MHD_NO)
        return bondy_fail(err, BONDY_ELIMIT, "libmicrohttpd refused the connection");
    engine->is_due = true;
    bondy_loop_again(server->loop);
    return BONDY_OK;
}

size_t bondy_http_server_pending(const struct bondy_http_server *server)
{
    return server->pending_count;
}

void bondy_http_server_drain(struct bondy_http_server *server)
{
    server->is_draining = true;
    BONDY_LIST_EACH(link, &server->connections)
    {
        struct bondy_http_connection *connection =
            BONDY_LIST_ENTRY(link, struct bondy_http_connection, link);

        if (connection->phase == BONDY_PHASE_IDLE)
            bondy_connection_shut(connection);
    }
}

static bool is_sending(const struct bondy_http_server *server)
{
    BONDY_LIST_EACH(link, &server->connections)
    {
        if (BONDY_LIST_ENTRY(link, struct bondy_http_connection, link)->phase ==
            BONDY_PHASE_SENDING)
            return true;
    }
    return false;
}

/* Stopping libmicrohttpd with a suspended connection ends the process, so each is answered and
 * resumed; then what is on its way gets a little time. */
static void finish_requests(struct bondy_http_server *server)
{
    uint64_t deadline_ms = bondy_clock_mono_ms() + DRAIN_MS;

    while (!bondy_list_is_empty(&server->pending))
        bondy_request_give_up(BONDY_LIST_ENTRY(server->pending.next, struct bondy_request, link),
                              503);
    for (unsigned round = 0; round < 2 || is_sending(server); round++) {
        if (round >= 2 && bondy_clock_mono_ms() >= deadline_ms)
            break;
        BONDY_LIST_EACH(link, &server->engines)
        {
            struct bondy_http_engine *engine =
                BONDY_LIST_ENTRY(link, struct bondy_http_engine, link);
            struct pollfd wait = {.fd = engine->epoll_fd, .events = POLLIN};

            if (round >= 2)
                poll(&wait, 1, 10);
            MHD_run(engine->daemon);
        }
    }
}

void bondy_http_server_destroy(struct bondy_http_server *server)
{
    if (server == NULL)
        return;
    server->is_draining = true;
    server->is_stopping = true;
    bondy_loop_remove_flush(server->loop, &server->flush);
    finish_requests(server);
    while (!bondy_list_is_empty(&server->engines))
        engine_destroy(BONDY_LIST_ENTRY(server->engines.next, struct bondy_http_engine, link));
    bondy_linger_stop_all(server);
    bondy_prepared_fini(server);
    bondy_slab_destroy(server->requests);
    bondy_free(server);
}
