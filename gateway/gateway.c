/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.h"

#include <stdlib.h>

#include "gateway/exchange.h"
#include "src/base/alloc.h"
#include "src/base/log.h"
#include "src/http/negotiate.h"
#include "src/wamp/errors.h"

/* ---- process --------------------------------------------------------------------------------- */

struct bondy_gateway *bondy_gateway_create(const struct bondy_gateway_options *options)
{
    struct bondy_gateway *gateway = bondy_zalloc(sizeof *gateway);

    gateway->options = *options;
    gateway->threads = bondy_calloc(options->thread_count, sizeof *gateway->threads);
    return gateway;
}

void bondy_gateway_set_auth(struct bondy_gateway *gateway, struct bondy_auth *auth)
{
    gateway->auth = auth;
    bondy_credentials_destroy(gateway->credentials);
    gateway->credentials = auth == NULL ? NULL : bondy_credentials_create(auth);
}

static void free_snapshot(struct bondy_retired *retired)
{
    struct bondy_gateway_snapshot *snapshot =
        BONDY_CONTAINER(retired, struct bondy_gateway_snapshot, retired);

    bondy_route_table_destroy(snapshot->table);
    bondy_free(snapshot);
}

static void swap(struct bondy_gateway *gateway, enum bondy_gateway_table which,
                 struct bondy_gateway_snapshot *snapshot)
{
    struct bondy_gateway_snapshot *old = gateway->tables[which];

    bondy_publish_set(gateway->tables[which], snapshot);
    if (old != NULL)
        bondy_publish_retire(&old->retired, free_snapshot);
}

void bondy_gateway_destroy(struct bondy_gateway *gateway)
{
    if (gateway == NULL)
        return;
    for (unsigned i = 0; i < BONDY_GATEWAY_TABLES; i++)
        swap(gateway, (enum bondy_gateway_table)i, NULL);
    bondy_credentials_destroy(gateway->credentials);
    bondy_free(gateway->threads);
    bondy_free(gateway);
}

void bondy_gateway_publish(struct bondy_gateway *gateway, enum bondy_gateway_table which,
                           struct bondy_route_table *table)
{
    struct bondy_gateway_snapshot *snapshot = bondy_zalloc(sizeof *snapshot);

    snapshot->table = table;
    swap(gateway, which, snapshot);
}

size_t bondy_gateway_route_count(const struct bondy_gateway *gateway,
                                 enum bondy_gateway_table which)
{
    const struct bondy_gateway_snapshot *snapshot = bondy_publish_get(gateway->tables[which]);

    return snapshot == NULL ? 0 : bondy_route_table_count(snapshot->table);
}

/* ---- threads --------------------------------------------------------------------------------- */

void bondy_gateway_join(struct bondy_gateway *gateway, struct bondy_loop *loop,
                        struct bondy_router_thread *router)
{
    struct bondy_gateway_thread *thread = bondy_zalloc(sizeof *thread);

    BONDY_BUG_ON(bondy_loop_index(loop) >= gateway->options.thread_count);
    thread->gateway = gateway;
    thread->loop = loop;
    thread->router = router;
    thread->exchanges = bondy_slab_create(sizeof(struct bondy_exchange), 0);
    bondy_list_init(&thread->ended);
    bondy_list_init(&thread->begun);
    /* Before the router's flush: ending a session may give it something to post. */
    thread->flush.rank = BONDY_FLUSH_ROUTER - 1;
    thread->flush.fn = bondy_exchange_flush;
    bondy_loop_add_flush(loop, &thread->flush);
    gateway->threads[bondy_loop_index(loop)] = thread;
}

size_t bondy_gateway_pending_count(const struct bondy_gateway *gateway,
                                   const struct bondy_loop *loop)
{
    const struct bondy_gateway_thread *thread = gateway->threads[bondy_loop_index(loop)];

    return thread == NULL ? 0 : bondy_slab_count(thread->exchanges);
}

void bondy_gateway_leave(struct bondy_gateway *gateway, struct bondy_loop *loop)
{
    struct bondy_gateway_thread *thread = gateway->threads[bondy_loop_index(loop)];

    if (thread == NULL)
        return;
    gateway->threads[bondy_loop_index(loop)] = NULL;
    bondy_loop_remove_flush(loop, &thread->flush);
    bondy_exchange_flush(&thread->flush);
    if (gateway->credentials != NULL)
        bondy_credentials_forget(gateway->credentials, bondy_loop_index(loop));
    bondy_slab_destroy(thread->exchanges);
    bondy_buf_fini(&thread->payload);
    bondy_buf_fini(&thread->scratch);
    bondy_free(thread);
}

/* ---- head ------------------------------------------------------------------------------------ */

/* A refusal before there is an exchange. */
static void refuse(const struct bondy_gateway_listener *listener, struct bondy_request *request,
                   const struct bondy_problem *problem, const char *allow)
{
    struct bondy_response *response = bondy_problem_create(request, problem);

    if (allow != NULL)
        bondy_response_header(response, "allow", bondy_slice_text(allow), NULL);
    bondy_cors_apply(&listener->cors, request, response);
    bondy_response_send(request, response);
}

static void refuse_path(const struct bondy_gateway_listener *listener,
                        struct bondy_request *request, const struct bondy_error *err)
{
    refuse(listener, request,
           &(struct bondy_problem){.status = err->code == BONDY_ELIMIT ? 414 : 400,
                                   .code = "invalid_request",
                                   .message = "the path is malformed",
                                   .description = err->text},
           NULL);
}

static void refuse_unknown(const struct bondy_gateway_listener *listener,
                           struct bondy_request *request)
{
    refuse(listener, request,
           &(struct bondy_problem){
               .status = 404, .code = BONDY_ERR_NOT_FOUND, .message = "nothing has this path"},
           NULL);
}

static void refuse_method(const struct bondy_gateway_listener *listener,
                          struct bondy_request *request, unsigned methods)
{
    bool is_known = bondy_request_method(request) != BONDY_METHOD_OTHER;
    char allow[64];

    bondy_route_allow(methods, allow);
    refuse(listener, request,
           &(struct bondy_problem){.status = is_known ? 405 : 501,
                                   .code = is_known ? "method_not_allowed" : "not_implemented",
                                   .message = is_known ? "this path does not take this method"
                                                       : "this method is not known"},
           allow);
}

/* OPTIONS * (RFC 9110, 9.3.7): about the server as a whole. */
static void answer_asterisk(const struct bondy_gateway_listener *listener,
                            struct bondy_request *request)
{
    unsigned all = (1u << BONDY_METHOD_OTHER) - 1;
    struct bondy_response *response = bondy_response_create(204);
    char allow[64];

    bondy_route_allow(all, allow);
    bondy_response_header(response, "allow", bondy_slice_text(allow), NULL);
    bondy_cors_preflight(&listener->cors, request, all, response);
    bondy_response_send(request, response);
}

static void keep_bindings(struct bondy_exchange *exchange, const struct bondy_route_match *match)
{
    struct bondy_buf *out = &exchange->bindings;

    exchange->binding_count = match->binding_count;
    for (size_t i = 0; i < match->binding_count; i++) {
        const struct bondy_path_binding *binding = &match->bindings[i];

        bondy_buf_append_slice(out, binding->name);
        bondy_buf_append_byte(out, 0);
        bondy_buf_append(out, &binding->value.len, sizeof binding->value.len);
        bondy_buf_append_slice(out, binding->value);
    }
}

static struct bondy_exchange *start_exchange(struct bondy_gateway_thread *thread,
                                             const struct bondy_gateway_listener *listener,
                                             struct bondy_request *request,
                                             const struct bondy_route_match *match)
{
    struct bondy_exchange *exchange = bondy_slab_alloc(thread->exchanges);

    memset(exchange, 0, sizeof *exchange);
    bondy_list_init(&exchange->link);
    exchange->thread = thread;
    exchange->listener = listener;
    exchange->request = request;
    exchange->spec = bondy_spec_ref((struct bondy_spec *)match->path->version->spec);
    exchange->path = match->path;
    exchange->operation = match->operation;
    exchange->is_anonymous = true;
    keep_bindings(exchange, match);
    bondy_request_set_user(request, exchange);
    return exchange;
}

/* False: answered. */
static bool find_route(struct bondy_gateway_thread *thread,
                       const struct bondy_gateway_listener *listener, struct bondy_request *request,
                       struct bondy_route_match *match)
{
    const struct bondy_gateway_snapshot *snapshot =
        bondy_publish_get(listener->gateway->tables[listener->table]);
    struct bondy_slice path = bondy_request_path(request);
    struct bondy_slice host = bondy_request_host(request);
    struct bondy_path_parts path_parts, host_parts;
    struct bondy_error err;
    char *room;

    if (bondy_slice_is(path, "*")) {
        answer_asterisk(listener, request);
        return false;
    }
    bondy_buf_clear(&thread->scratch, 64 << 10);
    room = bondy_buf_reserve(&thread->scratch, path.len + host.len + 1);
    if (bondy_path_split(path, room, &path_parts, &err) < 0 ||
        bondy_host_split(host, room + path.len, &host_parts, &err) < 0) {
        refuse_path(listener, request, &err);
        return false;
    }
    if (snapshot == NULL ||
        !bondy_route_table_find(snapshot->table, listener->scheme, &host_parts, &path_parts,
                                bondy_request_method(request), match)) {
        refuse_unknown(listener, request);
        return false;
    }
    if (match->operation == NULL && bondy_request_method(request) != BONDY_METHOD_OPTIONS) {
        refuse_method(listener, request, match->methods);
        return false;
    }
    return true;
}

static bool refuse_with(struct bondy_exchange *exchange, unsigned status, const char *code,
                        const char *message)
{
    bondy_exchange_refuse(
        exchange, &(struct bondy_problem){.status = status, .code = code, .message = message});
    return false;
}

#define MAX_OFFERS 32

static bool negotiate(struct bondy_exchange *exchange)
{
    const struct bondy_media_list *provides = &exchange->operation->path->provides;
    const struct bondy_text_list *languages = &exchange->operation->path->version->languages;
    struct bondy_slice accept = bondy_request_header(exchange->request, "accept");
    struct bondy_slice language = bondy_request_header(exchange->request, "accept-language");
    const char *offers[MAX_OFFERS];
    size_t count = provides->count < MAX_OFFERS ? provides->count : MAX_OFFERS;
    int chosen;

    for (size_t i = 0; i < count; i++)
        offers[i] = provides->items[i].type;
    chosen = bondy_accept_choose(accept, offers, count);
    if (chosen < 0)
        return refuse_with(exchange, 406, "not_acceptable",
                           "nothing that Accept names can be provided");
    exchange->media = &provides->items[chosen];
    chosen =
        bondy_language_choose(language, (const char *const *)languages->items, languages->count);
    if (chosen < 0)
        return refuse_with(exchange, 406, "not_acceptable",
                           "nothing that Accept-Language names can be provided");
    exchange->language = languages->items[chosen];
    return true;
}

static bool is_longer(struct bondy_request *request, uint64_t limit)
{
    struct bondy_slice length = bondy_request_header(request, "content-length");
    uint64_t value = 0;

    for (size_t i = 0; i < length.len && value <= limit; i++)
        value = value * 10 + (uint64_t)(length.data[i] - '0'); /* digits: src/http checked */
    return value > limit;
}

static uint64_t body_limit(const struct bondy_exchange *exchange)
{
    const struct bondy_http_listener *listener = bondy_request_listener(exchange->request);
    uint64_t own = exchange->operation->body_max_bytes;

    return own != 0 ? own : listener->limits.max_body_size;
}

static void expect_body(struct bondy_exchange *exchange)
{
    bondy_request_expect_body(exchange->request, (size_t)body_limit(exchange),
                              exchange->operation->body_read_timeout_ms);
}

static bool check_body(struct bondy_exchange *exchange)
{
    const struct bondy_operation *operation = exchange->operation;

    if (bondy_body_is_read(operation->method) && !bondy_body_has_type(exchange))
        return refuse_with(exchange, 415, "unsupported_media_type",
                           "this path does not accept a body of this type");
    if (is_longer(exchange->request, body_limit(exchange)))
        return refuse_with(exchange, 413, "body_max_bytes_exceeded",
                           "the body is larger than this operation takes");
    return true;
}

static bool prepare(struct bondy_exchange *exchange)
{
    return negotiate(exchange) && (exchange->early != NULL || check_body(exchange));
}

/* ---- the whole request ----------------------------------------------------------------------- */

static void (*const actions[])(struct bondy_exchange *exchange) = {
    [BONDY_ACTION_STATIC] = bondy_action_static,
    [BONDY_ACTION_CALL] = bondy_action_call,
    [BONDY_ACTION_PUBLISH] = bondy_action_publish,
    [BONDY_ACTION_ENDPOINT] = bondy_action_endpoint,
};

static void act(struct bondy_exchange *exchange)
{
    struct bondy_error err;

    if (bondy_access_was_taken_back(exchange)) { /* while the body was on its way */
        refuse_with(exchange, 401, "invalid_token", "the credentials were not accepted");
        return;
    }
    /* Endpoints read their bodies themselves. */
    if (exchange->operation->action != BONDY_ACTION_ENDPOINT &&
        bondy_body_check(exchange, &err) < 0) {
        bondy_exchange_refuse(exchange,
                              &(struct bondy_problem){.status = 400,
                                                      .code = "invalid_data",
                                                      .message = "the body cannot be decoded",
                                                      .description = err.text});
        return;
    }
    BONDY_BUG_ON((unsigned)exchange->operation->action >= BONDY_COUNT(actions) ||
                 actions[exchange->operation->action] == NULL);
    actions[exchange->operation->action](exchange);
}

/* What was undecided and is admitted now. */
static void go_on(struct bondy_exchange *exchange)
{
    if (!prepare(exchange))
        return;
    if (exchange->early != NULL)
        bondy_endpoint_start(exchange);
    else
        act(exchange);
}

static enum bondy_admission admit(struct bondy_exchange *exchange)
{
    if (bondy_request_method(exchange->request) == BONDY_METHOD_OPTIONS)
        return BONDY_ADMISSION_YES;
    return exchange->listener->guard == NULL ? bondy_access_begin(exchange)
                                             : bondy_exchange_admit(exchange);
}

/* The order of http-gateway.md 1.9, up to the body. */
static void on_head(void *context, struct bondy_request *request)
{
    const struct bondy_gateway_listener *listener = context;
    const struct bondy_gateway_guard *guard = listener->guard;
    struct bondy_gateway_thread *thread =
        listener->gateway->threads[bondy_loop_index(bondy_request_loop(request))];
    struct bondy_route_match match;
    struct bondy_exchange *exchange;

    if (guard != NULL && guard->fixed != NULL && guard->fixed(guard->context, request))
        return;
    if (!find_route(thread, listener, request, &match))
        return;
    exchange = start_exchange(thread, listener, request, &match);
    if (bondy_realms_find(listener->gateway->options.realms,
                          bondy_slice_text(exchange->spec->realm_uri)) == NULL) {
        refuse_with(exchange, 503, BONDY_ERR_NO_SUCH_REALM, "the realm of this API does not exist");
        return;
    }
    exchange->early = bondy_endpoint_early(exchange);
    if (exchange->early != NULL)
        bondy_request_pause(request);
    exchange->go_on = go_on;
    switch (admit(exchange)) {
    case BONDY_ADMISSION_NO:
        return;
    case BONDY_ADMISSION_LATER: /* what is wrong with the rest is for those who may ask */
        if (exchange->early == NULL)
            expect_body(exchange);
        return;
    case BONDY_ADMISSION_YES:
        break;
    }
    if (bondy_request_method(request) == BONDY_METHOD_OPTIONS) {
        bondy_exchange_answer_options(exchange, match.methods);
        return;
    }
    if (!prepare(exchange))
        return;
    if (exchange->early != NULL)
        bondy_endpoint_start(exchange);
    else
        expect_body(exchange);
}

static void on_request(void *context, struct bondy_request *request)
{
    struct bondy_exchange *exchange = bondy_request_user(request);

    (void)context;
    if (exchange->early != NULL)
        exchange->early->serve(exchange->early->context, (struct bondy_gateway_call *)exchange);
    else if (bondy_exchange_is_admitted(exchange) && (!exchange->is_late || prepare(exchange)))
        act(exchange);
}

static void on_gone(void *context, struct bondy_request *request)
{
    struct bondy_exchange *exchange = bondy_request_user(request);

    (void)context;
    if (exchange == NULL)
        return;
    bondy_request_set_user(request, NULL);
    if (exchange->is_waiting && exchange->operation->action != BONDY_ACTION_PUBLISH)
        bondy_session_cancel(exchange->session, exchange->call_id);
    exchange->request = NULL;
    if (bondy_access_cancel(exchange))
        exchange->is_undecided = false;
    /* The guard has it until it has decided, an endpoint until it has answered. */
    if (exchange->is_held && exchange->early != NULL && exchange->early->gone != NULL)
        exchange->early->gone(exchange->early->context, (struct bondy_gateway_call *)exchange);
    else if (!exchange->is_undecided && !exchange->is_held)
        bondy_exchange_end(exchange);
}

const struct bondy_http_handler bondy_gateway_handler = {on_head, on_request, on_gone};
