/* SPDX-License-Identifier: Apache-2.0 */

/* rawsocket: WAMP over TCP, TLS and Unix sockets with our own framing (WAMP, RawSocket Transport).
 *
 * Octets are read into the thread's buffer and whole frames are used where they lie: an idle
 * connection holds no receive memory. An incomplete frame is kept in a buffer that grows with what
 * arrives, whatever its head announces. What is to be sent waits in the outq until the turn's flush
 * writes it with one system call. */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/alloc.h"
#include "src/transport/door.h"
#include "src/wamp/rawsocket.h"

#define HEAD BONDY_RAWSOCKET_HEAD_LEN
/* Read from one connection in one turn, before others have theirs. */
#define READ_BUDGET (4 * BONDY_DOOR_BUFFER)
#define VECTORS 64
#define FEW_VECTORS 4
#define COLLECTED_MAX (8 * 1024)
/* After our last word: how long until it must be written, and how long the peer may take to end. */
#define LAST_WORD_MS 5000
#define FAREWELL_MS 2000
/* Has tokens again, but owes us reading. */
#define RATE_AGAIN_MS 10

enum stage {
    GREETING, /* the four octets */
    OPEN,     /* a session is there */
    ENDING,   /* no session: what is queued is written */
    LEAVING   /* everything is written, the peer's end is awaited */
};

struct rawsocket {
    struct bondy_door_sender sender;
    struct bondy_list link;
    struct bondy_door *door;
    struct bondy_door_ticket ticket;
    struct bondy_door_listener *listener;
    struct bondy_session *session;
    struct bondy_wire *wire; /* NULL: plain */
    uv_poll_t poll;
    struct bondy_timer timer;
    struct bondy_timer rate_timer; /* the end of BONDY_DOOR_OVER_RATE */
    struct bondy_rate rate;
    struct bondy_outq out;
    /* A frame that is not whole yet, head included; over its rate: all that waits for tokens. */
    struct bondy_buf partial;
    uint64_t opened_ms;
    uint64_t heard_ms;   /* anything at all */
    uint64_t message_ms; /* something other than PONG */
    int fd;
    uint32_t max_frame; /* as announced */
    uint8_t events;     /* polled for */
    uint8_t stage;
    uint8_t carrier;
    uint8_t serializer;
    uint8_t pings_missed;
    uint8_t paused; /* bits of bondy_door_pause: not read */
    bool is_full;
    bool is_broken; /* reported in door->failed */
    bool has_ahead; /* TLS: octets were fetched that no event will tell of */
};

static void on_ready(uv_poll_t *poll, int status, int events);

/* ---- end ------------------------------------------------------------------------------------- */

static void on_poll_closed(uv_handle_t *handle)
{
    struct rawsocket *raw = handle->data;
    struct bondy_door *door = raw->door;

    door->handle_count--;
    bondy_wire_destroy(raw->wire);
    close(raw->fd);
    bondy_slab_free(door->rawsocket_slab, raw);
}

static void finish(struct rawsocket *raw)
{
    struct bondy_door *door = raw->door;
    struct bondy_session *session = BONDY_MOVE(raw->session);

    bondy_list_remove(&raw->link);
    bondy_door_forget(door, &raw->sender);
    bondy_timer_stop(bondy_loop_wheel(door->loop), &raw->timer);
    bondy_timer_stop(bondy_loop_wheel(door->loop), &raw->rate_timer);
    bondy_outq_clear(&raw->out);
    bondy_buf_fini(&raw->partial);
    bondy_door_ticket_return(&raw->ticket);
    bondy_traffic_closed(&door->traffic, raw->carrier,
                         bondy_loop_now_ms(door->loop) - raw->opened_ms);
    bondy_door_poll_close(door, &raw->poll, on_poll_closed);
    if (raw->stage == OPEN)
        door->session_count--;
    if (session != NULL)
        bondy_session_lost(session);
}

static void on_failed(struct bondy_door_sender *sender)
{
    finish(BONDY_CONTAINER(sender, struct rawsocket, sender));
}

/* Found out while the router is at work: it is told later in this turn. */
static void report_broken(struct rawsocket *raw)
{
    if (raw->is_broken)
        return;
    raw->is_broken = true;
    bondy_outq_clear(&raw->out);
    bondy_metric_add(raw->door->traffic.errors[raw->carrier], 1);
    bondy_door_failed(raw->door, &raw->sender);
}

/* ---- polling --------------------------------------------------------------------------------- */

static void update_poll(struct rawsocket *raw)
{
    bool is_blocked =
        !bondy_outq_is_empty(&raw->out) || (raw->wire != NULL && bondy_wire_is_blocked(raw->wire));
    int events = raw->paused != 0 ? UV_DISCONNECT : UV_READABLE;

    /* Being writable is an event that comes for certain. */
    if (is_blocked || (raw->has_ahead && raw->paused == 0))
        events |= UV_WRITABLE;
    if (events == raw->events)
        return;
    raw->events = (uint8_t)events;
    uv_poll_start(&raw->poll, events, on_ready);
}

static void start_timer(struct rawsocket *raw, uint64_t delay_ms)
{
    bondy_timer_start(bondy_loop_wheel(raw->door->loop), &raw->timer, delay_ms);
}

/* ---- sending --------------------------------------------------------------------------------- */

static void leave(struct rawsocket *raw)
{
    raw->stage = LEAVING;
    if (raw->wire != NULL)
        bondy_wire_bye(raw->wire);
    shutdown(raw->fd, SHUT_WR);
    start_timer(raw, FAREWELL_MS);
}

/* Many small runs are cheaper collected, large ones where they lie. */
static ssize_t send_first(struct rawsocket *raw)
{
    uint8_t *outgoing = raw->door->outgoing;
    struct iovec vectors[VECTORS];
    struct msghdr message = {.msg_iov = vectors};

    message.msg_iovlen = bondy_outq_peek(&raw->out, vectors, VECTORS);
    if (message.msg_iovlen > FEW_VECTORS && raw->out.bytes <= COLLECTED_MAX) {
        size_t len = bondy_outq_gather(&raw->out, outgoing, COLLECTED_MAX);

        return send(raw->fd, outgoing, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    return sendmsg(raw->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool write_plain(struct rawsocket *raw)
{
    while (!bondy_outq_is_empty(&raw->out)) {
        ssize_t sent = send_first(raw);

        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        bondy_metric_add(raw->door->traffic.sent[raw->carrier][raw->serializer], sent);
        bondy_outq_consume(&raw->out, (size_t)sent);
    }
    return true;
}

static bool write_tls(struct rawsocket *raw)
{
    int rc = bondy_wire_flush(raw->wire);

    while (rc == 0 && !bondy_outq_is_empty(&raw->out) && !bondy_wire_is_blocked(raw->wire)) {
        size_t len = bondy_outq_gather(&raw->out, raw->door->outgoing, BONDY_WIRE_RECORD);
        ssize_t sent = bondy_wire_write(raw->wire, raw->door->outgoing, len);

        if (sent < 0)
            return false;
        bondy_metric_add(raw->door->traffic.sent[raw->carrier][raw->serializer], sent);
        bondy_outq_consume(&raw->out, (size_t)sent);
    }
    return rc == 0 || rc == -EAGAIN;
}

static bool is_all_written(const struct rawsocket *raw)
{
    return bondy_outq_is_empty(&raw->out) &&
           (raw->wire == NULL || !bondy_wire_is_blocked(raw->wire));
}

/* A peer that sends requests and does not take the answers is not read from (architecture 3, point
 * 6); events do not count, they are dropped instead. */
static void judge_pause(struct rawsocket *raw)
{
    size_t owed = bondy_outq_reply_bytes(&raw->out);

    if (raw->stage == OPEN && owed > raw->out.max_bytes / 2)
        raw->paused |= BONDY_DOOR_OWES_READING;
    else if (owed <= raw->out.max_bytes / 4)
        raw->paused &= (uint8_t)~BONDY_DOOR_OWES_READING;
}

static void write_out(struct rawsocket *raw)
{
    if (raw->is_broken || raw->stage == LEAVING)
        return;
    if (!(raw->wire == NULL ? write_plain(raw) : write_tls(raw))) {
        report_broken(raw);
        return;
    }
    if (raw->stage == ENDING && is_all_written(raw))
        leave(raw);
    judge_pause(raw);
    update_poll(raw);
}

static void on_flush(struct bondy_door_sender *sender)
{
    write_out(BONDY_CONTAINER(sender, struct rawsocket, sender));
}

/* What every kind of sending ends with. */
static void sent(struct rawsocket *raw, bool has_room)
{
    if (raw->out.dropped > 0) {
        bondy_metric_add(raw->door->traffic.dropped[raw->carrier], raw->out.dropped);
        raw->out.dropped = 0;
    }
    if (!has_room)
        report_broken(raw);
    else if (!raw->is_broken)
        bondy_door_dirty(raw->door, &raw->sender);
}

/* A queue that is full may only not have been written in this turn. */
static void make_room(struct rawsocket *raw, size_t len)
{
    if (raw->out.bytes + len > raw->out.max_bytes || raw->out.messages >= raw->out.max_messages)
        write_out(raw);
}

static void send_message(void *transport, const struct bondy_encoded *message,
                         enum bondy_send_kind kind)
{
    struct rawsocket *raw = transport;
    uint8_t head[HEAD];

    if (raw->is_broken)
        return;
    make_room(raw, message->len);
    bondy_rawsocket_write_head(BONDY_FRAME_MESSAGE, (uint32_t)message->len, head);
    sent(raw, bondy_outq_push(&raw->out, head, HEAD, message, kind));
}

static void send_shared(void *transport, struct bondy_shared *message, enum bondy_send_kind kind)
{
    struct rawsocket *raw = transport;

    if (raw->is_broken)
        return;
    make_room(raw, message->len);
    sent(raw, bondy_outq_push_shared(&raw->out, message, kind));
}

static void send_control(struct rawsocket *raw, enum bondy_frame_type type,
                         struct bondy_slice payload)
{
    struct bondy_encoded body = {.parts = {payload}, .part_count = 1, .len = payload.len};
    uint8_t head[HEAD];

    make_room(raw, payload.len);
    if (raw->is_broken)
        return;
    bondy_rawsocket_write_head(type, (uint32_t)payload.len, head);
    sent(raw, bondy_outq_push(&raw->out, head, HEAD, &body, BONDY_SEND_REPLY));
}

static size_t frame_head(uint8_t head[BONDY_FRAME_HEAD_MAX], enum bondy_serializer serializer,
                         size_t len)
{
    (void)serializer;
    bondy_rawsocket_write_head(BONDY_FRAME_MESSAGE, (uint32_t)len, head);
    return HEAD;
}

/* Writes what is queued, then ends. */
static void start_ending(struct rawsocket *raw)
{
    if (raw->stage == OPEN)
        raw->door->session_count--;
    raw->stage = ENDING;
    raw->session = NULL;
    if (raw->is_broken)
        return;
    raw->paused = 0;
    bondy_timer_stop(bondy_loop_wheel(raw->door->loop), &raw->rate_timer);
    start_timer(raw, LAST_WORD_MS);
    bondy_door_dirty(raw->door, &raw->sender);
}

static void close_after_queue(void *transport)
{
    start_ending(transport);
}

static size_t channel_id(void *transport, enum bondy_binding kind, uint8_t *out)
{
    const struct rawsocket *raw = transport;

    return raw->wire == NULL ? 0 : bondy_wire_channel_id(raw->wire, kind, out);
}

static void certificate(void *transport, char *out)
{
    const struct rawsocket *raw = transport;

    out[0] = '\0';
    if (raw->wire != NULL)
        bondy_wire_client_name(raw->wire, out);
}

static const struct bondy_session_out session_out = {
    .framing = BONDY_FRAMING_RAWSOCKET,
    .frame_head = frame_head,
    .send = send_message,
    .send_shared = send_shared,
    .close = close_after_queue,
    .channel_id = channel_id,
    .certificate = certificate,
};

/* ---- receiving ------------------------------------------------------------------------------- */

/* The peer broke the protocol: it is told by an ABORT, since a session is there. */
static bool violate(struct rawsocket *raw, const char *what)
{
    bondy_metric_add(raw->door->traffic.errors[raw->carrier], 1);
    if (raw->session != NULL)
        bondy_session_violate(raw->session, what);
    else
        start_ending(raw);
    return false;
}

static uint32_t frame_limit(const struct rawsocket *raw)
{
    size_t max = bondy_session_receive_max(raw->session);

    return max < raw->max_frame ? (uint32_t)max : raw->max_frame;
}

/* A session that sends faster than it may is not read from until it has tokens (ROB-4). */
static void spend_token(struct rawsocket *raw)
{
    const struct bondy_door_wamp_limits *limits = &raw->listener->rawsocket;
    uint64_t wait_ms = bondy_rate_spend(&raw->rate, limits->message_rate, limits->message_burst,
                                        bondy_loop_now_ms(raw->door->loop));

    if (wait_ms == 0 || raw->stage != OPEN || raw->is_broken)
        return;
    raw->paused |= BONDY_DOOR_OVER_RATE;
    bondy_timer_start(bondy_loop_wheel(raw->door->loop), &raw->rate_timer, wait_ms);
    update_poll(raw);
}

static bool use_message(struct rawsocket *raw, struct bondy_slice body)
{
    bool goes_on;

    raw->message_ms = raw->heard_ms;
    goes_on = bondy_session_receive(raw->session, body);
    if (raw->listener->rawsocket.message_rate != 0)
        spend_token(raw);
    return goes_on;
}

/* One whole frame. False: nothing more of this connection is used. */
static bool use_frame(struct rawsocket *raw, enum bondy_frame_type type, struct bondy_slice body)
{
    switch (type) {
    case BONDY_FRAME_MESSAGE:
        return use_message(raw, body);
    case BONDY_FRAME_PING:
        raw->message_ms = raw->heard_ms;
        send_control(raw, BONDY_FRAME_PONG, body);
        return !raw->is_broken;
    case BONDY_FRAME_PONG:
    default:
        return true;
    }
}

/* Checks a frame's head before its body is waited for. False: the connection fails. */
static bool read_head(struct rawsocket *raw, const char *octets, enum bondy_frame_type *type,
                      uint32_t *len)
{
    if (!bondy_rawsocket_head((const uint8_t *)octets, type, len))
        return violate(raw, "reserved bits or frame type");
    if (*len > frame_limit(raw))
        return violate(raw, "message over the announced length");
    return true;
}

/* Completes the frame begun earlier. Returns false when the connection is through. */
static bool continue_frame(struct rawsocket *raw, struct bondy_slice *bytes)
{
    enum bondy_frame_type type = BONDY_FRAME_MESSAGE;
    struct bondy_buf frame;
    uint32_t len = 0;
    size_t need;
    bool goes_on;

    if (raw->partial.len < HEAD) {
        need = HEAD - raw->partial.len;
        need = need < bytes->len ? need : bytes->len;
        bondy_buf_append(&raw->partial, bytes->data, need);
        *bytes = bondy_slice_skip(*bytes, need);
        if (raw->partial.len < HEAD)
            return true;
        if (!read_head(raw, raw->partial.data, &type, &len))
            return false;
    }
    /* The head was found good before. */
    bondy_rawsocket_head((const uint8_t *)raw->partial.data, &type, &len);
    need = HEAD + (size_t)len - raw->partial.len;
    need = need < bytes->len ? need : bytes->len;
    bondy_buf_append(&raw->partial, bytes->data, need);
    *bytes = bondy_slice_skip(*bytes, need);
    if (raw->partial.len < HEAD + (size_t)len)
        return true;
    frame = raw->partial;
    raw->partial = (struct bondy_buf)BONDY_BUF_EMPTY;
    goes_on = use_frame(raw, type, bondy_slice_of(frame.data + HEAD, len));
    bondy_buf_fini(&frame);
    return goes_on;
}

static bool use_frames(struct rawsocket *raw, struct bondy_slice bytes)
{
    if (raw->partial.len > 0 && !continue_frame(raw, &bytes))
        return false;
    while (bytes.len >= HEAD && (raw->paused & BONDY_DOOR_OVER_RATE) == 0) {
        enum bondy_frame_type type;
        uint32_t len;

        if (!read_head(raw, bytes.data, &type, &len))
            return false;
        if (bytes.len - HEAD < len)
            break;
        if (!use_frame(raw, type, bondy_slice_of(bytes.data + HEAD, len)))
            return false;
        bytes = bondy_slice_skip(bytes, HEAD + (size_t)len);
    }
    if (bytes.len > 0)
        bondy_buf_append_slice(&raw->partial, bytes);
    return true;
}

static void on_rate_timer(struct bondy_timer *timer)
{
    struct rawsocket *raw = BONDY_CONTAINER(timer, struct rawsocket, rate_timer);
    struct bondy_buf held;

    if (raw->is_broken || raw->stage != OPEN)
        return;
    if ((raw->paused & BONDY_DOOR_OWES_READING) != 0) {
        bondy_timer_start(bondy_loop_wheel(raw->door->loop), timer, RATE_AGAIN_MS);
        return;
    }
    raw->paused = 0;
    raw->heard_ms = bondy_loop_now_ms(raw->door->loop);
    raw->pings_missed = 0;
    held = raw->partial;
    raw->partial = (struct bondy_buf)BONDY_BUF_EMPTY;
    use_frames(raw, bondy_buf_slice(&held));
    bondy_buf_fini(&held);
    if (!raw->is_broken)
        update_poll(raw);
}

/* ---- handshake ------------------------------------------------------------------------------- */

static void say_error_and_end(struct rawsocket *raw, enum bondy_rawsocket_error error)
{
    uint8_t reply[4];

    bondy_rawsocket_reply_error(error, reply);
    bondy_outq_push_bytes(&raw->out, reply, sizeof reply);
    start_ending(raw);
}

static uint32_t announced(size_t max_message)
{
    uint32_t len = 512;

    while (len < BONDY_RAWSOCKET_LEN_MAX && (size_t)len * 2 <= max_message)
        len *= 2;
    return len;
}

static void on_timer(struct bondy_timer *timer);

static void open_session(struct rawsocket *raw, enum bondy_serializer serializer, uint32_t peer_max)
{
    const struct bondy_door_wamp_limits *limits = &raw->listener->rawsocket;
    struct bondy_address address = {.len = sizeof address.storage};
    char peername[BONDY_ADDRESS_TEXT] = "unix:";
    struct bondy_session_peer peer = {
        .serializer = serializer,
        .transport = bondy_carrier_name(raw->carrier),
        .max_message = peer_max,
        .auth_timeout_ms = limits->auth_timeout_ms,
    };
    uint8_t reply[4];

    if (raw->carrier != BONDY_CARRIER_UNIX && getpeername(raw->fd, &address.any, &address.len) == 0)
        bondy_address_format(&address, peername);
    peer.peername = bondy_slice_text(peername);
    raw->serializer = (uint8_t)serializer;
    raw->max_frame = announced(limits->max_message);
    bondy_rawsocket_reply(serializer, raw->max_frame, reply);
    bondy_outq_push_bytes(&raw->out, reply, sizeof reply);
    raw->stage = OPEN;
    raw->door->session_count++;
    raw->session = bondy_session_open(raw->door->router, &peer, &session_out, raw);
    bondy_door_dirty(raw->door, &raw->sender);
    raw->message_ms = raw->heard_ms;
    if (limits->ping_enabled)
        start_timer(raw, limits->ping_idle_ms);
    else if (limits->idle_timeout_ms > 0)
        start_timer(raw, limits->idle_timeout_ms);
    else
        bondy_timer_stop(bondy_loop_wheel(raw->door->loop), &raw->timer);
}

/* Collects the four octets. False: the connection is through. */
static bool shake_hands(struct rawsocket *raw, struct bondy_slice *bytes)
{
    enum bondy_serializer serializer;
    uint8_t octets[4];
    uint32_t peer_max;
    size_t need = sizeof octets - raw->partial.len;
    int rc;

    need = need < bytes->len ? need : bytes->len;
    bondy_buf_append(&raw->partial, bytes->data, need);
    *bytes = bondy_slice_skip(*bytes, need);
    /* The first octet alone tells that this is something else (RAW-HS-5). */
    if (raw->partial.len > 0 && (uint8_t)raw->partial.data[0] != BONDY_RAWSOCKET_MAGIC) {
        bondy_metric_add(raw->door->traffic.refused[BONDY_REFUSAL_HANDSHAKE], 1);
        report_broken(raw);
        return false;
    }
    if (raw->partial.len < sizeof octets)
        return true;
    memcpy(octets, raw->partial.data, sizeof octets);
    bondy_buf_fini(&raw->partial);
    raw->partial = (struct bondy_buf)BONDY_BUF_EMPTY;
    rc = bondy_rawsocket_accept(octets, &serializer, &peer_max);
    if (rc == 0 && raw->is_full)
        rc = BONDY_RAWSOCKET_ERR_CONNECTIONS;
    if (rc != 0) {
        bondy_metric_add(raw->door->traffic.refused[BONDY_REFUSAL_HANDSHAKE], 1);
        say_error_and_end(raw, (enum bondy_rawsocket_error)rc);
        return false;
    }
    open_session(raw, serializer, peer_max);
    return true;
}

/* False: the connection is through, or only waits for its end. */
static bool use_octets(struct rawsocket *raw, struct bondy_slice bytes)
{
    raw->heard_ms = bondy_loop_now_ms(raw->door->loop);
    raw->pings_missed = 0;
    if (raw->stage == GREETING && !shake_hands(raw, &bytes))
        return false;
    if (raw->stage != OPEN)
        return raw->stage == GREETING;
    bondy_metric_add(raw->door->traffic.received[raw->carrier][raw->serializer],
                     (int64_t)bytes.len);
    return use_frames(raw, bytes);
}

/* ---- reading --------------------------------------------------------------------------------- */

static ssize_t read_some(struct rawsocket *raw)
{
    ssize_t got;

    if (raw->wire != NULL && raw->stage != LEAVING)
        return bondy_wire_read(raw->wire, raw->door->buffer, BONDY_DOOR_BUFFER);
    do
        got = recv(raw->fd, raw->door->buffer, BONDY_DOOR_BUFFER, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static void read_in(struct rawsocket *raw)
{
    bool is_tls = raw->wire != NULL;
    size_t total = 0;

    raw->has_ahead = false;
    if (is_tls)
        bondy_wire_is_readable(raw->wire);
    while (!raw->is_broken && raw->paused == 0 && total < READ_BUDGET) {
        ssize_t got = read_some(raw);

        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            /* The end of what was said; or of the connection, which writing would tell as well. */
            finish(raw);
            return;
        }
        total += (size_t)got;
        if (raw->stage <= OPEN)
            use_octets(raw, bondy_slice_of(raw->door->buffer, (size_t)got));
        /* Less than there was room for: empty. The poll tells about more. */
        if (!is_tls && (size_t)got < BONDY_DOOR_BUFFER)
            return;
    }
    if (is_tls && !raw->is_broken) {
        bondy_wire_pause(raw->wire);
        raw->has_ahead = true;
        update_poll(raw);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct rawsocket *raw = poll->data;

    if (raw->is_broken)
        return;
    if (status < 0) {
        finish(raw);
        return;
    }
    if ((events & UV_WRITABLE) != 0) {
        write_out(raw);
        if (raw->has_ahead)
            events |= UV_READABLE;
    }
    if ((events & (UV_READABLE | UV_DISCONNECT)) == 0 || raw->is_broken)
        return;
    if (raw->paused != 0) {
        /* It left while we waited for it to read, or for its tokens. */
        if ((events & UV_DISCONNECT) != 0)
            finish(raw);
        return;
    }
    read_in(raw);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void ping_or_wait(struct rawsocket *raw)
{
    const struct bondy_door_wamp_limits *limits = &raw->listener->rawsocket;
    uint64_t now = bondy_loop_now_ms(raw->door->loop);
    uint64_t silent = now - raw->heard_ms;

    /* Its pong may lie behind what waits. */
    if ((raw->paused & BONDY_DOOR_OVER_RATE) != 0)
        silent = 0;
    if (silent < limits->ping_idle_ms) {
        start_timer(raw, limits->ping_idle_ms - silent);
        return;
    }
    if (raw->pings_missed >= limits->ping_attempts) {
        bondy_metric_add(raw->door->traffic.errors[raw->carrier], 1);
        finish(raw);
        return;
    }
    raw->pings_missed++;
    send_control(raw, BONDY_FRAME_PING, BONDY_SLICE("bondy"));
    start_timer(raw, limits->ping_timeout_ms);
}

static void on_timer(struct bondy_timer *timer)
{
    struct rawsocket *raw = BONDY_CONTAINER(timer, struct rawsocket, timer);
    const struct bondy_door_wamp_limits *limits = &raw->listener->rawsocket;
    uint64_t idle = bondy_loop_now_ms(raw->door->loop) - raw->message_ms;

    if (raw->stage != OPEN || (limits->idle_timeout_ms > 0 && idle >= limits->idle_timeout_ms)) {
        if (raw->stage == GREETING)
            bondy_metric_add(raw->door->traffic.refused[BONDY_REFUSAL_HANDSHAKE], 1);
        finish(raw);
        return;
    }
    if (limits->ping_enabled)
        ping_or_wait(raw);
    else
        start_timer(raw, limits->idle_timeout_ms - idle);
}

/* ---- start ----------------------------------------------------------------------------------- */

static enum bondy_carrier carrier_of(const struct bondy_rawsocket_start *start)
{
    if (start->wire != NULL)
        return BONDY_CARRIER_TLS;
    return start->peer->any.sa_family == AF_UNIX ? BONDY_CARRIER_UNIX : BONDY_CARRIER_TCP;
}

void bondy_rawsocket_start(struct bondy_door *door, const struct bondy_rawsocket_start *start)
{
    const struct bondy_door_wamp_limits *limits = &start->listener->rawsocket;
    struct rawsocket *raw = bondy_slab_alloc(door->rawsocket_slab);

    *raw = (struct rawsocket){
        .sender = {.flush = on_flush, .fail = on_failed},
        .door = door,
        .ticket = start->ticket,
        .listener = start->listener,
        .wire = start->wire,
        .fd = start->fd,
        .opened_ms = bondy_loop_now_ms(door->loop),
        .carrier = (uint8_t)carrier_of(start),
        .is_full = start->is_full,
    };
    bondy_list_init(&raw->sender.link);
    bondy_outq_init(&raw->out, &door->queues, limits->queue_bytes, limits->queue_messages);
    bondy_timer_init(&raw->timer, on_timer);
    bondy_timer_init(&raw->rate_timer, on_rate_timer);
    bondy_list_append(&door->rawsockets, &raw->link);
    bondy_traffic_opened(&door->traffic, raw->carrier);
    bondy_door_poll_open(door, &raw->poll, raw->fd, raw);
    start_timer(raw, start->listener->handshake_timeout_ms);
    update_poll(raw);
    if (start->early.len > 0)
        use_octets(raw, start->early);
    if (raw->wire != NULL && !raw->is_broken)
        read_in(raw);
}

void bondy_rawsocket_init(struct bondy_door *door)
{
    door->rawsocket_slab = bondy_slab_create(sizeof(struct rawsocket), 0);
}

void bondy_rawsocket_destroy_all(struct bondy_door *door)
{
    while (!bondy_list_is_empty(&door->rawsockets))
        finish(BONDY_LIST_ENTRY(door->rawsockets.next, struct rawsocket, link));
}

void bondy_rawsocket_fini(struct bondy_door *door)
{
    bondy_slab_destroy(door->rawsocket_slab);
}
