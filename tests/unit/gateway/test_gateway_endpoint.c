/* SPDX-License-Identifier: Apache-2.0 */

/* Endpoints that begin before the body is read: behind the guard and the call of a procedure. */

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/http/problem.h"
#include "tests/unit/gateway/gateway_rig.h"

struct endpoint {
    struct bondy_gateway_call *call; /* held; NULL: none */
    struct bondy_buf seen;
    char result[256], name[64], authid[64];
    bool reads; /* begins by having the body read */
    unsigned begun, served, gone;
    struct bondy_gateway_pending *pending; /* of the guard */
};
static struct endpoint endpoint;

static void take(void *context, struct bondy_request *request, struct bondy_slice piece)
{
    (void)request;
    bondy_buf_append_slice(&((struct endpoint *)context)->seen, piece);
}

static void answer(unsigned status)
{
    struct bondy_gateway_call *call = BONDY_MOVE(endpoint.call);

    bondy_gateway_call_answer(
        call, bondy_gateway_call_request(call) == NULL ? NULL : bondy_response_create(status));
}

static void copy(struct bondy_slice text, char *out, size_t size)
{
    snprintf(out, size, "%.*s", (int)text.len, text.len == 0 ? "" : text.data);
}

static void begin(void *context, struct bondy_gateway_call *call)
{
    const struct bondy_body_sink sink = {take, &endpoint};
    const struct bondy_identity *identity = bondy_gateway_call_identity(call);
    const json_t *result = bondy_gateway_call_result(call);

    assert_ptr_equal(context, &endpoint);
    assert_null(endpoint.call);
    assert_int_equal(endpoint.seen.len, 0);
    endpoint.call = call;
    endpoint.begun++;
    bondy_gateway_call_set_user(call, &endpoint);
    copy(bondy_gateway_call_binding(call, "name"), endpoint.name, sizeof endpoint.name);
    copy(identity == NULL ? BONDY_SLICE_EMPTY : identity->authid, endpoint.authid,
         sizeof endpoint.authid);
    snprintf(endpoint.result, sizeof endpoint.result, "%s",
             result == NULL ? "nothing" : json_string_value(result));
    if (endpoint.reads)
        bondy_gateway_call_read(call, &sink, 100);
}

static void serve(void *context, struct bondy_gateway_call *call)
{
    assert_ptr_equal(context, &endpoint);
    assert_ptr_equal(call, endpoint.call);
    assert_ptr_equal(bondy_gateway_call_user(call), &endpoint);
    endpoint.served++;
    answer(201);
}

static void gone(void *context, struct bondy_gateway_call *call)
{
    assert_ptr_equal(context, &endpoint);
    assert_null(bondy_gateway_call_request(call));
    endpoint.gone++;
}

static void load(struct gateway_rig *rig)
{
    rig->endpoints[0] = (struct bondy_gateway_endpoint){
        .name = "files", .serve = serve, .context = &endpoint, .begin = begin, .gone = gone};
    bondy_buf_fini(&endpoint.seen);
    endpoint = (struct endpoint){.call = NULL};
    gateway_rig_load(
        rig, "{'id':'files','host':'_','realm_uri':'org.rivermap','versions':{'1':{'base_path':'',"
             "'paths':{'/free/:name':{'get':{'action':{'type':'endpoint','endpoint':'files'}},"
             "'put':{'action':{'type':'endpoint','endpoint':'files'}}},"
             "'/files/:name':{'put':{'action':{'type':'endpoint','endpoint':'files',"
             "'procedure':'org.rivermap.file','args':['{{request.bindings.name}}']}}}}}}}");
}

static void turn_until(struct gateway_rig *rig, const unsigned *count)
{
    for (int i = 0; i < 1000 && *count == 0; i++)
        bondy_loop_turn(rig->loop, 10);
    assert_int_equal(*count, 1);
}

static void say(struct gateway_rig *rig, const char *text)
{
    if (rig->client.fd >= 0)
        http_client_close(&rig->client);
    http_client_open(&rig->client, rig->server, rig->loop, &rig->listener);
    assert_true(http_client_say(&rig->client, text));
}

static void it_begins_before_the_body_and_serves_behind_it(void **state)
{
    struct gateway_rig *rig = *state;

    load(rig);
    endpoint.reads = true;
    /* No media type of the path is asked for: that is the endpoint's. */
    assert_int_equal(gateway_rig_ask(rig, "PUT /free/a%20b", "Content-Type: text/x\r\n", "hello"),
                     201);
    assert_string_equal(endpoint.name, "a b");
    assert_string_equal(endpoint.result, "nothing");
    assert_int_equal(endpoint.seen.len, 5);
    assert_int_equal(endpoint.begun + endpoint.served, 2);
}

static void it_may_answer_later_without_a_word_of_the_body(void **state)
{
    struct gateway_rig *rig = *state;

    load(rig);
    say(rig, "PUT /free/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    turn_until(rig, &endpoint.begun);
    for (int i = 0; i < 10; i++)
        bondy_loop_turn(rig->loop, 1);
    answer(409);
    assert_int_equal(gateway_rig_read(rig), 409);
    assert_int_equal(endpoint.served + endpoint.gone, 0);
    assert_int_equal(endpoint.seen.len, 0);
    endpoint.begun = 0;
    gateway_rig_send(rig, "GET /free/x", NULL, NULL);
    turn_until(rig, &endpoint.begun);
    answer(204);
    assert_int_equal(gateway_rig_read(rig), 204);
}

static void too_much_is_refused(void **state)
{
    struct gateway_rig *rig = *state;

    load(rig);
    endpoint.reads = true;
    say(rig, "PUT /free/x HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
    assert_int_equal(gateway_rig_read(rig), 413);
    assert_int_equal(endpoint.gone, 1);
    answer(0);
}

static void it_comes_behind_the_call_of_its_procedure(void **state)
{
    struct gateway_rig *rig = *state;
    unsigned long id;

    load(rig);
    endpoint.reads = true;
    gateway_rig_register(rig, "org.rivermap.file");
    gateway_rig_send(rig, "PUT /files/plan", NULL, "hello");
    id = gateway_rig_invocation(rig);
    assert_non_null(strstr(rig->last_invocation, "[\"plan\"]"));
    for (int i = 0; i < 10; i++)
        bondy_loop_turn(rig->loop, 1);
    assert_int_equal(endpoint.begun, 0);
    gateway_rig_yield(rig, id, "['go on']");
    assert_int_equal(gateway_rig_read(rig), 201);
    assert_string_equal(endpoint.result, "go on");
    assert_int_equal(endpoint.seen.len, 5);
}

static void what_the_procedure_refuses_never_begins(void **state)
{
    struct gateway_rig *rig = *state;

    load(rig);
    gateway_rig_register(rig, "org.rivermap.file");
    gateway_rig_send(rig, "PUT /files/plan", NULL, "hello");
    gateway_rig_error(rig, gateway_rig_invocation(rig), "wamp.error.not_authorized", "['no']");
    assert_int_equal(gateway_rig_read(rig), 401);
    assert_json(rig->reply.body.data,
                "{'code':'wamp.error.not_authorized','message':'no','description':''}");
    assert_int_equal(endpoint.begun, 0);
    assert_int_equal(endpoint.seen.len, 0);
}

static void a_client_may_leave_in_every_moment(void **state)
{
    struct gateway_rig *rig = *state;
    unsigned long id;

    load(rig);
    gateway_rig_register(rig, "org.rivermap.file");
    /* While the procedure runs: nothing begins, whatever it answers. */
    say(rig, "PUT /files/a HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhalf");
    id = gateway_rig_invocation(rig);
    http_client_close(&rig->client);
    for (int i = 0; i < 1000 && bondy_http_server_pending(rig->server) > 0; i++)
        bondy_loop_turn(rig->loop, 10);
    assert_int_equal(bondy_http_server_pending(rig->server), 0);
    gateway_rig_yield(rig, id, "['late']");
    assert_int_equal(endpoint.begun, 0);
    /* While the endpoint thinks, and while it reads. */
    for (unsigned reads = 0; reads < 2; reads++) {
        endpoint.reads = reads > 0;
        endpoint.begun = endpoint.gone = 0;
        say(rig, "PUT /free/a HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhalf");
        turn_until(rig, &endpoint.begun);
        for (int i = 0; i < 1000 && reads && endpoint.seen.len == 0; i++)
            bondy_loop_turn(rig->loop, 10);
        http_client_close(&rig->client);
        turn_until(rig, &endpoint.gone);
        answer(0); /* it ends the call all the same */
    }
    assert_int_equal(endpoint.served, 0);
}

/* The realm is closed while the endpoint holds the call: its session ended before. */
static void a_realm_that_is_closed_takes_no_endpoint_with_it(void **state)
{
    struct gateway_rig *rig = *state;

    load(rig);
    gateway_rig_register(rig, "org.rivermap.file");
    gateway_rig_send(rig, "PUT /files/plan", NULL, "hello");
    gateway_rig_yield(rig, gateway_rig_invocation(rig), "['go on']");
    turn_until(rig, &endpoint.begun);
    bondy_router_thread_close_realm(rig->thread, BONDY_SLICE("org.rivermap"));
    bondy_loop_turn(rig->loop, 1);
    answer(200);
    assert_int_equal(gateway_rig_read(rig), 200);
}

/* ---- behind a guard ---------------------------------------------------------------------------
 */

static enum bondy_admission think(void *context, struct bondy_request *request,
                                  struct bondy_gateway_pending *pending,
                                  struct bondy_identity *identity)
{
    (void)context, (void)request, (void)identity;
    endpoint.pending = pending;
    return BONDY_ADMISSION_LATER;
}

static void wait_for_guard(struct gateway_rig *rig)
{
    for (int i = 0; i < 1000 && endpoint.pending == NULL; i++)
        bondy_loop_turn(rig->loop, 10);
    assert_non_null(endpoint.pending);
    for (int i = 0; i < 10; i++)
        bondy_loop_turn(rig->loop, 1);
    assert_int_equal(endpoint.begun, 0);
    assert_int_equal(endpoint.seen.len, 0);
}

static void say_yes(void)
{
    const struct bondy_identity identity = {.authid = BONDY_SLICE("ines"),
                                            .authrole = BONDY_SLICE("operators"),
                                            .authmethod = BONDY_SLICE("test")};

    bondy_gateway_admitted(BONDY_MOVE(endpoint.pending), &identity);
}

static void say_no(void)
{
    static const struct bondy_problem problem = {.status = 401, .code = "who"};
    struct bondy_request *request = bondy_gateway_pending_request(endpoint.pending);

    bondy_gateway_refused(BONDY_MOVE(endpoint.pending),
                          request == NULL ? NULL : bondy_problem_create(request, &problem));
}

static void nothing_begins_before_the_guard_has_decided(void **state)
{
    const struct bondy_gateway_guard guard = {.admit = think};
    struct gateway_rig *rig = *state;

    load(rig);
    endpoint.reads = true;
    rig->context.guard = &guard;
    gateway_rig_send(rig, "PUT /free/x", NULL, "hello");
    wait_for_guard(rig);
    say_yes();
    assert_int_equal(gateway_rig_read(rig), 201);
    assert_string_equal(endpoint.authid, "ines");
    assert_int_equal(endpoint.seen.len, 5);

    load(rig);
    say(rig, "PUT /free/x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
             "Content-Length: 90000\r\n\r\n");
    wait_for_guard(rig);
    say_no();
    assert_int_equal(gateway_rig_read(rig), 401); /* and no 100 */
    assert_int_equal(endpoint.begun, 0);

    for (int is_refused = 0; is_refused < 2; is_refused++) {
        say(rig, "PUT /free/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");
        wait_for_guard(rig);
        http_client_close(&rig->client);
        for (int i = 0; i < 1000 && bondy_gateway_pending_request(endpoint.pending) != NULL; i++)
            bondy_loop_turn(rig->loop, 10);
        if (is_refused)
            say_no();
        else
            say_yes();
    }
    assert_int_equal(endpoint.begun + endpoint.gone, 0);
    rig->context.guard = NULL;
}

int main(void)
{
#define RIGGED(test) cmocka_unit_test_setup_teardown(test, gateway_rig_start, gateway_rig_stop)
    const struct CMUnitTest tests[] = {
        RIGGED(it_begins_before_the_body_and_serves_behind_it),
        RIGGED(it_may_answer_later_without_a_word_of_the_body),
        RIGGED(too_much_is_refused),
        RIGGED(it_comes_behind_the_call_of_its_procedure),
        RIGGED(what_the_procedure_refuses_never_begins),
        RIGGED(a_client_may_leave_in_every_moment),
        RIGGED(a_realm_that_is_closed_takes_no_endpoint_with_it),
        RIGGED(nothing_begins_before_the_guard_has_decided),
    };
    int failed;

    if (bondy_id_start(NULL) < 0)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    bondy_buf_fini(&endpoint.seen);
    return failed;
}
