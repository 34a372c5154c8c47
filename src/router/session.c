/* SPDX-License-Identifier: Apache-2.0 */
#include "src/router/session.h"

#include <sodium.h>

#include "src/base/alloc.h"
#include "src/base/clock.h"
#include "src/base/id.h"
#include "src/router/authorize.h"
#include "src/router/broker.h"
#include "src/router/core.h"
#include "src/router/dealer.h"
#include "src/router/stats.h"
#include "src/wamp/errors.h"

/* More than this of the decoder's scratch is given back after a message. */
#define SCRATCH_KEEP (64 * 1024)

static bool on_goodbye(struct bondy_session *session, const struct bondy_message *message);
static bool on_abort(struct bondy_session *session, const struct bondy_message *message);

/* ---- what a joined session may send ------------------------------------------------------ */

struct message_row {
    bool (*handle)(struct bondy_session *session, const struct bondy_message *message);
    uint8_t role;        /* one of the roles announced must cover it; 0: any */
    bool is_in_sequence; /* its request id counts (WAMP, Session Scope IDs) */
};

static const struct message_row rows[BONDY_MESSAGE_TYPES] = {
    [BONDY_ABORT] = {on_abort, 0, false},
    [BONDY_GOODBYE] = {on_goodbye, 0, false},
    [BONDY_ERROR] = {bondy_dealer_on_error, BONDY_ROLE_BIT(BONDY_ROLE_CALLEE), false},
    [BONDY_PUBLISH] = {bondy_broker_on_publish, BONDY_ROLE_BIT(BONDY_ROLE_PUBLISHER), true},
    [BONDY_SUBSCRIBE] = {bondy_broker_on_subscribe, BONDY_ROLE_BIT(BONDY_ROLE_SUBSCRIBER), true},
    [BONDY_UNSUBSCRIBE] = {bondy_broker_on_unsubscribe, BONDY_ROLE_BIT(BONDY_ROLE_SUBSCRIBER),
                           true},
    [BONDY_CALL] = {bondy_dealer_on_call, BONDY_ROLE_BIT(BONDY_ROLE_CALLER), true},
    [BONDY_CANCEL] = {bondy_dealer_on_cancel, BONDY_ROLE_BIT(BONDY_ROLE_CALLER), false},
    [BONDY_REGISTER] = {bondy_dealer_on_register, BONDY_ROLE_BIT(BONDY_ROLE_CALLEE), true},
    [BONDY_UNREGISTER] = {bondy_dealer_on_unregister, BONDY_ROLE_BIT(BONDY_ROLE_CALLEE), true},
    [BONDY_YIELD] = {bondy_dealer_on_yield, BONDY_ROLE_BIT(BONDY_ROLE_CALLEE), false},
};

static bool violate(struct bondy_session *session, const char *what)
{
    bondy_session_violate(session, what);
    return false;
}

static bool dispatch(struct bondy_session *session, const struct bondy_message *message)
{
    const struct message_row *row = &rows[message->type];

    if (row->handle == NULL)
        return violate(session, "this message is not for a client to send in a session");
    if (row->role != 0 && (session->roles & row->role) == 0)
        return violate(session, "the message belongs to a role that HELLO did not announce");
    if (row->is_in_sequence) {
        if (message->id != session->next_request)
            return violate(session, "request ids must count up by one from 1");
        session->next_request = message->id == BONDY_ID_MAX ? 1 : message->id + 1;
    }
    return row->handle(session, message);
}

bool bondy_session_receive(struct bondy_session *session, struct bondy_slice bytes)
{
    struct bondy_router_thread *thread = session->thread;
    struct bondy_message message;
    struct bondy_error err;
    bool is_alive;
    int rc;

    if (session->state != BONDY_SESSION_JOINED)
        return bondy_join_receive(session, bytes);
    if (session->parked != NULL)
        return bondy_authorize_hold(session, bytes);
    rc = bondy_message_decode((enum bondy_serializer)session->serializer, bytes,
                              &thread->router->options.codec_limits, &thread->decode_scratch,
                              &message, &err);
    if (rc != BONDY_OK && rc != BONDY_ELIMIT)
        return violate(session, err.text);
    if (rc == BONDY_ELIMIT) /* no URI is valid that is longer than the limit */
        message.uri = BONDY_SLICE_EMPTY;
    thread->current = bytes;
    bondy_stats_message(session->stats, message.type, bytes.len);
    is_alive = dispatch(session, &message);
    bondy_buf_clear(&thread->decode_scratch, SCRATCH_KEEP);
    return is_alive;
}

bool bondy_session_again(struct bondy_session *session, struct bondy_slice bytes)
{
    struct bondy_router_thread *thread = session->thread;
    struct bondy_message message;

    BONDY_BUG_ON(bondy_message_decode((enum bondy_serializer)session->serializer, bytes,
                                      &thread->router->options.codec_limits,
                                      &thread->decode_scratch, &message, NULL) != BONDY_OK);
    thread->current = bytes;
    return rows[message.type].handle(session, &message);
}

size_t bondy_session_receive_max(const struct bondy_session *session)
{
    const struct bondy_router_options *options = &session->thread->router->options;

    return session->state == BONDY_SESSION_JOINED || session->state == BONDY_SESSION_CLOSING
               ? options->max_message
               : options->max_preauth_message;
}

/* ---- life -------------------------------------------------------------------------------- */

struct bondy_session *bondy_session_alloc(struct bondy_router_thread *thread)
{
    struct bondy_session *session = bondy_slab_alloc(thread->session_slab);

    memset(session, 0, sizeof *session);
    session->thread = thread;
    bondy_list_init(&session->realm_link);
    bondy_list_init(&session->access_link);
    bondy_list_append(&thread->sessions, &session->link);
    thread->session_count++;
    return session;
}

void bondy_session_free(struct bondy_session *session)
{
    struct bondy_router_thread *thread = session->thread;

    BONDY_BUG_ON(session->realm != NULL);
    bondy_timer_stop(thread->wheel, &session->timer);
    bondy_join_stop(session);
    if (thread->watched == session)
        thread->watched = NULL;
    bondy_list_remove(&session->link);
    thread->session_count--;
    bondy_free(session->texts);
    json_decref(session->extra);
    bondy_slab_free(thread->session_slab, session);
}

/* They hold secrets that nobody needs any more. */
void bondy_session_forget_cookies(struct bondy_session *session)
{
    char *text = (char *)(uintptr_t)session->cookies.data;

    if (text != NULL)
        sodium_memzero(text, session->cookies.len);
    bondy_free(text);
    session->cookies = BONDY_SLICE_EMPTY;
}

static void free_with_peer(struct bondy_session *session)
{
    bondy_session_forget_cookies(session);
    if (session->peername.data != NULL)
        bondy_free((char *)session->peername.data);
    session->peername = BONDY_SLICE_EMPTY;
    bondy_session_free(session);
}

/* The conversation is over: nothing of the session is left when the transport hears of it. */
static void end(struct bondy_session *session)
{
    const struct bondy_session_out *out = session->out;
    void *transport = session->peer;

    bondy_session_leave(session);
    free_with_peer(session);
    out->close(transport);
}

/* Session ids of thread t are those that leave the rest t when divided by the number of threads:
 * over all threads they cover 1..2^53 evenly, and two threads never draw the same. */
static uint64_t draw_id(struct bondy_router_thread *thread)
{
    uint64_t id;

    do
        id = bondy_id_random();
    while (id % thread->router->options.thread_count != thread->index ||
           bondy_idmap_find(&thread->by_id, id) != NULL);
    return id;
}

void bondy_session_make_authid(struct bondy_session *session)
{
    char uuid[37];

    bondy_id_uuid4(uuid);
    memcpy(session->random_authid, uuid, sizeof session->random_authid);
    session->authid = bondy_slice_of(session->random_authid, sizeof session->random_authid);
}

static struct bondy_slice append(char **at, struct bondy_slice text)
{
    char *start = *at;

    if (text.len > 0)
        memcpy(start, text.data, text.len);
    *at += text.len;
    return bondy_slice_of(start, text.len);
}

void bondy_session_identify(struct bondy_session *session, const struct bondy_identity *identity)
{
    char *at = bondy_alloc(identity->authid.len + identity->authrole.len +
                           identity->authmethod.len + identity->authprovider.len + 1);

    bondy_free(session->texts);
    session->texts = at;
    session->authid = append(&at, identity->authid);
    session->authrole = append(&at, identity->authrole);
    session->authmethod = append(&at, identity->authmethod);
    session->authprovider = append(&at, identity->authprovider);
    json_decref(session->extra);
    session->extra = json_incref((json_t *)(uintptr_t)identity->extra);
    if (identity->authid.len == 0)
        bondy_session_make_authid(session);
}

void bondy_session_take_id(struct bondy_session *session)
{
    struct bondy_router_thread *thread = session->thread;

    session->id = draw_id(thread);
    bondy_idmap_put(&thread->by_id, session->id, session);
}

void bondy_session_enter(struct bondy_session *session, struct bondy_realm_here *realm,
                         const struct bondy_identity *identity)
{
    struct bondy_router_thread *thread = session->thread;

    session->is_trusted = identity->is_trusted;
    if (session->id == 0)
        bondy_session_take_id(session);
    session->realm = realm;
    bondy_list_append(&realm->sessions, &session->realm_link);
    realm->session_count++;
    session->next_request = 1;
    session->last_invocation = 0;
    session->joined_ms = thread->wheel->now_ms;
    session->joined_wall_ms = bondy_clock_wall_ms();
    session->state = BONDY_SESSION_JOINED;
    bondy_access_join(session, identity);
}

void bondy_session_leave(struct bondy_session *session)
{
    struct bondy_router_thread *thread = session->thread;
    struct bondy_realm_here *realm = session->realm;

    if (realm == NULL)
        return;
    /* First nobody finds it any more, then the others are told. */
    bondy_idmap_remove(&thread->by_id, session->id);
    bondy_list_remove(&session->realm_link);
    realm->unchecked_count -= session->is_unchecked;
    session->is_unchecked = false;
    bondy_broker_leave(session);
    bondy_dealer_leave(session);
    bondy_authorize_leave(session);
    bondy_access_leave(session);
    if (session->out != NULL)
        bondy_stats_left(session);
    session->realm = NULL;
    session->id = 0;
    realm->session_count--;
    bondy_join_realm_check(thread, realm);
}

static void say_goodbye(struct bondy_session *session, const char *reason, const char *text)
{
    struct bondy_field_out field = {
        .key = "message", .type = BONDY_VALUE_TEXT, .text = bondy_slice_text(text)};
    struct bondy_message message = {.type = BONDY_GOODBYE,
                                    .uri = bondy_slice_text(reason),
                                    .fields = &field,
                                    .field_count = text == NULL ? 0 : 1};

    bondy_deliver(session, &message, BONDY_SEND_REPLY);
}

void bondy_session_abort_with(struct bondy_session *session, const char *reason, const char *text,
                              const json_t *details)
{
    json_t *tree = details == NULL ? json_object() : json_copy((json_t *)(uintptr_t)details);
    struct bondy_message message = {
        .type = BONDY_ABORT, .uri = bondy_slice_text(reason), .tree = tree};

    BONDY_BUG_ON(session->out == NULL);
    if (text != NULL)
        json_object_set_new(tree, "message", json_string(text));
    bondy_deliver(session, &message, BONDY_SEND_REPLY);
    json_decref(tree);
    end(session);
}

void bondy_session_abort(struct bondy_session *session, const char *reason, const char *text)
{
    bondy_session_abort_with(session, reason, text, NULL);
}

void bondy_session_violate(struct bondy_session *session, const char *what)
{
    bondy_session_abort(session, BONDY_ERR_PROTOCOL_VIOLATION, what);
}

static void on_timer(struct bondy_timer *timer)
{
    struct bondy_session *session = BONDY_CONTAINER(timer, struct bondy_session, timer);

    if (session->state == BONDY_SESSION_OPENING || session->state == BONDY_SESSION_MAKING)
        bondy_session_abort(session, BONDY_ERR_AUTHENTICATION_FAILED, "no HELLO in time");
    else if (session->state == BONDY_SESSION_PROVING)
        bondy_session_abort(session, BONDY_ERR_AUTHENTICATION_FAILED,
                            session->joining->is_challenged ? "no AUTHENTICATE in time"
                                                            : "the login took too long");
    else
        end(session);
}

struct bondy_session *bondy_session_open(struct bondy_router_thread *thread,
                                         const struct bondy_session_peer *peer,
                                         const struct bondy_session_out *out, void *transport)
{
    struct bondy_session *session = bondy_session_alloc(thread);

    session->state = BONDY_SESSION_OPENING;
    session->out = out;
    session->peer = transport;
    session->serializer = (uint8_t)peer->serializer;
    session->transport = peer->transport;
    session->max_send = peer->max_message;
    session->auth_timeout_ms = peer->auth_timeout_ms;
    session->peername =
        bondy_slice_of(bondy_memdup0(peer->peername.data, peer->peername.len), peer->peername.len);
    if (peer->cookies.len > 0)
        session->cookies =
            bondy_slice_of(bondy_memdup0(peer->cookies.data, peer->cookies.len), peer->cookies.len);
    session->stats = bondy_stats_get(thread, false, peer->transport, peer->serializer);
    bondy_timer_init(&session->timer, on_timer);
    if (peer->auth_timeout_ms > 0)
        bondy_timer_start(thread->wheel, &session->timer, peer->auth_timeout_ms);
    return session;
}

void bondy_session_lost(struct bondy_session *session)
{
    bondy_session_leave(session);
    free_with_peer(session);
}

/* The peer closes in order: it is answered, and may open another session on the same transport. */
static bool on_goodbye(struct bondy_session *session, const struct bondy_message *message)
{
    (void)message;
    bondy_dealer_fail_all(session);
    bondy_session_leave(session);
    say_goodbye(session, BONDY_CLOSE_GOODBYE_AND_OUT, NULL);
    session->state = BONDY_SESSION_LEFT;
    bondy_timer_start(session->thread->wheel, &session->timer,
                      session->thread->router->options.goodbye_timeout_ms);
    return true;
}

/* WAMP, Session Establishment, ABORT: never answered. */
static bool on_abort(struct bondy_session *session, const struct bondy_message *message)
{
    (void)message;
    end(session);
    return false;
}

static void close_local(struct bondy_session *session, const char *reason)
{
    const struct bondy_session_local *local = session->local;
    void *peer = session->peer;

    bondy_session_lost(session);
    if (local->on_closed != NULL)
        local->on_closed(peer, reason);
}

void bondy_session_goodbye(struct bondy_session *session, const char *reason, const char *message)
{
    struct bondy_router_thread *thread = session->thread;

    if (session->local != NULL) {
        close_local(session, reason);
        return;
    }
    switch ((enum bondy_session_state)session->state) {
    case BONDY_SESSION_OPENING:
    case BONDY_SESSION_MAKING:
    case BONDY_SESSION_PROVING:
        bondy_session_abort(session, reason, message);
        return;
    case BONDY_SESSION_LEFT:
        end(session);
        return;
    case BONDY_SESSION_CLOSING:
        return;
    case BONDY_SESSION_JOINED:
        break;
    }
    bondy_session_leave(session);
    say_goodbye(session, reason, message);
    session->state = BONDY_SESSION_CLOSING;
    bondy_timer_start(thread->wheel, &session->timer, thread->router->options.goodbye_timeout_ms);
}

uint64_t bondy_session_id(const struct bondy_session *session)
{
    return session->state == BONDY_SESSION_PROVING ? 0 : session->id;
}

struct bondy_slice bondy_session_realm(const struct bondy_session *session)
{
    return session->realm == NULL ? BONDY_SLICE_EMPTY
                                  : bondy_slice_text(session->realm->registry->realm);
}

bool bondy_session_has_joined(const struct bondy_session *session)
{
    return session->state == BONDY_SESSION_JOINED;
}
