/* SPDX-License-Identifier: Apache-2.0 */

/* websocket: WAMP over WebSocket by libwebsockets 4.1, on the thread's libuv loop.
 *
 * Receiving is the library's: it unmasks, checks and hands over pieces, which are put together here
 * under the message limit. Sending is ours: whole unmasked frames are collected in the outq and go
 * out through lws_write(LWS_WRITE_RAW), many frames at once, from the turn's flush. The library's
 * own frames (pong, close) stand between two of these writes, and each write ends with what fits
 * into the library's buffer; while that is not empty nothing more is written. A connection with
 * permessage-deflate is written message by message instead, since raw frames pass it by. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/transport/door.h"
#include "src/transport/upgrade.h"
#include "src/wamp/codec.h"

/* Of one raw write: what the library copies when the socket is full. */
#define PIECE_MAX (256 * 1024)
#define FRAME_HEAD_MAX 10
#define LAST_WORD_MS 5000
/* What the library reads at once, and allocates for each connection: idle memory. */
#define RECEIVE_PIECE 1024
/* Further pieces read from one connection in a turn. */
#define PIECES_MORE 16

#define OPCODE_TEXT 0x81
#define OPCODE_BINARY 0x82
#define OPCODE_CLOSE 0x88
#define OPCODE_PING 0x89
#define IS_CONTROL(opcode) (((opcode)&8) != 0)

struct bondy_websocket {
    struct bondy_door_sender sender;
    struct bondy_list link;
    struct bondy_list fed_link; /* in door->fed when it received in this turn */
    struct bondy_door *door;
    struct bondy_door_ticket ticket;
    struct bondy_door_listener *listener;
    struct bondy_session *session;
    struct lws *wsi;
    struct bondy_timer timer;
    struct bondy_timer rate_timer; /* the end of BONDY_DOOR_OVER_RATE */
    struct bondy_rate rate;
    struct bondy_outq out;
    struct bondy_buf partial; /* a message that is not whole yet */
    uint8_t *deflating;       /* the message the library compresses from, until it asks for more */
    uint64_t opened_ms;
    uint64_t heard_ms;
    uint64_t message_ms;
    struct bondy_relay *relay;  /* in front of it, until it ends; NULL: plain */
    char *peername;             /* until the session is open */
    struct bondy_slice cookies; /* likewise; owned */
    uint32_t taken;             /* octets of frames since the library last read, about */
    uint16_t close_code;
    uint8_t carrier;
    uint8_t serializer;
    uint8_t pings_missed;
    uint8_t paused;  /* bits of bondy_door_pause: not read */
    bool is_open;    /* between ESTABLISHED and CLOSED */
    bool is_counted; /* in door->session_count */
    bool is_ending;  /* no session: what is queued is written, then the close frame */
    bool is_broken;  /* nothing can be sent any more */
    bool deflates;
};

/* ---- end ------------------------------------------------------------------------------------- */

static void forget_cookies(struct bondy_websocket *ws)
{
    if (ws->cookies.len > 0) {
        sodium_memzero((char *)(uintptr_t)ws->cookies.data, ws->cookies.len);
        bondy_free((char *)(uintptr_t)ws->cookies.data);
    }
    ws->cookies = BONDY_SLICE_EMPTY;
}

/* The library let go of the connection. */
static void destroy(struct bondy_websocket *ws)
{
    struct bondy_door *door = ws->door;

    bondy_list_remove(&ws->link);
    bondy_list_remove(&ws->fed_link);
    bondy_door_forget(door, &ws->sender);
    bondy_timer_stop(bondy_loop_wheel(door->loop), &ws->timer);
    bondy_timer_stop(bondy_loop_wheel(door->loop), &ws->rate_timer);
    bondy_outq_clear(&ws->out);
    bondy_buf_fini(&ws->partial);
    bondy_door_ticket_return(&ws->ticket);
    bondy_traffic_closed(&door->traffic, ws->carrier,
                         bondy_loop_now_ms(door->loop) - ws->opened_ms);
    if (ws->deflating != NULL)
        bondy_free(ws->deflating - LWS_PRE);
    bondy_free(ws->peername);
    forget_cookies(ws);
    bondy_relay_detach(&ws->relay);
    bondy_slab_free(door->websocket_slab, ws);
}

static void lose_session(struct bondy_websocket *ws)
{
    struct bondy_session *session = BONDY_MOVE(ws->session);

    if (ws->is_counted)
        ws->door->session_count--;
    ws->is_counted = false;
    bondy_outq_clear(&ws->out);
    if (session != NULL)
        bondy_session_lost(session);
}

/* From the turn, outside of the library's callbacks. Not LWS_TO_KILL_ASYNC: that is a timer of the
 * library, and it sets its libuv timer only after an event of its own. */
static void kill_now(struct bondy_websocket *ws)
{
    if (ws->wsi != NULL)
        lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

static void on_failed(struct bondy_door_sender *sender)
{
    struct bondy_websocket *ws = BONDY_CONTAINER(sender, struct bondy_websocket, sender);

    lose_session(ws);
    kill_now(ws);
}

static void report_broken(struct bondy_websocket *ws)
{
    if (ws->is_broken)
        return;
    ws->is_broken = true;
    bondy_outq_clear(&ws->out);
    bondy_metric_add(ws->door->traffic.errors[ws->carrier], 1);
    bondy_door_failed(ws->door, &ws->sender);
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* RFC 6455, 5.2: one unfragmented frame of a server, not masked. */
static size_t write_frame_head(uint8_t *head, unsigned opcode, size_t len)
{
    size_t octets = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;

    head[0] = (uint8_t)opcode;
    head[1] = (uint8_t)(octets == 0 ? len : octets == 2 ? 126 : 127);
    for (size_t i = 0; i < octets; i++)
        head[2 + i] = (uint8_t)((uint64_t)len >> 8 * (octets - 1 - i));
    return 2 + octets;
}

static size_t frame_head(uint8_t head[BONDY_FRAME_HEAD_MAX], enum bondy_serializer serializer,
                         size_t len)
{
    return write_frame_head(head, serializer == BONDY_JSON ? OPCODE_TEXT : OPCODE_BINARY, len);
}

/* Reads back a head written here; returns its length. */
static size_t read_frame_head(const uint8_t *head, size_t *len)
{
    size_t octets = head[1] < 126 ? 0 : head[1] == 126 ? 2 : 8;

    *len = octets == 0 ? head[1] : 0;
    for (size_t i = 0; i < octets; i++)
        *len = *len << 8 | head[2 + i];
    return 2 + octets;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void set_paused(struct bondy_websocket *ws, unsigned paused)
{
    bool was_paused = ws->paused != 0;

    ws->paused = (uint8_t)paused;
    if ((paused != 0) != was_paused)
        lws_rx_flow_control(ws->wsi, paused != 0 ? 0 : 1);
}

static void judge_pause(struct bondy_websocket *ws)
{
    size_t owed = bondy_outq_reply_bytes(&ws->out);

    if (ws->session != NULL && owed > ws->out.max_bytes / 2)
        set_paused(ws, ws->paused | BONDY_DOOR_OWES_READING);
    else if (owed <= ws->out.max_bytes / 4)
        set_paused(ws, ws->paused & ~(unsigned)BONDY_DOOR_OWES_READING);
}

/* The first run as it lies when it is large, else as many as fit collected. */
static size_t next_piece(struct bondy_websocket *ws, uint8_t **piece)
{
    struct iovec first;

    bondy_outq_peek(&ws->out, &first, 1);
    if (first.iov_len >= BONDY_DOOR_BUFFER || first.iov_len == ws->out.bytes) {
        *piece = first.iov_base; /* not changed by a raw write */
        return first.iov_len < PIECE_MAX ? first.iov_len : PIECE_MAX;
    }
    *piece = ws->door->outgoing;
    return bondy_outq_gather(&ws->out, *piece, BONDY_DOOR_BUFFER);
}

static void write_raw(struct bondy_websocket *ws)
{
    while (!bondy_outq_is_empty(&ws->out) && !lws_partial_buffered(ws->wsi)) {
        uint8_t *piece;
        size_t len = next_piece(ws, &piece);

        if (lws_write(ws->wsi, piece, len, LWS_WRITE_RAW) < 0) {
            report_broken(ws);
            return;
        }
        bondy_metric_add(ws->door->traffic.sent[ws->carrier][ws->serializer], (int64_t)len);
        bondy_outq_consume(&ws->out, len);
    }
}

static bool write_control(struct bondy_websocket *ws, size_t len)
{
    uint8_t *frame = ws->door->outgoing;

    bondy_outq_gather(&ws->out, frame, len);
    bondy_outq_consume(&ws->out, len);
    return lws_write(ws->wsi, frame, len, LWS_WRITE_RAW) >= 0;
}

/* The library reads from the buffer until it asks for the next message. */
static bool write_compressed(struct bondy_websocket *ws, unsigned opcode, size_t head_len,
                             size_t len)
{
    bondy_outq_consume(&ws->out, head_len);
    ws->deflating = (uint8_t *)bondy_alloc(LWS_PRE + len + 1) + LWS_PRE;
    bondy_outq_gather(&ws->out, ws->deflating, len);
    bondy_outq_consume(&ws->out, len);
    bondy_metric_add(ws->door->traffic.sent[ws->carrier][ws->serializer], (int64_t)len);
    return lws_write(ws->wsi, ws->deflating, len,
                     opcode == OPCODE_TEXT ? LWS_WRITE_TEXT : LWS_WRITE_BINARY) >= 0;
}

/* One frame, then the library says when the next may come. */
static void write_deflated(struct bondy_websocket *ws)
{
    uint8_t head[FRAME_HEAD_MAX] = {0};
    size_t head_len, len;

    if (bondy_outq_is_empty(&ws->out) || ws->deflating != NULL || lws_partial_buffered(ws->wsi))
        return;
    bondy_outq_gather(&ws->out, head, sizeof head);
    head_len = read_frame_head(head, &len);
    if (IS_CONTROL(head[0]) ? write_control(ws, head_len + len)
                            : write_compressed(ws, head[0], head_len, len))
        lws_callback_on_writable(ws->wsi);
    else
        report_broken(ws);
}

static void write_out(struct bondy_websocket *ws)
{
    if (ws->is_broken || !ws->is_open)
        return;
    if (ws->deflates)
        write_deflated(ws);
    else
        write_raw(ws);
    if (ws->is_broken)
        return;
    judge_pause(ws);
    if (!bondy_outq_is_empty(&ws->out))
        lws_callback_on_writable(ws->wsi);
}

static void on_flush(struct bondy_door_sender *sender)
{
    write_out(BONDY_CONTAINER(sender, struct bondy_websocket, sender));
}

static void make_room(struct bondy_websocket *ws, size_t len)
{
    if (ws->out.bytes + len > ws->out.max_bytes || ws->out.messages >= ws->out.max_messages)
        write_out(ws);
}

static void sent(struct bondy_websocket *ws, bool has_room)
{
    if (ws->out.dropped > 0) {
        bondy_metric_add(ws->door->traffic.dropped[ws->carrier], ws->out.dropped);
        ws->out.dropped = 0;
    }
    if (!has_room)
        report_broken(ws);
    else if (!ws->is_broken)
        bondy_door_dirty(ws->door, &ws->sender);
}

static void send_message(void *transport, const struct bondy_encoded *message,
                         enum bondy_send_kind kind)
{
    struct bondy_websocket *ws = transport;
    uint8_t head[BONDY_FRAME_HEAD_MAX];

    if (ws->is_broken)
        return;
    make_room(ws, message->len);
    sent(ws, bondy_outq_push(&ws->out, head, frame_head(head, ws->serializer, message->len),
                             message, kind));
}

static void send_shared(void *transport, struct bondy_shared *message, enum bondy_send_kind kind)
{
    struct bondy_websocket *ws = transport;

    if (ws->is_broken)
        return;
    make_room(ws, message->len);
    sent(ws, bondy_outq_push_shared(&ws->out, message, kind));
}

/* The close frame is ours too: Debian's libwebsockets is built so that it closes a connection twice
 * when its WRITEABLE callback says so, and the second time cuts the first one's close frame off. */
static void close_after_queue(void *transport)
{
    struct bondy_websocket *ws = transport;
    unsigned code = ws->close_code == 0 ? LWS_CLOSE_STATUS_NORMAL : ws->close_code;
    const uint8_t frame[] = {OPCODE_CLOSE, 2, (uint8_t)(code >> 8), (uint8_t)code};

    ws->session = NULL;
    if (ws->is_counted)
        ws->door->session_count--;
    ws->is_counted = false;
    ws->is_ending = true;
    bondy_timer_stop(bondy_loop_wheel(ws->door->loop), &ws->rate_timer);
    if (ws->is_broken)
        return;
    set_paused(ws, ws->paused & ~(unsigned)BONDY_DOOR_OVER_RATE);
    bondy_timer_start(bondy_loop_wheel(ws->door->loop), &ws->timer, LAST_WORD_MS);
    sent(ws, bondy_outq_push_bytes(&ws->out, frame, sizeof frame));
}

/* The TLS connection is the relay's, which may have ended already. */
static size_t channel_id(void *transport, enum bondy_binding kind, uint8_t *out)
{
    const struct bondy_websocket *ws = transport;

    return ws->relay == NULL ? 0 : bondy_wire_channel_id(bondy_relay_wire(ws->relay), kind, out);
}

static void certificate(void *transport, char *out)
{
    const struct bondy_websocket *ws = transport;

    out[0] = '\0';
    if (ws->relay != NULL)
        bondy_wire_client_name(bondy_relay_wire(ws->relay), out);
}

static const struct bondy_session_out session_out = {
    .framing = BONDY_FRAMING_WEBSOCKET,
    .frame_head = frame_head,
    .send = send_message,
    .send_shared = send_shared,
    .close = close_after_queue,
    .channel_id = channel_id,
    .certificate = certificate,
};

/* ---- receiving ------------------------------------------------------------------------------- */

static int fail_with(struct bondy_websocket *ws, enum lws_close_status code)
{
    bondy_metric_add(ws->door->traffic.errors[ws->carrier], 1);
    lose_session(ws);
    lws_close_reason(ws->wsi, code, NULL, 0);
    return -1;
}

/* WAMP WS-TYPE-1 and -2: the session says ABORT, then the connection closes with 1003. */
static int refuse_kind(struct bondy_websocket *ws)
{
    bondy_metric_add(ws->door->traffic.errors[ws->carrier], 1);
    ws->close_code = LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE;
    bondy_session_violate(ws->session, ws->serializer == BONDY_JSON
                                           ? "binary message for a text serializer"
                                           : "text message for a binary serializer");
    return 0;
}

/* A session that sends faster than it may is not read from until it has tokens (ROB-4). The library
 * keeps what it has read already. */
static void spend_token(struct bondy_websocket *ws)
{
    const struct bondy_door_wamp_limits *limits = &ws->listener->websocket;
    uint64_t wait_ms = bondy_rate_spend(&ws->rate, limits->message_rate, limits->message_burst,
                                        bondy_loop_now_ms(ws->door->loop));

    if (wait_ms == 0 || ws->session == NULL || ws->is_broken)
        return;
    set_paused(ws, ws->paused | BONDY_DOOR_OVER_RATE);
    bondy_timer_start(bondy_loop_wheel(ws->door->loop), &ws->rate_timer, wait_ms);
}

static void on_rate_timer(struct bondy_timer *timer)
{
    struct bondy_websocket *ws = BONDY_CONTAINER(timer, struct bondy_websocket, rate_timer);

    if (ws->is_broken || ws->session == NULL)
        return;
    set_paused(ws, ws->paused & ~(unsigned)BONDY_DOOR_OVER_RATE);
    ws->heard_ms = bondy_loop_now_ms(ws->door->loop);
    ws->pings_missed = 0;
    /* No event tells of what the library keeps: it is read in this turn. */
    ws->taken = RECEIVE_PIECE;
    if (bondy_list_is_empty(&ws->fed_link))
        bondy_list_append(&ws->door->fed, &ws->fed_link);
}

static int use_message(struct bondy_websocket *ws, struct bondy_slice bytes)
{
    ws->message_ms = ws->heard_ms;
    bondy_session_receive(ws->session, bytes);
    if (ws->listener->websocket.message_rate != 0)
        spend_token(ws);
    return 0;
}

/* Frame heads are guessed: with a mask, and as short as they can be. */
static void note_taken(struct bondy_websocket *ws, size_t len)
{
    ws->taken += (uint32_t)len + (len < 126 ? 6 : 8);
    if (bondy_list_is_empty(&ws->fed_link))
        bondy_list_append(&ws->door->fed, &ws->fed_link);
}

static int on_receive(struct bondy_websocket *ws, const void *bytes, size_t len)
{
    bool is_last = lws_is_final_fragment(ws->wsi) != 0;
    struct bondy_buf whole;
    int rc;

    note_taken(ws, len);
    ws->heard_ms = bondy_loop_now_ms(ws->door->loop);
    ws->pings_missed = 0;
    if (ws->session == NULL)
        return 0;
    bondy_metric_add(ws->door->traffic.received[ws->carrier][ws->serializer], (int64_t)len);
    if (lws_is_first_fragment(ws->wsi) &&
        (lws_frame_is_binary(ws->wsi) != 0) != (ws->serializer != BONDY_JSON))
        return refuse_kind(ws);
    if (ws->partial.len + len + lws_remaining_packet_payload(ws->wsi) >
        bondy_session_receive_max(ws->session))
        return fail_with(ws, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
    if (ws->partial.len == 0 && is_last)
        return use_message(ws, bondy_slice_of(bytes, len));
    bondy_buf_append(&ws->partial, bytes, len);
    if (!is_last)
        return 0;
    whole = ws->partial;
    ws->partial = (struct bondy_buf)BONDY_BUF_EMPTY;
    rc = use_message(ws, bondy_buf_slice(&whole));
    bondy_buf_fini(&whole);
    return rc;
}

/* With compression the library may hold octets that it has yet to inflate. No event tells of them,
 * and the library's own idle handle may have stopped before we made it read. */
static bool has_more(const struct bondy_websocket *ws)
{
    return ws->taken >= RECEIVE_PIECE ||
           (ws->deflates && lws_service_adjust_timeout(ws->door->lws, 1, 0) == 0);
}

static bool may_be_read(const struct bondy_websocket *ws)
{
    return ws->session != NULL && !ws->is_broken && ws->paused == 0;
}

/* The library reads one piece for each event and goes back to the loop; with many small messages
 * waiting that is one write, too, for each piece. So whoever seems to have more is read again in
 * the same turn, before the flush. */
bool bondy_websocket_read_more(struct bondy_door *door)
{
    struct bondy_list fed;
    bool has_read = false;

    bondy_list_init(&fed);
    bondy_list_splice(&fed, &door->fed);
    while (!bondy_list_is_empty(&fed)) {
        struct bondy_websocket *ws = BONDY_LIST_ENTRY(fed.next, struct bondy_websocket, fed_link);
        unsigned pieces = 0;

        bondy_list_remove(&ws->fed_link);
        while (pieces < PIECES_MORE && may_be_read(ws) && has_more(ws)) {
            struct lws_pollfd ready = {
                .fd = lws_get_socket_fd(ws->wsi), .events = LWS_POLLIN, .revents = LWS_POLLIN};

            ws->taken = 0;
            lws_service_fd(door->lws, &ready);
            pieces++;
            has_read = true;
        }
        ws->taken = 0;
        bondy_list_remove(&ws->fed_link);
        if (pieces == PIECES_MORE && may_be_read(ws) && has_more(ws))
            bondy_list_append(&door->fed, &ws->fed_link);
    }
    return has_read;
}

/* ---- time ------------------------------------------------------------------------------------ */

static void ping_or_wait(struct bondy_websocket *ws)
{
    const struct bondy_door_wamp_limits *limits = &ws->listener->websocket;
    struct bondy_wheel *wheel = bondy_loop_wheel(ws->door->loop);
    uint64_t silent = bondy_loop_now_ms(ws->door->loop) - ws->heard_ms;
    static const uint8_t ping[] = {OPCODE_PING, 5, 'b', 'o', 'n', 'd', 'y'};

    /* Its pong may lie behind what waits. */
    if ((ws->paused & BONDY_DOOR_OVER_RATE) != 0)
        silent = 0;
    if (silent < limits->ping_idle_ms) {
        bondy_timer_start(wheel, &ws->timer, limits->ping_idle_ms - silent);
        return;
    }
    if (ws->pings_missed >= limits->ping_attempts) {
        report_broken(ws);
        return;
    }
    ws->pings_missed++;
    sent(ws, bondy_outq_push_bytes(&ws->out, ping, sizeof ping));
    bondy_timer_start(wheel, &ws->timer, limits->ping_timeout_ms);
}

static void on_timer(struct bondy_timer *timer)
{
    struct bondy_websocket *ws = BONDY_CONTAINER(timer, struct bondy_websocket, timer);
    const struct bondy_door_wamp_limits *limits = &ws->listener->websocket;
    uint64_t idle = bondy_loop_now_ms(ws->door->loop) - ws->message_ms;

    if (ws->session == NULL || (limits->idle_timeout_ms > 0 && idle >= limits->idle_timeout_ms)) {
        report_broken(ws);
        return;
    }
    if (limits->ping_enabled)
        ping_or_wait(ws);
    else
        bondy_timer_start(bondy_loop_wheel(ws->door->loop), &ws->timer,
                          limits->idle_timeout_ms - idle);
}

/* ---- the library's callbacks ----------------------------------------------------------------- */

static int on_established(struct bondy_websocket *ws)
{
    const struct bondy_door_wamp_limits *limits = &ws->listener->websocket;
    struct bondy_wheel *wheel = bondy_loop_wheel(ws->door->loop);
    struct bondy_session_peer peer = {
        .serializer = ws->serializer,
        .transport = bondy_carrier_name(ws->carrier),
        .peername = bondy_slice_text(ws->peername),
        .auth_timeout_ms = limits->auth_timeout_ms,
        .cookies = ws->cookies,
    };

    ws->is_open = true;
    ws->is_counted = true;
    ws->door->session_count++;
    ws->heard_ms = ws->message_ms = bondy_loop_now_ms(ws->door->loop);
    ws->session = bondy_session_open(ws->door->router, &peer, &session_out, ws);
    bondy_free(ws->peername);
    ws->peername = NULL;
    forget_cookies(ws);
    if (limits->ping_enabled)
        bondy_timer_start(wheel, &ws->timer, limits->ping_idle_ms);
    else if (limits->idle_timeout_ms > 0)
        bondy_timer_start(wheel, &ws->timer, limits->idle_timeout_ms);
    else
        bondy_timer_stop(wheel, &ws->timer);
    return 0;
}

static int on_writeable(struct bondy_websocket *ws)
{
    if (ws->is_broken)
        return -1;
    if (ws->deflating != NULL && !lws_partial_buffered(ws->wsi)) {
        bondy_free(ws->deflating - LWS_PRE);
        ws->deflating = NULL;
    }
    write_out(ws);
    return 0;
}

/* The answer to our close frame ends the connection. A close frame of its own is answered by the
 * library, and nothing may follow that (RFC 6455, 5.5.1). */
static int on_peer_close(struct bondy_websocket *ws)
{
    bool is_answer = ws->is_ending;

    ws->is_broken = true;
    bondy_door_forget(ws->door, &ws->sender);
    lose_session(ws);
    return is_answer ? -1 : 0;
}

static int on_closed(struct bondy_websocket *ws)
{
    ws->is_open = false;
    ws->is_broken = true;
    bondy_door_forget(ws->door, &ws->sender);
    lose_session(ws);
    return 0;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    struct bondy_websocket *ws = lws_get_opaque_user_data(wsi);
    struct bondy_door *door = lws_context_user(lws_get_context(wsi));

    (void)user;
    if (reason == LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED && door->adopting != NULL) {
        ws = BONDY_MOVE(door->adopting);
        ws->wsi = wsi;
        lws_set_opaque_user_data(wsi, ws);
        return 0;
    }
    if (ws == NULL)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        return on_established(ws);
    case LWS_CALLBACK_RECEIVE:
        return on_receive(ws, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
        ws->heard_ms = bondy_loop_now_ms(door->loop);
        ws->pings_missed = 0;
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writeable(ws);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_peer_close(ws);
    case LWS_CALLBACK_CLOSED:
        return on_closed(ws);
    case LWS_CALLBACK_WSI_DESTROY:
        lws_set_opaque_user_data(wsi, NULL);
        destroy(ws);
        return 0;
    default:
        return 0;
    }
}

/* ---- start ----------------------------------------------------------------------------------- */

void bondy_websocket_start(struct bondy_door *door, const struct bondy_websocket_start *start)
{
    const struct bondy_door_wamp_limits *limits = &start->listener->websocket;
    struct bondy_websocket *ws = bondy_slab_alloc(door->websocket_slab);
    bool deflates = start->listener->compression && start->upgrade->offers_deflate;
    struct bondy_buf head = BONDY_BUF_EMPTY;
    char peername[BONDY_ADDRESS_TEXT];

    *ws = (struct bondy_websocket){
        .sender = {.flush = on_flush, .fail = on_failed},
        .door = door,
        .ticket = start->ticket,
        .listener = start->listener,
        .opened_ms = bondy_loop_now_ms(door->loop),
        .carrier = start->relay != NULL ? BONDY_CARRIER_WSS : BONDY_CARRIER_WS,
        .serializer = (uint8_t)start->upgrade->serializer,
        .deflates = deflates,
        .peername = bondy_strdup(bondy_address_format(start->peer, peername)),
    };
    if (start->cookies.len > 0)
        ws->cookies = bondy_slice_of(bondy_memdup0(start->cookies.data, start->cookies.len),
                                     start->cookies.len);
    if (start->relay != NULL)
        bondy_relay_attach(start->relay, &ws->relay);
    bondy_list_init(&ws->sender.link);
    bondy_list_init(&ws->fed_link);
    bondy_outq_init(&ws->out, &door->queues, limits->queue_bytes, limits->queue_messages);
    bondy_timer_init(&ws->timer, on_timer);
    bondy_timer_init(&ws->rate_timer, on_rate_timer);
    bondy_list_append(&door->websockets, &ws->link);
    bondy_traffic_opened(&door->traffic, ws->carrier);
    bondy_timer_start(bondy_loop_wheel(door->loop), &ws->timer,
                      start->listener->handshake_timeout_ms);
    bondy_upgrade_format(start->upgrade, deflates, &head);
    door->adopting = ws;
    /* Reads the head at once: the session may be open, or the connection dead, when it returns. */
    lws_adopt_socket_vhost_readbuf(door->vhost, start->fd, head.data, head.len);
    bondy_buf_fini(&head);
    if (door->adopting != NULL) {
        /* Failed before it was ours; the descriptor is closed. */
        door->adopting = NULL;
        destroy(ws);
    }
}

/* ---- context --------------------------------------------------------------------------------- */

/* The first takes callbacks before a subprotocol is known; its name is no token, so that nobody can
 * ask for it. A raw write is as long as we say, not RECEIVE_PIECE. */
static const struct lws_protocols protocols[] = {
    {"(none)", on_lws, 0, RECEIVE_PIECE, 0, NULL, 1024 * 1024},
    {"wamp.2.json", on_lws, 0, RECEIVE_PIECE, BONDY_JSON, NULL, 1024 * 1024},
    {"wamp.2.msgpack", on_lws, 0, RECEIVE_PIECE, BONDY_MSGPACK, NULL, 1024 * 1024},
    {"wamp.2.cbor", on_lws, 0, RECEIVE_PIECE, BONDY_CBOR, NULL, 1024 * 1024},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

static const struct lws_extension extensions[] = {
    {"permessage-deflate", lws_extension_callback_pm_deflate,
     "permessage-deflate; client_no_context_takeover; server_no_context_takeover"},
    {NULL, NULL, NULL},
};

/* Pings are ours. */
static const lws_retry_bo_t no_pings = {.secs_since_valid_ping = 0, .secs_since_valid_hangup = 0};

/* Guards what the library keeps for the process: log settings, the plug-in it loads. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

int bondy_websocket_open(struct bondy_door *door, struct bondy_error *err)
{
    uv_loop_t *uv = bondy_loop_uv(door->loop);
    void *loops[1] = {uv};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
        .foreign_loops = loops,
        .retry_and_idle_policy = &no_pings,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .user = door,
        .timeout_secs = 10,
    };

    door->websocket_slab = bondy_slab_create(sizeof(struct bondy_websocket), 0);
    pthread_mutex_lock(&library_lock);
    /* Its log lines are made in one buffer that all threads share; our own records say as much. */
    lws_set_log_level(0, NULL);
    door->lws = lws_create_context(&info);
    pthread_mutex_unlock(&library_lock);
    if (door->lws == NULL)
        return bondy_fail(err, BONDY_EIO,
                          "libwebsockets did not start: is libwebsockets-evlib-uv installed?");
    /* One for all: with several the library picks by port and Host, not the one it was given. Who
     * may have the extension is decided by the head we write. */
    info.vhost_name = "bondy";
    info.extensions = extensions;
    door->vhost = lws_create_vhost(door->lws, &info);
    if (door->vhost == NULL)
        return bondy_fail(err, BONDY_EIO, "libwebsockets made no virtual host");
    return BONDY_OK;
}

static void find_closing(uv_handle_t *handle, void *context)
{
    *(bool *)context |= uv_is_closing(handle) != 0;
}

void bondy_websocket_close(struct bondy_door *door)
{
    bool is_closing = true;

    if (door->lws == NULL)
        return;
    lws_context_destroy(door->lws);
    while (is_closing) {
        bondy_loop_turn(door->loop, 0);
        is_closing = false;
        uv_walk(bondy_loop_uv(door->loop), find_closing, &is_closing);
    }
}

void bondy_websocket_fini(struct bondy_door *door)
{
    if (door->lws != NULL) {
        pthread_mutex_lock(&library_lock);
        lws_context_destroy(door->lws);
        pthread_mutex_unlock(&library_lock);
    }
    if (door->websocket_slab != NULL)
        bondy_slab_destroy(door->websocket_slab);
}
