/* SPDX-License-Identifier: Apache-2.0 */

/* relay: carries the decrypted octets of one TLS connection to a socket pair whose other end a
 * library owns (libmicrohttpd, libwebsockets), and back (architecture 9.3).
 *
 * Each direction has at most one piece waiting: inwards the one here, outwards the record inside
 * GnuTLS. While it waits, the side it came from is not read. */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/transport/door.h"

/* Pieces for each event, before other connections have their turn. */
#define PIECES 8
/* The client ended its side: how long its last answer may take. */
#define ANSWER_MS 30000
/* After our last octet: how long the client is listened to, so that its system does not throw the
 * answer away. */
#define FAREWELL_MS 2000

struct bondy_relay {
    struct bondy_list link;
    struct bondy_door *door;
    struct bondy_wire *wire;
    struct bondy_relay **holder; /* emptied at the end; NULL: nobody holds it */
    uv_poll_t outer;             /* the client */
    uv_poll_t inner;             /* the pair */
    struct bondy_timer timer;
    uint8_t *piece; /* decrypted, not yet written to the pair */
    size_t piece_start, piece_end;
    int outer_fd, inner_fd;
    int outer_events, inner_events;
    unsigned open_handles;
    bool client_ended;
    bool pair_ended;
    bool has_ahead;  /* octets were fetched that no event will tell of */
    bool is_leaving; /* everything was written, the client's end is awaited */
    bool is_over;
};

static void on_outer(uv_poll_t *poll, int status, int events);
static void on_inner(uv_poll_t *poll, int status, int events);

static void on_handle_closed(uv_handle_t *handle)
{
    struct bondy_relay *relay = handle->data;

    relay->door->handle_count--;
    if (--relay->open_handles > 0)
        return;
    bondy_wire_destroy(relay->wire);
    close(relay->outer_fd);
    close(relay->inner_fd);
    bondy_free(relay->piece);
    bondy_free(relay);
}

static void end(struct bondy_relay *relay)
{
    if (relay->is_over)
        return;
    relay->is_over = true;
    if (relay->holder != NULL)
        *relay->holder = NULL;
    bondy_list_remove(&relay->link);
    bondy_timer_stop(bondy_loop_wheel(relay->door->loop), &relay->timer);
    bondy_door_poll_close(relay->door, &relay->outer, on_handle_closed);
    bondy_door_poll_close(relay->door, &relay->inner, on_handle_closed);
}

static void on_timer(struct bondy_timer *timer)
{
    end(BONDY_CONTAINER(timer, struct bondy_relay, timer));
}

static void set_events(uv_poll_t *poll, int *current, int events, uv_poll_cb callback)
{
    if (events == *current)
        return;
    *current = events;
    if (events == 0)
        uv_poll_stop(poll);
    else
        uv_poll_start(poll, events, callback);
}

static void update_polls(struct bondy_relay *relay)
{
    bool is_blocked = bondy_wire_is_blocked(relay->wire);
    int outer = 0;
    int inner = 0;

    if (relay->is_over)
        return;
    if (relay->is_leaving) {
        set_events(&relay->outer, &relay->outer_events, UV_READABLE, on_outer);
        set_events(&relay->inner, &relay->inner_events, 0, on_inner);
        return;
    }
    if (!relay->client_ended && relay->piece == NULL)
        outer |= UV_READABLE;
    if (is_blocked || (relay->has_ahead && relay->piece == NULL))
        outer |= UV_WRITABLE;
    if (!is_blocked && !relay->pair_ended)
        inner |= UV_READABLE;
    if (relay->piece != NULL)
        inner |= UV_WRITABLE;
    set_events(&relay->outer, &relay->outer_events, outer, on_outer);
    set_events(&relay->inner, &relay->inner_events, inner, on_inner);
}

/* ---- inwards --------------------------------------------------------------------------------- */

/* Writes to the pair; what does not fit becomes the waiting piece. False: the pair is gone. */
static bool deliver(struct bondy_relay *relay, const uint8_t *bytes, size_t len)
{
    ssize_t sent = send(relay->inner_fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    if (sent < 0)
        sent = 0;
    if ((size_t)sent < len) {
        relay->piece = bondy_alloc(len - (size_t)sent);
        memcpy(relay->piece, bytes + sent, len - (size_t)sent);
        relay->piece_start = 0;
        relay->piece_end = len - (size_t)sent;
    }
    return true;
}

static bool deliver_piece(struct bondy_relay *relay)
{
    ssize_t sent = send(relay->inner_fd, relay->piece + relay->piece_start,
                        relay->piece_end - relay->piece_start, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0)
        return errno == EAGAIN || errno == EINTR;
    relay->piece_start += (size_t)sent;
    if (relay->piece_start == relay->piece_end) {
        bondy_free(relay->piece);
        relay->piece = NULL;
        if (relay->client_ended)
            shutdown(relay->inner_fd, SHUT_WR);
    }
    return true;
}

static void on_client_end(struct bondy_relay *relay)
{
    relay->client_ended = true;
    if (relay->piece == NULL)
        shutdown(relay->inner_fd, SHUT_WR);
    bondy_timer_start(bondy_loop_wheel(relay->door->loop), &relay->timer, ANSWER_MS);
}

/* Reads until there is nothing left or a piece waits. */
static void carry_inwards(struct bondy_relay *relay)
{
    relay->has_ahead = false;
    if (relay->client_ended)
        return;
    bondy_wire_is_readable(relay->wire);
    for (unsigned i = 0; i < PIECES && relay->piece == NULL; i++) {
        ssize_t got = bondy_wire_read(relay->wire, relay->door->buffer, BONDY_DOOR_BUFFER);

        if (got == -EAGAIN)
            return;
        if (got == 0) {
            on_client_end(relay);
            return;
        }
        if (got < 0 || !deliver(relay, relay->door->buffer, (size_t)got)) {
            end(relay);
            return;
        }
    }
    bondy_wire_pause(relay->wire);
    relay->has_ahead = true;
}

/* ---- outwards -------------------------------------------------------------------------------- */

static void on_pair_end(struct bondy_relay *relay)
{
    relay->pair_ended = true;
    if (bondy_wire_is_blocked(relay->wire))
        return;
    bondy_wire_bye(relay->wire);
    if (relay->client_ended) {
        end(relay);
        return;
    }
    shutdown(relay->outer_fd, SHUT_WR);
    relay->is_leaving = true;
    bondy_timer_start(bondy_loop_wheel(relay->door->loop), &relay->timer, FAREWELL_MS);
}

static void discard(struct bondy_relay *relay)
{
    ssize_t got = recv(relay->outer_fd, relay->door->buffer, BONDY_DOOR_BUFFER, MSG_DONTWAIT);

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        end(relay);
}

static void carry_outwards(struct bondy_relay *relay)
{
    for (unsigned i = 0; i < PIECES && !bondy_wire_is_blocked(relay->wire); i++) {
        ssize_t got = recv(relay->inner_fd, relay->door->outgoing, BONDY_WIRE_RECORD, MSG_DONTWAIT);

        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            on_pair_end(relay);
            return;
        }
        if (bondy_wire_write(relay->wire, relay->door->outgoing, (size_t)got) < 0) {
            end(relay);
            return;
        }
        if ((size_t)got < BONDY_WIRE_RECORD)
            return;
    }
}

/* ---- events ---------------------------------------------------------------------------------- */

static void on_outer(uv_poll_t *poll, int status, int events)
{
    struct bondy_relay *relay = poll->data;

    if (status < 0) {
        end(relay);
        return;
    }
    if (relay->is_leaving) {
        discard(relay);
        return;
    }
    if ((events & UV_WRITABLE) != 0) {
        int rc = bondy_wire_flush(relay->wire);

        if (rc < 0 && rc != -EAGAIN) {
            end(relay);
            return;
        }
        if (rc == 0 && relay->pair_ended) {
            on_pair_end(relay);
            update_polls(relay);
            return;
        }
    }
    if (((events & UV_READABLE) != 0 || relay->has_ahead) && relay->piece == NULL)
        carry_inwards(relay);
    update_polls(relay);
}

static void on_inner(uv_poll_t *poll, int status, int events)
{
    struct bondy_relay *relay = poll->data;

    if (status < 0 ||
        ((events & UV_WRITABLE) != 0 && relay->piece != NULL && !deliver_piece(relay))) {
        end(relay);
        return;
    }
    if ((events & UV_WRITABLE) != 0 && relay->piece == NULL && relay->has_ahead)
        carry_inwards(relay);
    if ((events & UV_READABLE) != 0 && !relay->is_over && !relay->pair_ended)
        carry_outwards(relay);
    update_polls(relay);
}

/* ---- start ----------------------------------------------------------------------------------- */

/* The descriptors in reserve are not for connections. */
static bool open_pair(const struct bondy_door *door, int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
        return false;
    if (pair[0] < door->max_fd && pair[1] < door->max_fd)
        return true;
    close(pair[0]);
    close(pair[1]);
    return false;
}

int bondy_relay_start(struct bondy_door *door, int fd, struct bondy_wire *wire,
                      struct bondy_slice first, struct bondy_relay **out)
{
    struct bondy_relay *relay;
    int pair[2];

    if (!open_pair(door, pair)) {
        bondy_metric_add(door->traffic.refused[BONDY_REFUSAL_DESCRIPTORS], 1);
        bondy_wire_destroy(wire);
        close(fd);
        return -1;
    }
    relay = bondy_zalloc(sizeof *relay);
    relay->door = door;
    relay->wire = wire;
    relay->outer_fd = fd;
    relay->inner_fd = pair[0];
    relay->open_handles = 2;
    /* What was read while the protocol was found out, and what was fetched ahead. */
    relay->has_ahead = true;
    bondy_timer_init(&relay->timer, on_timer);
    bondy_list_append(&door->relays, &relay->link);
    bondy_door_poll_open(door, &relay->outer, fd, relay);
    bondy_door_poll_open(door, &relay->inner, pair[0], relay);
    if (first.len > 0 && !deliver(relay, (const uint8_t *)first.data, first.len))
        end(relay);
    update_polls(relay);
    if (out != NULL)
        *out = relay;
    return pair[1];
}

void bondy_relay_attach(struct bondy_relay *relay, struct bondy_relay **holder)
{
    *holder = relay->is_over ? NULL : relay;
    if (!relay->is_over)
        relay->holder = holder;
}

void bondy_relay_detach(struct bondy_relay **holder)
{
    if (*holder != NULL)
        (*holder)->holder = NULL;
    *holder = NULL;
}

const struct bondy_wire *bondy_relay_wire(const struct bondy_relay *relay)
{
    return relay->wire;
}

void bondy_relay_destroy_all(struct bondy_door *door)
{
    while (!bondy_list_is_empty(&door->relays))
        end(BONDY_LIST_ENTRY(door->relays.next, struct bondy_relay, link));
}
