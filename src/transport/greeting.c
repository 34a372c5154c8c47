/* SPDX-License-Identifier: Apache-2.0 */

/* greeting: a connection whose protocol is not known yet. It looks at the first octets without
 * taking them (on TLS: after decrypting them) and hands the connection over, in the order of
 * architecture 9.2. It ends in one of four ways: RawSocket, WebSocket, HTTP, or a farewell: an
 * answer in the client's protocol, then the end.
 *
 * Plain: octets stay in the socket; while a head is incomplete SO_RCVLOWAT keeps the
 * level-triggered poll quiet until there is more. */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/transport/door.h"
#include "src/transport/origin.h"
#include "src/transport/upgrade.h"

/* SO_RCVLOWAT does not hold for polled Unix sockets: these are looked at again on a timer. */
#define LOOK_AGAIN_MS 20
/* How long, and for how many octets, we listen to a client after our last word to it, so that its
 * system does not throw our answer away. */
#define FAREWELL_MS 2000
#define FAREWELL_BYTES (1024 * 1024)

enum stage { SHAKING_HANDS, LOOKING, LEAVING };

struct greeting {
    struct bondy_list link;
    struct bondy_door *door;
    struct bondy_door_ticket ticket;
    struct bondy_door_listener *listener;
    struct bondy_wire *wire;
    struct bondy_buf clear; /* TLS: what was decrypted */
    uv_poll_t poll;
    struct bondy_timer timer;
    struct bondy_address peer;
    uint64_t deadline_ms;
    size_t seen; /* plain: octets there at the last look; leaving: octets thrown away */
    int fd;
    enum stage stage;
    bool is_full; /* a limit is reached: say so in the client's protocol */
    bool has_low_water;
};

static void on_ready(uv_poll_t *poll, int status, int events);

/* ---- end ------------------------------------------------------------------------------------- */

static void on_poll_closed(uv_handle_t *handle)
{
    struct greeting *greeting = handle->data;

    greeting->door->handle_count--;
    if (greeting->fd >= 0)
        close(greeting->fd);
    bondy_free(greeting);
}

/* What is still the greeting's goes with it. */
static void end(struct greeting *greeting)
{
    struct bondy_door *door = greeting->door;

    bondy_list_remove(&greeting->link);
    bondy_timer_stop(bondy_loop_wheel(door->loop), &greeting->timer);
    bondy_wire_destroy(greeting->wire);
    bondy_buf_fini(&greeting->clear);
    bondy_door_ticket_return(&greeting->ticket);
    if (greeting->is_full)
        door->refusal_count--;
    bondy_door_poll_close(door, &greeting->poll, on_poll_closed);
}

static void fail_handshake(struct greeting *greeting)
{
    bondy_metric_add(greeting->door->traffic.refused[BONDY_REFUSAL_HANDSHAKE], 1);
    end(greeting);
}

static void restart_timer(struct greeting *greeting, uint64_t delay_ms)
{
    bondy_timer_start(bondy_loop_wheel(greeting->door->loop), &greeting->timer, delay_ms);
}

/* ---- farewell -------------------------------------------------------------------------------- */

static void discard(struct greeting *greeting)
{
    struct bondy_door *door = greeting->door;

    for (;;) {
        ssize_t got = recv(greeting->fd, door->buffer, BONDY_DOOR_BUFFER, MSG_DONTWAIT);

        if (got < 0 && errno == EAGAIN)
            return;
        if (got > 0)
            greeting->seen += (size_t)got;
        if (got <= 0 || greeting->seen > FAREWELL_BYTES) {
            end(greeting);
            return;
        }
    }
}

/* Writes a last answer: short, on a connection that nothing was written to, so it fits. */
static void farewell(struct greeting *greeting, const void *answer, size_t len)
{
    int one = 1;

    bondy_metric_add(greeting->door->traffic.refused[BONDY_REFUSAL_HANDSHAKE], 1);
    if (greeting->wire != NULL) {
        bondy_wire_write(greeting->wire, answer, len);
        bondy_wire_bye(greeting->wire);
    } else if (send(greeting->fd, answer, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        end(greeting);
        return;
    }
    if (greeting->has_low_water)
        setsockopt(greeting->fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
    shutdown(greeting->fd, SHUT_WR);
    greeting->stage = LEAVING;
    greeting->seen = 0;
    restart_timer(greeting, FAREWELL_MS);
    uv_poll_start(&greeting->poll, UV_READABLE, on_ready);
    discard(greeting);
}

static const char *reason_phrase(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 408:
        return "Request Timeout";
    case 426:
        return "Upgrade Required";
    case 431:
        return "Request Header Fields Too Large";
    default:
        return "Service Unavailable";
    }
}

static void refuse(struct greeting *greeting, int status, const char *why)
{
    struct bondy_buf body = BONDY_BUF_EMPTY;
    struct bondy_buf answer = BONDY_BUF_EMPTY;

    bondy_buf_printf(&body, "{\"code\":\"bondy.error.bad_handshake\",\"message\":\"%s\"}\n", why);
    bondy_buf_printf(&answer,
                     "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                     "X-Content-Type-Options: nosniff\r\n%sContent-Length: %zu\r\n\r\n",
                     status, reason_phrase(status),
                     status == 426 ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" : "",
                     body.len);
    bondy_buf_append_slice(&answer, bondy_buf_slice(&body));
    farewell(greeting, answer.data, answer.len);
    bondy_buf_fini(&answer);
    bondy_buf_fini(&body);
}

/* ---- handing over ---------------------------------------------------------------------------- */

/* What the next owner gets. */
struct handover {
    struct bondy_door *door;
    struct bondy_door_listener *listener;
    struct bondy_door_ticket ticket;
    struct bondy_address peer;
    struct bondy_wire *wire;
    struct bondy_buf clear;
    int fd;
    bool is_full;
};

/* Ends the greeting: its poll handle is stopped and closing before anybody else watches the
 * descriptor. */
static void let_go(struct greeting *greeting, struct handover *out)
{
    int one = 1;

    *out = (struct handover){
        .door = greeting->door,
        .listener = greeting->listener,
        .ticket = greeting->ticket,
        .peer = greeting->peer,
        .wire = BONDY_MOVE(greeting->wire),
        .clear = greeting->clear,
        .fd = greeting->fd,
        .is_full = greeting->is_full,
    };
    if (greeting->has_low_water)
        setsockopt(greeting->fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
    greeting->clear = (struct bondy_buf)BONDY_BUF_EMPTY;
    greeting->ticket.listener = NULL;
    greeting->fd = -1;
    end(greeting);
}

static void become_rawsocket(struct greeting *greeting)
{
    struct handover handover;
    struct bondy_rawsocket_start start;

    let_go(greeting, &handover);
    start = (struct bondy_rawsocket_start){
        .listener = handover.listener,
        .ticket = handover.ticket,
        .peer = &handover.peer,
        .fd = handover.fd,
        .wire = handover.wire,
        .early = bondy_buf_slice(&handover.clear),
        .is_full = handover.is_full,
    };
    bondy_rawsocket_start(handover.door, &start);
    bondy_buf_fini(&handover.clear);
}

/* What is the HTTP server's until the connection is over. */
struct lodger {
    struct bondy_door_ticket ticket;
    char certificate[]; /* the client's name; "" when there is none */
};

static void on_http_closed(void *token)
{
    struct lodger *lodger = token;

    bondy_door_ticket_return(&lodger->ticket);
    bondy_free(lodger);
}

static struct lodger *lodger_create(const struct bondy_wire *wire)
{
    char name[BONDY_TLS_NAME_MAX] = "";
    struct lodger *lodger;

    if (wire != NULL)
        bondy_wire_client_name(wire, name);
    lodger = bondy_alloc(sizeof *lodger + strlen(name) + 1);
    memcpy(lodger->certificate, name, strlen(name) + 1);
    return lodger;
}

static void identify_local(int fd, struct bondy_http_peer *peer)
{
    struct ucred credentials;
    socklen_t len = sizeof credentials;

    peer->is_local = true;
    peer->uid = UINT32_MAX;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) == 0)
        peer->uid = credentials.uid;
}

static void become_http(struct greeting *greeting)
{
    struct lodger *lodger = lodger_create(greeting->wire);
    struct bondy_http_peer peer = {
        .certificate = lodger->certificate, .on_closed = on_http_closed, .token = lodger};
    struct handover handover;
    struct bondy_error err;

    let_go(greeting, &handover);
    lodger->ticket = handover.ticket;
    peer.address = handover.peer;
    if (handover.listener->is_admin_local || handover.peer.any.sa_family == AF_UNIX)
        identify_local(handover.fd, &peer);
    if (handover.wire != NULL)
        handover.fd = bondy_relay_start(handover.door, handover.fd, handover.wire,
                                        bondy_buf_slice(&handover.clear), NULL);
    bondy_buf_fini(&handover.clear);
    if (handover.fd < 0)
        on_http_closed(lodger);
    else if (bondy_http_server_adopt(handover.door->http, handover.fd, handover.listener->http,
                                     &peer, &err) < 0)
        bondy_log(BONDY_LOG_DEBUG, "http_adopt_failed", BONDY_F_STR("reason", err.text));
}

/* Takes the head off the connection; libwebsockets is given another one. */
static bool take_head(const struct handover *handover, size_t len)
{
    /* A connection that was reset meanwhile gives nothing. */
    return recv(handover->fd, handover->door->outgoing, len, MSG_DONTWAIT) == (ssize_t)len;
}

/* `upgrade` borrows from the greeting's octets, which are here until the end of this function. */
static void become_websocket(struct greeting *greeting, size_t head_len,
                             const struct bondy_upgrade *upgrade, struct bondy_slice cookies)
{
    struct bondy_websocket_start start = {.upgrade = upgrade, .cookies = cookies};
    struct handover handover;

    let_go(greeting, &handover);
    start.listener = handover.listener;
    start.ticket = handover.ticket;
    start.peer = &handover.peer;
    start.fd = handover.fd;
    if (handover.wire != NULL) {
        start.fd = bondy_relay_start(handover.door, handover.fd, handover.wire,
                                     bondy_slice_skip(bondy_buf_slice(&handover.clear), head_len),
                                     &start.relay);
    } else if (!take_head(&handover, head_len)) {
        close(start.fd);
        start.fd = -1;
    }
    if (start.fd < 0)
        bondy_door_ticket_return(&start.ticket);
    else
        bondy_websocket_start(handover.door, &start);
    bondy_buf_fini(&handover.clear);
}

/* ---- deciding -------------------------------------------------------------------------------- */

static bool is_allowed(const struct greeting *greeting, const struct bondy_upgrade *upgrade)
{
    const struct bondy_door_listener *listener = greeting->listener;
    const struct bondy_door_knock knock = {.peer = &greeting->peer,
                                           .host = upgrade->host,
                                           .origin = upgrade->origin,
                                           .is_tls = greeting->wire != NULL};

    return listener->allow_upgrade == NULL || listener->allow_upgrade(listener->context, &knock);
}

/* Whether what was read well is served here: 0, or the status to refuse it with. */
static int judge_upgrade(const struct greeting *greeting, const struct bondy_upgrade *upgrade,
                         struct bondy_slice *cookies, const char **why)
{
    const struct bondy_door_listener *listener = greeting->listener;
    const struct bondy_origin_rules rules = {.is_tls = greeting->wire != NULL,
                                             .listed = listener->cookie_origins};

    *why = "no WebSocket here";
    if (listener->websocket_path != NULL &&
        !bondy_slice_is(upgrade->path, listener->websocket_path))
        return 404;
    *why = "host or origin not allowed";
    if (!is_allowed(greeting, upgrade))
        return 403;
    *why = "too many connections";
    if (greeting->is_full || greeting->door->is_closing)
        return 503;
    return bondy_origin_judge(upgrade, &rules, cookies, why);
}

static void upgrade_or_refuse(struct greeting *greeting, struct bondy_slice head)
{
    struct bondy_slice cookies = BONDY_SLICE_EMPTY;
    struct bondy_upgrade upgrade;
    const char *why;
    int status = bondy_upgrade_parse(head, &upgrade, &why);

    if (status == 0)
        status = judge_upgrade(greeting, &upgrade, &cookies, &why);
    if (status != 0)
        refuse(greeting, status, why);
    else
        become_websocket(greeting, head.len, &upgrade, cookies);
}

static void http_or_refuse(struct greeting *greeting)
{
    if ((greeting->listener->accepts & BONDY_DOOR_HTTP) == 0)
        refuse(greeting, 426, "this port speaks WebSocket only");
    else if (greeting->is_full)
        refuse(greeting, 503, "too many connections");
    else
        become_http(greeting);
}

/* A method is a token; empty lines in front of it are the HTTP server's to judge. Anything else is
 * another protocol (TLS on a plain port, say) that no answer of ours would mean anything to. */
static bool may_start_request(unsigned char octet)
{
    return (octet > 0x20 && octet < 0x7f) || octet == '\r' || octet == '\n';
}

/* Decides if that can be done. False: more octets are needed. */
static bool decide(struct greeting *greeting, struct bondy_slice bytes)
{
    static const struct bondy_slice get = {"GET ", 4};
    unsigned accepts = greeting->listener->accepts;
    size_t head_len;

    if (bytes.len == 0)
        return false;
    if ((unsigned char)bytes.data[0] == BONDY_DOOR_RAWSOCKET_OCTET &&
        (accepts & BONDY_DOOR_RAWSOCKET) != 0) {
        become_rawsocket(greeting);
        return true;
    }
    if ((accepts & (BONDY_DOOR_HTTP | BONDY_DOOR_WEBSOCKET)) == 0 ||
        !may_start_request((unsigned char)bytes.data[0])) {
        fail_handshake(greeting);
        return true;
    }
    if (memcmp(bytes.data, get.data, bytes.len < get.len ? bytes.len : get.len) != 0 ||
        ((accepts & BONDY_DOOR_WEBSOCKET) == 0 && !greeting->is_full)) {
        http_or_refuse(greeting);
        return true;
    }
    head_len = bondy_upgrade_head_len(bytes);
    if (head_len == 0 && bytes.len < BONDY_DOOR_HEAD_MAX)
        return false;
    if (head_len == 0 || !bondy_upgrade_is_wanted(bondy_slice_of(bytes.data, head_len)))
        http_or_refuse(greeting);
    else if ((accepts & BONDY_DOOR_WEBSOCKET) == 0)
        refuse(greeting, 400, "no WebSocket on this port");
    else
        upgrade_or_refuse(greeting, bondy_slice_of(bytes.data, head_len));
    return true;
}

/* ---- looking --------------------------------------------------------------------------------- */

static void wait_for_more(struct greeting *greeting, size_t seen)
{
    uint64_t now = bondy_loop_now_ms(greeting->door->loop);
    uint64_t left = greeting->deadline_ms > now ? greeting->deadline_ms - now : 0;
    int low = (int)seen + 1;

    greeting->seen = seen;
    if (greeting->peer.any.sa_family == AF_UNIX) {
        uv_poll_stop(&greeting->poll);
        restart_timer(greeting, left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS);
        return;
    }
    greeting->has_low_water = true;
    setsockopt(greeting->fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low);
}

static void look(struct greeting *greeting)
{
    struct bondy_door *door = greeting->door;
    ssize_t got = recv(greeting->fd, door->buffer, BONDY_DOOR_HEAD_MAX, MSG_PEEK | MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        fail_handshake(greeting);
        return;
    }
    if (decide(greeting, bondy_slice_of(door->buffer, (size_t)got)))
        return;
    /* Readable, and yet nothing new: the client has ended its side. A Unix socket was only looked
     * at again, and says that it ended by itself. */
    if ((size_t)got <= greeting->seen && greeting->peer.any.sa_family != AF_UNIX)
        fail_handshake(greeting);
    else
        wait_for_more(greeting, (size_t)got);
}

static void look_through_tls(struct greeting *greeting)
{
    struct bondy_door *door = greeting->door;

    bondy_wire_is_readable(greeting->wire);
    for (;;) {
        ssize_t got = bondy_wire_read(greeting->wire, door->buffer, BONDY_DOOR_BUFFER);

        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            fail_handshake(greeting);
            return;
        }
        bondy_buf_append(&greeting->clear, door->buffer, (size_t)got);
        bondy_wire_pause(greeting->wire);
        if (decide(greeting, bondy_buf_slice(&greeting->clear)))
            return;
    }
}

static void shake_hands(struct greeting *greeting)
{
    int rc = bondy_wire_handshake(greeting->wire);

    if (rc < 0) {
        fail_handshake(greeting);
        return;
    }
    if (rc == 0) {
        uv_poll_start(&greeting->poll, bondy_wire_events(greeting->wire), on_ready);
        return;
    }
    greeting->stage = LOOKING;
    uv_poll_start(&greeting->poll, UV_READABLE, on_ready);
    look_through_tls(greeting);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct greeting *greeting = poll->data;

    (void)events;
    if (status < 0)
        fail_handshake(greeting);
    else if (greeting->stage == SHAKING_HANDS)
        shake_hands(greeting);
    else if (greeting->stage == LEAVING)
        discard(greeting);
    else if (greeting->wire != NULL)
        look_through_tls(greeting);
    else
        look(greeting);
}

static void on_timer(struct bondy_timer *timer)
{
    struct greeting *greeting = BONDY_CONTAINER(timer, struct greeting, timer);

    if (greeting->stage == LEAVING)
        end(greeting);
    else if (bondy_loop_now_ms(greeting->door->loop) < greeting->deadline_ms)
        look(greeting);
    else if (greeting->stage == LOOKING && greeting->seen + greeting->clear.len > 0)
        refuse(greeting, 408, "the request took too long");
    else
        fail_handshake(greeting);
}

/* ---- start ----------------------------------------------------------------------------------- */

static struct bondy_wire *open_wire(struct bondy_door *door, struct bondy_door_listener *listener,
                                    int fd)
{
    struct bondy_wire *wire = NULL;
    struct bondy_error err;

    if (bondy_wire_create(atomic_load(&listener->tls), fd, door->ahead, &wire, &err) < 0)
        bondy_log(BONDY_LOG_WARN, "tls_session_failed", BONDY_F_STR("listener", listener->name),
                  BONDY_F_STR("reason", err.text));
    return wire;
}

void bondy_greeting_start(struct bondy_door *door, struct bondy_door_listener *listener, int fd,
                          const struct bondy_address *peer, struct bondy_door_ticket ticket,
                          enum bondy_door_refusal refusal)
{
    struct greeting *greeting = bondy_zalloc(sizeof *greeting);

    greeting->door = door;
    greeting->listener = listener;
    greeting->ticket = ticket;
    greeting->peer = *peer;
    greeting->fd = fd;
    greeting->is_full = refusal == BONDY_DOOR_FULL;
    greeting->stage = LOOKING;
    greeting->deadline_ms = bondy_loop_now_ms(door->loop) + listener->handshake_timeout_ms;
    bondy_list_append(&door->greetings, &greeting->link);
    bondy_timer_init(&greeting->timer, on_timer);
    if (greeting->is_full)
        door->refusal_count++;
    bondy_door_poll_open(door, &greeting->poll, fd, greeting);
    restart_timer(greeting, listener->handshake_timeout_ms);
    if (atomic_load(&listener->tls) != NULL) {
        greeting->stage = SHAKING_HANDS;
        greeting->wire = open_wire(door, listener, fd);
        if (greeting->wire == NULL) {
            fail_handshake(greeting);
            return;
        }
    } else if (listener->accepts == BONDY_DOOR_RAWSOCKET) {
        become_rawsocket(greeting);
        return;
    }
    uv_poll_start(&greeting->poll, UV_READABLE, on_ready);
}

void bondy_greeting_destroy_all(struct bondy_door *door)
{
    while (!bondy_list_is_empty(&door->greetings))
        end(BONDY_LIST_ENTRY(door->greetings.next, struct greeting, link));
}
