/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/rig.h"

#include <stdio.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/sys/publish.h"
#include "src/wamp/codec.h"
#include "src/wamp/rawsocket.h"
#include "tests/lib/rig_login.h"

/* ---- realms: what src/security would give ------------------------------------------------ */

const struct bondy_realm *bondy_realms_find(const struct bondy_realms *realms,
                                            struct bondy_slice uri)
{
    for (size_t i = 0; i < BONDY_RIG_REALMS; i++) {
        if (realms->realms[i] != NULL && bondy_slice_is(uri, realms->realms[i]->uri))
            return realms->realms[i];
    }
    return NULL;
}

void bondy_realms_each(const struct bondy_realms *realms,
                       bool (*fn)(void *context, const struct bondy_realm *realm), void *context)
{
    for (size_t i = 0; i < BONDY_RIG_REALMS; i++)
        if (realms->realms[i] != NULL && !fn(context, realms->realms[i]))
            return;
}

struct bondy_realm *bondy_rig_realm(struct bondy_rig *rig, const char *uri)
{
    return (struct bondy_realm *)(uintptr_t)bondy_realms_find(&rig->realms, bondy_slice_text(uri));
}

static void configure(struct bondy_realm *realm, bool has_security)
{
    struct bondy_policy_settings settings = bondy_policy_defaults;

    realm->has_security = has_security;
    settings.security_enabled = has_security;
    bondy_policy_configure(realm->policy, &settings);
    bondy_policy_publish(realm->policy);
}

void bondy_rig_add_realm(struct bondy_rig *rig, const char *uri, unsigned flags)
{
    static uint32_t last_gen;
    struct bondy_realm *realm = bondy_zalloc(sizeof *realm);

    bondy_ref_init(&realm->ref);
    realm->policy = bondy_policy_create(bondy_slice_text(uri));
    configure(realm, (flags & BONDY_RIG_SECURE) != 0);
    realm->uri = bondy_strdup(uri);
    realm->is_master = (flags & BONDY_RIG_MASTER) != 0;
    realm->allows_connections = (flags & BONDY_RIG_NO_CONNECTIONS) == 0;
    realm->allows_anonymous = (flags & BONDY_RIG_NO_ANONYMOUS) == 0;
    realm->gen = ++last_gen;
    for (size_t i = 0; i < BONDY_RIG_REALMS; i++) {
        if (rig->realms.realms[i] == NULL) {
            rig->realms.realms[i] = realm;
            return;
        }
    }
    BONDY_BUG_ON(true);
}

/* Logins may still have it. */
void bondy_realm_ref(const struct bondy_realm *realm)
{
    bondy_ref_take(&((struct bondy_realm *)(uintptr_t)realm)->ref);
}

void bondy_realm_unref(const struct bondy_realm *borrowed)
{
    struct bondy_realm *realm = (struct bondy_realm *)(uintptr_t)borrowed;

    if (!bondy_ref_drop(&realm->ref))
        return;
    bondy_policy_unref(realm->policy);
    json_decref(realm->authorizer);
    bondy_free(realm->uri);
    bondy_free(realm);
}

static void free_realm(struct bondy_rig *rig, size_t i)
{
    bondy_realm_unref(rig->realms.realms[i]);
    rig->realms.realms[i] = NULL;
}

void bondy_rig_secure(struct bondy_rig *rig, const char *uri, bool has_security)
{
    configure(bondy_rig_realm(rig, uri), has_security);
    bondy_rig_publish(rig, uri);
}

void bondy_rig_publish(struct bondy_rig *rig, const char *uri)
{
    bondy_policy_publish(bondy_rig_realm(rig, uri)->policy);
    for (unsigned i = 0; i < rig->thread_count; i++)
        bondy_router_thread_recheck(rig->threads[i], bondy_slice_text(uri), BONDY_SLICE_EMPTY);
    bondy_rig_settle(rig);
}

void bondy_rig_clear_realms(struct bondy_rig *rig)
{
    for (size_t i = 0; i < BONDY_RIG_REALMS; i++) {
        if (rig->realms.realms[i] != NULL)
            free_realm(rig, i);
    }
}

void bondy_rig_remove_realm(struct bondy_rig *rig, const char *uri)
{
    for (size_t i = 0; i < BONDY_RIG_REALMS; i++) {
        if (rig->realms.realms[i] != NULL && strcmp(rig->realms.realms[i]->uri, uri) == 0)
            free_realm(rig, i);
    }
    for (unsigned i = 0; i < rig->thread_count; i++)
        bondy_router_thread_close_realm(rig->threads[i], bondy_slice_text(uri));
    bondy_rig_settle(rig);
}

static void auto_create(void *context, struct bondy_slice realm, struct bondy_router_thread *thread,
                        uint64_t waiter)
{
    struct bondy_rig *rig = context;

    (void)realm;
    BONDY_BUG_ON(rig->waiter_count == BONDY_RIG_PEERS);
    rig->waiting_threads[rig->waiter_count] = thread;
    rig->waiters[rig->waiter_count++] = waiter;
}

void bondy_rig_make_realms(struct bondy_rig *rig, const char *uri)
{
    size_t count = rig->waiter_count;

    if (uri != NULL)
        bondy_rig_add_realm(rig, uri, 0);
    rig->waiter_count = 0;
    for (size_t i = 0; i < count; i++)
        bondy_router_thread_realm_made(rig->waiting_threads[i], rig->waiters[i]);
    bondy_rig_settle(rig);
}

/* ---- procedures -------------------------------------------------------------------------- */

static void on_ping(void *context, struct bondy_invocation *invocation)
{
    (void)context;
    bondy_invocation_result(invocation, json_pack("[s]", "pong"), NULL);
}

static void on_echo(void *context, struct bondy_invocation *invocation)
{
    (void)context;
    bondy_invocation_result(invocation, json_incref(bondy_invocation_args(invocation)),
                            json_incref(bondy_invocation_kwargs(invocation)));
}

static void on_fail(void *context, struct bondy_invocation *invocation)
{
    (void)context;
    bondy_invocation_error(invocation, "bondy.error.not_found", json_pack("[s]", "nothing here"),
                           NULL);
}

static void on_later(void *context, struct bondy_invocation *invocation)
{
    ((struct bondy_rig *)context)->later = invocation;
}

static bool find_procedure(void *context, struct bondy_slice uri, bondy_procedure_fn *fn,
                           void **fn_context)
{
    static const struct {
        const char *uri;
        bondy_procedure_fn fn;
    } procedures[] = {{"bondy.ping", on_ping},
                      {"bondy.echo", on_echo},
                      {"bondy.fail", on_fail},
                      {"bondy.later", on_later},
                      {"com.leapsight.bondy.ping", on_ping},
                      {"com.leapsight.bondy.echo", on_echo}};

    *fn_context = context;
    for (size_t i = 0; i < BONDY_COUNT(procedures); i++) {
        if (bondy_slice_is(uri, procedures[i].uri)) {
            *fn = procedures[i].fn;
            return true;
        }
    }
    return false;
}

/* The names that two of them have had. */
static struct bondy_slice canonical_procedure(void *context, struct bondy_slice uri)
{
    (void)context;
    return bondy_slice_is(uri, "com.leapsight.bondy.ping")   ? BONDY_SLICE("bondy.ping")
           : bondy_slice_is(uri, "com.leapsight.bondy.echo") ? BONDY_SLICE("bondy.echo")
                                                             : uri;
}

/* ---- peers ------------------------------------------------------------------------------- */

/* A frame head that a mistake in lengths would break: that of RawSocket, and one byte more for
 * JSON so that framings differ. */
static size_t rawsocket_head(uint8_t head[BONDY_FRAME_HEAD_MAX], enum bondy_serializer serializer,
                             size_t len)
{
    (void)serializer;
    bondy_rawsocket_write_head(BONDY_FRAME_MESSAGE, (uint32_t)len, head);
    return BONDY_RAWSOCKET_HEAD_LEN;
}

static size_t other_head(uint8_t head[BONDY_FRAME_HEAD_MAX], enum bondy_serializer serializer,
                         size_t len)
{
    (void)serializer;
    head[0] = 0x5A;
    bondy_rawsocket_write_head(BONDY_FRAME_MESSAGE, (uint32_t)len, head + 1);
    return 1 + BONDY_RAWSOCKET_HEAD_LEN;
}

static void keep(struct bondy_rig_peer *peer, struct bondy_slice bytes)
{
    const struct bondy_codec_limits limits = BONDY_CODEC_LIMITS_DEFAULT;
    struct bondy_buf scratch = BONDY_BUF_EMPTY;
    struct bondy_message message;

    BONDY_BUG_ON(peer->limit != 0 && bytes.len > peer->limit);
    BONDY_BUG_ON(bondy_message_decode(peer->serializer, bytes, &limits, &scratch, &message, NULL) !=
                 BONDY_OK);
    json_array_append_new(peer->received, bondy_value_tree(peer->serializer, bytes));
    bondy_buf_fini(&scratch);
}

static void on_send(void *transport, const struct bondy_encoded *message, enum bondy_send_kind kind)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;

    (void)kind;
    for (unsigned i = 0; i < message->part_count; i++)
        bondy_buf_append_slice(&bytes, message->parts[i]);
    BONDY_BUG_ON(bytes.len != message->len);
    keep(transport, bondy_buf_slice(&bytes));
    bondy_buf_fini(&bytes);
}

static void on_send_shared(void *transport, struct bondy_shared *message, enum bondy_send_kind kind)
{
    struct bondy_rig_peer *peer = transport;
    const uint8_t *head = message->bytes + (peer->serializer == BONDY_JSON ? 1 : 0);
    size_t head_len = (peer->serializer == BONDY_JSON ? 1 : 0) + BONDY_RAWSOCKET_HEAD_LEN;
    enum bondy_frame_type type;
    uint32_t len;

    BONDY_BUG_ON(kind != BONDY_SEND_EVENT);
    BONDY_BUG_ON(!bondy_rawsocket_head(head, &type, &len) || len + head_len != message->len);
    peer->shared++;
    keep(peer, bondy_slice_of(message->bytes + head_len, len));
}

static void on_close(void *transport)
{
    struct bondy_rig_peer *peer = transport;

    peer->is_closed = true;
    peer->session = NULL;
}

static const struct bondy_session_out outs[] = {{.framing = BONDY_FRAMING_RAWSOCKET,
                                                 .frame_head = rawsocket_head,
                                                 .send = on_send,
                                                 .send_shared = on_send_shared,
                                                 .close = on_close},
                                                {.framing = BONDY_FRAMING_WEBSOCKET,
                                                 .frame_head = other_head,
                                                 .send = on_send,
                                                 .send_shared = on_send_shared,
                                                 .close = on_close}};

struct bondy_rig_peer *bondy_rig_peer(struct bondy_rig *rig, const char *name,
                                      enum bondy_serializer serializer)
{
    struct bondy_rig_peer *peer;

    for (size_t i = 0; i < rig->peer_count; i++) {
        if (strcmp(rig->peers[i].name, name) == 0)
            return &rig->peers[i];
    }
    BONDY_BUG_ON(rig->peer_count == BONDY_RIG_PEERS);
    peer = &rig->peers[rig->peer_count];
    memset(peer, 0, sizeof *peer);
    peer->rig = rig;
    snprintf(peer->name, sizeof peer->name, "%s", name);
    peer->thread = (unsigned)(rig->peer_count % rig->thread_count);
    peer->serializer = serializer;
    peer->received = json_array();
    rig->peer_count++;
    return peer;
}

void bondy_rig_connect(struct bondy_rig_peer *peer)
{
    const struct bondy_session_peer about = {.serializer = peer->serializer,
                                             .transport = "tcp",
                                             .peername = BONDY_SLICE("127.0.0.1:4711"),
                                             .max_message = peer->limit,
                                             .auth_timeout_ms = 10000};

    BONDY_BUG_ON(peer->session != NULL);
    peer->is_closed = false;
    peer->session = bondy_session_open(peer->rig->threads[peer->thread], &about,
                                       &outs[peer->serializer == BONDY_JSON], peer);
}

void bondy_rig_send_bytes(struct bondy_rig_peer *peer, struct bondy_slice bytes)
{
    /* A copy of its own size: the sanitizer sees a read beyond it. */
    char *copy = bondy_alloc(bytes.len);

    BONDY_BUG_ON(peer->session == NULL);
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    if (!bondy_session_receive(peer->session, bondy_slice_of(copy, bytes.len)))
        BONDY_BUG_ON(!peer->is_closed);
    bondy_free(copy);
    bondy_rig_settle(peer->rig);
}

void bondy_rig_send(struct bondy_rig_peer *peer, const json_t *message)
{
    struct bondy_buf bytes = BONDY_BUF_EMPTY;

    bondy_value_format(peer->serializer, message, &bytes);
    bondy_rig_send_bytes(peer, bondy_buf_slice(&bytes));
    bondy_buf_fini(&bytes);
}

void bondy_rig_lose(struct bondy_rig_peer *peer)
{
    bondy_session_lost(BONDY_MOVE(peer->session));
    bondy_rig_settle(peer->rig);
}

/* ---- threads, mail and time -------------------------------------------------------------- */

static void post(void *context, unsigned from, unsigned to, struct bondy_mail *first,
                 struct bondy_mail *last)
{
    struct bondy_rig *rig = context;

    BONDY_BUG_ON(from == to || to >= rig->thread_count || last->next != NULL);
    if (rig->first_mail == NULL)
        rig->first_mail = first;
    else
        rig->last_mail->next = first;
    rig->last_mail = last;
}

static void flush(struct bondy_rig *rig)
{
    for (unsigned i = 0; i < rig->thread_count; i++)
        bondy_router_flush(rig->threads[i]);
}

void bondy_rig_settle(struct bondy_rig *rig)
{
    flush(rig);
    while (!rig->holds_mail && rig->first_mail != NULL) {
        struct bondy_mail *mail = rig->first_mail;

        rig->first_mail = mail->next;
        mail->run(mail);
        flush(rig);
    }
    bondy_publish_quiesce();
}

void bondy_rig_advance(struct bondy_rig *rig, uint64_t ms)
{
    uint64_t end = rig->wheels[0].now_ms + ms;

    while (rig->wheels[0].now_ms < end) {
        uint64_t step = end - rig->wheels[0].now_ms;

        for (unsigned i = 0; i < rig->thread_count; i++) {
            uint64_t next = bondy_wheel_next(&rig->wheels[i]);

            step = next < step ? next : step;
        }
        step = step == 0 ? 1 : step;
        for (unsigned i = 0; i < rig->thread_count; i++)
            bondy_wheel_advance(&rig->wheels[i], rig->wheels[i].now_ms + step);
        bondy_rig_settle(rig);
    }
}

void bondy_rig_init(struct bondy_rig *rig, unsigned thread_count)
{
    memset(rig, 0, sizeof *rig);
    rig->thread_count = thread_count;
    rig->options = (struct bondy_router_options){.thread_count = thread_count,
                                                 .realms = &rig->realms,
                                                 .uri_rule = BONDY_URI_LOOSE,
                                                 .codec_limits = BONDY_CODEC_LIMITS_DEFAULT,
                                                 .max_preauth_message = 64 * 1024,
                                                 .max_message = 16 * 1024 * 1024,
                                                 .call_timeout_ms = 0,
                                                 .max_call_timeout_ms = 0,
                                                 .goodbye_timeout_ms = 5000,
                                                 .max_subscriptions = 10000,
                                                 .max_registrations = 10000,
                                                 .max_inflight_calls = 10000,
                                                 .agent = "bondy",
                                                 .node_name = "test",
                                                 .post = post,
                                                 .find_procedure = find_procedure,
                                                 .canonical_procedure = canonical_procedure,
                                                 .context = rig};
}

void bondy_rig_start(struct bondy_rig *rig)
{
    bondy_publish_thread_start();
    if (rig->makes_realms)
        rig->options.auto_create = auto_create;
    bondy_rig_login_start(rig);
    BONDY_BUG_ON(bondy_router_create(&rig->options, &rig->router, NULL) != BONDY_OK);
    for (unsigned i = 0; i < rig->thread_count; i++) {
        bondy_wheel_init(&rig->wheels[i], 1000);
        rig->threads[i] = bondy_router_thread_create(rig->router, i, &rig->wheels[i]);
    }
    bondy_rig_add_realm(rig, "dev", 0);
}

void bondy_rig_stop(struct bondy_rig *rig)
{
    rig->holds_mail = false;
    bondy_rig_settle(rig);
    for (size_t i = 0; i < rig->peer_count; i++) {
        if (rig->peers[i].session != NULL)
            bondy_rig_lose(&rig->peers[i]);
        json_decref(rig->peers[i].received);
    }
    if (rig->later != NULL)
        bondy_invocation_error(BONDY_MOVE(rig->later), "wamp.error.canceled", NULL, NULL);
    for (unsigned i = 0; i < rig->thread_count; i++) {
        BONDY_BUG_ON(bondy_router_thread_session_count(rig->threads[i]) != 0);
        bondy_router_thread_destroy(rig->threads[i]);
    }
    bondy_router_destroy(rig->router);
    bondy_rig_login_stop(rig);
    bondy_rig_clear_realms(rig);
    bondy_publish_barrier_wait();
    bondy_publish_thread_stop();
}
