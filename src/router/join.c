/* SPDX-License-Identifier: Apache-2.0 */

/* Joining: from HELLO to WELCOME or ABORT. WAMP, Session Establishment. */

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/router/core.h"
#include "src/router/stats.h"
#include "src/wamp/errors.h"

#define NO_USABLE_METHOD "none of the offered authentication methods can be used in this realm"

/* ---- HELLO.Details ----------------------------------------------------------------------- */

struct hello {
    struct bondy_features features;
    bool has_methods;           /* authmethods was given */
    bool offers_anonymous;      /* ... and holds it, or was not given */
    struct bondy_error problem; /* code is BONDY_OK when there is none */
};

/* The walkers below share one scratch: each text is used before the next step. */
struct reading {
    struct hello *hello;
    enum bondy_serializer serializer;
    struct bondy_buf *scratch;
};

static void complain(struct hello *hello, const char *text)
{
    bondy_fail(&hello->problem, BONDY_EPROTO, "%s", text);
}

static void read_methods(const struct reading *reading, const struct bondy_value *methods)
{
    struct bondy_walk walk;
    struct bondy_value value;

    if (methods->type != BONDY_VALUE_LIST) {
        complain(reading->hello, "HELLO.Details.authmethods must be a list");
        return;
    }
    reading->hello->has_methods = true;
    bondy_walk_start(&walk, reading->serializer, methods->raw, reading->scratch);
    while (bondy_list_next(&walk, &value)) {
        if (value.type != BONDY_VALUE_TEXT)
            complain(reading->hello, "HELLO.Details.authmethods must hold texts");
        else if (bondy_slice_is(value.text, "anonymous"))
            reading->hello->offers_anonymous = true;
    }
}

static void read_details(const struct bondy_message *message, struct bondy_buf *scratch,
                         struct hello *hello)
{
    const struct reading reading = {hello, message->serializer, scratch};
    struct bondy_walk walk;
    struct bondy_slice key;
    struct bondy_value value;

    hello->has_methods = false;
    hello->offers_anonymous = false;
    hello->problem.code =
        bondy_features_parse(message->serializer, message->dict, BONDY_ROLES_CLIENT, scratch,
                             &hello->features, &hello->problem);
    scratch->len = 0;
    bondy_walk_start(&walk, message->serializer, message->dict, scratch);
    while (bondy_dict_next(&walk, &key, &value)) {
        if (bondy_slice_is(key, "authmethods"))
            read_methods(&reading, &value);
        else if ((bondy_slice_is(key, "authid") || bondy_slice_is(key, "authrole") ||
                  bondy_slice_is(key, "agent")) &&
                 value.type != BONDY_VALUE_TEXT && value.type != BONDY_VALUE_NULL)
            complain(hello, "authid, authrole and agent in HELLO.Details must be texts");
    }
    if (!hello->has_methods)
        hello->offers_anonymous = true;
}

/* ---- realms as this thread sees them ----------------------------------------------------- */

static struct bondy_registry *acquire_registry(struct bondy_router *router, const char *realm,
                                               uint32_t gen)
{
    struct bondy_registry *registry;

    pthread_mutex_lock(&router->mutex);
    for (registry = router->registries; registry != NULL; registry = registry->next) {
        if (registry->gen == gen && strcmp(registry->realm, realm) == 0)
            break;
    }
    if (registry == NULL) {
        registry =
            bondy_registry_create(realm, gen, router->options.thread_count, &router->numbers);
        registry->next = router->registries;
        router->registries = registry;
    }
    registry->refs++;
    pthread_mutex_unlock(&router->mutex);
    return registry;
}

static void release_registry(struct bondy_router *router, struct bondy_registry *registry)
{
    struct bondy_registry **at;
    bool is_last;

    pthread_mutex_lock(&router->mutex);
    is_last = --registry->refs == 0;
    for (at = &router->registries; is_last && *at != NULL; at = &(*at)->next) {
        if (*at == registry) {
            *at = registry->next;
            break;
        }
    }
    pthread_mutex_unlock(&router->mutex);
    /* Threads that read it held a reference: there are none. */
    if (is_last)
        bondy_registry_destroy(registry);
}

/* The realm is gone: nobody finds this view any more, and its sessions are told to leave. */
static void retire_realm(struct bondy_router_thread *thread, struct bondy_realm_here *here)
{
    here->is_gone = true;
    bondy_map_remove(&thread->realms, bondy_slice_text(here->registry->realm));
    here->session_count++; /* keeps the view while they do */
    while (!bondy_list_is_empty(&here->sessions))
        bondy_session_goodbye(
            BONDY_LIST_ENTRY(here->sessions.next, struct bondy_session, realm_link),
            BONDY_CLOSE_REALM, NULL);
    here->session_count--;
    bondy_join_realm_check(thread, here);
}

struct bondy_realm_here *bondy_join_realm(struct bondy_router_thread *thread,
                                          const struct bondy_realm *realm)
{
    struct bondy_realm_here *here = bondy_map_find(&thread->realms, bondy_slice_text(realm->uri));

    if (here != NULL && here->registry->gen == realm->gen)
        return here;
    if (here != NULL) /* made again under the same name */
        retire_realm(thread, here);
    here = bondy_zalloc(sizeof *here);
    here->registry = acquire_registry(thread->router, realm->uri, realm->gen);
    here->is_master = realm->is_master;
    bondy_list_init(&here->sessions);
    bondy_map_put(&thread->realms, bondy_slice_text(realm->uri), here);
    return here;
}

void bondy_join_realm_check(struct bondy_router_thread *thread, struct bondy_realm_here *here)
{
    if (!here->is_gone || here->session_count > 0)
        return;
    release_registry(thread->router, here->registry);
    bondy_free(here);
}

void bondy_router_thread_close_realm(struct bondy_router_thread *thread, struct bondy_slice uri)
{
    const struct bondy_realm *now = bondy_realms_find(thread->router->options.realms, uri);
    struct bondy_realm_here *here = bondy_map_find(&thread->realms, uri);

    if (here != NULL && (now == NULL || now->gen != here->registry->gen))
        retire_realm(thread, here);
}

/* ---- WELCOME ----------------------------------------------------------------------------- */

static void welcome(struct bondy_session *session)
{
    struct bondy_router_thread *thread = session->thread;
    const struct bondy_field_out fields[] = {
        {.key = "realm", .type = BONDY_VALUE_TEXT, .text = bondy_session_realm(session)},
        {.key = "authid", .type = BONDY_VALUE_TEXT, .text = session->authid},
        {.key = "authrole", .type = BONDY_VALUE_TEXT, .text = session->authrole},
        {.key = "authmethod", .type = BONDY_VALUE_TEXT, .text = session->authmethod},
        {.key = "authprovider", .type = BONDY_VALUE_TEXT, .text = BONDY_SLICE("bondy")},
        {.key = "agent", .type = BONDY_VALUE_TEXT, .text = bondy_slice_text(thread->router->agent)},
        {.key = "roles", .type = BONDY_VALUE_DICT, .tree = thread->roles},
    };
    const struct bondy_message message = {.type = BONDY_WELCOME,
                                          .id = session->id,
                                          .fields = fields,
                                          .field_count = BONDY_COUNT(fields)};

    bondy_deliver(session, &message, BONDY_SEND_REPLY);
}

static void join_anonymous(struct bondy_session *session, const struct hello *hello,
                           const struct bondy_realm *realm)
{
    struct bondy_router_thread *thread = session->thread;

    bondy_timer_stop(thread->wheel, &session->timer);
    session->roles = (uint8_t)hello->features.roles;
    session->takes_interrupts =
        bondy_features_have(&hello->features, BONDY_ROLE_CALLEE, BONDY_FEATURE_CALL_CANCELING);
    session->takes_timeouts =
        bondy_features_have(&hello->features, BONDY_ROLE_CALLEE, BONDY_FEATURE_CALL_TIMEOUT);
    session->wants_publishers = bondy_features_have(&hello->features, BONDY_ROLE_SUBSCRIBER,
                                                    BONDY_FEATURE_PUBLISHER_IDENTIFICATION);
    bondy_session_make_authid(session);
    session->authrole = BONDY_SLICE("anonymous");
    session->authmethod = BONDY_SLICE("anonymous");
    bondy_session_enter(session, bondy_join_realm(thread, realm));
    session->stats = bondy_stats_get(thread, realm->is_master, session->transport,
                                     (enum bondy_serializer)session->serializer);
    bondy_stats_joined(session);
    bondy_log(BONDY_LOG_DEBUG, "session_joined", BONDY_F_STR("realm", realm->uri),
              BONDY_F_U64("session", session->id), BONDY_F_SLICE("method", session->authmethod),
              BONDY_F_STR("transport", session->transport),
              BONDY_F_SLICE("peer", session->peername));
    welcome(session);
}

/* ---- HELLO ------------------------------------------------------------------------------- */

static bool refuse(struct bondy_session *session, const char *reason, const char *text)
{
    bondy_session_abort(session, reason, text);
    return false;
}

static bool enter_realm(struct bondy_session *session, const struct hello *hello,
                        const struct bondy_realm *realm)
{
    /* Nobody joins the master realm before there are identities. */
    if (realm->is_master || !realm->allows_anonymous || !hello->offers_anonymous)
        return refuse(session, BONDY_ERR_NO_MATCHING_AUTH_METHOD, NO_USABLE_METHOD);
    if (!realm->allows_connections)
        return refuse(session, BONDY_ERR_NOT_AUTHORIZED, "the realm takes no connections");
    join_anonymous(session, hello, realm);
    return true;
}

/* Keeps HELLO until the realm is made. */
static void wait_for_realm(struct bondy_session *session, struct bondy_slice realm,
                           struct bondy_slice bytes)
{
    struct bondy_router_thread *thread = session->thread;
    const struct bondy_router_options *options = &thread->router->options;

    session->state = BONDY_SESSION_MAKING;
    session->stash = bondy_memdup0(bytes.data, bytes.len);
    session->stash_len = bytes.len;
    session->waiter = ++thread->last_waiter;
    bondy_idmap_put(&thread->waiters, session->waiter, session);
    options->auto_create(options->context, realm, thread, session->waiter);
}

static bool on_hello(struct bondy_session *session, const struct bondy_message *message,
                     struct bondy_slice bytes, bool may_wait)
{
    struct bondy_router_thread *thread = session->thread;
    const struct bondy_router_options *options = &thread->router->options;
    const struct bondy_realm *realm;
    struct hello hello;

    read_details(message, &thread->option_scratch, &hello);
    if (hello.problem.code != BONDY_OK)
        return refuse(session, BONDY_ERR_PROTOCOL_VIOLATION, hello.problem.text);
    if (!bondy_uri_is_valid(message->uri, BONDY_MATCH_EXACT, options->uri_rule))
        return refuse(session, BONDY_ERR_INVALID_URI, "HELLO.Realm is not a valid URI");
    if (thread->is_draining)
        return refuse(session, BONDY_CLOSE_SYSTEM_SHUTDOWN, NULL);
    realm = bondy_realms_find(options->realms, message->uri);
    if (realm != NULL)
        return enter_realm(session, &hello, realm);
    if (options->auto_create == NULL || !may_wait)
        return refuse(session, BONDY_ERR_NO_SUCH_REALM, "there is no realm of this name");
    wait_for_realm(session, message->uri, bytes);
    return true;
}

void bondy_router_thread_realm_made(struct bondy_router_thread *thread, uint64_t waiter)
{
    struct bondy_session *session = bondy_idmap_remove(&thread->waiters, waiter);
    struct bondy_message message;
    struct bondy_slice bytes;
    char *stash;

    if (session == NULL)
        return;
    stash = BONDY_MOVE(session->stash);
    bytes = bondy_slice_of(stash, session->stash_len);
    session->waiter = 0;
    session->state = BONDY_SESSION_OPENING;
    BONDY_BUG_ON(bondy_message_decode((enum bondy_serializer)session->serializer, bytes,
                                      &thread->router->options.codec_limits,
                                      &thread->decode_scratch, &message, NULL) != BONDY_OK);
    on_hello(session, &message, bytes, false);
    bondy_free(stash);
}

/* What a peer that has not joined may say depends on why it has not. */
static bool on_message(struct bondy_session *session, const struct bondy_message *message,
                       struct bondy_slice bytes)
{
    bool is_closing = session->state == BONDY_SESSION_CLOSING;

    if (message->type == BONDY_ABORT || (message->type == BONDY_GOODBYE && is_closing)) {
        void *transport = session->peer;
        const struct bondy_session_out *out = session->out;

        bondy_session_lost(session);
        out->close(transport);
        return false;
    }
    if (message->type == BONDY_HELLO && !is_closing && session->state != BONDY_SESSION_MAKING)
        return on_hello(session, message, bytes, true);
    if (session->state == BONDY_SESSION_CLOSING || session->state == BONDY_SESSION_LEFT)
        return true;
    bondy_session_violate(session, "only HELLO opens a session");
    return false;
}

bool bondy_join_receive(struct bondy_session *session, struct bondy_slice bytes)
{
    struct bondy_router_thread *thread = session->thread;
    bool is_over = session->state == BONDY_SESSION_CLOSING || session->state == BONDY_SESSION_LEFT;
    struct bondy_message message;
    struct bondy_error err;
    int rc;

    if (bytes.len > bondy_session_receive_max(session))
        rc = bondy_fail(&err, BONDY_EPROTO, "the message is too long before WELCOME");
    else
        rc = bondy_message_decode((enum bondy_serializer)session->serializer, bytes,
                                  &thread->router->options.codec_limits, &thread->decode_scratch,
                                  &message, &err);
    if (rc != BONDY_OK && rc != BONDY_ELIMIT) {
        if (is_over)
            return true;
        bondy_session_violate(session, err.text);
        return false;
    }
    if (rc == BONDY_ELIMIT)
        message.uri = BONDY_SLICE_EMPTY;
    bondy_stats_message(session->stats, message.type, bytes.len);
    return on_message(session, &message, bytes);
}
