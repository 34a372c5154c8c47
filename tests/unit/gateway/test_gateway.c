/* SPDX-License-Identifier: Apache-2.0 */

/* The worked example of http-gateway.md 1.10 without its parts that are not built yet (oauth2,
 * forward), row by row, and the order in which a request is looked at (1.9). */

#include "tests/lib/test.h"

#include "src/base/alloc.h"
#include "src/base/id.h"
#include "src/http/problem.h"
#include "src/sys/publish.h"
#include "tests/unit/gateway/gateway_rig.h"

#define JSON_TYPE "Content-Type: application/json\r\n"

static const char river[] =
    "{'id':'org.rivermap.api','name':'River gauges','host':'_','realm_uri':'org.rivermap',"
    "'meta':{'owner':'hydrology'},"
    "'variables':{'schemes':['http','https'],"
    " 'err_status':'{{status_codes |> get({{action.error.error_uri}}, 500) |> integer}}',"
    " 'err_body':'{{action.error.kwargs |> put(code, {{action.error.error_uri}})}}'},"
    "'defaults':{'schemes':'{{variables.schemes}}','timeout':10000,'connect_timeout':2000,"
    " 'headers':{'cache-control':'no-store'}},"
    "'status_codes':{'org.rivermap.error.no_such_gauge':404},"
    "'versions':{'1.0.0':{'base_path':'/[v1]','status_codes':{'org.rivermap.error.stale':409},"
    "'languages':['en','fr'],'paths':{"
    "'/gauges':{'is_collection':true,"
    " 'get':{'action':{'type':'wamp_call','procedure':'org.rivermap.gauge.list',"
    "   'kwargs':'{{request.query_params |> without([page])}}'},"
    "  'response':{'on_result':{'body':'{{action.result.args |> head}}'},"
    "   'on_error':{'status_code':'{{variables.err_status}}','body':'{{variables.err_body}}'}}},"
    " 'post':{'body_max_bytes':65536,"
    "  'action':{'type':'wamp_call','procedure':'org.rivermap.gauge.add',"
    "   'args':['{{request.body}}','{{security.authid}}'],'options':{'timeout':5000}},"
    "  'response':{'on_result':{"
    "    'uri':'\\'{{request.path}}/{{action.result.args |> head |> get(id)}}\\'',"
    "    'body':'{{action.result.args |> head}}'},"
    "   'on_error':{'status_code':'{{variables.err_status}}','body':'{{variables.err_body}}'}}}},"
    "'/gauges/:gauge_id/readings':{'post':{"
    "  'action':{'type':'wamp_publish',"
    "   'topic':'\\'org.rivermap.gauge.{{request.bindings.gauge_id}}.reading\\'',"
    "   'args':['{{request.body}}'],'options':{'acknowledge':true}},"
    "  'response':{'on_result':{'body':{'id':'{{action.result.publication_id}}'}}}}},"
    "'/about':{'security':{},'get':{'action':{'type':'static'},"
    "  'response':{'on_result':{'body':{'service':'gauges','lang':'{{request.language}}'}}}}}"
    "}}}}";

static int start_river(void **state)
{
    gateway_rig_start(state);
    gateway_rig_load(*state, river);
    return 0;
}

/* ---- 1.10 ------------------------------------------------------------------------------------ */

static void about_is_answered_from_the_document(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "GET /v1/about", NULL, NULL), 200);
    assert_json(rig->reply.body.data, "{'service':'gauges','lang':'en'}");
    assert_string_equal(http_reply_header(&rig->reply, "content-type"),
                        "application/json; charset=utf-8");
    assert_string_equal(http_reply_header(&rig->reply, "cache-control"), "no-store");
    assert_string_equal(http_reply_header(&rig->reply, "server"), "bondy");
    assert_int_equal(gateway_rig_ask(rig, "GET /about", "Accept-Language: fr-CH\r\n", NULL), 200);
    assert_json(rig->reply.body.data, "{'service':'gauges','lang':'fr'}");
    assert_int_equal(gateway_rig_ask(rig, "HEAD /about/", NULL, NULL), 200);
    assert_int_equal(rig->reply.body.len, 0);
}

static void query_parameters_become_keyword_arguments(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_register(rig, "org.rivermap.gauge.list");
    assert_int_equal(
        gateway_rig_call(rig, "GET /gauges?page=2&basin=loire", NULL, NULL, "[['g1','g2']]"), 200);
    assert_non_null(strstr(rig->last_invocation, "{\"basin\":\"loire\"}"));
    assert_json(rig->reply.body.data, "['g1','g2']");
}

static void a_created_gauge_has_a_location(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_register(rig, "org.rivermap.gauge.add");
    assert_int_equal(
        gateway_rig_call(rig, "POST /gauges", JSON_TYPE, quoted("{'id':'g7'}"), "[{'id':'g7'}]"),
        201);
    assert_string_equal(http_reply_header(&rig->reply, "location"), "/gauges/g7");
    assert_json(rig->reply.body.data, "{'id':'g7'}");
    assert_non_null(strstr(rig->last_invocation, "[{\"id\":\"g7\"},\""));
}

static void the_error_of_a_callee_has_the_status_of_the_document(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_register(rig, "org.rivermap.gauge.list");
    assert_int_equal(gateway_rig_call_error(rig, "GET /gauges", NULL, NULL,
                                            "org.rivermap.error.no_such_gauge",
                                            "[],{'message':'x'}"),
                     404);
    assert_json(rig->reply.body.data, "{'message':'x','code':'org.rivermap.error.no_such_gauge'}");
    assert_int_equal(gateway_rig_call_error(rig, "GET /v1/gauges", NULL, NULL,
                                            "org.rivermap.error.stale", "[],{}"),
                     409);
    assert_int_equal(
        gateway_rig_call_error(rig, "GET /gauges", NULL, NULL, "org.rivermap.error.other", "[]"),
        500);
}

static void without_a_callee_it_is_501(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "GET /gauges", NULL, NULL), 501);
    assert_non_null(strstr(rig->reply.body.data, "\"code\":\"wamp.error.no_such_procedure\""));
}

static void a_publication_is_acknowledged(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_subscribe(rig, "org.rivermap.gauge.g7.reading");
    assert_int_equal(
        gateway_rig_ask(rig, "POST /gauges/g7/readings", JSON_TYPE, quoted("{'level':3.5}")), 200);
    assert_true(strncmp(rig->reply.body.data, "{\"id\":", 6) == 0);
    for (unsigned i = 0; i < 100 && memmem(rig->heard.data, rig->heard.len, "[36,", 4) == NULL; i++)
        bondy_loop_turn(rig->loop, 1);
    assert_non_null(memmem(rig->heard.data, rig->heard.len, "[{\"level\":3.5}]", 15));
}

static void a_method_that_is_not_declared_is_405(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "DELETE /gauges", NULL, NULL), 405);
    assert_string_equal(http_reply_header(&rig->reply, "allow"), "GET, HEAD, POST, OPTIONS");
}

static void text_is_not_accepted(void **state)
{
    struct gateway_rig *rig = *state;

    assert_int_equal(gateway_rig_ask(rig, "POST /gauges", "Content-Type: text/plain\r\n", "x"),
                     415);
}

/* ---- 1.9: the order -------------------------------------------------------------------------- */

static const char gone_realm[] =
    "{'id':'gone','host':'gone.example','realm_uri':'no.such.realm','versions':{'1':{"
    "'base_path':'','paths':{'/x':{'accepts':['application/json'],"
    "'post':{'action':{'type':'static'}}}}}}}";

/* Each row is wrong in all that rows below it are wrong in, too: the first check that fails
 * answers. */
static void a_request_is_looked_at_in_this_order(void **state)
{
    static const struct {
        const char *what, *target, *headers, *body;
        unsigned status;
    } cases[] = {
        {"path syntax", "PUT /%zz", "Accept: x/y\r\nContent-Type: text/plain\r\n", "{", 400},
        {"route", "PUT /nowhere", "Accept: x/y\r\nContent-Type: text/plain\r\n", "{", 404},
        {"method", "PUT /gauges", "Accept: x/y\r\nContent-Type: text/plain\r\n", "{", 405},
        {"unknown method", "BREW /gauges", "Accept: x/y\r\n", NULL, 501},
        {"realm", "POST /x", "Host: gone.example\r\nAccept: x/y\r\nContent-Type: text/plain\r\n",
         "{", 503},
        {"OPTIONS", "OPTIONS /gauges", "Accept: x/y\r\nAccept-Language: de\r\n", NULL, 204},
        {"Accept", "POST /gauges",
         "Accept: x/y\r\nAccept-Language: de\r\nContent-Type: text/plain\r\n", "{", 406},
        {"Accept-Language", "POST /gauges", "Accept-Language: de\r\nContent-Type: text/plain\r\n",
         "{", 406},
        {"media type", "POST /gauges", "Content-Type: text/plain\r\n", "{", 415},
        {"no media type", "POST /gauges", "", "{", 415},
        {"body", "POST /gauges", JSON_TYPE, "{", 400},
        {"action", "POST /gauges", JSON_TYPE, "{}", 501},
        {"no body", "POST /gauges", "", NULL, 501},
    };
    struct gateway_rig *rig = *state;

    gateway_rig_load(rig, gone_realm);
    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        unsigned status = gateway_rig_ask(rig, cases[i].target, cases[i].headers, cases[i].body);

        if (status != cases[i].status)
            fail_msg("%s: %u instead of %u: %s", cases[i].what, status, cases[i].status,
                     rig->reply.body.data);
        if (status != 204)
            assert_non_null(strstr(rig->reply.body.data, "\"code\":"));
    }
}

static void a_body_over_the_limit_is_413_before_it_is_read(void **state)
{
    struct gateway_rig *rig = *state;

    gateway_rig_send(rig, "POST /gauges",
                     JSON_TYPE "Content-Length: 65537\r\nExpect: 100-continue\r\n", NULL);
    assert_int_equal(gateway_rig_read(rig), 413);
    assert_non_null(strstr(rig->reply.body.data, "\"code\":\"body_max_bytes_exceeded\""));
}

/* threat-model H5 */
static void confusing_paths_are_refused_or_normalised(void **state)
{
    static const struct {
        const char *path;
        unsigned status;
    } cases[] = {
        {"/about", 200},
        {"//about", 200},
        {"/about//", 200},
        {"/./about", 200},
        {"/x/../about", 200},
        {"/%61bout", 200},
        {"/../about", 200},
        {"/v1/%2e/about", 200},
        {"/v1/%2e%2e/about", 200},
        {"/v1%2fabout", 404},
        {"/about%00", 400},
        {"/about%", 400},
        {"/about%4", 400},
        {"/about%zz", 400},
        {"/%c0%ae%c0%ae/about", 400},
        {"/%ff", 400},
        {"/%252e%252e/about", 404},
        {"/..%2fabout", 400},
        {"/..%5cabout", 400},
        {"/ABOUT", 404},
        {"/about%20", 404},
        {"/about;x", 404},
        {"/a%2f..%2fabout", 400},
        {"/%5c..%5cabout", 400},
    };
    struct gateway_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        char target[128];

        snprintf(target, sizeof target, "GET %s", cases[i].path);
        if (gateway_rig_ask(rig, target, NULL, NULL) != cases[i].status)
            fail_msg("%s: %u instead of %u", cases[i].path, rig->reply.status, cases[i].status);
    }
}

static void long_paths_end(void **state)
{
    struct gateway_rig *rig = *state;
    char target[1024] = "GET ";

    for (unsigned i = 0; i < 200; i++)
        memcpy(target + 4 + 2 * i, "/a", 3);
    assert_int_equal(gateway_rig_ask(rig, target, NULL, NULL), 414);
}

/* ---- OPTIONS and origins --------------------------------------------------------------------- */

static void options_are_answered_without_being_declared(void **state)
{
    struct gateway_rig *rig = *state;

    rig->context.cors = (struct bondy_cors){.mode = BONDY_CORS_ANY,
                                            .methods = (1u << BONDY_METHOD_OTHER) - 1,
                                            .headers = "content-type",
                                            .max_age_s = 60};
    assert_int_equal(gateway_rig_ask(rig, "OPTIONS /gauges",
                                     "Origin: https://a.example\r\n"
                                     "Access-Control-Request-Method: POST\r\n",
                                     NULL),
                     204);
    assert_string_equal(http_reply_header(&rig->reply, "allow"), "GET, HEAD, POST, OPTIONS");
    assert_string_equal(http_reply_header(&rig->reply, "access-control-allow-origin"), "*");
    assert_string_equal(http_reply_header(&rig->reply, "access-control-allow-methods"),
                        "GET, HEAD, POST, OPTIONS");
    assert_string_equal(http_reply_header(&rig->reply, "access-control-max-age"), "60");
    assert_null(http_reply_header(&rig->reply, "access-control-allow-credentials"));
    assert_int_equal(gateway_rig_ask(rig, "OPTIONS *", NULL, NULL), 204);
    assert_non_null(http_reply_header(&rig->reply, "allow"));
    assert_int_equal(gateway_rig_ask(rig, "GET /nowhere", NULL, NULL), 404);
    assert_string_equal(http_reply_header(&rig->reply, "access-control-allow-origin"), "*");
}

/* threat-model H7 */
static void listed_origins_are_echoed_and_others_are_not(void **state)
{
    static const struct {
        const char *origins, *origin;
        bool allowed;
    } cases[] = {
        {"https://a.example", "https://a.example", true},
        {"https://a.example", "https://A.example", true},
        {"https://a.example", "http://a.example", false},
        {"https://a.example", "https://a.example:8443", false},
        {"https://a.example", "https://a.example.evil.test", false},
        {"https://a.example", "https://evil.test/https://a.example", false},
        {"https://a.example, https://b.example:1", "https://b.example:1", true},
        {"*.example.com", "https://x.example.com", true},
        {"*.example.com", "http://y.x.example.com:81", true},
        {"*.example.com", "https://example.com", false},
        {"*.example.com", "https://evilexample.com", false},
        {"*.example.com", "https://.example.com", false},
        {"*.example.com", "null", false},
        {"auto", "http://api.example.org", true},
        {"auto", "https://api.example.org", false},
        {"auto", "http://api.example.org:81", false},
        {"auto", "http://evil.test", false},
    };
    struct gateway_rig *rig = *state;

    for (size_t i = 0; i < BONDY_COUNT(cases); i++) {
        const char *echoed;
        char headers[256];

        assert_int_equal(bondy_cors_parse(cases[i].origins, &rig->context.cors, NULL), BONDY_OK);
        snprintf(headers, sizeof headers, "Origin: %s\r\n", cases[i].origin);
        assert_int_equal(gateway_rig_ask(rig, "GET /about", headers, NULL), 200);
        echoed = http_reply_header(&rig->reply, "access-control-allow-origin");
        if (cases[i].allowed != (echoed != NULL))
            fail_msg("%s with %s: %s", cases[i].origins, cases[i].origin,
                     echoed == NULL ? "refused" : "allowed");
        assert_string_equal(http_reply_header(&rig->reply, "vary"), "origin");
        if (echoed != NULL) {
            assert_string_equal(echoed, cases[i].origin);
            assert_string_equal(http_reply_header(&rig->reply, "access-control-allow-credentials"),
                                "true");
        }
    }
}

static void origins_are_checked_when_they_are_configured(void **state)
{
    struct bondy_cors cors;
    unsigned methods;

    (void)state;
    assert_int_equal(bondy_cors_parse("example.com", &cors, NULL), BONDY_EINVAL);
    assert_int_equal(bondy_cors_parse("https://a, *.*.b", &cors, NULL), BONDY_EINVAL);
    assert_int_equal(bondy_cors_parse_methods("GET,HEAD, POST", &methods, NULL), BONDY_OK);
    assert_int_equal(methods,
                     1u << BONDY_METHOD_GET | 1u << BONDY_METHOD_HEAD | 1u << BONDY_METHOD_POST);
    assert_int_equal(bondy_cors_parse_methods("GET,BREW", &methods, NULL), BONDY_EINVAL);
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool fixed(void *context, struct bondy_request *request)
{
    (void)context;
    if (!bondy_slice_is(bondy_request_path(request), "/ping"))
        return false;
    bondy_response_empty(request, 204);
    return true;
}

static enum bondy_admission admit(void *context, struct bondy_request *request,
                                  struct bondy_gateway_pending *pending,
                                  struct bondy_identity *identity)
{
    static const struct bondy_slice group = BONDY_SLICE("operators");
    struct bondy_slice who = bondy_request_header(request, "x-user");

    (void)context;
    (void)pending;
    if (who.data == NULL) {
        bondy_response_problem(request, 401, "invalid_token", "who are you?", "", NULL);
        return BONDY_ADMISSION_NO;
    }
    *identity = (struct bondy_identity){
        .authid = who, .authmethod = BONDY_SLICE("test"), .groups = &group, .group_count = 1};
    return BONDY_ADMISSION_YES;
}

static void a_guard_admits_or_answers(void **state)
{
    static const struct bondy_gateway_guard guard = {fixed, admit, NULL};
    struct gateway_rig *rig = *state;

    gateway_rig_load(rig, "{'id':'who','host':'who.example','realm_uri':'org.rivermap',"
                          "'versions':{'1':{'base_path':'','paths':{'/who':{'get':{"
                          "'action':{'type':'static'},'response':{'on_result':{'body':"
                          "['{{security.authid}}','{{security.authmethod}}',"
                          "'{{security.groups}}']}}}}}}}}");
    rig->context.guard = &guard;
    assert_int_equal(gateway_rig_ask(rig, "GET /ping", NULL, NULL), 204);
    assert_int_equal(gateway_rig_ask(rig, "GET /who", "Host: who.example\r\n", NULL), 401);
    assert_int_equal(gateway_rig_ask(rig, "GET /nowhere", NULL, NULL), 404);
    assert_int_equal(gateway_rig_ask(rig, "OPTIONS /about", NULL, NULL), 204);
    assert_int_equal(
        gateway_rig_ask(rig, "GET /who", "Host: who.example\r\nX-User: ines\r\n", NULL), 200);
    assert_json(rig->reply.body.data, "['ines','test',['operators']]");
    rig->context.guard = NULL;
    assert_int_equal(gateway_rig_ask(rig, "GET /who", "Host: who.example\r\n", NULL), 200);
    assert_non_null(strstr(rig->reply.body.data, "\",\"anonymous\",[]]"));
}

/* A guard that is asked and says nothing until the test decides. */
struct slow {
    struct bondy_gateway_pending *pending;
};

static enum bondy_admission think(void *context, struct bondy_request *request,
                                  struct bondy_gateway_pending *pending,
                                  struct bondy_identity *identity)
{
    (void)request;
    (void)identity;
    ((struct slow *)context)->pending = pending;
    return BONDY_ADMISSION_LATER;
}

static void wait_for_guard(struct gateway_rig *rig, const struct slow *slow)
{
    for (int i = 0; i < 1000 && slow->pending == NULL; i++)
        bondy_loop_turn(rig->loop, 10);
    assert_non_null(slow->pending);
}

static void say_yes(struct slow *slow)
{
    const struct bondy_identity identity = {.authid = BONDY_SLICE("ines"),
                                            .authrole = BONDY_SLICE("operators"),
                                            .authmethod = BONDY_SLICE("test")};

    bondy_gateway_admitted(BONDY_MOVE(slow->pending), &identity);
}

static void say_no(struct slow *slow)
{
    static const struct bondy_problem problem = {.status = 429, .code = "slow_down"};
    struct bondy_response *response =
        bondy_problem_create(bondy_gateway_pending_request(slow->pending), &problem);

    bondy_gateway_refused(BONDY_MOVE(slow->pending), response);
}

static void say(struct gateway_rig *rig, const char *text)
{
    if (rig->client.fd >= 0)
        http_client_close(&rig->client);
    http_client_open(&rig->client, rig->server, rig->loop, &rig->listener);
    assert_true(http_client_say(&rig->client, text));
}

static void load_echo(struct gateway_rig *rig)
{
    gateway_rig_load(rig, "{'id':'echo','host':'who.example','realm_uri':'org.rivermap',"
                          "'versions':{'1':{'base_path':'','paths':{'/echo':{'post':{"
                          "'action':{'type':'static'},'response':{'on_result':{'body':"
                          "['{{security.authid}}','{{request.body}}']}}}}}}}}");
}

#define ECHO_HEAD                                                                                  \
    "POST /echo HTTP/1.1\r\nHost: who.example\r\nContent-Type: application/json\r\n"               \
    "Content-Length: 7\r\n\r\n"

static void a_guard_may_decide_after_the_body_came(void **state)
{
    struct slow slow = {NULL};
    const struct bondy_gateway_guard guard = {NULL, think, &slow};
    struct gateway_rig *rig = *state;

    load_echo(rig);
    rig->context.guard = &guard;
    say(rig, ECHO_HEAD "[1,2,3]");
    wait_for_guard(rig, &slow);
    for (int i = 0; i < 10; i++)
        bondy_loop_turn(rig->loop, 1);
    say_yes(&slow);
    assert_int_equal(gateway_rig_read(rig), 200);
    assert_json(rig->reply.body.data, "['ines',[1,2,3]]");
    say(rig, ECHO_HEAD "[1,2,3]");
    wait_for_guard(rig, &slow);
    for (int i = 0; i < 10; i++)
        bondy_loop_turn(rig->loop, 1);
    say_no(&slow);
    assert_int_equal(gateway_rig_read(rig), 429);
    rig->context.guard = NULL;
}

static void a_guard_may_decide_while_the_body_comes(void **state)
{
    struct slow slow = {NULL};
    const struct bondy_gateway_guard guard = {NULL, think, &slow};
    struct gateway_rig *rig = *state;

    load_echo(rig);
    rig->context.guard = &guard;
    for (int is_refused = 0; is_refused < 2; is_refused++) {
        say(rig, ECHO_HEAD "[1,");
        wait_for_guard(rig, &slow);
        if (is_refused)
            say_no(&slow);
        else
            say_yes(&slow);
        assert_true(http_client_say(&rig->client, "2,3]"));
        assert_int_equal(gateway_rig_read(rig), is_refused ? 429 : 200);
    }
    say(rig, "POST /echo HTTP/1.1\r\nHost: who.example\r\n"
             "Content-Type: text/xml\r\nContent-Length: 2\r\n"
             "\r\n");
    wait_for_guard(rig, &slow);
    say_yes(&slow);
    assert_true(http_client_say(&rig->client, "<>"));
    assert_int_equal(gateway_rig_read(rig), 415);
    rig->context.guard = NULL;
}

/* What is left of a request whose client left is the guard's until it has decided. */
static void a_client_may_leave_while_the_guard_thinks(void **state)
{
    struct slow slow = {NULL};
    const struct bondy_gateway_guard guard = {NULL, think, &slow};
    struct gateway_rig *rig = *state;

    load_echo(rig);
    rig->context.guard = &guard;
    for (int i = 0; i < 4; i++) {
        say(rig, i % 2 == 0 ? ECHO_HEAD "[1," : ECHO_HEAD "[1,2,3]");
        wait_for_guard(rig, &slow);
        http_client_close(&rig->client);
        for (int turn = 0; turn < 1000 && bondy_gateway_pending_request(slow.pending) != NULL;
             turn++)
            bondy_loop_turn(rig->loop, 10);
        assert_null(bondy_gateway_pending_request(slow.pending));
        if (i < 2)
            say_yes(&slow);
        else
            bondy_gateway_refused(BONDY_MOVE(slow.pending), NULL);
    }
    rig->context.guard = NULL;
}

/* ---- swapping -------------------------------------------------------------------------------- */

static void a_request_under_way_keeps_the_specification_it_came_with(void **state)
{
    struct gateway_rig *rig = *state;
    unsigned long id;

    gateway_rig_register(rig, "org.rivermap.gauge.list");
    gateway_rig_send(rig, "GET /gauges", NULL, NULL);
    id = gateway_rig_invocation(rig);
    bondy_gateway_publish(rig->gateway, BONDY_GATEWAY_PUBLIC,
                          bondy_route_table_build(NULL, 0, NULL));
    bondy_spec_unref(rig->specs[--rig->spec_count]);
    bondy_publish_barrier_wait();
    gateway_rig_yield(rig, id, "['late']");
    assert_int_equal(gateway_rig_read(rig), 200);
    assert_json(rig->reply.body.data, "'late'");
    assert_int_equal(gateway_rig_ask(rig, "GET /gauges", NULL, NULL), 404);
}

int main(void)
{
#define RIVER(test) cmocka_unit_test_setup_teardown(test, start_river, gateway_rig_stop)
    const struct CMUnitTest tests[] = {
        RIVER(about_is_answered_from_the_document),
        RIVER(query_parameters_become_keyword_arguments),
        RIVER(a_created_gauge_has_a_location),
        RIVER(the_error_of_a_callee_has_the_status_of_the_document),
        RIVER(without_a_callee_it_is_501),
        RIVER(a_publication_is_acknowledged),
        RIVER(a_method_that_is_not_declared_is_405),
        RIVER(text_is_not_accepted),
        RIVER(a_request_is_looked_at_in_this_order),
        RIVER(a_body_over_the_limit_is_413_before_it_is_read),
        RIVER(confusing_paths_are_refused_or_normalised), /* H5 */
        RIVER(long_paths_end),
        RIVER(options_are_answered_without_being_declared),
        RIVER(listed_origins_are_echoed_and_others_are_not), /* H7 */
        cmocka_unit_test(origins_are_checked_when_they_are_configured),
        RIVER(a_guard_admits_or_answers),
        RIVER(a_guard_may_decide_after_the_body_came),
        RIVER(a_guard_may_decide_while_the_body_comes),
        RIVER(a_client_may_leave_while_the_guard_thinks),
        RIVER(a_request_under_way_keeps_the_specification_it_came_with),
    };

    if (bondy_id_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
