/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gateway/gateway_rig.h"

#include <stdlib.h>

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/sys/publish.h"
#include "src/wamp/codec.h"
#include "tests/lib/test.h"
#include "tests/unit/gateway/gateway_login.h"

/* ---- realms: in the place of src/security ------------------------------------------------ */

struct bondy_realms {
    struct bondy_realm open, closed;
};

static struct bondy_realms realms = {
    {.uri = (char *)"org.rivermap", .allows_connections = true, .allows_anonymous = true, .gen = 1},
    {.uri = (char *)"closed", .gen = 2},
};

const struct bondy_realm *bondy_realms_find(const struct bondy_realms *all, struct bondy_slice uri)
{
    if (bondy_slice_is(uri, all->open.uri))
        return &all->open;
    return bondy_slice_is(uri, all->closed.uri) ? &all->closed : NULL;
}

/* ---- text ------------------------------------------------------------------------------------ */

const char *quoted(const char *text)
{
    static char copies[4][16384];
    static unsigned turn;
    char *out = copies[turn++ % 4];
    size_t i = 0;

    for (; text[i] != '\0' && i < sizeof copies[0] - 1; i++)
        out[i] = text[i] == '\'' ? '"' : text[i];
    assert_true(text[i] == '\0');
    out[i] = '\0';
    return out;
}

void gateway_rig_same_json(const char *text, const char *expected, const char *file, int line)
{
    json_t *a = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_t *b = json_loads(quoted(expected), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    if (a == NULL || b == NULL || !json_equal(a, b)) {
        print_error("%s\n  is not\n%s\n", text, quoted(expected));
        _fail(file, line);
    }
    json_decref(a);
    json_decref(b);
}

/* ---- the callee ------------------------------------------------------------------------------ */

static size_t frame_head(uint8_t head[BONDY_FRAME_HEAD_MAX], enum bondy_serializer serializer,
                         size_t len)
{
    (void)head;
    (void)serializer;
    (void)len;
    return 0;
}

static void hear(void *transport, const struct bondy_encoded *message, enum bondy_send_kind kind)
{
    struct gateway_rig *rig = transport;

    (void)kind;
    for (unsigned i = 0; i < message->part_count; i++)
        bondy_buf_append_slice(&rig->heard, message->parts[i]);
    bondy_buf_append_byte(&rig->heard, '\n');
}

static void hear_shared(void *transport, struct bondy_shared *message, enum bondy_send_kind kind)
{
    struct gateway_rig *rig = transport;

    (void)kind;
    bondy_buf_append(&rig->heard, message->bytes, message->len);
    bondy_buf_append_byte(&rig->heard, '\n');
}

static void closed(void *transport)
{
    ((struct gateway_rig *)transport)->callee = NULL;
}

static const struct bondy_session_out callee_out = {.framing = BONDY_FRAMING_MESSAGE,
                                                    .frame_head = frame_head,
                                                    .send = hear,
                                                    .send_shared = hear_shared,
                                                    .close = closed};

/* The next message that starts with `prefix`, as a static copy; others are dropped. */
static bool next_heard(struct gateway_rig *rig, const char *prefix, char out[4096])
{
    while (rig->heard_used < rig->heard.len) {
        const char *start = rig->heard.data + rig->heard_used;
        const char *end = memchr(start, '\n', rig->heard.len - rig->heard_used);
        size_t len = (size_t)(end - start);

        rig->heard_used += len + 1;
        if (len >= strlen(prefix) && memcmp(start, prefix, strlen(prefix)) == 0) {
            assert_true(len < 4096);
            memcpy(out, start, len);
            out[len] = '\0';
            return true;
        }
    }
    return false;
}

static void wait_heard(struct gateway_rig *rig, const char *prefix, char out[4096])
{
    for (unsigned i = 0; i < 2000; i++) {
        if (next_heard(rig, prefix, out))
            return;
        bondy_loop_turn(rig->loop, 5);
    }
    fail_msg("the callee never heard %s", prefix);
}

static void callee_says(struct gateway_rig *rig, const char *text)
{
    assert_non_null(rig->callee);
    assert_true(bondy_session_receive(rig->callee, bondy_slice_text(text)));
}

static void callee_start(struct gateway_rig *rig)
{
    const struct bondy_session_peer peer = {.serializer = BONDY_JSON,
                                            .transport = "test",
                                            .peername = BONDY_SLICE("test"),
                                            .auth_timeout_ms = 60000};
    char text[4096];

    rig->callee = bondy_session_open(rig->thread, &peer, &callee_out, rig);
    callee_says(rig, quoted("[1,'org.rivermap',{'roles':{'callee':{},'subscriber':{}}}]"));
    wait_heard(rig, "[2,", text);
}

void gateway_rig_register(struct gateway_rig *rig, const char *uri)
{
    char text[4096];

    snprintf(text, sizeof text, "[64,%u,{},\"%s\"]", ++rig->last_request, uri);
    callee_says(rig, text);
    wait_heard(rig, "[65,", text);
}

void gateway_rig_subscribe(struct gateway_rig *rig, const char *uri)
{
    char text[4096];

    snprintf(text, sizeof text, "[32,%u,{},\"%s\"]", ++rig->last_request, uri);
    callee_says(rig, text);
    wait_heard(rig, "[33,", text);
}

unsigned long gateway_rig_invocation(struct gateway_rig *rig)
{
    wait_heard(rig, "[68,", rig->last_invocation);
    return strtoul(rig->last_invocation + 4, NULL, 10);
}

void gateway_rig_yield(struct gateway_rig *rig, unsigned long id, const char *payload)
{
    static char text[16384];

    snprintf(text, sizeof text, "[70,%lu,{}%s%s]", id, *payload == '\0' ? "" : ",",
             quoted(payload));
    callee_says(rig, text);
}

void gateway_rig_error(struct gateway_rig *rig, unsigned long id, const char *uri,
                       const char *payload)
{
    static char text[16384];

    snprintf(text, sizeof text, "[8,68,%lu,{},\"%s\"%s%s]", id, uri, *payload == '\0' ? "" : ",",
             quoted(payload));
    callee_says(rig, text);
}

/* ---- the client ------------------------------------------------------------------------------ */

static void send_bytes(struct gateway_rig *rig, const char *method_and_target, const char *headers,
                       const void *body, size_t body_len)
{
    struct bondy_buf head = BONDY_BUF_EMPTY;

    if (rig->client.fd < 0 || rig->client.at_end) {
        http_client_close(&rig->client);
        http_client_open(&rig->client, rig->server, rig->loop, &rig->listener);
    }
    bondy_buf_printf(&head, "%s HTTP/1.1\r\n", method_and_target);
    if (headers == NULL || strstr(headers, "Host:") == NULL)
        bondy_buf_append_text(&head, "Host: api.example.org\r\n");
    if (headers != NULL)
        bondy_buf_append_text(&head, headers);
    if (body != NULL)
        bondy_buf_printf(&head, "Content-Length: %zu\r\n", body_len);
    bondy_buf_append_text(&head, "\r\n");
    if (body != NULL)
        bondy_buf_append(&head, body, body_len);
    assert_true(http_client_send(&rig->client, head.data, head.len));
    bondy_buf_fini(&head);
}

void gateway_rig_send(struct gateway_rig *rig, const char *method_and_target, const char *headers,
                      const char *body)
{
    send_bytes(rig, method_and_target, headers, body, body == NULL ? 0 : strlen(body));
}

unsigned gateway_rig_read(struct gateway_rig *rig)
{
    if (!http_client_read(&rig->client, false, &rig->reply))
        fail_msg("no answer");
    return rig->reply.status;
}

unsigned gateway_rig_ask(struct gateway_rig *rig, const char *method_and_target,
                         const char *headers, const char *body)
{
    gateway_rig_send(rig, method_and_target, headers, body);
    if (!http_client_read(&rig->client, strncmp(method_and_target, "HEAD ", 5) == 0, &rig->reply))
        fail_msg("no answer to %s", method_and_target);
    return rig->reply.status;
}

unsigned gateway_rig_ask_bytes(struct gateway_rig *rig, const char *method_and_target,
                               const char *headers, const void *body, size_t body_len)
{
    send_bytes(rig, method_and_target, headers, body, body_len);
    return gateway_rig_read(rig);
}

unsigned gateway_rig_call(struct gateway_rig *rig, const char *method_and_target,
                          const char *headers, const char *body, const char *payload)
{
    gateway_rig_send(rig, method_and_target, headers, body);
    gateway_rig_yield(rig, gateway_rig_invocation(rig), payload);
    return gateway_rig_read(rig);
}

unsigned gateway_rig_call_error(struct gateway_rig *rig, const char *method_and_target,
                                const char *headers, const char *body, const char *uri,
                                const char *payload)
{
    gateway_rig_send(rig, method_and_target, headers, body);
    gateway_rig_error(rig, gateway_rig_invocation(rig), uri, payload);
    return gateway_rig_read(rig);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void on_echo(void *context, struct bondy_invocation *invocation)
{
    (void)context;
    bondy_invocation_result(invocation, json_incref(bondy_invocation_args(invocation)),
                            json_incref(bondy_invocation_kwargs(invocation)));
}

static void on_refuse(void *context, struct bondy_invocation *invocation)
{
    const json_t *uri = json_array_get(bondy_invocation_args(invocation), 0);
    char *text = bondy_strdup(json_string_value(uri));

    (void)context;
    bondy_invocation_error(invocation, text, json_pack("[s]", "refused"),
                           json_pack("{s:s}", "why", "asked to"));
    bondy_free(text);
}

static bool find_procedure(void *context, struct bondy_slice uri, bondy_procedure_fn *fn,
                           void **fn_context)
{
    *fn_context = context;
    if (bondy_slice_is(uri, "bondy.test.echo"))
        *fn = on_echo;
    else if (bondy_slice_is(uri, "bondy.test.refuse"))
        *fn = on_refuse;
    else
        return false;
    return true;
}

static void no_post(void *context, unsigned from, unsigned to, struct bondy_mail *first,
                    struct bondy_mail *last)
{
    (void)context;
    (void)from;
    (void)to;
    (void)first;
    (void)last;
    fail_msg("there is one thread only");
}

static void start_router(struct gateway_rig *rig)
{
    const struct bondy_router_options options = {
        .thread_count = 1,
        .realms = &realms,
        .codec_limits = BONDY_CODEC_LIMITS_DEFAULT,
        .max_preauth_message = 64 << 10,
        .max_message = 16 << 20,
        .call_timeout_ms = 30000,
        .max_call_timeout_ms = 600000,
        .goodbye_timeout_ms = 1000,
        .max_subscriptions = 100,
        .max_registrations = 100,
        .max_inflight_calls = 100,
        .agent = "test",
        .node_name = "test",
        .post = no_post,
        .find_procedure = find_procedure,
        .context = rig,
    };

    assert_int_equal(bondy_router_create(&options, &rig->router, NULL), BONDY_OK);
    rig->thread = bondy_router_thread_create(rig->router, 0, bondy_loop_wheel(rig->loop));
}

static const char *const always[] = {"server", "bondy", NULL};

int gateway_rig_start(void **state)
{
    struct gateway_rig *rig = bondy_zalloc(sizeof *rig);
    struct bondy_gateway_options options = {.thread_count = 1,
                                            .realms = &realms,
                                            .call_timeout_ms = 30000,
                                            .max_call_timeout_ms = 600000,
                                            .max_body_values = 1000};

    options.endpoints = rig->endpoints;
    bondy_publish_thread_start();
    assert_int_equal(bondy_loop_create(0, &rig->loop, NULL), BONDY_OK);
    start_router(rig);
    rig->gateway = bondy_gateway_create(&options);
    gateway_login_reset();
    bondy_gateway_set_auth(rig->gateway, gateway_login_auth());
    bondy_gateway_join(rig->gateway, rig->loop, rig->thread);
    rig->context =
        (struct bondy_gateway_listener){.gateway = rig->gateway, .scheme = BONDY_SCHEME_HTTP};
    rig->listener = (struct bondy_http_listener){
        .name = "api_gateway.http",
        .scheme = "http",
        .limits = {32 << 10, 100, 8 << 20, 10000, 60000, 30000, 1000},
        .handler = &bondy_gateway_handler,
        .context = &rig->context,
        .response_headers = always,
    };
    assert_int_equal(bondy_http_server_create(rig->loop, 100, &rig->server, NULL), BONDY_OK);
    rig->client.fd = -1;
    callee_start(rig);
    *state = rig;
    return 0;
}

int gateway_rig_stop(void **state)
{
    struct gateway_rig *rig = *state;

    http_client_close(&rig->client);
    http_reply_fini(&rig->reply);
    bondy_http_server_destroy(rig->server);
    bondy_gateway_leave(rig->gateway, rig->loop);
    if (rig->callee != NULL)
        bondy_session_lost(rig->callee);
    bondy_router_thread_destroy(rig->thread);
    bondy_router_destroy(rig->router);
    bondy_loop_destroy(rig->loop);
    bondy_gateway_destroy(rig->gateway);
    for (size_t i = 0; i < rig->spec_count; i++)
        bondy_spec_unref(rig->specs[i]);
    bondy_publish_barrier_wait();
    bondy_publish_thread_stop();
    bondy_buf_fini(&rig->heard);
    bondy_free(rig);
    return 0;
}

void gateway_rig_load(struct gateway_rig *rig, const char *text)
{
    const struct bondy_spec_env env = {.loaded_at_ms = 1700000000000, .is_own = true};
    json_error_t problem;
    json_t *document = json_loads(quoted(text), 0, &problem);
    json_t *problems = NULL, *warnings = NULL;

    if (document == NULL)
        fail_msg("line %d, column %d: %s", problem.line, problem.column, problem.text);
    if (bondy_spec_load(document, &env, &rig->specs[rig->spec_count], &problems, &warnings) < 0)
        fail_msg("%s", json_dumps(problems, JSON_INDENT(2)));
    rig->spec_count++;
    json_decref(document);
    json_decref(problems);
    json_decref(warnings);
    bondy_gateway_publish(rig->gateway, BONDY_GATEWAY_PUBLIC,
                          bondy_route_table_build((const struct bondy_spec *const *)rig->specs,
                                                  rig->spec_count, NULL));
}
