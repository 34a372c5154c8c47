/* SPDX-License-Identifier: Apache-2.0 */

/* Joining: from HELLO to WELCOME or ABORT. WAMP, Session Establishment. */

#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/router/access.h"
#include "src/router/ask.h"
#include "src/router/stats.h"
#include "src/wamp/errors.h"

#define NO_USABLE_METHOD "none of the offered authentication methods can be used in this realm"

/* ---- HELLO.Details ----------------------------------------------------------------------- */

struct hello {
    struct bondy_features features;
    bool has_methods;           /* authmethods was given */
    bool offers_anonymous;      /* ... and holds it, or was not given */
    bool has_authid;            /* another one than "anonymous" */
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
    hello->has_authid = false;
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
        if (bondy_slice_is(key, "authid") && value.type == BONDY_VALUE_TEXT && value.text.len > 0 &&
            !bondy_slice_is(value.text, "anonymous"))
            hello->has_authid = true;
    }
    if (!hello->has_methods)
        hello->offers_anonymous = true;
}

/* ---- realms as this thread sees them ----------------------------------------------------- */

/* Under the router's mutex. */
static struct bondy_registry *find_registry(const struct bondy_router *router,
                                            const struct bondy_realm *realm)
{
    struct bondy_registry *registry = router->registries;

    while (registry != NULL &&
           (registry->gen != realm->gen || strcmp(registry->realm, realm->uri) != 0))
        registry = registry->next;
    return registry;
}

static struct bondy_registry *acquire_registry(struct bondy_router *router,
                                               const struct bondy_realm *realm)
{
    struct bondy_registry *registry;

    pthread_mutex_lock(&router->mutex);
    registry = find_registry(router, realm);
    if (registry == NULL) {
        registry = bondy_registry_create(realm->uri, realm->gen, router->options.thread_count,
                                         &router->numbers);
        registry->next = router->registries;
        router->registries = registry;
    }
    registry->refs++;
    pthread_mutex_unlock(&router->mutex);
    return registry;
}

struct bondy_registry *bondy_join_find_registry(struct bondy_router *router,
                                                const struct bondy_realm *realm)
{
    struct bondy_registry *registry;

    pthread_mutex_lock(&router->mutex);
    registry = find_registry(router, realm);
    if (registry != NULL)
        registry->refs++;
    pthread_mutex_unlock(&router->mutex);
    return registry;
}

void bondy_join_release_registry(struct bondy_router *router, struct bondy_registry *registry)
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
    here->thread = thread;
    here->policy = realm->policy;
    if (here->policy != NULL)
        bondy_policy_ref(here->policy);
    bondy_timer_init(&here->sweep_timer, NULL);
    here->registry = acquire_registry(thread->router, realm);
    here->is_master = realm->is_master;
    bondy_list_init(&here->sessions);
    bondy_map_put(&thread->realms, bondy_slice_text(realm->uri), here);
    return here;
}

void bondy_join_realm_check(struct bondy_router_thread *thread, struct bondy_realm_here *here)
{
    if (!here->is_gone || here->session_count > 0)
        return;
    bondy_access_stop_sweep(here);
    bondy_map_fini(&here->accesses);
    if (here->policy != NULL)
        bondy_policy_unref(here->policy);
    bondy_join_release_registry(thread->router, here->registry);
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

/* False: it is longer than the peer takes. */
static bool welcome(struct bondy_session *session)
{
    struct bondy_router_thread *thread = session->thread;
    json_t *authroles = json_object_get(session->extra, "x_authroles");
    const struct bondy_field_out fields[] = {
        {.key = "realm", .type = BONDY_VALUE_TEXT, .text = bondy_session_realm(session)},
        {.key = "authid", .type = BONDY_VALUE_TEXT, .text = session->authid},
        {.key = "authrole",
         .type = session->authrole.len == 0 ? BONDY_VALUE_NULL : BONDY_VALUE_TEXT,
         .text = session->authrole},
        {.key = "authmethod", .type = BONDY_VALUE_TEXT, .text = session->authmethod},
        {.key = "authprovider", .type = BONDY_VALUE_TEXT, .text = session->authprovider},
        {.key = "agent", .type = BONDY_VALUE_TEXT, .text = bondy_slice_text(thread->router->agent)},
        {.key = "roles", .type = BONDY_VALUE_DICT, .tree = thread->roles},
        {.key = "authextra",
         .type = BONDY_VALUE_DICT,
         .tree = json_object_get(session->extra, "authextra")},
        {.key = "x_authroles", .type = BONDY_VALUE_LIST, .tree = authroles},
    };
    size_t left_out = authroles != NULL ? 0 : session->extra != NULL ? 1 : 2;
    const struct bondy_message message = {.type = BONDY_WELCOME,
                                          .id = session->id,
                                          .fields = fields,
                                          .field_count = BONDY_COUNT(fields) - left_out};

    return bondy_deliver(session, &message, BONDY_SEND_REPLY);
}

static void take_features(struct bondy_session *session, const struct bondy_features *features)
{
    session->roles = (uint8_t)features->roles;
    session->takes_interrupts =
        bondy_features_have(features, BONDY_ROLE_CALLEE, BONDY_FEATURE_CALL_CANCELING);
    session->takes_timeouts =
        bondy_features_have(features, BONDY_ROLE_CALLEE, BONDY_FEATURE_CALL_TIMEOUT);
    session->wants_publishers = bondy_features_have(features, BONDY_ROLE_SUBSCRIBER,
                                                    BONDY_FEATURE_PUBLISHER_IDENTIFICATION);
    session->takes_revoked_subscriptions =
        bondy_features_have(features, BONDY_ROLE_SUBSCRIBER, BONDY_FEATURE_SUBSCRIPTION_REVOCATION);
    session->takes_revoked_registrations =
        bondy_features_have(features, BONDY_ROLE_CALLEE, BONDY_FEATURE_REGISTRATION_REVOCATION);
}

/* False: the session is gone. */
static bool join(struct bondy_session *session, const struct bondy_features *features,
                 const struct bondy_realm *realm, const struct bondy_identity *identity)
{
    struct bondy_router_thread *thread = session->thread;
    const struct bondy_router_options *options = &thread->router->options;
    bool has_user;

    bondy_timer_stop(thread->wheel, &session->timer);
    take_features(session, features);
    bondy_session_forget_cookies(session);
    bondy_session_identify(session, identity);
    bondy_session_enter(session, bondy_join_realm(thread, realm), identity);
    session->stats = bondy_stats_get(thread, realm->is_master, session->transport,
                                     (enum bondy_serializer)session->serializer);
    bondy_stats_joined(session);
    bondy_log(BONDY_LOG_DEBUG, "session_joined", BONDY_F_STR("realm", realm->uri),
              BONDY_F_U64("session", session->id), BONDY_F_SLICE("method", session->authmethod),
              BONDY_F_STR("transport", session->transport),
              BONDY_F_SLICE("peer", session->peername));
    has_user = identity->principal != NULL;
    bondy_join_stop(session); /* the identity was the login's */
    if (!welcome(session)) {
        bondy_session_abort(session, BONDY_ERR_PAYLOAD_SIZE_EXCEEDED,
                            "WELCOME is longer than the messages you take");
        return false;
    }
    if (has_user && options->on_joined != NULL)
        options->on_joined(options->context, thread, session);
    return true;
}

/* ---- logging in -------------------------------------------------------------------------- */

static bool refuse(struct bondy_session *session, const char *reason, const char *text)
{
    bondy_session_abort(session, reason, text);
    return false;
}

static struct bondy_joining *joining_of(struct bondy_session *session)
{
    if (session->joining == NULL)
        session->joining = bondy_zalloc(sizeof *session->joining);
    return session->joining;
}

void bondy_join_stop(struct bondy_session *session)
{
    struct bondy_router_thread *thread = session->thread;
    struct bondy_joining *joining = BONDY_MOVE(session->joining);

    if (joining == NULL)
        return;
    if (joining->waiter != 0)
        bondy_idmap_remove(&thread->waiters, joining->waiter);
    bondy_ask_stop(joining->asking);
    if (joining->login != NULL)
        thread->router->options.login->end(joining->login);
    if (session->state == BONDY_SESSION_PROVING) {
        bondy_idmap_remove(&thread->by_id, session->id);
        session->id = 0;
    }
    bondy_free(joining->stash);
    bondy_free(joining);
}

static void challenge(struct bondy_session *session, const struct bondy_login_answer *answer)
{
    json_t *none = answer->extra == NULL ? json_object() : NULL;
    bool fits;
    const struct bondy_message message = {
        .type = BONDY_CHALLENGE,
        .uri = bondy_slice_text(answer->method),
        .tree = answer->extra == NULL ? none : (json_t *)(uintptr_t)answer->extra};

    session->joining->is_challenged = true;
    fits = bondy_deliver(session, &message, BONDY_SEND_REPLY);
    json_decref(none);
    if (!fits)
        bondy_session_abort(session, BONDY_ERR_PAYLOAD_SIZE_EXCEEDED,
                            "CHALLENGE is longer than the messages you take");
}

/* The realm may be another one by now, or none. */
static void let_in(struct bondy_session *session, const struct bondy_login_answer *answer)
{
    const struct bondy_realm *realm = answer->realm;
    const struct bondy_realm *now =
        bondy_realms_find(session->thread->router->options.realms, bondy_slice_text(realm->uri));

    if (now == NULL || now->gen != realm->gen)
        refuse(session, BONDY_CLOSE_REALM, "the realm was removed meanwhile");
    else if (session->thread->is_draining)
        refuse(session, BONDY_CLOSE_SYSTEM_SHUTDOWN, NULL);
    else
        join(session, &session->joining->features, now, &answer->identity);
}

static void on_told(void *context, const json_t *result, const char *error)
{
    struct bondy_session *session = context;

    session->joining->asking = NULL;
    session->thread->router->options.login->told(session->joining->login, result, error);
}

static void ask(struct bondy_session *session, const struct bondy_login_answer *answer)
{
    const struct bondy_question question = {.realm = bondy_slice_text(answer->realm->uri),
                                            .procedure = bondy_slice_text(answer->procedure),
                                            .args = answer->extra,
                                            .timeout_ms = session->auth_timeout_ms,
                                            .answer = on_told,
                                            .context = session};

    bondy_ask(session->thread, &question, &session->joining->asking);
}

/* A step of the login is done. May end the session. */
static void on_login(struct bondy_login *login, void *context)
{
    struct bondy_session *session = context;
    const struct bondy_login_answer *answer = session->thread->router->options.login->answer(login);

    switch (answer->step) {
    case BONDY_LOGIN_CHALLENGE:
        challenge(session, answer);
        return;
    case BONDY_LOGIN_ASK:
        ask(session, answer);
        return;
    case BONDY_LOGIN_WELCOME:
        let_in(session, answer);
        return;
    case BONDY_LOGIN_ABORT:
        bondy_session_abort_with(session, answer->reason, answer->message, answer->extra);
        return;
    }
}

/* Where the peer is: what its transport told as text. */
static void describe_peer(const struct bondy_session *session, struct bondy_login_peer *out)
{
    bool is_tls = strcmp(session->transport, "wss") == 0 || strcmp(session->transport, "tls") == 0;

    *out = (struct bondy_login_peer){.cookies = session->cookies};
    bondy_address_read(session->peername, &out->address);
    out->is_secure = is_tls || bondy_address_is_loopback(&out->address);
    for (unsigned kind = 1; is_tls && kind < BONDY_BINDINGS; kind++)
        if (session->out->channel_id != NULL)
            out->channel_id_lens[kind] = session->out->channel_id(
                session->peer, (enum bondy_binding)kind, out->channel_ids[kind]);
    if (is_tls && session->out->certificate != NULL)
        session->out->certificate(session->peer, out->certificate);
}

/* Steps of a login may come back at once and end the session: brackets what starts one. */
static void watch(struct bondy_session *session)
{
    session->thread->watched = session;
}

static bool is_alive_still(struct bondy_router_thread *thread)
{
    bool is_alive = thread->watched != NULL;

    thread->watched = NULL;
    return is_alive;
}

static bool begin_login(struct bondy_session *session, const struct hello *hello,
                        const struct bondy_realm *realm, const struct bondy_message *message)
{
    struct bondy_router_thread *thread = session->thread;
    struct bondy_joining *joining = joining_of(session);
    json_t *details = bondy_value_tree(message->serializer, message->dict);
    struct bondy_login_peer peer;
    struct bondy_login_request request = {.realm = realm,
                                          .details = details,
                                          .peer = &peer,
                                          .loop = bondy_loop_current(),
                                          .done = on_login,
                                          .context = session};

    describe_peer(session, &peer);
    joining->features = hello->features;
    bondy_session_take_id(session);
    session->state = BONDY_SESSION_PROVING;
    if (session->auth_timeout_ms > 0)
        bondy_timer_start(thread->wheel, &session->timer, session->auth_timeout_ms);
    request.session_id = session->id;
    watch(session);
    thread->router->options.login->begin(thread->router->options.login->context, &request,
                                         &joining->login);
    json_decref(details);
    return is_alive_still(thread);
}

/* ---- HELLO ------------------------------------------------------------------------------- */

static bool join_anonymous(struct bondy_session *session, const struct hello *hello,
                           const struct bondy_realm *realm)
{
    if (hello->has_authid)
        return refuse(session, BONDY_ERR_AUTHENTICATION_FAILED,
                      "security is disabled in this realm: sessions have no identity");
    if (!realm->allows_anonymous || !hello->offers_anonymous)
        return refuse(session, BONDY_ERR_NO_MATCHING_AUTH_METHOD, NO_USABLE_METHOD);
    if (!join(session, &hello->features, realm, &bondy_identity_anonymous))
        return false;
    session->is_unchecked = true;
    session->realm->unchecked_count++;
    return true;
}

static bool enter_realm(struct bondy_session *session, const struct hello *hello,
                        const struct bondy_realm *realm, const struct bondy_message *message)
{
    if (!realm->allows_connections)
        return refuse(session, BONDY_ERR_AUTHENTICATION_FAILED,
                      "the realm takes no connections (allow_connections is off)");
    if (!realm->has_security)
        return join_anonymous(session, hello, realm);
    if (session->thread->router->options.login == NULL)
        return refuse(session, BONDY_ERR_NO_MATCHING_AUTH_METHOD, NO_USABLE_METHOD);
    return begin_login(session, hello, realm, message);
}

/* Keeps HELLO until the realm is made. */
static void wait_for_realm(struct bondy_session *session, struct bondy_slice realm,
                           struct bondy_slice bytes)
{
    struct bondy_router_thread *thread = session->thread;
    const struct bondy_router_options *options = &thread->router->options;
    struct bondy_joining *joining = joining_of(session);

    session->state = BONDY_SESSION_MAKING;
    joining->stash = bondy_memdup0(bytes.data, bytes.len);
    joining->stash_len = bytes.len;
    joining->waiter = ++thread->last_waiter;
    bondy_idmap_put(&thread->waiters, joining->waiter, session);
    options->auto_create(options->context, realm, thread, joining->waiter);
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
        return enter_realm(session, &hello, realm, message);
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
    stash = BONDY_MOVE(session->joining->stash);
    bytes = bondy_slice_of(stash, session->joining->stash_len);
    session->joining->waiter = 0;
    session->state = BONDY_SESSION_OPENING;
    BONDY_BUG_ON(bondy_message_decode((enum bondy_serializer)session->serializer, bytes,
                                      &thread->router->options.codec_limits,
                                      &thread->decode_scratch, &message, NULL) != BONDY_OK);
    on_hello(session, &message, bytes, false);
    bondy_free(stash);
}

/* ---- what a peer may say that has not joined ----------------------------------------------- */

static bool on_authenticate(struct bondy_session *session, const struct bondy_message *message)
{
    struct bondy_router_thread *thread = session->thread;
    json_t *extra = bondy_value_tree(message->serializer, message->dict);

    session->joining->is_challenged = false;
    watch(session);
    thread->router->options.login->authenticate(session->joining->login, message->text, extra);
    json_decref(extra);
    return is_alive_still(thread);
}

static bool end_by_peer(struct bondy_session *session)
{
    void *transport = session->peer;
    const struct bondy_session_out *out = session->out;

    bondy_session_lost(session);
    out->close(transport);
    return false;
}

/* It depends on why it has not. */
static bool on_message(struct bondy_session *session, const struct bondy_message *message,
                       struct bondy_slice bytes)
{
    enum bondy_session_state state = (enum bondy_session_state)session->state;
    bool is_closing = state == BONDY_SESSION_CLOSING;

    if (message->type == BONDY_ABORT || (message->type == BONDY_GOODBYE && is_closing))
        return end_by_peer(session);
    if (message->type == BONDY_HELLO &&
        (state == BONDY_SESSION_OPENING || state == BONDY_SESSION_LEFT))
        return on_hello(session, message, bytes, true);
    if (message->type == BONDY_AUTHENTICATE && state == BONDY_SESSION_PROVING &&
        session->joining->is_challenged)
        return on_authenticate(session, message);
    if (is_closing || state == BONDY_SESSION_LEFT)
        return true;
    bondy_session_violate(session, state == BONDY_SESSION_PROVING
                                       ? "only AUTHENTICATE answers a CHALLENGE, once"
                                       : "only HELLO opens a session");
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
